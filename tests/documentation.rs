//! Documents that must not fall behind the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use installer::error::{Code, Page};

/// Every code of a failure is explained on its page of reference with its exit code, and none is explained that is not there.
#[test]
fn all_codes_of_failures_are_explained() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let mut explained = BTreeMap::new();
    for page in [Page::Failures, Page::Repo] {
        let text = std::fs::read_to_string(reference.join(page.file_name())).unwrap();
        let mut exit_code_of_section = None;
        for line in text.lines() {
            if line.starts_with('#') {
                let title = line.trim_start_matches('#').trim().strip_prefix("Exit code ");
                exit_code_of_section = title.and_then(|title| title.split(':').next()).map(str::to_owned);
            }
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let &[_, codes, second, ..] = cells.as_slice() else { continue };
            let own =
                (!second.is_empty() && second.bytes().all(|byte| byte.is_ascii_digit())).then(|| second.to_owned());
            let Some(exit_code) = own.or_else(|| exit_code_of_section.clone()) else { continue };
            for code in codes.split(", ").filter_map(|code| code.strip_prefix('`')?.strip_suffix('`')) {
                let before = explained.insert(code.to_owned(), (page, exit_code.clone()));
                assert!(before.is_none(), "{code} is explained twice");
            }
        }
    }
    for code in Code::ALL {
        let expected = (code.page(), code.exit().code().to_string());
        assert_eq!(explained.remove(code.name()), Some(expected), "{code}");
    }
    assert!(explained.is_empty(), "explained, and not there: {explained:?}");
}

/// Where the documents for those who read the code say that something is.
#[test]
fn all_paths_to_the_code_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = std::fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut bases = vec![root.to_owned(), root.join("src")];
    bases.extend(crates.flat_map(|path| [path.join("src"), path]));
    let mut missing = Vec::new();
    for (page, least) in
        [("docs/glossary.md", 80), ("docs/architecture.md", 60), ("docs/design.md", 5), ("CONTRIBUTING.md", 20)]
    {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let mut found = 0;
        for path in text.split('`').skip(1).step_by(2).filter(|text| is_path(text)) {
            // The glossary is searched by machines, too: its paths are whole.
            let bases = if page == "docs/glossary.md" { &bases[..1] } else { &bases[..] };
            if !bases.iter().any(|base| base.join(path).exists()) {
                missing.push(format!("{page}: {path}"));
            }
            found += 1;
        }
        assert!(found >= least, "{page}: only {found}");
    }
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
}

fn is_path(text: &str) -> bool {
    let is_named = [".rs", ".py", ".toml"].iter().any(|ending| text.ends_with(ending)) || text.starts_with("crates/");
    is_named && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte)) && text != "repo.toml"
}

/// Each test that the page about attacks names is there: `attacks::a05_endless_data`, `wheel/unpack_hostile::framing`.
#[test]
fn every_test_against_a_threat_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/threats.md")).unwrap();
    let mut tests = 0;
    let mut missing = Vec::new();
    for name in page.split('`').skip(1).step_by(2).filter(|text| is_test(text)) {
        let places = match name.split_once('/') {
            None => vec![(root.join("tests"), name)],
            Some((member, name)) => {
                let member = root.join("crates").join(member);
                vec![(member.join("tests"), name), (member.join("src"), name)]
            }
        };
        if !places.iter().any(|(directory, name)| has_test(directory, name)) {
            missing.push(name);
        }
        tests += 1;
    }
    assert!(missing.is_empty(), "docs/threats.md names what is not there:\n{}", missing.join("\n"));
    assert!(tests > 100, "only {tests}");
    assert!(has_test(&root.join("tests"), "attacks::a05_endless_data"));
    assert!(!has_test(&root.join("tests"), "attacks::a05_endless_data::no_such_function"));
    assert!(!has_test(&root.join("tests"), "attacks::a99_no_such_attack"));
}

fn is_test(text: &str) -> bool {
    let name = text.split_once('/').map_or(text, |(_, name)| name);
    let is_word = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    (text.contains("::") || Path::new("crates").join(text.split('/').next().unwrap()).is_dir() && text.contains('/'))
        && name.split("::").all(is_word)
}

/// Modules as files, then what is within the last of them.
fn has_test(directory: &Path, name: &str) -> bool {
    let mut directory = directory.to_owned();
    let mut text = String::new();
    for part in name.split("::") {
        let beside = directory.join(format!("{part}.rs"));
        let within = directory.join(part).join("mod.rs");
        if let Some(file) = [beside, within].iter().find(|file| file.exists()) {
            text = std::fs::read_to_string(file).unwrap();
            directory.push(part);
        } else if !text.contains(&format!("fn {part}(")) && !text.contains(&format!("mod {part} {{")) {
            return false;
        }
    }
    true
}

/// Links from one document to another lead somewhere, to a heading that is there.
#[test]
fn no_link_leads_nowhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = with_extension(&root.join("docs"), "md");
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root.join(name)));
    let mut links = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            assert!(file.exists(), "{}: {target}", page.display());
            assert!(
                heading.is_empty() || headings(&std::fs::read_to_string(&file).unwrap()).contains(heading),
                "{}: no heading for {target}",
                page.display()
            );
            links += 1;
        }
    }
    assert!(links > 30, "only {links}");
}

/// The names that headings have in links.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let is_kept = |character: &char| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_');
    titles.map(|title| title.to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-")).collect()
}

fn with_extension(directory: &Path, wanted: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(with_extension(&path, wanted));
        } else if path.extension().is_some_and(|extension| extension == wanted) {
            found.push(path);
        }
    }
    found
}
