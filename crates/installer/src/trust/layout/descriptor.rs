//! Reads a layout from its JSON form.

use serde_json::{Map, Value};
use tuf::HashAlgorithm;

use super::link::segment_problem;
use super::page_url::split;
use super::template::{Template, Variable};
use super::{DistributionTrust, Layout, LayoutError, PageFormat, PageRule, shown};

/// Ways of publishing pages: each may cost a search in the signed metadata.
const MAX_PAGES: usize = 8;
/// Bytes of `base`.
const MAX_BASE: usize = 1024;

const JSON_TYPE: &str = "application/vnd.pypi.simple.v1+json";
const HTML_TYPE: &str = "application/vnd.pypi.simple.v1+html";
const OLD_HTML_TYPE: &str = "text/html";

/// Reads a descriptor.
///
/// # Errors
/// An error with the place of the invalid value.
pub fn read(value: &Value) -> Result<Layout, LayoutError> {
    let Value::Object(fields) = value else {
        return Err(error("descriptor", "is neither the name of a layout nor an object"));
    };
    match fields.get("v").map(Value::as_u64) {
        Some(Some(1)) => {}
        Some(_) => return Err(error("v", "is not 1, the only version this program knows; a newer one may know it")),
        None => return Err(error("v", "is missing; expected 1")),
    }
    let pages = match fields.get("pages") {
        Some(Value::Array(pages)) if (1..=MAX_PAGES).contains(&pages.len()) => pages,
        _ => return Err(error("pages", &format!("is not a list of 1 to {MAX_PAGES} objects"))),
    };
    let pages = pages.iter().enumerate().map(|(number, page)| page_rule(page, &format!("pages[{number}]")));
    let pages = pages.collect::<Result<_, _>>()?;
    let base = optional_text(fields, "base")?.unwrap_or("../");
    check_base(base)?;
    let trust = match required_text(fields, "dist_trust", "dist_trust")? {
        "target" => DistributionTrust::Target,
        "page" => DistributionTrust::Page,
        "both" => DistributionTrust::Both,
        other => return Err(error("dist_trust", &format!("is '{}', not target, page or both", shown(other)))),
    };
    let distribution = optional_text(fields, "dist_target")?.map(distribution_template).transpose()?;
    if distribution.is_none() && trust != DistributionTrust::Page {
        return Err(error("dist_target", "is missing, and dist_trust says that distributions are targets"));
    }
    // Links on pages are complete: such a prefix would have no effect.
    if !matches!(fields.get("dist_hash_prefix"), None | Some(Value::Bool(false))) {
        return Err(error("dist_hash_prefix", "is not false; distributions are fetched as the page links to them"));
    }
    let metadata = optional_text(fields, "core_metadata_target")?.map(metadata_template).transpose()?;
    Ok(Layout { pages, base: base.to_owned(), trust, distribution, metadata })
}

/// An error at a place.
pub fn error(place: &str, problem: &str) -> LayoutError {
    LayoutError::Descriptor { place: place.to_owned(), problem: problem.to_owned() }
}

fn page_rule(value: &Value, place: &str) -> Result<PageRule, LayoutError> {
    let Value::Object(fields) = value else { return Err(error(place, "is not an object")) };
    let text = |name: &str| required_text(fields, name, &format!("{place}.{name}"));
    let (format, media_type) = match text("type")? {
        JSON_TYPE => (PageFormat::Json, JSON_TYPE),
        HTML_TYPE => (PageFormat::Html, HTML_TYPE),
        OLD_HTML_TYPE => (PageFormat::Html, OLD_HTML_TYPE),
        other => {
            let known = format!("is '{}', not {JSON_TYPE}, {HTML_TYPE} or {OLD_HTML_TYPE}", shown(other));
            return Err(error(&format!("{place}.type"), &known));
        }
    };
    let target_place = format!("{place}.target");
    let target = template(text("target")?, &["project"], &target_place)?;
    // Else one signed page could be shown for any project.
    if !uses(&target, &Variable::Project) {
        return Err(error(&target_place, "does not use {project}"));
    }
    let target_path = sample(&target, "");
    check_path(&target_path, &target_place)?;
    let url_place = format!("{place}.url");
    let url = template(text("url")?, &["base", "index", "project", "dir", "file", "hash"], &url_place)?;
    check_url(&url, &target_path, &url_place)?;
    let hash = match fields.get("hash") {
        None => HashAlgorithm::Sha256,
        Some(name) => name
            .as_str()
            .and_then(HashAlgorithm::from_name)
            .ok_or_else(|| error(&format!("{place}.hash"), "is not sha256, sha512, blake2b-256, sha384 or blake2b"))?,
    };
    let accept = if uses(&url, &Variable::Hash) { None } else { Some(media_type) };
    Ok(PageRule { format, accept, target, url, hash })
}

