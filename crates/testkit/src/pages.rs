//! Renders the pages of an index: PEP 503 HTML, PEP 691 JSON, and a flat `--find-links` page.

use serde_json::{Map, Value, json};

use crate::digest::HashName;
use crate::listing::{IndexBehavior, Links, ListedFile, MetadataMode};

/// The page of one project in HTML.
pub(crate) fn project_html(project: &str, files: &[ListedFile], options: &IndexBehavior, origin: &str) -> String {
    let base = match options.links {
        Links::Base => format!("    <base href=\"{origin}/files/\">\n"),
        _ => String::new(),
    };
    let mut page = format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n{base}    <meta name=\"pypi:repository-version\" content=\"{}\">\n    \
         <title>Links for {project}</title>\n  </head>\n  <body>\n    <h1>Links for {project}</h1>\n",
        escape(&options.api_version)
    );
    for file in files {
        let link = file_link(file, options.links, origin);
        page += &format!("    {}<br />\n", anchor(file, &link, options));
    }
    page + "  </body>\n</html>\n"
}

/// The page of one project in JSON.
pub(crate) fn project_json(project: &str, files: &[ListedFile], options: &IndexBehavior, origin: &str) -> String {
    let mut versions: Vec<_> =
        files.iter().filter_map(|file| file.filename.trim_end_matches(".tar.gz").split('-').nth(1)).collect();
    versions.sort_unstable();
    versions.dedup();
    let files: Vec<_> = files.iter().map(|file| file_json(file, options, origin)).collect();
    let page = json!({
        "meta": {"api-version": options.api_version},
        "name": project,
        "versions": versions,
        "files": files,
    });
    page.to_string()
}

/// The list of projects in HTML.
pub(crate) fn root_html<'a>(projects: impl Iterator<Item = &'a String>, options: &IndexBehavior) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta name=\"pypi:repository-version\" content=\"{}\">\n    \
         <title>Simple index</title>\n  </head>\n  <body>\n",
        escape(&options.api_version)
    );
    for project in projects {
        page += &format!("    <a href=\"/simple/{project}/\">{project}</a>\n");
    }
    page + "  </body>\n</html>\n"
}

/// The list of projects in JSON.
pub(crate) fn root_json<'a>(projects: impl Iterator<Item = &'a String>, options: &IndexBehavior) -> String {
    let projects: Vec<_> = projects.map(|name| json!({"name": name})).collect();
    json!({"meta": {"api-version": options.api_version}, "projects": projects}).to_string()
}

/// Every file of an index on one flat page.
pub(crate) fn find_links_html<'a>(
    files: impl Iterator<Item = &'a ListedFile>,
    options: &IndexBehavior,
    origin: &str,
) -> String {
    let mut page = "<!DOCTYPE html>\n<html>\n  <body>\n".to_owned();
    for file in files {
        let link = file.raw_link.clone().unwrap_or_else(|| format!("{origin}/files/{}", encoded(&file.filename)));
        page += &format!("    {}<br />\n", anchor(file, &link, options));
    }
    page + "  </body>\n</html>\n"
}

fn file_link(file: &ListedFile, links: Links, origin: &str) -> String {
    let name = encoded(&file.filename);
    match (&file.raw_link, links) {
        (Some(link), _) => link.clone(),
        (None, Links::Relative) => format!("../../files/{name}"),
        (None, Links::RelativeToHost) => format!("/files/{name}"),
        (None, Links::Absolute) => format!("{origin}/files/{name}"),
        (None, Links::Base) => name,
    }
}

fn anchor(file: &ListedFile, link: &str, options: &IndexBehavior) -> String {
    let fragment = match file.page_hashes(options).first() {
        Some((name, hex)) => format!("#{name}={hex}"),
        None => String::new(),
    };
    let mut attributes = String::new();
    if let Some(specifiers) = &file.requires_python {
        attributes += &format!(" data-requires-python=\"{}\"", escape(specifiers));
    }
    if let Some(reason) = &file.yanked {
        attributes += &format!(" data-yanked=\"{}\"", escape(reason));
    }
    let (new_name, announcement) = announcement(file, options);
    if let Some(announcement) = announcement {
        let value = match announcement {
            Some(hex) => format!("sha256={hex}"),
            None => "true".to_owned(),
        };
        attributes += &format!(" data-dist-info-metadata=\"{value}\"");
        if new_name {
            attributes += &format!(" data-core-metadata=\"{value}\"");
        }
    }
    let name = escape(&file.filename);
    format!("<a href=\"{}{fragment}\"{attributes}>{name}</a>", escape(link))
}

fn file_json(file: &ListedFile, options: &IndexBehavior, origin: &str) -> Value {
    let links = if options.links == Links::Base { Links::Absolute } else { options.links };
    let mut entry = Map::new();
    entry.insert("filename".into(), json!(file.filename));
    entry.insert("url".into(), json!(file_link(file, links, origin)));
    let hashes: Map<_, _> = file.page_hashes(options).into_iter().map(|(name, hex)| (name, json!(hex))).collect();
    entry.insert("hashes".into(), Value::Object(hashes));
    if let Some(specifiers) = &file.requires_python {
        entry.insert("requires-python".into(), json!(specifiers));
    }
    if options.size {
        entry.insert("size".into(), json!(file.claimed_size.unwrap_or(file.bytes.len() as u64)));
    }
    if options.upload_time {
        entry.insert("upload-time".into(), json!(file.upload_time));
    }
    let yanked = match file.yanked.as_deref() {
        None => json!(false),
        Some("") => json!(true),
        Some(reason) => json!(reason),
    };
    entry.insert("yanked".into(), yanked);
    let (new_name, announcement) = announcement(file, options);
    if let Some(announcement) = announcement {
        let value = announcement.map_or(json!(true), |hex| json!({"sha256": hex}));
        if new_name {
            entry.insert("core-metadata".into(), value.clone());
        }
        entry.insert("dist-info-metadata".into(), value);
    }
    Value::Object(entry)
}

/// Whether the PEP 714 name is used besides the old one, and what is announced: nothing, `true`, or a SHA-256.
fn announcement(file: &ListedFile, options: &IndexBehavior) -> (bool, Option<Option<String>>) {
    let hash = || HashName::Sha256.hex(&file.metadata);
    match file.metadata_setting(options) {
        MetadataMode::Announced | MetadataMode::Missing => (true, Some(Some(hash()))),
        MetadataMode::OldName => (false, Some(Some(hash()))),
        MetadataMode::WithoutHash => (true, Some(None)),
        MetadataMode::WrongHash => (true, Some(Some(HashName::Sha256.hex(b"other metadata")))),
        MetadataMode::Unannounced | MetadataMode::Absent => (true, None),
    }
}

/// Text for HTML content and double-quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A path segment of a URL: everything but unreserved characters becomes `%XX`.
pub(crate) fn encoded(segment: &str) -> String {
    let mut result = String::new();
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!".contains(&byte) {
            result.push(char::from(byte));
        } else {
            result += &format!("%{byte:02X}");
        }
    }
    result
}
