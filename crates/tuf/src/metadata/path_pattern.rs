//! Path patterns (spec 4.5, PATHPATTERN).

/// Segments are matched one by one, so `*` never crosses a `/`; case matters on every system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPattern(pub(crate) String);

impl PathPattern {
    /// Any non-empty text is a pattern.
    pub fn new(pattern: &str) -> Self {
        PathPattern(pattern.to_owned())
    }
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether a path matches. Linear in the length of both.
    pub fn matches(&self, path: &str) -> bool {
        let _ = path;
        todo!()
    }
}
