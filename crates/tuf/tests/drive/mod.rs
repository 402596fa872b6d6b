//! Runs the client against files in memory, one request after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use tuf::{Client, Error, Event, Fetched, Limits, LookUp, Mode, Request, StoredFile, UnixTime};

/// What a web server would have, by name relative to the URL of the metadata.
pub type Served = BTreeMap<String, Arc<[u8]>>;

/// What a program would have on disk.
pub type Store = BTreeMap<StoredFile, Arc<[u8]>>;

/// What an update and the look-ups after it came to.
#[allow(dead_code)] // Not every test looks at all of it.
pub struct Outcome {
    pub client: Client,
    pub refreshed: Result<(), Error>,
    /// In the order of the paths.
    pub look_ups: Vec<Result<LookUp, Error>>,
}

/// One update from this root, and look-ups of these paths.
pub fn update(
    trusted_root: &[u8],
    now: UnixTime,
    served: &Served,
    store: &mut Store,
    paths: &[String],
) -> Result<Outcome, Error> {
    let mut client = Client::new(trusted_root, now, Mode::Online, Limits::default())?;
    let ids: Vec<_> = paths.iter().map(|path| client.look_up(path.as_str())).collect();
    while let Some(request) = client.poll_request() {
        match request {
            Request::Load { id, file } => client.loaded(id, store.get(&file).map(AsRef::as_ref)),
            Request::Fetch { id, file } => {
                let fetched = match served.get(&file.name) {
                    Some(bytes) if bytes.len() as u64 > file.max_bytes => Fetched::TooLong,
                    Some(bytes) => Fetched::Body(bytes),
                    None => Fetched::Absent,
                };
                client.fetched(id, fetched);
            }
            Request::Store { file, bytes, .. } => drop(store.insert(file, bytes)),
            Request::Delete { file, .. } => drop(store.remove(&file)),
        }
    }
    let mut refreshed = None;
    let mut results = BTreeMap::new();
    while let Some(event) = client.poll_event() {
        match event {
            Event::Refreshed => refreshed = Some(Ok(())),
            Event::Failed(error) => refreshed = Some(Err(error)),
            Event::LookedUp { id, result } => drop(results.insert(id, result)),
        }
    }
    let look_ups = ids.iter().map(|id| results.remove(id).expect("every look-up is answered")).collect();
    Ok(Outcome { client, refreshed: refreshed.expect("the update comes to an end"), look_ups })
}