/// A URL begins at one of the two known places and only goes down from there.
fn check_url(url: &Template, target_path: &str, place: &str) -> Result<(), LayoutError> {
    use super::template::Part;
    let is_start = |variable: &Variable| matches!(variable, Variable::Base | Variable::Index);
    let begins = matches!(url.parts().first(), Some(Part::Variable(variable)) if is_start(variable));
    if !begins || url.variables().filter(|variable| is_start(variable)).count() != 1 {
        return Err(error(place, "does not begin with {base} or {index}, or has another of them"));
    }
    let (directory, file) = split(target_path);
    let path = url.expand(|variable| match variable {
        Variable::Base | Variable::Index => None,
        Variable::Directory => Some(directory.to_owned()),
        Variable::File => Some(file.to_owned()),
        _ => Some("a".to_owned()),
    });
    check_path(path.strip_suffix('/').unwrap_or(&path), place)
}

fn distribution_template(text: &str) -> Result<Template, LayoutError> {
    let place = "dist_target";
    let template = template(text, &["project", "filename", "link:last4", "link:after:URL"], place)?;
    let links = template.variables().filter(|variable| matches!(variable, Variable::Link(_))).count();
    if links > 1 {
        return Err(error(place, "has more than one {link:…}"));
    }
    // Else all files of a project would be the same target.
    if links == 0 && !uses(&template, &Variable::Filename) {
        return Err(error(place, "uses neither {filename} nor {link:…}"));
    }
    check_path(&sample(&template, "a"), place)?;
    Ok(template)
}

fn metadata_template(text: &str) -> Result<Template, LayoutError> {
    let place = "core_metadata_target";
    let template = template(text, &["dist"], place)?;
    if !uses(&template, &Variable::Distribution) || template.parts().len() < 2 {
        return Err(error(place, "is not {dist} with something before or behind it"));
    }
    check_path(&sample(&template, "a"), place)?;
    Ok(template)
}

/// Must be relative to a directory and a directory itself: else what follows would be appended to a file name.
fn check_base(base: &str) -> Result<(), LayoutError> {
    let is_directory = base.is_empty() || base.ends_with('/');
    if !is_directory || base.len() > MAX_BASE || base.contains(['?', '#', '\\']) || base.chars().any(char::is_control) {
        return Err(error(
            "base",
            "is not the URL of a directory, relative to that of the metadata, with / at its end",
        ));
    }
    Ok(())
}

fn check_path(path: &str, place: &str) -> Result<(), LayoutError> {
    match path.split('/').find_map(segment_problem) {
        Some(problem) => Err(error(place, &format!("has a path segment that {problem}"))),
        None => Ok(()),
    }
}

/// The template with an ordinary value everywhere; `{project}` is never anything but letters, digits and hyphens.
fn sample(template: &Template, other: &str) -> String {
    template.expand(|variable| Some(if *variable == Variable::Project { "a" } else { other }.to_owned()))
}

fn uses(template: &Template, variable: &Variable) -> bool {
    template.variables().any(|used| used == variable)
}

fn template(text: &str, known: &[&str], place: &str) -> Result<Template, LayoutError> {
    Template::parse(text, known).map_err(|problem| error(place, &problem.to_string()))
}

fn required_text<'a>(fields: &'a Map<String, Value>, name: &str, place: &str) -> Result<&'a str, LayoutError> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(error(place, "is not a string")),
        None => Err(error(place, "is missing")),
    }
}

fn optional_text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, LayoutError> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(error(name, "is not a string")),
        None => Ok(None),
    }
}
