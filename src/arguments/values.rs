//! Option values that are parsed. An error is one sentence; the caller adds the option's name. Errors are single
//! sentences; the caller names the option.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};
use packaging::PackageName;
use url::Url;

use installer::options::{self, DependencyGroup};
use installer::process_environment::ProcessEnvironment;

/// A time in seconds.
pub type Seconds = Duration;

/// One to three parts of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonVersion(pub Vec<u32>);

/// `--timeout`
pub fn seconds(text: &str) -> Result<Seconds, String> {
    let seconds: f64 = text.trim().parse().map_err(|_| format!("invalid floating-point value: '{text}'"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("expected a number of seconds greater than 0, found '{text}'")),
    }
}

/// `--python-version`: `3`, `3.12`, `3.12.1`, or `312` for `3.12`.
pub fn python_version(text: &str) -> Result<PythonVersion, String> {
    let problem = |reason: &str| format!("invalid --python-version value: '{text}': {reason}");
    let mut parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 3 {
        return Err(problem("at most three version parts are allowed"));
    }
    if let [digits] = parts.as_slice()
        && let Some((major, minor)) = digits.split_at_checked(1)
        && !minor.is_empty()
    {
        parts = vec![major, minor];
    }
    let numbers = parts.iter().map(|part| part.parse::<u32>());
    let numbers = numbers.collect::<Result<_, _>>().map_err(|_| problem("each version part must be an integer"))?;
    Ok(PythonVersion(numbers))
}

/// `--uploaded-prior-to`: an ISO 8601 date or time, in the local time zone unless it names one, or days as `P3D`.
pub fn timestamp(text: &str) -> Result<Timestamp, String> {
    let days = text.strip_prefix('P').and_then(|rest| rest.strip_suffix('D'));
    if let Some(days) = days
        && !days.is_empty()
        && days.bytes().all(|byte| byte.is_ascii_digit())
    {
        let hours = days.parse::<i64>().ok().and_then(|days| days.checked_mul(24));
        let span = hours.and_then(|hours| Span::new().try_hours(hours).ok());
        let moment = span.and_then(|span| Timestamp::now().checked_sub(span).ok());
        return moment.ok_or_else(|| format!("invalid value: '{text}': so many days ago there was no calendar"));
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let local = text.parse::<DateTime>().ok().and_then(|moment| TimeZone::system().to_timestamp(moment).ok());
    local.ok_or_else(|| {
        format!(
            "invalid value: '{text}'. Expected an ISO 8601 datetime string (e.g., '2023-01-01' or \
             '2023-01-01T00:00:00Z') or a duration in days (e.g., 'P3D')"
        )
    })
}

/// `--group [PATH:]NAME`; the path is the current directory's `pyproject.toml` unless named.
pub fn dependency_group(text: &str) -> Result<DependencyGroup, String> {
    // A colon cannot occur in the name of a group, so the last one ends the path.
    let Some((path, name)) = text.rsplit_once(':') else {
        return Ok(DependencyGroup { path: PathBuf::from("pyproject.toml"), name: text.to_owned() });
    };
    if Path::new(path).file_name().is_none_or(|name| name != "pyproject.toml") {
        return Err("group paths use 'pyproject.toml' filenames".to_owned());
    }
    Ok(DependencyGroup { path: PathBuf::from(path), name: name.to_owned() })
}

/// `--allow-expired`: a time such as `7d`, `12h` or `P7D`; more than ten years is no grace any more.
pub fn expiry_grace(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_secs(3650 * 24 * 3600);
    let span = text.trim().parse::<Span>().ok();
    let duration = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    match duration.map(Duration::try_from) {
        Some(Ok(duration)) if !duration.is_zero() && duration <= LONGEST => Ok(duration),
        Some(_) => Err(format!("expected a duration between 1 second and 3650 days, found '{text}'")),
        None => Err(format!("expected a duration such as 7d, 12h or P7D, found '{text}'")),
    }
}

/// The name of a project.
pub fn project_name(text: &str) -> Result<PackageName, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err("expected the name of a project, found nothing".to_owned());
    }
    name.parse().map_err(|_| format!("expected the name of a project, found '{name}'"))
}

