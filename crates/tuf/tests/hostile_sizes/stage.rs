//! A client up to the point at which it asks for the hostile file.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use tuf::metadata::{FileMeta, Metadata, Root, Signed, Snapshot, Targets, Timestamp, TopLevelRole};
use tuf::{Client, Event, Fetched, Limits, LookUp, Mode, Request, SigningKey, UnixTime};

pub const EXPIRES: UnixTime = UnixTime(1_767_312_000);
const NOW: UnixTime = UnixTime(1_767_225_600);

pub fn key() -> SigningKey {
    SigningKey::ed25519(&[7; 32])
}

pub fn signed<T: Signed>(content: T) -> Vec<u8> {
    let mut metadata = Metadata::new(content);
    metadata.sign(&key());
    metadata.to_bytes()
}

/// A repository: what is not set is as plain as can be.
#[derive(Default)]
pub struct Stage {
    /// Files by name, in the place of plain ones.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Entries of the snapshot besides `targets.json` of version 1.
    pub listed: BTreeMap<String, FileMeta>,
    pub looks_up: Option<String>,
}

impl Stage {
    /// That serves this under that name.
    pub fn serving(name: &str, bytes: Vec<u8>) -> Self {
        Stage { files: BTreeMap::from([(name.to_owned(), bytes)]), ..Stage::default() }
    }

    /// The first file that the snapshot describes with its length.
    pub fn with_signed_length(mut self, role: &str, name: &str) -> Self {
        let length = Some(self.files[name].len() as u64);
        self.listed.insert(format!("{role}.json"), FileMeta { length, ..FileMeta::unhashed(1) });
        self
    }

    pub fn looking_up(mut self, path: &str) -> Self {
        self.looks_up = Some(path.to_owned());
        self
    }

    /// Puts all files into a directory.
    pub fn write(self, directory: &Path) {
        let mut root = Root::new(EXPIRES);
        for role in TopLevelRole::ALL {
            root.set_role(role, &[key().public().clone()], 1);
        }
        let mut snapshot = Snapshot::new(1, EXPIRES);
        snapshot.set_role(&TopLevelRole::Targets.into(), FileMeta::unhashed(1));
        snapshot.meta.extend(self.listed);
        let mut files = BTreeMap::from([
            ("1.root.json".to_owned(), signed(root)),
            ("timestamp.json".to_owned(), signed(Timestamp::new(1, EXPIRES, FileMeta::unhashed(1)))),
            ("1.snapshot.json".to_owned(), signed(snapshot)),
            ("1.targets.json".to_owned(), signed(Targets::new(1, EXPIRES))),
        ]);
        files.extend(self.files);
        files.extend(self.looks_up.map(|path| (LOOKS_UP.to_owned(), path.into_bytes())));
        for (name, bytes) in files {
            std::fs::write(directory.join(name), bytes).unwrap();
        }
    }
}

/// The name of the file that has the path to look up, if there is one.
const LOOKS_UP: &str = "look up";

/// What becomes of a client that is served the files of this directory, and the time it takes.
pub fn run(directory: &Path) -> (String, Duration) {
    let read = |name: &str| std::fs::read(directory.join(name)).ok();
    let mut client = Client::new(&read("1.root.json").unwrap(), NOW, Mode::Online, Limits::default()).unwrap();
    let mut took = Duration::ZERO;
    if let Some(path) = read(LOOKS_UP) {
        client.look_up(String::from_utf8(path).unwrap());
    }
    while let Some(request) = client.poll_request() {
        match request {
            Request::Load { id, .. } => client.loaded(id, None),
            Request::Fetch { id, file } => {
                let bytes = read(&file.name);
                let start = Instant::now();
                client.fetched(id, bytes.as_deref().map_or(Fetched::Absent, Fetched::Body));
                took += start.elapsed();
            }
            Request::Store { .. } | Request::Delete { .. } => {}
        }
    }
    let last = std::iter::from_fn(|| client.poll_event()).last();
    (last.as_ref().map(outcome).unwrap_or_default(), took)
}

fn outcome(event: &Event) -> String {
    match event {
        Event::Refreshed => "refreshed".to_owned(),
        Event::Failed(error) | Event::LookedUp { result: Err(error), .. } => {
            let mut text = format!("{:?}: {error}", error.check());
            text.truncate(text.floor_char_boundary(150));
            text
        }
        Event::LookedUp { result: Ok(LookUp::Found(_)), .. } => "found".to_owned(),
        Event::LookedUp { result: Ok(LookUp::NotFound { searched, .. }), .. } => {
            format!("not found in {} roles", searched.len())
        }
    }
}
