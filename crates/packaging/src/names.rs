//! Project names, checked once more: the library takes the empty name for a valid one.

use pep508_rs::PackageName;

/// The normalized form of `text`, or `None` when it is no project name (PEP 508).
pub(crate) fn project_name(text: &str) -> Option<PackageName> {
    if text.is_empty() { None } else { text.parse().ok() }
}
