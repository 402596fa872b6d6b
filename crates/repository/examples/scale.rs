//! How long it takes, and how much memory and space, to sign an index of any size: of made-up files, without a disk.
//!
//! ```text
//! cargo run --release -p repository --example scale -- PROJECTS FILES TRUST BATCH
//! ```
//!
//! Publishes PROJECTS projects with FILES files in all, BATCH projects at a time; TRUST is `page` or `both`. Then one file
//! more. The metadata is kept, pages are counted and forgotten.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::time::Instant;

use packaging::PackageName;
use repository::page::FileHashes;
use repository::published::{PublishedReader, trusted_root};
use repository::{
    BinForm, Change, DistributionTrust, Draft, Expiry, FileAddition, KeyGroup, PageFile, Policy, Profile, Publication,
    Published, RenewScope, Signers, layout, roles,
};
use sha2::{Digest as _, Sha256};
use tuf::metadata::{Metadata, RoleName, Signed};
use tuf::{SigningKey, UnixTime};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Index {
    policy: Policy,
    now: UnixTime,
    root: Vec<u8>,
    metadata: BTreeMap<String, Vec<u8>>,
    people: SigningKey,
    online: SigningKey,
    page_bytes: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [projects, files, trust, batch] = arguments.as_slice() else { panic!("PROJECTS FILES TRUST BATCH") };
    let (projects, files): (u64, u64) = (projects.parse().unwrap(), files.parse().unwrap());
    let batch: u64 = batch.parse().unwrap();
    let trust = if trust == "both" { DistributionTrust::Both } else { DistributionTrust::Page };
    let policy = Policy {
        profile: Profile::Pep458,
        bin_form: BinForm::Succinct,
        bit_length: Policy::bit_length_for(projects),
        trust,
        expiry: Expiry::default(),
    };
    let mut index = Index {
        policy,
        now: UnixTime(1_900_000_000),
        root: Vec::new(),
        metadata: BTreeMap::new(),
        people: SigningKey::ed25519(&[1; 32]),
        online: SigningKey::ed25519(&[2; 32]),
        page_bytes: 0,
    };
    let start = Instant::now();
    index.begin();
    println!("{} bins, empty: {:.1} s", 1 << index.policy.bit_length, start.elapsed().as_secs_f64());
    let mut first = 0;
    while first < projects {
        let last = (first + batch).min(projects);
        let (from, to) = (files * first / projects, files * last / projects);
        let began = Instant::now();
        let changes = (first..last).map(|project| {
            let from_file = from + (to - from) * (project - first) / (last - first);
            let to_file = from + (to - from) * (project - first + 1) / (last - first);
            change(project, from_file..to_file)
        });
        let changes: Vec<Change> = changes.collect();
        let made = began.elapsed();
        let publication = index.publish(&changes);
        println!(
            "projects {last:>7}: {:.1} s, {} bins{}, peak {} MB",
            (began.elapsed() - made).as_secs_f64(),
            publication.leaves.len(),
            publication.snapshot.map_or(String::new(), |(_, bytes)| format!(", snapshot {} bytes", bytes.len())),
            peak_memory(),
        );
        first = last;
    }
    let leaves: u64 = index.current_leaves();
    println!(
        "all: {:.1} s; bins {} MB, pages {} MB, peak {} MB",
        start.elapsed().as_secs_f64(),
        leaves >> 20,
        index.page_bytes >> 20,
        peak_memory()
    );
    let began = Instant::now();
    let one = index.publish(&[change(projects, files..files + 1)]);
    println!("one more: {:.0} ms, {} bins", began.elapsed().as_secs_f64() * 1e3, one.leaves.len());
    let began = Instant::now();
    index.publish(&[]);
    println!("timestamp: {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
}

/// A project with made-up wheels.
fn change(project: u64, files: std::ops::Range<u64>) -> Change {
    let name: PackageName = format!("project-{project}").parse().unwrap();
    let additions = files.map(|file| {
        let filename =
            format!("project_{project}-{file}.0.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl");
        let sha256 = hex::encode(Sha256::digest(filename.as_bytes()));
        let file = PageFile {
            url: PageFile::url_of(&layout::distribution_path(&sha256, &filename).unwrap()),
            hashes: FileHashes { sha256: sha256.clone() },
            filename,
            size: 1_430_000 + file,
            requires_python: Some(">=3.9".to_owned()),
            yanked: None,
            core_metadata: Some(sha256),
            upload_time: Some("2026-01-02T03:04:05Z".to_owned()),
        };
        FileAddition { file, core_metadata_size: Some(4_000) }
    });
    Change::Replace { files: additions.collect(), project: name }
}

impl Index {
    fn begin(&mut self) {
        let group = |key: &SigningKey| KeyGroup { keys: vec![key.public().clone()], threshold: 1 };
        let signers = Signers { root: group(&self.people), targets: group(&self.people), online: group(&self.online) };
        self.root = self.signed(roles::root(&self.policy, &signers, 1, self.now));
        let targets = self.signed(roles::targets(&self.policy, &signers, 1, self.now).unwrap());
        let bins = self.signed(roles::bins(&self.policy, &signers, 1, self.now).unwrap());
        let offline_metadata = [(RoleName::from("targets"), targets), (RoleName::from(roles::BINS), bins)];
        let root = Some(self.root.clone());
        let draft = Draft::begin(self.policy, None, root, &offline_metadata, RenewScope::WhatIsDue, self.now).unwrap();
        let publication = draft.sign(0, std::slice::from_ref(&self.online)).unwrap();
        self.write(&publication);
    }

    fn publish(&mut self, changes: &[Change]) -> Publication {
        let before = self.published();
        let mut draft =
            Draft::begin(self.policy, Some(before.clone()), None, &[], RenewScope::WhatIsDue, self.now).unwrap();
        let mut roles: Vec<RoleName> =
            changes.iter().filter_map(|change| draft.page_role(change.project()).unwrap()).collect();
        roles.sort();
        roles.dedup();
        self.take(&mut draft, &before, roles);
        draft.apply(changes).unwrap();
        let roles = draft.leaves_of_edits();
        self.take(&mut draft, &before, roles);
        let publication = draft.sign(0, std::slice::from_ref(&self.online)).unwrap();
        self.write(&publication);
        publication
    }

    fn take(&self, draft: &mut Draft, before: &Published, roles: Vec<RoleName>) {
        for role in roles {
            let targets = before.open(&role, &self.metadata[&before.path_of(&role).unwrap()]).unwrap();
            draft.take(role, targets);
        }
    }

    fn write(&mut self, publication: &Publication) {
        // As garbage collection would: bins of earlier versions go.
        let current = publication.snapshot.as_ref().map(|_| self.published_paths());
        for (path, bytes) in publication.leaves.iter().chain(&publication.offline_metadata).chain(&publication.snapshot)
        {
            let role = path.rsplit('/').next().unwrap_or_default().split_once('.').unwrap_or_default().1.to_owned();
            if let Some(old) = current.as_ref().and_then(|current| current.get(&role)) {
                self.metadata.remove(old);
            }
            self.metadata.insert(path.clone(), bytes.clone());
        }
        for content in publication.pages.iter().filter_map(|page| page.content.as_ref()) {
            self.page_bytes += content.json.len() as u64;
        }
        self.metadata.insert(layout::TIMESTAMP.to_owned(), publication.timestamp.clone());
    }

    fn published_paths(&self) -> BTreeMap<String, String> {
        let names = self.metadata.keys().filter(|path| path.as_str() != layout::TIMESTAMP);
        names.filter_map(|path| Some((path.rsplit('/').next()?.split_once('.')?.1.to_owned(), path.clone()))).collect()
    }

    fn current_leaves(&self) -> u64 {
        self.metadata.iter().filter(|(path, _)| path.contains("bins-")).map(|(_, bytes)| bytes.len() as u64).sum()
    }

    fn published(&self) -> Published {
        let timestamp = &self.metadata[layout::TIMESTAMP];
        let mut opening = PublishedReader::new(trusted_root(&self.root).unwrap(), timestamp, 0, 0).unwrap();
        opening.snapshot(&self.metadata[&opening.snapshot_path()]).unwrap();
        while let Some((role, path)) = opening.next_delegator().unwrap() {
            opening.delegator(role, &self.metadata[&path]).unwrap();
        }
        opening.finish().unwrap()
    }

    fn signed<T: Signed>(&self, content: T) -> Vec<u8> {
        let mut metadata = Metadata::new(content);
        metadata.sign(&self.people);
        metadata.to_bytes()
    }
}

/// The most memory this process ever had, in MB; 0 where nobody can say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
