//! The paths of a published index and the names of its targets: the layout `static-1`.
//!
//! Paths are relative to the base of the index, with `/`. docs/reference/layouts.md describes the same for its readers.

use packaging::PackageName;
use serde_json::json;
use tuf::metadata::{RoleName, TopLevelRole};

use crate::DistributionTrust;

/// Below it are the pages; the URL of the index for pip.
pub const PAGES: &str = "simple/";
/// Below it is the signed metadata.
pub const METADATA: &str = "tuf/";
/// Below it are wheels, source distributions and their metadata files.
pub const PACKAGES: &str = "packages/";
/// The only metadata file that is ever overwritten.
pub const TIMESTAMP: &str = "tuf/timestamp.json";
/// The list of projects for installers that read HTML (PEP 503).
pub const PROJECT_LIST_HTML: &str = "simple/index.html";
/// The list of projects for installers that read JSON (PEP 691).
pub const PROJECT_LIST_JSON: &str = "simple/index.json";
/// The field of the signed `targets` that tells clients about this layout.
pub const DESCRIPTOR_FIELD: &str = "x-pyindex";

const PAGE_NAME: &str = "vnd.pypi.simple.v1.json";

/// The target path of a project's page.
pub fn page_target(project: &PackageName) -> String {
    format!("simple/{project}/{PAGE_NAME}")
}

/// The project whose page has this target path; `None` if it is another target.
pub fn project_of_page(target: &str) -> Option<PackageName> {
    let project = target.strip_prefix("simple/")?.strip_suffix(PAGE_NAME)?.strip_suffix('/')?;
    project.parse().ok()
}

/// Where the page with this hash (hex SHA-256 of the JSON) is; it never changes.
pub fn page_path(project: &PackageName, sha256: &str) -> String {
    format!("simple/{project}/{sha256}.{PAGE_NAME}")
}

/// The hash in the file name of a page; `None` if it is no such name.
pub fn page_file_name(name: &str) -> Option<&str> {
    let hash = name.strip_suffix(PAGE_NAME)?.strip_suffix('.')?;
    (hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(hash)
}

/// Where the page is that installers without signatures read, in HTML.
pub fn html_page_path(project: &PackageName) -> String {
    format!("simple/{project}/index.html")
}

/// Where the page is that installers without signatures read, in JSON.
pub fn json_page_path(project: &PackageName) -> String {
    format!("simple/{project}/index.json")
}

/// The target path of a wheel or source distribution.
pub fn distribution_target(project: &PackageName, filename: &str) -> String {
    format!("dist/{project}/{filename}")
}

/// The target path of the metadata file of a distribution (PEP 658).
pub fn core_metadata_target(project: &PackageName, filename: &str) -> String {
    format!("dist/{project}/{filename}.metadata")
}

/// The project whose plain page has this path; `None` if it is another file.
pub fn project_of_plain_page(path: &str) -> Option<PackageName> {
    let (project, name) = path.strip_prefix(PAGES)?.split_once('/')?;
    let parsed: PackageName = project.parse().ok()?;
    (matches!(name, "index.html" | "index.json") && parsed.as_ref() == project).then_some(parsed)
}

/// Where a distribution is: by the hex BLAKE2b-256 of its content. `None` if that is no such hash.
pub fn distribution_path(blake2b_256: &str, filename: &str) -> Option<String> {
    let is_hash = blake2b_256.len() == 64 && blake2b_256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (first, rest) = blake2b_256.split_at_checked(2).filter(|_| is_hash)?;
    let (second, rest) = rest.split_at_checked(2)?;
    Some(format!("{PACKAGES}{first}/{second}/{rest}/{filename}"))
}

/// Where a version of a role's metadata is. The timestamp has no version in its name.
pub fn metadata_path(role: &RoleName, version: u64) -> String {
    match role.top_level() {
        Some(TopLevelRole::Timestamp) => TIMESTAMP.to_owned(),
        _ => format!("{METADATA}{version}.{}.json", role.encoded()),
    }
}

/// Where the copy of a timestamp is, from which garbage collection learns which snapshots were current, and when.
pub fn timestamp_copy_path(version: u64) -> String {
    format!("{METADATA}{version}.timestamp.json")
}

/// The descriptor of this layout, for [`DESCRIPTOR_FIELD`].
pub fn descriptor(trust: DistributionTrust) -> serde_json::Value {
    json!({
        "v": 1,
        "pages": [{
            "type": "application/vnd.pypi.simple.v1+json",
            "target": format!("simple/{{project}}/{PAGE_NAME}"),
            "url": "{base}{dir}{hash}.{file}",
            "hash": "sha256",
        }],
        "base": "../",
        "dist_trust": trust.name(),
        "dist_target": "dist/{project}/{filename}",
        "core_metadata_target": "{dist}.metadata",
    })
}
