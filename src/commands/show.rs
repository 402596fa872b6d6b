//! `show`: prints the metadata of installed distributions.

use std::collections::{BTreeSet, HashMap};
use std::process::ExitCode;

use packaging::{MarkerEnvironment, PackageName};

use crate::terminal::Terminal;
use installer::cache::CacheDirectory;
use installer::error::Failure;
use installer::options::{CommonOptions, normalize};
use installer::python::environment::Environment;
use installer::python::installed::{InstalledPackage, installed_packages};

/// `show`
#[derive(Clone, Debug)]
pub struct ShowOptions {
    /// Names from the command line; at least one.
    pub packages: Vec<String>,
    /// List the files too.
    pub files: bool,
}

/// Prints the distributions that are named; exit code 1 when none is installed.
///
/// # Errors
/// When the environment cannot be read.
pub fn show(common: &CommonOptions, show: &ShowOptions, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let environment = Environment::open(common, &CacheDirectory::open(common, terminal)?)?;
    let distributions = installed_packages(environment.distributions(), terminal)?;
    let by_name: HashMap<String, &InstalledPackage> =
        distributions.iter().map(|described| (described.name.to_string(), described)).collect();
    let mut missing: Vec<&str> =
        show.packages.iter().filter(|name| !by_name.contains_key(&normalize(name))).map(String::as_str).collect();
    missing.sort_unstable();
    if !missing.is_empty() {
        terminal.warning(&format!("Package(s) not found: {}", missing.join(", ")));
    }
    let found: Vec<&InstalledPackage> =
        show.packages.iter().filter_map(|name| by_name.get(&normalize(name)).copied()).collect();
    let requiring = if found.is_empty() { None } else { requiring(&distributions, &environment.interpreter.markers) };
    for (index, described) in found.iter().enumerate() {
        if index > 0 {
            terminal.line("---");
        }
        let required_by = required_by(&described.name, requiring.as_ref());
        let requires = requires(described, &environment.interpreter.markers);
        print(described, &requires, &required_by, terminal);
        if terminal.is_verbose(1) {
            print_more(described, terminal)?;
        }
        if show.files {
            print_files(described, terminal)?;
        }
    }
    Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(described: &InstalledPackage, requires: &str, required_by: &str, terminal: &Terminal) {
    let fields = &described.fields;
    let field = |name: &str| fields.get(name).unwrap_or_default();
    let mut lines = vec![
        format!("Name: {}", described.raw_name()),
        format!("Version: {}", described.raw_version()),
        format!("Summary: {}", field("Summary")),
        format!("Home-page: {}", home_page(described)),
        format!("Author: {}", field("Author")),
        format!("Author-email: {}", field("Author-email")),
    ];
    let expression = field("License-Expression");
    if has_license_expressions(field("Metadata-Version")) && !expression.is_empty() {
        lines.push(format!("License-Expression: {expression}"));
    } else {
        lines.push(format!("License: {}", field("License")));
    }
    lines.push(format!("Location: {}", described.location().display()));
    if let Some(location) = described.distribution.editable_location() {
        lines.push(format!("Editable project location: {}", location.display()));
    }
    lines.push(format!("Requires: {requires}"));
    lines.push(format!("Required-by: {required_by}"));
    for line in lines {
        terminal.lines(&line);
    }
}

/// Prints what `-v` adds.
fn print_more(described: &InstalledPackage, terminal: &Terminal) -> Result<(), Failure> {
    let fields = &described.fields;
    let print = |line: &str| terminal.lines(line);
    print(&format!("Metadata-Version: {}", fields.get("Metadata-Version").unwrap_or_default()));
    print(&format!("Installer: {}", described.distribution.installer()));
    print("Classifiers:");
    for classifier in fields.get_all("Classifier") {
        print(&format!("  {classifier}"));
    }
    print("Entry-points:");
    let entry_points = described.distribution.read("entry_points.txt")?.unwrap_or_default();
    for line in String::from_utf8_lossy(&entry_points).lines() {
        print(&format!("  {}", line.trim()));
    }
    print("Project-URLs:");
    for url in fields.get_all("Project-URL") {
        print(&format!("  {url}"));
    }
    Ok(())
}

fn print_files(described: &InstalledPackage, terminal: &Terminal) -> Result<(), Failure> {
    terminal.line("Files:");
    let Some(files) = described.distribution.files()? else {
        terminal.line("Cannot locate RECORD or installed-files.txt");
        return Ok(());
    };
    let mut files: Vec<String> = files.iter().map(|file| plain_path(file)).collect();
    files.sort();
    for file in files {
        terminal.line(&format!("  {}", file.trim()));
    }
    Ok(())
}

/// A path without `.` and doubled slashes.
fn plain_path(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, parts.join("/"))
}

/// Names of the dependencies; the dependencies themselves when one of them is none.
fn requires(described: &InstalledPackage, environment: &MarkerEnvironment) -> String {
    let mut names: Vec<String> = match described.dependencies(environment) {
        Ok(dependencies) => {
            let names: BTreeSet<&str> = dependencies.iter().map(|requirement| requirement.spelled_name()).collect();
            names.into_iter().map(str::to_owned).collect()
        }
        Err(_) => described.fields.get_all("Requires-Dist").map(str::to_owned).collect(),
    };
    names.sort_by_key(|name| name.to_lowercase());
    names.join(", ")
}

/// The dependents of each project; `None` when some dependencies cannot be parsed.
fn requiring(
    distributions: &[InstalledPackage],
    environment: &MarkerEnvironment,
) -> Option<HashMap<PackageName, Vec<String>>> {
    let mut requiring: HashMap<PackageName, Vec<String>> = HashMap::new();
    for described in distributions {
        let dependencies = described.dependencies(environment).ok()?;
        let names: BTreeSet<PackageName> = dependencies.into_iter().map(|requirement| requirement.name).collect();
        for name in names {
            let by = described.fields.get("Name").unwrap_or("UNKNOWN").to_owned();
            requiring.entry(name).or_default().push(by);
        }
    }
    Some(requiring)
}

fn required_by(name: &PackageName, requiring: Option<&HashMap<PackageName, Vec<String>>>) -> String {
    let Some(requiring) = requiring else { return "#N/A".to_owned() };
    let mut names = requiring.get(name).cloned().unwrap_or_default();
    names.sort_by_key(|name| name.to_lowercase());
    names.join(", ")
}

/// `Home-page`, else the project URL that is labelled as one (PEP 753).
fn home_page(described: &InstalledPackage) -> String {
    match described.fields.get("Home-page") {
        Some(page) if !page.is_empty() => return page.to_owned(),
        _ => {}
    }
    let labelled = described.fields.get_all("Project-URL").filter_map(|url| url.split_once(','));
    let is_part = |character: &char| !character.is_ascii_punctuation() && !character.is_ascii_whitespace();
    let mut home_pages = labelled.filter_map(|(label, url)| {
        let label: String = label.chars().filter(is_part).collect();
        (label.to_lowercase() == "homepage").then(|| url.trim().to_owned())
    });
    home_pages.next().unwrap_or_default()
}

/// License expressions came with version 2.4 of the metadata (PEP 639).
fn has_license_expressions(metadata_version: &str) -> bool {
    let mut numbers = metadata_version.split('.').map(|number| number.trim().parse::<u32>().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()) >= (2, 4)
}
