//! A published index in memory, an operator with keys, and clients that remember.

use std::collections::BTreeMap;

use packaging::PackageName;
use repository::published::{PublishedReader, page_path, trusted_root};
use repository::{
    BinForm, Change, DistributionTrust, Draft, Expiry, FileAddition, KeyGroup, PageFile, Policy, Profile, Publication,
    Published, RenewScope, Signers, layout, page::FileHashes, roles,
};
use sha2::{Digest as _, Sha256};
use tuf::metadata::{Metadata, RoleName, Signed, Targets};
use tuf::{Client, Event, Fetched, Limits, LookUp, Mode, Request, SigningKey, Target, UnixTime};

pub const DAY: i64 = 86_400;

/// Everything published, by path.
pub type Store = BTreeMap<String, Vec<u8>>;

pub struct Operator {
    pub store: Store,
    pub policy: Policy,
    pub now: UnixTime,
    /// The newest root that is published.
    pub root: Vec<u8>,
    pub people: u8,
    pub online: u8,
    /// Staged roles that projects have signed.
    pub signed_by_projects: BTreeMap<RoleName, Vec<u8>>,
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::ed25519(&[seed; 32])
}

pub fn policy(profile: Profile, bin_form: BinForm) -> Policy {
    Policy { profile, bin_form, bit_length: 4, trust: DistributionTrust::Both, expiry: Expiry::default() }
}

pub fn project(name: &str) -> PackageName {
    name.parse().unwrap()
}

pub fn addition(filename: &str, content: &str) -> FileAddition {
    let hash = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
    let metadata = format!("metadata of {content}");
    let path = layout::distribution_path(&hash(content), filename).unwrap();
    let file = PageFile {
        filename: filename.to_owned(),
        url: PageFile::url_of(&path),
        hashes: FileHashes { sha256: hash(content) },
        size: content.len() as u64,
        requires_python: Some(">=3.8".to_owned()),
        yanked: None,
        core_metadata: Some(hash(&metadata)),
        upload_time: Some("2026-01-02T03:04:05Z".to_owned()),
    };
    FileAddition { file, core_metadata_size: Some(metadata.len() as u64) }
}

pub fn add(name: &str, version: &str) -> Change {
    let filename = format!("{}-{version}-py3-none-any.whl", name.replace('-', "_"));
    Change::Add { project: project(name), addition: addition(&filename, &filename) }
}

/// What [`Operator::publish_with`] shall do besides changes.
pub struct Besides {
    pub root: Option<Vec<u8>>,
    pub offline_metadata: Vec<(RoleName, Vec<u8>)>,
    pub renew: RenewScope,
    pub keys: Vec<SigningKey>,
}

impl Operator {
    /// An empty index.
    pub fn new(policy: Policy) -> Self {
        let now = UnixTime::parse("2030-01-01T00:00:00Z").unwrap();
        let mut operator = Self {
            store: Store::new(),
            policy,
            now,
            root: Vec::new(),
            people: 1,
            online: 2,
            signed_by_projects: BTreeMap::new(),
        };
        let besides = operator.new_structure(1, 1, &[key(1)]);
        operator.publish_with(&[], besides);
        operator
    }

    pub fn signers(&self) -> Signers {
        let group = |seed: u8| KeyGroup { keys: vec![key(seed).public().clone()], threshold: 1 };
        Signers { root: group(self.people), targets: group(self.people), online: group(self.online) }
    }

    /// A root and the metadata that delegates, as the policy and the keys now want them, signed by these people.
    pub fn new_structure(&self, root: u64, targets: u64, people: &[SigningKey]) -> Besides {
        let signers = self.signers();
        let rstuf = self.policy.profile == Profile::Rstuf;
        let online = [key(self.online)];
        let by_targets = if rstuf { &online[..] } else { people };
        let mut offline_metadata = vec![(
            RoleName::from("targets"),
            signed(roles::targets(&self.policy, &signers, targets, self.now).unwrap(), by_targets),
        )];
        if self.policy.profile == Profile::Pep458 {
            let bins = roles::bins(&self.policy, &signers, targets, self.now).unwrap();
            offline_metadata.push((RoleName::from(roles::BINS), signed(bins, people)));
        }
        let root = signed(roles::root(&self.policy, &signers, root, self.now), people);
        Besides { root: Some(root), offline_metadata, renew: RenewScope::WhatIsDue, keys: vec![key(self.online)] }
    }

    pub fn publish(&mut self, changes: &[Change]) -> Publication {
        self.publish_with(
            changes,
            Besides {
                root: None,
                offline_metadata: Vec::new(),
                renew: RenewScope::WhatIsDue,
                keys: vec![key(self.online)],
            },
        )
    }

    pub fn publish_with(&mut self, changes: &[Change], besides: Besides) -> Publication {
        let publication = self.prepare(changes, besides);
        self.write(&publication);
        publication
    }