/// The address of an index, which may be a local directory.
pub fn index_url(text: &str) -> Result<Url, WholeMessage> {
    options::index_url(text, &without_home()).map_err(|failure| WholeMessage(failure.message))
}

/// The address of a directory, with a slash at the end: only behind that is what is below it found.
pub fn directory_url(text: &str) -> Result<Url, String> {
    options::parse_index_url(text, &without_home()).map(with_slash).ok_or_else(|| no_url(text))
}

/// With a slash at the end.
pub fn with_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

/// What is neither a URL nor a directory.
pub fn no_url(text: &str) -> String {
    format!("expected an http or https URL or a local directory, found '{}'", printable::redacted(text))
}

/// An error that says without the name of its option what is wrong.
#[derive(Debug)]
pub struct WholeMessage(pub String);

impl std::fmt::Display for WholeMessage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for WholeMessage {}

/// A leading `~` is expanded before, for all values whose hint says that they may be paths.
fn without_home() -> ProcessEnvironment {
    ProcessEnvironment { variables: BTreeMap::new(), system: PathBuf::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_python() {
        for (text, parts) in
            [("3", vec![3]), ("37", vec![3, 7]), ("312", vec![3, 12]), ("3.7", vec![3, 7]), ("3.7.3", vec![3, 7, 3])]
        {
            assert_eq!(python_version(text), Ok(PythonVersion(parts)), "{text}");
        }
        for text in ["", "3.7.3.1", "x", "3.x", "ä12", "-3"] {
            assert!(python_version(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments() {
        let day = 24 * 3600;
        let week_ago = timestamp("P7D").unwrap();
        assert!((Timestamp::now().as_second() - week_ago.as_second() - 7 * day).abs() < 60);
        assert_eq!(timestamp("2023-01-01T00:00:00Z").unwrap().to_string(), "2023-01-01T00:00:00Z");
        assert_eq!(timestamp("2023-01-01T02:00:00+02:00").unwrap().to_string(), "2023-01-01T00:00:00Z");
        for text in ["2023-01-01", "2023-01-01T12:30:00", "2023-01-01 12:30:00", "20230101"] {
            assert!(timestamp(text).is_ok(), "{text}");
        }
        for text in ["", "PD", "P1W", "P-1D", "P99999999999999999999D", "P999999999D", "yesterday", "2023-13-01"] {
            assert!(timestamp(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_are_positive() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "abc", "-1", "0", "nan", "inf", "1e30"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn graces() {
        for (text, hours) in
            [("7d", 168), ("12h", 12), ("P7D", 168), ("1 week", 168), ("P1DT2H", 26), ("3650d", 87_600)]
        {
            assert_eq!(expiry_grace(text), Ok(Duration::from_secs(hours * 3600)), "{text}");
        }
        for text in ["", "7", "-1d", "0d", "P1M", "1y", "soon", "3651d", "P99999999999999999999D"] {
            assert!(expiry_grace(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_of_projects() {
        assert_eq!(project_name(" Acme_Tools").unwrap().to_string(), "acme-tools");
        for text in ["", " ", ":all:", "a b", "*"] {
            assert!(project_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn groups() {
        assert_eq!(
            dependency_group("test"),
            Ok(DependencyGroup { path: "pyproject.toml".into(), name: "test".into() })
        );
        assert_eq!(
            dependency_group("a/pyproject.toml:t"),
            Ok(DependencyGroup { path: "a/pyproject.toml".into(), name: "t".into() })
        );
        assert!(dependency_group("a/other.toml:t").is_err());
        assert!(dependency_group(":t").is_err());
    }
}
