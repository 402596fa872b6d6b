//! What repositories have published over time, and what an honest client made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use tuf::json::parse;
use tuf::metadata::{PathPattern, PathSet, TopLevelRole};
use tuf::{LookUp, StoredFile};

use super::any_order::Stored;
use super::simulator::{Machine, Repository, ed25519};

/// Looked up in all histories; not all of them exist.
pub const PATHS: [&str; 12] =
    ["top", "a/1", "a/2", "a/s", "a/none", "b/1", "b/2", "b/s", "bins/1", "bins/2", "z/1", "none"];

/// The life of one repository.
pub struct History {
    pub trusted_root: Vec<u8>,
    /// All that was ever served, by name, the newest last.
    pub served: BTreeMap<String, Vec<Vec<u8>>>,
    /// What machines keep that never refreshed, refreshed at first, and so on to the present.
    pub stored: Vec<Stored>,
    /// The versions of timestamp and snapshot at these times; 0 before the first.
    pub versions: Vec<(u64, u64)>,
    /// What look-ups of [`PATHS`] found with the snapshot of this version.
    pub found: BTreeMap<u64, Vec<LookUp>>,
    /// Canonical content that the repository signed, by the file it may be kept in.
    genuine: BTreeSet<(StoredFile, Vec<u8>)>,
}

/// Three repositories with the same content: as they should be; without lengths and hashes, and without bins (which could
/// not be told from each other then, having the same keys); and one that overwrites its files.
pub static HISTORIES: LazyLock<[History; 3]> = LazyLock::new(|| {
    [(true, true), (false, true), (true, false)].map(|(describes, consistent)| live(describes, consistent))
});

fn live(describes_content: bool, consistent: bool) -> History {
    let mut repository = Repository::new();
    repository.describes_content = describes_content;
    repository.root.consistent_snapshot = Some(consistent);
    repository.published.clear();
    repository.publish_root();

    repository.add_target("targets", "top", b"top");
    repository.delegate("targets", "alpha", &["a/*"]);
    repository.delegate("targets", "beta", &["?/*"]);
    repository.delegate_terminating("targets", "last", &["bins/*", "z/*"]);
    repository.delegate("targets", "never", &["z/*"]);
    // One file under keys of two delegators.
    let (of_alpha, of_beta) = (ed25519(301), ed25519(302));
    repository.delegate_to("alpha", "shared", std::slice::from_ref(&of_alpha), 1, pattern("a/*"));
    repository.delegate_to("beta", "shared", std::slice::from_ref(&of_beta), 1, pattern("?/s"));
    repository.signers.insert("shared".to_owned(), vec![of_alpha, of_beta]);
    for (role, path) in [("alpha", "a/1"), ("beta", "a/2"), ("beta", "b/1"), ("shared", "a/s"), ("shared", "b/s")] {
        repository.add_target(role, path, path.as_bytes());
    }
    repository.add_target("never", "z/1", b"not to be found");
    if describes_content {
        repository.delegate_succinct("last", 2);
        let bin = repository.bin("last", "bins/1");
        repository.add_target(&bin, "bins/1", b"in a bin");
    } else {
        repository.add_target("last", "bins/1", b"in no bin");
    }
    repository.publish();

    let mut history = History {
        trusted_root: repository.file("root"),
        served: BTreeMap::new(),
        stored: vec![Stored::new()],
        versions: vec![(0, 0)],
        found: BTreeMap::new(),
        genuine: BTreeSet::new(),
    };
    history.goes_on(&repository);

    repository.add_target("alpha", "a/1", b"another content");
    repository.release("alpha");
    repository.role_mut("beta").targets.remove("b/1");
    repository.add_target("beta", "b/2", b"instead of it");
    repository.release("beta");
    history.goes_on(&repository);

    repository.release_timestamp();
    history.goes_on(&repository);

    repository.rotate(TopLevelRole::Timestamp, &[ed25519(401)], 1);
    repository.release_timestamp();
    history.goes_on(&repository);

    repository.rotate(TopLevelRole::Targets, &[ed25519(402), ed25519(403)], 2);
    repository.rotate(TopLevelRole::Root, &[ed25519(404)], 1);
    repository.add_target("targets", "none", b"now there is one");
    repository.release("targets");
    history.goes_on(&repository);

    repository.release_timestamp();
    history.goes_on(&repository);
    history
}

impl History {
    /// What is served by this name now.
    pub fn current(&self, name: &str) -> Option<&[u8]> {
        self.served.get(name)?.last().map(Vec::as_slice)
    }

    /// Whether the repository signed what stands in a file, for this role. Spaces and the like are nobody's word.
    pub fn is_genuine(&self, file: &StoredFile, bytes: &[u8]) -> bool {
        self.genuine.contains(&(file.clone(), signed_content(bytes)))
    }

    fn goes_on(&mut self, repository: &Repository) {
        for (name, bytes) in &repository.published {
            let versions = self.served.entry(name.clone()).or_default();
            if versions.last() != Some(bytes) {
                versions.push(bytes.clone());
            }
        }
        for (name, bytes) in &repository.published {
            if let Some(version) = name.strip_suffix(".root.json") {
                self.genuine.insert((StoredFile::Root(version.parse().unwrap()), signed_content(bytes)));
            }
        }
        let delegated =
            repository.delegated.keys().map(|role| (StoredFile::Delegated(role.as_str().into()), role.as_str()));
        let top_level = [
            (StoredFile::Timestamp, "timestamp"),
            (StoredFile::Snapshot, "snapshot"),
            (StoredFile::Targets, "targets"),
        ];
        for (file, role) in delegated.chain(top_level) {
            self.genuine.insert((file, signed_content(&repository.file(role))));
        }

        let mut machine = Machine::trusting(repository);
        machine.trusted_root = self.trusted_root.clone();
        let found = machine.look_up_all(repository, &PATHS).unwrap();
        self.found.insert(repository.snapshot.version, found.into_iter().map(Result::unwrap).collect());
        self.versions.push((repository.timestamp.version, repository.snapshot.version));
        self.stored.push(machine.stored.into_iter().map(|(file, bytes)| (file, bytes.into())).collect());
    }
}

fn signed_content(file: &[u8]) -> Vec<u8> {
    parse(file).unwrap().as_object().and_then(|file| file.get("signed")).unwrap().canonical()
}

fn pattern(pattern: &str) -> PathSet {
    PathSet::Patterns(vec![PathPattern::new(pattern)])
}
