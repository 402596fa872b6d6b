//! The repository, over plain HTTP.

use std::io::Read;
use std::time::Duration;

use ureq::Agent;
use ureq::http::StatusCode;

use crate::Failure;

pub struct Repository {
    agent: Agent,
    metadata_url: String,
}

impl Repository {
    pub fn new(metadata_url: String) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Repository { agent: config.into(), metadata_url }
    }

    /// A metadata file, or as much of it as shows that it is too long. `None` if the repository says that there is no
    /// such file, and only then.
    pub fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, Failure> {
        let Some(content) = self.open(&format!("{}{name}", self.metadata_url))? else { return Ok(None) };
        let mut bytes = Vec::new();
        content.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// The content of any file. Whoever reads it must know when to stop.
    pub fn open(&self, url: &str) -> Result<Option<impl Read + use<>>, Failure> {
        let response = self.agent.get(url).call()?;
        match response.status() {
            StatusCode::OK => Ok(Some(response.into_body().into_reader())),
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(None),
            status => Err(format!("{url}: the server answers {status}").into()),
        }
    }
}
