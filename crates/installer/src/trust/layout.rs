//! What a signed index calls its files: from projects and links to target paths, and from target paths to URLs.
//!
//! PEP 458 leaves these names open, so each index says by a layout which ones it uses. docs/reference/layouts.md is the
//! manual of its JSON form. Nothing here asks anybody: text in, values out.

mod descriptor;
mod link;
mod page_url;
mod presets;
mod template;
#[cfg(test)]
mod tests;

use packaging::PackageName;
use tuf::{HashAlgorithm, Hashes};
use url::Url;

use self::presets::PRESETS;
use self::template::{Template, Variable};
use super::foreign_text::shown;

/// The field in the signed part of the top-level targets.json that holds the layout of an index.
pub const IN_BAND_FIELD: &str = "x-pyindex";

/// How an index names and addresses what it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pages: Vec<PageRule>,
    /// Text that, resolved against the metadata URL, gives `{base}`.
    base: String,
    trust: DistributionTrust,
    distribution: Option<Template>,
    metadata: Option<Template>,
}

/// What says which bytes a distribution has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DistributionTrust {
    /// The distribution is a target of its own.
    Target,
    /// The project page is a target, and carries the hashes.
    Page,
    /// Both, and they must agree.
    Both,
}

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFormat {
    /// PEP 691.
    Json,
    /// PEP 503; `text/html` and `application/vnd.pypi.simple.v1+html` alike.
    Html,
}

/// One way of publishing project pages.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PageRule {
    format: PageFormat,
    /// The media type that makes the server choose, when the URL does not name the content.
    accept: Option<&'static str>,
    target: Template,
    url: Template,
    hash: HashAlgorithm,
}

/// The page of a project as a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageTarget {
    /// The target path, without any hash.
    pub path: String,
    /// How to read it; what the server calls it does not count.
    pub format: PageFormat,
    /// The one media type to ask for, if the URL alone does not decide which of several forms is sent.
    pub accept: Option<&'static str>,
    project: PackageName,
    base: String,
    url: Template,
    hash: HashAlgorithm,
}

/// Where an index is.
#[derive(Clone, Copy, Debug)]
pub struct IndexUrls<'a> {
    /// The canonical URL of the index.
    pub index: &'a Url,
    /// The URL of the directory with its metadata.
    pub metadata: &'a Url,
}

/// Why a layout, or what it was applied to, makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A name that stands for no layout.
    #[error("there is no layout called '{name}'; expected one of {known}, or a layout in JSON")]
    UnknownPreset {
        /// As written.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A descriptor that cannot be used.
    #[error("layout: {place} {problem}")]
    Descriptor {
        /// `pages[0].target`
        place: String,
        /// "is missing"
        problem: String,
    },
    /// A distribution whose link or file name no target path may be made of.
    #[error("{link} cannot be a target: {problem}")]
    Link {
        /// The link, without secrets.
        link: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A page that has no URL.
    #[error("the signed page {path} has no usable URL: {problem}")]
    PageUrl {
        /// The target path.
        path: String,
        /// What is wrong.
        problem: String,
    },
}

impl Layout {
    /// The layout of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn preset(name: &str) -> Result<Self, LayoutError> {
        let Some((_, text)) = PRESETS.iter().find(|(names, _)| names.contains(&name)) else {
            let known = Self::presets().collect::<Vec<_>>().join(", ");
            return Err(LayoutError::UnknownPreset { name: shown(name), known });
        };
        let value = serde_json::from_str(text).map_err(|error| descriptor::error("descriptor", &error.to_string()))?;
        descriptor::read(&value)
    }

    /// The names of the layouts that are known, without their second names.
    pub fn presets() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().filter_map(|(names, _)| names.first().copied())
    }

    /// Reads the name of a preset (a string) or a descriptor (an object).
    ///
    /// # Errors
    /// Anything else, and descriptors of another version than 1 or with templates that make no sense. Unknown fields are
    /// ignored: they are how a later version may add what older clients need not know.
    pub fn from_json(value: &serde_json::Value) -> Result<Self, LayoutError> {
        match value {
            serde_json::Value::String(name) => Self::preset(name),
            value => descriptor::read(value),
        }
    }

    /// The layout an index gives itself in the signed part of its top-level targets; `None` when it gives none.
    ///
    /// # Errors
    /// See [`Layout::from_json`].
    pub fn in_band(targets: &tuf::metadata::Targets) -> Result<Option<Self>, LayoutError> {
        let Some(value) = targets.other.get(IN_BAND_FIELD) else { return Ok(None) };
        let value = serde_json::from_slice(&value.to_json())
            .map_err(|error| descriptor::error(IN_BAND_FIELD, &format!("is not JSON: {error}")))?;
        Self::from_json(&value).map(Some)
    }

    /// What says which bytes a distribution has.
    pub fn trust(&self) -> DistributionTrust {
        self.trust
    }

    /// The targets that may be the page of a project, the best first: the first that is signed is the page.
    pub fn pages(&self, project: &PackageName) -> Vec<PageTarget> {
        let page = |rule: &PageRule| PageTarget {
            path: rule.target.expand_for(project),
            format: rule.format,
            accept: rule.accept,
            project: project.clone(),
            base: self.base.clone(),
            url: rule.url.clone(),
            hash: rule.hash,
        };
        self.pages.iter().map(page).collect()
    }

    /// The target path of a distribution; `None` when the layout has none for such links, and then, under
    /// `DistributionTrust::Target` and `DistributionTrust::Both`, nothing vouches for the file.
    ///
    /// # Errors
    /// File names and links that are made to mean something else than what they look like.
    pub fn distribution(
        &self,
        project: &PackageName,
        filename: &str,
        link: &Url,
    ) -> Result<Option<String>, LayoutError> {
        let Some(template) = &self.distribution else { return Ok(None) };
        link::check_filename(filename, link)?;
        let mut part_of_link = None;
        for variable in template.variables() {
            if let Variable::Link(part) = variable {
                part_of_link = link::part(part, link, filename)?;
                if part_of_link.is_none() {
                    return Ok(None);
                }
            }
        }
        let path = template.expand(|variable| match variable {
            Variable::Project => Some(project.to_string()),
            Variable::Filename => Some(filename.to_owned()),
            Variable::Link(_) => part_of_link.clone(),
            _ => None,
        });
        Ok(Some(path))
    }

    /// The target path of the metadata file beside a distribution, from the distribution's; `None` when the layout has
    /// none.
    pub fn metadata(&self, distribution_target: &str) -> Option<String> {
        let template = self.metadata.as_ref()?;
        Some(template.expand(|variable| (*variable == Variable::Distribution).then(|| distribution_target.to_owned())))
    }
}

impl PageTarget {
    /// The URLs under which the page with these hashes may be found, the one the layout prefers first.
    ///
    /// # Errors
    /// When no hash is usable, or the layout leads to a scheme that neither index nor metadata have (only `https` may
    /// always be used).
    pub fn urls(&self, places: &IndexUrls<'_>, hashes: &Hashes) -> Result<Vec<Url>, LayoutError> {
        page_url::urls(self, places, hashes)
    }
}
