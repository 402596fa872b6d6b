//! Documents that must not fall behind the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The first parts of codes that users meet.
const OF_USERS: &[&str] = &["trust", "verify", "policy", "net"];

/// Every stable code about verification, policy and signed indexes is explained, and none is explained that is not there.
#[test]
fn all_codes_of_refusals_are_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    for path in sources(&root.join("src")) {
        used.extend(codes(&std::fs::read_to_string(path).unwrap(), '"', OF_USERS));
    }
    let page = std::fs::read_to_string(root.join("docs/reference/refusals.md")).unwrap();
    let explained: BTreeSet<String> = codes(&page, '`', OF_USERS).into_iter().collect();
    let about_trust = |code: &&String| !code.starts_with("net.");
    assert_eq!(
        used.iter().filter(about_trust).collect::<Vec<_>>(),
        explained.iter().filter(about_trust).collect::<Vec<_>>()
    );
    assert!(used.len() > 30, "only {used:?}");
}

/// The same for operators: every code of `tufpip repo` has its line, with the exit codes it comes with.
#[test]
fn all_codes_of_the_repository_are_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/reference/repo.md")).unwrap();
    let mut explained = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| `repo.")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let Some(code) = cells[1].strip_prefix('`').and_then(|cell| cell.strip_suffix('`')) else { continue };
        if code != "repo.toml" {
            explained.insert(code.to_owned(), cells[2].to_owned());
        }
    }
    let texts: Vec<String> =
        sources(&root.join("src")).iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let used: BTreeSet<String> = texts.iter().flat_map(|text| codes(text, '"', &["repo"])).collect();
    assert_eq!(used.iter().collect::<Vec<_>>(), explained.keys().collect::<Vec<_>>());
    assert!(used.len() > 40, "only {used:?}");

    for (code, kind) in texts.iter().flat_map(|text| kinds(text)) {
        let exit_code = match kind.as_str() {
            "Error" => "1",
            "Usage" => "2",
            "Verification" => "10",
            "Expired" => "11",
            "Policy" => "12",
            "Network" => "13",
            other => panic!("{code} comes with {other}"),
        };
        let listed = &explained[&code];
        assert!(
            listed.split(", ").any(|listed| listed == exit_code),
            "{code} ends with {exit_code}, not only {listed}"
        );
    }
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

/// Codes of operators, each with the kind that is named directly before it.
fn kinds(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for rest in text.split("Kind::").skip(1) {
        let Some((kind, rest)) = rest.split_once(',') else { continue };
        let Some(code) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
        if code.starts_with("repo.") && kind.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            found.push((code.to_owned(), kind.to_owned()));
        }
    }
    found
}

/// Codes of these areas between quotation marks of this kind, names of files left out.
fn codes(text: &str, mark: char, areas: &[&str]) -> Vec<String> {
    let is_code = |text: &&str| {
        let Some((area, name)) = text.split_once('.') else { return false };
        areas.contains(&area)
            && name.len() > 2
            && !["json", "example", "toml"].contains(&name)
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    text.split(mark).filter(is_code).map(str::to_owned).collect()
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    with_extension(directory, "rs")
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
