//! Carries out what the client asks for, one thing at a time and in the order asked.

use std::time::SystemTime;

use tuf::{Client, Event, Fetched, Limits, LookUp, Mode, Request, Target, UnixTime};

use crate::Failure;
use crate::downloads::Downloads;
use crate::repository::Repository;
use crate::store::Store;

/// One update, and downloads of what it finds.
pub struct Driver {
    client: Client,
    store: Store,
    repository: Repository,
}

impl Driver {
    pub fn new(store: Store, repository: Repository) -> Result<Self, Failure> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let now = UnixTime(i64::try_from(now)?);
        let client = Client::new(&store.trusted_root()?, now, Mode::Online, Limits::default())?;
        Ok(Driver { client, store, repository })
    }

    /// Updates the top-level metadata.
    pub fn refresh(&mut self) -> Result<(), Failure> {
        self.carry_out_requests()?;
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Refreshed => return Ok(()),
                Event::Failed(error) => return Err(error.into()),
                Event::LookedUp { .. } => {}
            }
        }
        Err("the update has no result".into())
    }

    /// Downloads a target, unless it is there with the content that is signed now.
    pub fn download(&mut self, path: &str, base_url: &str, downloads: &Downloads) -> Result<(), Failure> {
        let target = self.look_up(path)?;
        if downloads.have(path, target.verifier()?) {
            return Ok(());
        }
        let url = format!("{base_url}{}", target.remote_name(self.client.root().consistent_snapshot()));
        let content = self.repository.open(&url)?.ok_or_else(|| format!("{url}: no such file"))?;
        downloads.keep(path, target.verifier()?, content, &self.store.scratch_directory()?)
    }

    fn look_up(&mut self, path: &str) -> Result<Target, Failure> {
        let wanted = self.client.look_up(path);
        self.carry_out_requests()?;
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::LookedUp { id, result: Ok(LookUp::Found(target)) } if id == wanted => return Ok(target),
                Event::LookedUp { id, result: Err(error) } if id == wanted => return Err(error.into()),
                _ => {}
            }
        }
        Err(format!("the repository has no target {path:?}").into())
    }

    /// The suite judges by what is stored, so that a full disk is a failure here. Elsewhere a warning would do.
    fn carry_out_requests(&mut self) -> Result<(), Failure> {
        while let Some(request) = self.client.poll_request() {
            match request {
                Request::Load { id, file } => self.client.loaded(id, self.store.load(&file).as_deref()),
                Request::Fetch { id, file } => match self.repository.metadata(&file.name, file.max_bytes) {
                    Ok(Some(bytes)) => self.client.fetched(id, Fetched::Body(&bytes)),
                    Ok(None) => self.client.fetched(id, Fetched::Absent),
                    Err(error) => self.client.fetched(id, Fetched::Failed(&error.to_string())),
                },
                Request::Store { file, bytes, .. } => self.store.store(&file, &bytes)?,
                Request::Delete { file, .. } => self.store.delete(&file)?,
            }
        }
        Ok(())
    }
}
