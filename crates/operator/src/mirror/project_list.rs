//! Which projects an index has (PEP 503, PEP 691).

use std::time::Duration;

use packaging::{PackageName, ProjectList};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use url::Url;

use installer::error::{Code, Failure};
use installer::net::{HttpClient, ResponseLimits};

/// The list of the largest public index has some tens of megabytes.
const LIMITS: ResponseLimits = ResponseLimits { bytes: 256 << 20, deadline: Duration::from_secs(600) };

/// JSON is preferred; a server may answer with HTML nevertheless.
const ACCEPTED: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.2, text/html; q=0.01";

/// Reads the list of all projects of an index, whose URL ends with a slash.
///
/// # Errors
/// When the index does not have one, or it cannot be read.
pub async fn project_list(client: &HttpClient, index: &Url) -> Result<Vec<PackageName>, Failure> {
    let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(ACCEPTED))]);
    let fetched = client.get(index, &headers, LIMITS).await.map_err(|failure| named(failure.into()))?;
    let content_type = fetched.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = content_type.split(';').next().is_some_and(|kind| kind.trim().ends_with("json"));
    if !is_json {
        return Ok(ProjectList::from_html(&fetched.body).projects);
    }
    let list = ProjectList::from_json(&fetched.body).map_err(|error| {
        let message = format!("Could not read the list of projects at {}: {error}", printable::redacted_url(index));
        named(Failure::new(Code::IndexPage, printable::line(&message)))
    })?;
    Ok(list.projects)
}

fn named(failure: Failure) -> Failure {
    failure.hint("name the projects with --project or --projects-from if the index has no list of them")
}
