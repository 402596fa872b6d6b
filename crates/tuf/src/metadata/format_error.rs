//! What is wrong with the form of a file.

/// Where a file is not as the specification says (spec section 4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: expected {expected}, found {found}")]
pub struct FormatError {
    /// Path of the field, such as `signed.roles.root.threshold`; the file itself is empty.
    pub place: String,
    /// What the specification wants.
    pub expected: String,
    /// What is there, shortened.
    pub found: String,
    /// The format is one of a later specification, or of an extension not supported here.
    pub unsupported: bool,
}
