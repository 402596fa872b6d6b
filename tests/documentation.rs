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

/// Links from one document to another lead somewhere, to a heading that is there.
#[test]
fn no_link_leads_nowhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = with_extension(&root.join("docs"), "md");
    pages.push(root.join("README.md"));
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
