//! One requirement as pip takes it: a PEP 508 specifier, a path to an archive or a project, or a URL.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use packaging::{ExtraName, PackageName, Requirement, WheelFilename};
use url::Url;

use super::{ParsedMarker, RequirementOrigin, RequirementSource, installation_error};
use crate::error::{Code, Failure};

/// Parses one requirement and its marker. Sentences to warn with are added to `warnings`.
///
/// # Errors
/// With pip's message; with the line where the text comes from a file.
pub fn parse(
    text: &str,
    origin: &RequirementOrigin,
    warnings: &mut Vec<String>,
) -> Result<(RequirementSource, Option<ParsedMarker>), Failure> {
    // A semicolon may be part of a URL; there only one with a space behind it ends it.
    let separator = if is_url(text) { "; " } else { ";" };
    let (name, marker) = match text.split_once(separator) {
        Some((name, marker)) => (name.trim(), marker.trim()),
        None => (text.trim(), ""),
    };
    let marker = if marker.is_empty() { None } else { Some(parse_marker(name, marker)?) };
    if is_url(name) {
        return Ok((source_of_url(&absolute_url(name)?, Vec::new(), None, name)?, marker));
    }
    let (path, extras) = strip_extras(name);
    if let Some(path) = local_path(path, name, warnings)? {
        let extras = parse_extras(extras, name)?;
        let subject = if path.is_dir() {
            RequirementSource::Directory { path, extras, name: None }
        } else {
            let url = Url::from_file_path(&path).map_err(|()| installation_error(format!("Invalid path: '{name}'")))?;
            source_of_url(&url, extras, None, name)?
        };
        return Ok((subject, marker));
    }
    // The marker is given along, so that the requirement carries it too. In a direct reference it has to stand apart.
    let whole = match &marker {
        Some(marker) if name.contains('@') => format!("{name} ; {}", marker.text),
        Some(_) => text.to_owned(),
        None => name.to_owned(),
    };
    let requirement = Requirement::from_str(&whole).map_err(|error| invalid(name, &error.reason, origin))?;
    let subject = match requirement.url.clone() {
        Some(url) => source_of_url(&url, requirement.extras.clone(), Some(requirement.name.clone()), name)?,
        None => {
            warn_of_file(name, origin, warnings);
            RequirementSource::Specifier(requirement)
        }
    };
    Ok((subject, marker))
}

/// Whether a requirement names something on this machine, as far as its text tells; the disk is not looked at.
pub fn names_local_file(text: &str) -> bool {
    let separator = if is_url(text) { "; " } else { ";" };
    let name = text.split_once(separator).map_or(text, |(name, _)| name).trim();
    let is_file_url =
        |text: &str| text.trim_start().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"));
    if is_url(name) {
        return is_file_url(name);
    }
    match name.split_once('@') {
        // `name @ https://…`, but not `name @ ./file`.
        Some((before, url)) if !looks_like_path(before) => is_file_url(url) || !url.contains("://"),
        _ => looks_like_path(name) || is_archive(strip_extras(name).0),
    }
}