    /// What the program does around a draft.
    pub fn prepare(&self, changes: &[Change], besides: Besides) -> Publication {
        let before = self.published();
        let Besides { root, offline_metadata, renew, keys } = besides;
        let mut draft = Draft::begin(self.policy, before.clone(), root, &offline_metadata, renew, self.now).unwrap();
        let take = |draft: &mut Draft, roles: Vec<RoleName>| {
            for role in roles {
                draft.take(role.clone(), self.role(before.as_ref().unwrap(), &role));
            }
        };
        if draft.reads_everything() {
            let roles = draft.published_roles();
            take(&mut draft, roles);
        }
        for change in changes {
            let leaf = draft.page_role(change.project()).unwrap();
            take(&mut draft, leaf.into_iter().collect());
            let path = draft.page_target(change.project()).map(|target| page_path(change.project(), target).unwrap());
            if let Some(path) = path {
                draft.take_page(change.project(), &self.store[&path]).unwrap();
            }
        }
        draft.apply(changes).unwrap();
        let leaves = draft.leaves_of_edits();
        take(&mut draft, leaves);
        for awaiting_signatures in draft.awaiting_signatures() {
            match self.signed_by_projects.get(&awaiting_signatures.role) {
                Some(bytes) => draft.accept(&awaiting_signatures, bytes).unwrap(),
                None => drop(draft.hold_back(&awaiting_signatures).unwrap()),
            }
        }
        draft.sign(0, &keys).unwrap()
    }

    pub fn write(&mut self, publication: &Publication) {
        if let Some((path, bytes)) = &publication.root {
            self.root = bytes.clone();
            self.create(path, bytes);
        }
        let files = publication.leaves.iter().chain(&publication.offline_metadata).chain(&publication.snapshot);
        for (path, bytes) in files {
            self.create(path, bytes);
        }
        for content in publication.pages.iter().filter_map(|page| page.content.as_ref()) {
            self.store.insert(content.hashed_path.clone(), content.json.clone());
        }
        self.store.insert(layout::TIMESTAMP.to_owned(), publication.timestamp.clone());
    }

    /// Nothing that clients may keep for ever is ever written twice.
    fn create(&mut self, path: &str, bytes: &[u8]) {
        assert!(self.store.insert(path.to_owned(), bytes.to_vec()).is_none(), "{path} was written twice");
    }

    pub fn published(&self) -> Option<Published> {
        let timestamp = self.store.get(layout::TIMESTAMP)?;
        let mut opening = PublishedReader::new(trusted_root(&self.root).unwrap(), timestamp, 0, 0).unwrap();
        opening.snapshot(&self.store[&opening.snapshot_path()]).unwrap();
        while let Some((role, path)) = opening.next_delegator().unwrap() {
            opening.delegator(role, &self.store[&path]).unwrap();
        }
        Some(opening.finish().unwrap())
    }

    pub fn role(&self, published: &Published, role: &RoleName) -> Targets {
        published.open(role, &self.store[&published.path_of(role).unwrap()]).unwrap()
    }
}

pub fn signed<T: Signed>(content: T, keys: &[SigningKey]) -> Vec<u8> {
    let mut metadata = Metadata::new(content);
    for key in keys {
        metadata.sign(key);
    }
    metadata.to_bytes()
}

/// A client with a memory.
pub struct User {
    memory: BTreeMap<String, Vec<u8>>,
    anchor: Vec<u8>,
}

impl User {
    pub fn new(operator: &Operator) -> Self {
        Self { memory: BTreeMap::new(), anchor: operator.store["tuf/1.root.json"].clone() }
    }

    /// Looks a target up in what is published, as of now; `None` if the index says that it has none.
    pub fn look_up(&mut self, operator: &Operator, path: &str) -> Result<Option<Target>, tuf::Error> {
        let store = |name: &str| operator.store.get(&format!("tuf/{name}")).map(Vec::as_slice);
        let newest = (1..).take_while(|version| store(&format!("{version}.root.json")).is_some()).last().unwrap();
        let newest = (1..=newest).rev().map(|version| format!("{version}.root.json"));
        let anchor = newest.filter_map(|name| self.memory.get(&name)).next().unwrap_or(&self.anchor).clone();
        let mut client = Client::new(&anchor, operator.now, Mode::Online, Limits::default())?;
        client.look_up(path);
        loop {
            while let Some(request) = client.poll_request() {
                match request {
                    Request::Load { id, file } => {
                        client.loaded(id, self.memory.get(&file.file_name()).map(Vec::as_slice));
                    }
                    Request::Fetch { id, file } => {
                        client.fetched(id, store(&file.name).map_or(Fetched::Absent, Fetched::Body));
                    }
                    Request::Store { file, bytes, .. } => drop(self.memory.insert(file.file_name(), bytes.to_vec())),
                    Request::Delete { file, .. } => drop(self.memory.remove(&file.file_name())),
                }
            }
            match client.poll_event() {
                Some(Event::LookedUp { result, .. }) => {
                    return Ok(match result? {
                        LookUp::Found(target) => Some(target),
                        LookUp::NotFound { doubt, .. } => {
                            assert!(doubt.is_none(), "{path}: {doubt:?}");
                            None
                        }
                    });
                }
                Some(Event::Failed(error)) => return Err(error),
                Some(Event::Refreshed) => {}
                None => panic!("neither found nor not"),
            }
        }
    }

    /// The file names on a project's page, each of which must be signed as a target as well.
    pub fn files(&mut self, operator: &Operator, name: &str) -> Vec<String> {
        let project = project(name);
        let Some(target) = self.look_up(operator, &layout::page_target(&project)).unwrap() else { return Vec::new() };
        let bytes = &operator.store[&target.remote_name(true)];
        let mut verifier = target.verifier().unwrap();
        verifier.update(bytes).unwrap();
        verifier.finish().unwrap();
        let page: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let files = page["files"].as_array().unwrap().iter();
        let names: Vec<String> = files.map(|file| file["filename"].as_str().unwrap().to_owned()).collect();
        for filename in &names {
            for path in
                [layout::distribution_target(&project, filename), layout::core_metadata_target(&project, filename)]
            {
                assert!(self.look_up(operator, &path).unwrap().is_some(), "{path} is not signed");
            }
        }
        names
    }
}
