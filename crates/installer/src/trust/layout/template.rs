//! Templates: text with variables, without any logic.

use packaging::PackageName;
use url::Url;

/// Characters a template may have. It comes with signed metadata, and is expanded for every file.
const MAX_LENGTH: usize = 1024;

/// Text in which `{variables}` are to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// What a template is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Stands for itself.
    Text(String),
    /// Stands for a value.
    Variable(Variable),
}

/// What can stand in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// `{project}`: the normalized name.
    Project,
    /// `{filename}`: of the distribution.
    Filename,
    /// `{hash}`: of the target, in hex.
    Hash,
    /// `{dir}`: the target path up to and with its last `/`; empty without one.
    Directory,
    /// `{file}`: the target path behind its last `/`.
    File,
    /// `{base}`: a URL beside the metadata.
    Base,
    /// `{index}`: the canonical URL of the index.
    Index,
    /// `{dist}`: the target path of the distribution.
    Distribution,
    /// `{link:…}`: a part of the link's path.
    Link(LinkPart),
}

/// Which part of a link's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkPart {
    /// `{link:last4}`: `aa/bb/60 digits/name`, where the digits are a BLAKE2b-256 cut in three.
    LastFour,
    /// `{link:after:URL}`: what follows this URL.
    After(Url),
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// No such variable, or not in this place.
    #[error("has the unknown variable {{{name}}}; here there are {known}")]
    UnknownVariable {
        /// As written.
        name: String,
        /// What can be used instead.
        known: String,
    },
    /// A brace without its partner.
    #[error("has a brace without its partner")]
    Unbalanced,
    /// Longer than any name needs to be.
    #[error("has more than {MAX_LENGTH} bytes")]
    TooLong,
    /// `{link:after:…}` with something else than the URL of a directory.
    #[error("expected an http, https or file URL that ends with / and has no query behind {{link:after:, found {0}")]
    InvalidPrefix(String),
}

impl Template {
    /// Reads a template that may use the variables named in `known`.
    ///
    /// # Errors
    /// Another variable, or invalid braces.
    pub fn parse(text: &str, known: &[&str]) -> Result<Self, TemplateError> {
        if text.len() > MAX_LENGTH {
            return Err(TemplateError::TooLong);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, behind)) = rest.split_once('{') {
            push_text(&mut parts, literal)?;
            let (name, behind) = behind.split_once('}').ok_or(TemplateError::Unbalanced)?;
            parts.push(Part::Variable(variable(name, known)?));
            rest = behind;
        }
        push_text(&mut parts, rest)?;
        Ok(Self(parts))
    }

    /// In order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The variables in order.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable),
            Part::Text(_) => None,
        })
    }

    /// The text with values in place of variables. A variable without a value is left out; which ones a template may
    /// use was decided when it was read.
    pub fn expand(&self, value: impl Fn(&Variable) -> Option<String>) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(variable) => value(variable).unwrap_or_default(),
        };
        self.0.iter().map(text).collect()
    }

    /// The text for a project.
    pub fn expand_for(&self, project: &PackageName) -> String {
        self.expand(|variable| (*variable == Variable::Project).then(|| project.to_string()))
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), TemplateError> {
    if text.contains('}') {
        return Err(TemplateError::Unbalanced);
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

fn variable(name: &str, known: &[&str]) -> Result<Variable, TemplateError> {
    let unknown = || TemplateError::UnknownVariable {
        name: super::shown(name),
        known: known.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", "),
    };
    let prefix = name.strip_prefix("link:after:");
    let general = if prefix.is_some() { "link:after:URL" } else { name };
    if !known.contains(&general) {
        return Err(unknown());
    }
    Ok(match (general, prefix) {
        ("project", _) => Variable::Project,
        ("filename", _) => Variable::Filename,
        ("hash", _) => Variable::Hash,
        ("dir", _) => Variable::Directory,
        ("file", _) => Variable::File,
        ("base", _) => Variable::Base,
        ("index", _) => Variable::Index,
        ("dist", _) => Variable::Distribution,
        ("link:last4", _) => Variable::Link(LinkPart::LastFour),
        (_, Some(prefix)) => Variable::Link(LinkPart::After(link_prefix(prefix)?)),
        _ => return Err(unknown()),
    })
}

fn link_prefix(text: &str) -> Result<Url, TemplateError> {
    let usable = |url: &Url| {
        matches!(url.scheme(), "http" | "https" | "file")
            && url.path().ends_with('/')
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    };
    Url::parse(text).ok().filter(usable).ok_or_else(|| TemplateError::InvalidPrefix(super::shown(text)))
}