/// The path without `.` and `..`, made absolute in the current directory; links are not followed.
pub fn absolute_path(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut normal = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// A `file:` URL as a path; one that is relative starts in the current directory, as pip has it.
pub fn absolute_url(text: &str) -> Result<Url, Failure> {
    let broken = |reason: String| installation_error(format!("Invalid URL '{text}': {reason}"));
    if let Some((scheme, rest)) = text.split_once(':')
        && scheme.eq_ignore_ascii_case("file")
        && !rest.starts_with('/')
    {
        let (path, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let mut url = Url::from_file_path(absolute_path(Path::new(path)))
            .map_err(|()| broken("it is no absolute path".to_owned()))?;
        url.set_fragment(Some(fragment).filter(|fragment| !fragment.is_empty()));
        return Ok(url);
    }
    Url::parse(text).map_err(|error| broken(error.to_string()))
}

/// Whether a text starts with a scheme that pip takes for one.
fn is_url(text: &str) -> bool {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| {
        matches!(scheme.as_str(), "http" | "https" | "file" | "ftp") || is_version_control(&scheme)
    })
}

fn is_version_control(scheme: &str) -> bool {
    scheme.split_once('+').is_some_and(|(system, _)| matches!(system, "git" | "hg" | "bzr" | "svn"))
}

/// What a URL points at.
fn source_of_url(
    url: &Url,
    extras: Vec<ExtraName>,
    name: Option<PackageName>,
    text: &str,
) -> Result<RequirementSource, Failure> {
    if is_version_control(url.scheme()) {
        return Err(Failure::new(
            Code::RequirementsVersionControl,
            format!("{} is a version control URL, which is not supported yet", printable::redacted(url.as_str())),
        )
        .hint("build a wheel of the project and install that"));
    }
    if !matches!(url.scheme(), "http" | "https" | "file") {
        return Err(installation_error(format!(
            "Invalid requirement: '{text}': URLs of scheme '{}' are not supported",
            url.scheme()
        )));
    }
    let name = match name {
        Some(name) => Some(name),
        None => egg_fragment(url)?,
    };
    if url.scheme() == "file"
        && let Ok(path) = url.to_file_path()
        && path.is_dir()
    {
        check_installable(&path, text)?;
        return Ok(RequirementSource::Directory { path, extras, name });
    }
    let last = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let filename = decode_percent(last);
    if !filename.to_ascii_lowercase().ends_with(".whl") {
        return Ok(RequirementSource::File { url: url.clone(), filename, extras, name });
    }
    let wheel = WheelFilename::from_str(&filename).map_err(|error| {
        let shown = printable::line(&filename);
        installation_error(format!("{shown} is not a valid wheel filename.")).detail("cause", error.to_string())
    })?;
    Ok(RequirementSource::File { url: url.clone(), filename, extras, name: name.or(Some(wheel.name)) })
}

/// `#egg=name`, which may hold nothing but a name.
fn egg_fragment(url: &Url) -> Result<Option<PackageName>, Failure> {
    let parts = url.fragment().unwrap_or_default().split('&');
    let Some(egg) = parts.filter_map(|part| part.strip_prefix("egg=")).next() else { return Ok(None) };
    PackageName::from_str(egg).map(Some).map_err(|_| {
        installation_error(format!("The '{egg}' egg fragment is invalid: expected a project name"))
            .hint("write `name[extra] @ URL` instead")
    })
}

/// The file or directory that an argument names, if it names one.
fn local_path(path: &str, name: &str, warnings: &mut Vec<String>) -> Result<Option<PathBuf>, Failure> {
    let absolute = absolute_path(Path::new(path));
    if looks_like_path(name) && absolute.is_dir() {
        check_installable(&absolute, name)?;
        return Ok(Some(absolute));
    }
    if !is_archive(path) {
        return Ok(None);
    }
    if absolute.is_file() {
        return Ok(Some(absolute));
    }
    // `name @ https://…/archive.zip`
    if name.split_once('@').is_some_and(|(before, _)| !looks_like_path(before)) {
        return Ok(None);
    }
    warnings.push(format!("Requirement '{name}' looks like a filename, but the file does not exist"));
    Ok(Some(absolute))
}

fn check_installable(path: &Path, name: &str) -> Result<(), Failure> {
    if path.join("pyproject.toml").is_file() || path.join("setup.py").is_file() {
        return Ok(());
    }
    Err(installation_error(format!(
        "Directory '{name}' is not installable. Neither 'setup.py' nor 'pyproject.toml' found."
    )))
}

fn looks_like_path(text: &str) -> bool {
    text.contains(std::path::is_separator) || text.starts_with('.')
}

fn is_archive(path: &str) -> bool {
    const EXTENSIONS: &[&str] = &[
        ".whl",
        ".zip",
        ".tar.gz",
        ".tgz",
        ".tar",
        ".tar.bz2",
        ".tbz",
        ".tar.xz",
        ".txz",
        ".tlz",
        ".tar.lz",
        ".tar.lzma",
    ];
    let path = path.to_ascii_lowercase();
    EXTENSIONS.iter().any(|extension| path.len() > extension.len() && path.ends_with(extension))
}

/// Splits `path[extra,extra]`.
fn strip_extras(text: &str) -> (&str, &str) {
    let inner = text.strip_suffix(']').and_then(|text| text.rsplit_once('['));
    match inner {
        Some((path, extras)) if !path.is_empty() && !extras.is_empty() && !extras.contains(']') => {
            (path.trim_end(), extras)
        }
        _ => (text, ""),
    }
}

fn parse_extras(extras: &str, name: &str) -> Result<Vec<ExtraName>, Failure> {
    let extras = extras.split(',').map(str::trim).filter(|extra| !extra.is_empty());
    extras
        .map(|extra| {
            ExtraName::from_str(extra)
                .map_err(|_| installation_error(format!("Invalid requirement: '{name}': '{extra}' is no valid extra")))
        })
        .collect()
}

fn parse_marker(name: &str, text: &str) -> Result<ParsedMarker, Failure> {
    let tree = packaging::Marker::from_str(text).map_err(|error| {
        let reason = error.to_string();
        installation_error(format!("Invalid requirement: '{name}': {}", reason.lines().next().unwrap_or_default()))
            .detail("marker", text.to_owned())
    })?;
    Ok(ParsedMarker { text: text.to_owned(), tree })
}

fn invalid(text: &str, reason: &str, origin: &RequirementOrigin) -> Failure {
    const OPERATORS: &[&str] = &["~=", "==", "!=", "<=", ">=", "<", ">"];
    let place = match origin {
        RequirementOrigin::CommandLine => String::new(),
        RequirementOrigin::Line { file, line, .. } => format!(" (from line {line} of {file})"),
        RequirementOrigin::Group { .. } => format!(" (from {origin})"),
    };
    let shown = printable::line(text);
    let failure = installation_error(format!("Invalid requirement: '{shown}': {reason}{place}"));
    if text.contains(std::path::is_separator) {
        failure.hint(format!("It looks like a path. {}", path_hint(text)))
    } else if text.contains('=') && !OPERATORS.iter().any(|operator| text.contains(operator)) {
        failure.hint("= is not a valid operator. Did you mean == ?")
    } else if Path::new(text).is_file() {
        failure.hint(path_hint(text))
    } else {
        failure
    }
}

/// A hint for text that looks like a path and is not a requirement.
fn path_hint(text: &str) -> String {
    let path = Path::new(text);
    let shown = printable::line(text);
    if !path.exists() {
        format!("File '{shown}' does not exist.")
    } else if path.is_file() && is_requirements_file(path) {
        format!(
            "The path does exist. The argument you provided ({shown}) appears to be a requirements file. If that is \
             the case, use the '-r' flag to install the packages specified within it."
        )
    } else {
        "The path does exist.".to_owned()
    }
}

/// Whether the first line that is neither blank nor a comment is a requirement.
fn is_requirements_file(path: &Path) -> bool {
    const MAX_SIZE: u64 = 1 << 20;
    let small = path.metadata().is_ok_and(|metadata| metadata.len() <= MAX_SIZE);
    let content = if small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    let Ok(content) = super::text::decode(&content) else { return false };
    let lines = super::text::lines(&content, &Default::default());
    lines.first().is_some_and(|(_, line)| Requirement::from_str(super::text::split_options(line).0).is_ok())
}

/// `install requirements.txt` asks the index for a project of that name, which anybody could register.
fn warn_of_file(name: &str, origin: &RequirementOrigin, warnings: &mut Vec<String>) {
    if *origin == RequirementOrigin::CommandLine
        && name.to_ascii_lowercase().ends_with(".txt")
        && Path::new(name).is_file()
    {
        warnings.push(format!("'{name}' is taken for the name of a package; use -r to read the file of that name."));
    }
}

fn decode_percent(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(RequirementSource, Option<ParsedMarker>), Failure> {
        parse(text, &RequirementOrigin::CommandLine, &mut Vec::new())
    }

    fn message(text: &str) -> String {
        let failure = parsed(text).unwrap_err();
        format!("{} {}", failure.message, failure.hints.join(" "))
    }

    #[test]
    fn specifiers() {
        for (text, name, marker) in [
            ("requests", "requests", None),
            ("Foo.Bar[x]>=1,<2", "foo-bar", None),
            ("a ; python_version < '3'", "a", Some("python_version < '3'")),
            ("a==1;", "a", None),
        ] {
            let (subject, found) = parsed(text).unwrap();
            let RequirementSource::Specifier(requirement) = subject else { unreachable!("{text}") };
            assert_eq!(requirement.name.as_ref(), name, "{text}");
            assert_eq!(found.map(|marker| marker.text).as_deref(), marker, "{text}");
        }
    }

    #[test]
    fn urls() {
        for (text, expected, name, marker) in [
            ("https://pkgs.example.org/a/b-1.0-py3-none-any.whl", "b-1.0-py3-none-any.whl", Some("b"), None),
            ("https://pkgs.example.org/a%2B.zip#egg=Q_q&x=y", "a+.zip", Some("q-q"), None),
            ("https://pkgs.example.org/a.zip; os_name == 'x'", "a.zip", None, Some("os_name == 'x'")),
            ("n @ https://pkgs.example.org/n-1.tar.gz", "n-1.tar.gz", Some("n"), None),
            (
                "n[x] @ https://pkgs.example.org/n-1.tar.gz ; os_name == 'x'",
                "n-1.tar.gz",
                Some("n"),
                Some("os_name == 'x'"),
            ),
            ("file:///nowhere/n-1.0-py3-none-any.whl", "n-1.0-py3-none-any.whl", Some("n"), None),
            ("./nowhere/n-1.0-py3-none-any.whl", "n-1.0-py3-none-any.whl", Some("n"), None),
        ] {
            let (subject, found) = parsed(text).unwrap();
            let RequirementSource::File { filename, name: found_name, .. } = subject else { unreachable!("{text}") };
            assert_eq!(filename, expected, "{text}");
            assert_eq!(found_name.as_ref().map(PackageName::as_ref), name, "{text}");
            assert_eq!(found.map(|marker| marker.text).as_deref(), marker, "{text}");
        }
    }

    #[test]
    fn directories() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap();
        assert!(message(path).contains("is not installable. Neither 'setup.py' nor 'pyproject.toml' found."));
        std::fs::write(directory.path().join("pyproject.toml"), "").unwrap();
        for text in [path.to_owned(), format!("file://{path}"), format!("{path}[a,B]"), format!("n @ file://{path}")] {
            let (subject, _) = parsed(&text).unwrap();
            let RequirementSource::Directory { extras, name, .. } = subject else { unreachable!("{text}") };
            assert_eq!(extras.len(), if text.ends_with(']') { 2 } else { 0 });
            assert_eq!(name.is_some(), text.starts_with('n'));
        }
        let file = directory.path().join("r.txt");
        std::fs::write(&file, "# c\na==1 --hash=sha256:00\n").unwrap();
        assert!(message(file.to_str().unwrap()).contains("use the '-r' flag"));
    }

    #[test]
    fn garbage() {
        for (text, part) in [
            ("a=1", "= is not a valid operator. Did you mean == ?"),
            ("a=1", "Invalid requirement: 'a=1': "),
            ("./x", "It looks like a path. File './x' does not exist."),
            ("a/b", "It looks like a path. File 'a/b' does not exist."),
            ("a; nonsense", "Invalid requirement: 'a': "),
            ("", "Invalid requirement: ''"),
            ("git+https://u:p@pkgs.example.org/a", "git+https://****@pkgs.example.org/a is a version control URL"),
            ("ftp://pkgs.example.org/a.zip", "scheme 'ftp'"),
            ("https://pkgs.example.org/a.whl", "a.whl is not a valid wheel filename."),
            ("https://pkgs.example.org/a.zip#egg=b[c]", "egg fragment is invalid"),
            ("https://[", "Invalid URL"),
        ] {
            let message = message(text);
            assert!(message.contains(part), "{text}: {message}");
        }
        let line = RequirementOrigin::Line { constraint: false, file: "r.txt".to_owned(), line: 3 };
        let failure = parse("a=1", &line, &mut Vec::new()).unwrap_err();
        assert!(failure.message.ends_with("(from line 3 of r.txt)"), "{}", failure.message);
    }

    #[test]
    fn a_missing_archive_is_warned_of() {
        let mut warnings = Vec::new();
        parse("nowhere-1.0.tar.gz", &RequirementOrigin::CommandLine, &mut warnings).unwrap();
        assert_eq!(warnings, ["Requirement 'nowhere-1.0.tar.gz' looks like a filename, but the file does not exist"]);
    }
}
