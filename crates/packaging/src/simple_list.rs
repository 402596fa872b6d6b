//! The list of all projects of an index in the simple repository API: PEP 503 and PEP 691.

use std::convert::Infallible;
use std::str::FromStr as _;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::names::PackageName;
use crate::simple_page::PageError;
use crate::simple_page::json::check_api_version;

/// The projects of an index, in the order of the list. What is no name of a project is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectList {
    /// Normalized names; each once.
    pub projects: Vec<PackageName>,
}

#[derive(Deserialize)]
struct Document {
    meta: Option<Meta>,
    projects: Vec<Project>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    name: String,
}

impl ProjectList {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// When it is no such JSON, or of a version that is not known.
    pub fn from_json(content: &[u8]) -> Result<Self, PageError> {
        let document: Document = serde_json::from_slice(content)?;
        check_api_version(document.meta.and_then(|meta| meta.api_version).as_deref())?;
        Ok(Self::of(document.projects.iter().map(|project| project.name.as_str())))
    }

    /// Reads the HTML form: the last part of each link is the name of a project.
    pub fn from_html(content: &[u8]) -> Self {
        let mut links: Vec<String> = Vec::new();
        let (mut is_anchor, mut is_href) = (false, false);
        let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
            match event {
                CallbackEvent::OpenStartTag { name } => is_anchor = name == b"a",
                CallbackEvent::AttributeName { name } => is_href = name == b"href",
                CallbackEvent::AttributeValue { value } if is_anchor && is_href => {
                    links.push(String::from_utf8_lossy(value).into_owned());
                }
                _ => {}
            }
            None
        });
        // The text of scripts and styles has no tags.
        emitter.naively_switch_states(true);
        // Reading from memory cannot fail, and every text is some HTML.
        let Ok(()) = Tokenizer::new_with_emitter(content, emitter).finish();
        let names: Vec<String> = links.iter().filter_map(|link| last_segment(link)).collect();
        Self::of(names.iter().map(String::as_str))
    }

    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut seen = std::collections::HashSet::new();
        let parsed = names.filter_map(|name| PackageName::from_str(name).ok());
        Self { projects: parsed.filter(|name| seen.insert(name.clone())).collect() }
    }
}

fn last_segment(link: &str) -> Option<String> {
    let path = link.split(['?', '#']).next().unwrap_or_default().trim().trim_end_matches('/');
    let segment = path.rsplit('/').next()?;
    percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &ProjectList) -> Vec<&str> {
        list.projects.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn json_and_html_list_the_same() {
        let json =
            br#"{"meta":{"api-version":"1.1"},"projects":[{"name":"Acme_Tools"},{"name":"b","x":1},{"name":"a b"}]}"#;
        assert_eq!(names(&ProjectList::from_json(json).unwrap()), ["acme-tools", "b"]);
        let html = b"<html><head><link href='style/'></head><a class=x href='acme-tools/'>Acme_Tools</a>\
            <a href=/simple/b/?x=1#y>b</a><a href='../'>up</a><A HREF='b'>again</A><script>'<a href=\"c/\">'</script>";
        assert_eq!(names(&ProjectList::from_html(html)), ["acme-tools", "b"]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["", "[]", "{}", r#"{"meta":{"api-version":"2.0"},"projects":[]}"#, r#"{"projects":[1]}"#] {
            assert!(ProjectList::from_json(text.as_bytes()).is_err(), "{text}");
        }
    }
}
