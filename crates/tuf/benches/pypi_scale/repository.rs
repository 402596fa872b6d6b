//! A repository as large as PyPI's, made once for each form of its bins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use tuf::metadata::{
    DelegatedRole, DelegatedRoles, Delegations, FileMeta, HashPrefix, Metadata, PathSet, RoleKeys, RoleName, Root,
    Signed, Snapshot, SuccinctRoles, TargetFile, Targets, Timestamp, TopLevelRole,
};
use tuf::{Client, Fetched, Limits, Mode, Request, RequestId, SigningKey, StoredFile, UnixTime};

pub const BINS: usize = 16_384;
const BIT_LENGTH: u8 = 14;
/// Four hex digits are four times as many prefixes as there are bins.
const PREFIXES_OF_BIN: usize = 4;
const TARGETS_OF_BIN: usize = 1_337;
const NOW: UnixTime = UnixTime(1_767_225_600);
const EXPIRES: UnixTime = UnixTime(NOW.0 + 86_400);

/// How the bins are delegated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `succinct_roles` (TAP 15) in `targets.json`.
    Succinct,
    /// `path_hash_prefixes` of each bin, in a file `bins.json` (PEP 458).
    Listed,
}

pub type Store = BTreeMap<StoredFile, Vec<u8>>;

pub struct Repository {
    pub form: Form,
    /// By name.
    pub served: BTreeMap<String, Vec<u8>>,
    /// Snapshot and timestamp before the newest.
    yesterday: Store,
    full_bin: String,
    /// In the bin of full size.
    targets_of_bin: Vec<String>,
    targets_of_different_bins: Vec<String>,
}

impl Form {
    pub const ALL: [Form; 2] = [Form::Succinct, Form::Listed];

    /// Entries of the snapshot besides the bins.
    pub fn other_roles(self) -> usize {
        match self {
            Form::Succinct => 1,
            Form::Listed => 2,
        }
    }
}

impl Repository {
    pub const ROOT: &str = "1.root.json";
    pub const TIMESTAMP: &str = "timestamp.json";
    pub const SNAPSHOT: &str = "2.snapshot.json";

    pub fn of(form: Form) -> &'static Repository {
        static REPOSITORIES: LazyLock<[Repository; 2]> = LazyLock::new(|| Form::ALL.map(Repository::new));
        REPOSITORIES.iter().find(|repository| repository.form == form).unwrap()
    }

    fn new(form: Form) -> Self {
        let key = SigningKey::ed25519(&[7; 32]);
        let keys = [key.public().clone()];
        let mut root = Root::new(EXPIRES);
        for role in TopLevelRole::ALL {
            root.set_role(role, &keys, 1);
        }
        let bins = SuccinctRoles { keys: RoleKeys::new(&keys, 1), bit_length: BIT_LENGTH, name_prefix: "bins".into() };
        let paths = Paths::find(&bins);
        let full_bin = bins.bin(&paths.of_one_bin[0]);

        let mut served = BTreeMap::from([(Self::ROOT.to_owned(), signed(root, &key))]);
        let mut snapshot = Snapshot::new(1, EXPIRES);
        for (number, bin) in bins.bins().enumerate() {
            snapshot.set_role(&bin, FileMeta::unhashed(1 + number as u64 * 31 % 5_000));
        }
        for path in &paths.of_different_bins {
            // A thousand full bins would be 300 MB of text.
            let bin = bins.bin(path);
            let version = snapshot.role(&bin).unwrap().version;
            served.insert(format!("{version}.{bin}.json"), signed(bin_file(version, [path], 20), &key));
        }
        let version = snapshot.role(&full_bin).unwrap().version;
        let full_bin_name = format!("{version}.{full_bin}.json");
        served.insert(full_bin_name.clone(), signed(bin_file(version, &paths.of_one_bin, TARGETS_OF_BIN), &key));

        let mut targets = Targets::new(1, EXPIRES);
        match form {
            Form::Succinct => targets.delegations = Some(Delegations::new(&keys, DelegatedRoles::Succinct(bins))),
            Form::Listed => {
                let all = (0..16).map(|digit| HashPrefix::new(&format!("{digit:x}")).unwrap()).collect();
                let to_bins = delegated("bins".into(), &keys, all);
                targets.delegations = Some(Delegations::new(&keys, DelegatedRoles::Listed(vec![to_bins])));

                let mut bins_file = Targets::new(1, EXPIRES);
                let roles = bins.bins().enumerate().map(|(number, bin)| {
                    let prefixes =
                        (0..PREFIXES_OF_BIN).map(|prefix| format!("{:04x}", number * PREFIXES_OF_BIN + prefix));
                    delegated(bin, &keys, prefixes.map(|prefix| HashPrefix::new(&prefix).unwrap()).collect())
                });
                bins_file.delegations = Some(Delegations::new(&keys, DelegatedRoles::Listed(roles.collect())));
                snapshot.set_role(&"bins".into(), FileMeta::unhashed(1));
                served.insert("1.bins.json".into(), signed(bins_file, &key));
            }
        }
        served.insert("1.targets.json".into(), signed(targets, &key));
        snapshot.set_role(&TopLevelRole::Targets.into(), FileMeta::unhashed(1));

        let publish = |snapshot: &Snapshot| {
            let version = snapshot.version;
            let snapshot = signed(snapshot.clone(), &key);
            let timestamp = signed(Timestamp::new(version, EXPIRES, FileMeta::of(version, &snapshot)), &key);
            (snapshot, timestamp)
        };
        let (old_snapshot, old_timestamp) = publish(&snapshot);
        snapshot.version = 2;
        let (new_snapshot, new_timestamp) = publish(&snapshot);
        served.insert(Self::SNAPSHOT.into(), new_snapshot);
        served.insert(Self::TIMESTAMP.into(), new_timestamp);
        Repository {
            form,
            served,
            yesterday: Store::from([(StoredFile::Timestamp, old_timestamp), (StoredFile::Snapshot, old_snapshot)]),
            full_bin: full_bin_name,
            targets_of_bin: paths.of_one_bin,
            targets_of_different_bins: paths.of_different_bins,
        }
    }

    /// The name of the file that delegates to the bins.
    pub fn bins_file(&self) -> &'static str {
        match self.form {
            Form::Succinct => "1.targets.json",
            Form::Listed => "1.bins.json",
        }
    }

    /// The name of the bin of full size.
    pub fn bin(&self) -> &str {
        &self.full_bin
    }

    /// A target in that bin.
    pub fn target(&self) -> &str {
        &self.targets_of_bin[0]
    }

    /// Some targets in that bin.
    pub fn targets_of_bin(&self) -> &[String] {
        &self.targets_of_bin
    }

    pub fn targets_of_different_bins(&self) -> &[String] {
        &self.targets_of_different_bins
    }

    /// The snapshot as python-tuf writes it, which is a third longer.
    pub fn indented_snapshot(&self) -> Vec<u8> {
        let value: serde_json::Value = serde_json::from_slice(&self.served[Self::SNAPSHOT]).unwrap();
        let mut indented = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut writer = serde_json::Serializer::with_formatter(&mut indented, indent);
        serde::Serialize::serialize(&value, &mut writer).unwrap();
        indented
    }

    pub fn nothing_stored(&self) -> Store {
        Store::new()
    }

    pub fn yesterday_stored(&self) -> Store {
        let mut stored = self.yesterday.clone();
        stored.insert(StoredFile::Targets, self.served["1.targets.json"].clone());
        stored
    }

    pub fn everything_stored(&self) -> Store {
        Store::from([
            (StoredFile::Timestamp, self.served[Self::TIMESTAMP].clone()),
            (StoredFile::Snapshot, self.served[Self::SNAPSHOT].clone()),
            (StoredFile::Targets, self.served["1.targets.json"].clone()),
        ])
    }

    pub fn new_client(&self) -> Client {
        Self::client_of(&self.served[Self::ROOT]).unwrap()
    }

    /// A client that starts from another root.
    pub fn client_of(root: &[u8]) -> Result<Client, tuf::Error> {
        Client::new(root, NOW, Mode::Online, Limits::default())
    }

    /// Carries out requests until there are none, or until this file is asked for.
    pub fn drive(&self, client: &mut Client, stored: &Store, until: Option<&str>) -> Option<RequestId> {
        while let Some(request) = client.poll_request() {
            match request {
                Request::Load { id, file } => client.loaded(id, stored.get(&file).map(Vec::as_slice)),
                Request::Fetch { id, file } if Some(file.name.as_str()) == until => return Some(id),
                Request::Fetch { id, file } => match self.served.get(&file.name) {
                    Some(bytes) => client.fetched(id, Fetched::Body(bytes)),
                    None => client.fetched(id, Fetched::Absent),
                },
                Request::Store { .. } | Request::Delete { .. } => {}
            }
        }
        None
    }
}

/// Target paths that the bins' hashes put where they are wanted.
struct Paths {
    of_one_bin: Vec<String>,
    of_different_bins: Vec<String>,
}

impl Paths {
    fn find(bins: &SuccinctRoles) -> Self {
        let full = bins.bin(&path(0));
        let of_one_bin: Vec<String> = (0..).map(path).filter(|path| bins.bin(path) == full).take(10).collect();
        let mut seen = BTreeSet::from([full]);
        let of_different_bins = (1..).map(path).filter(|path| seen.insert(bins.bin(path))).take(1_000).collect();
        Paths { of_one_bin, of_different_bins }
    }
}

/// 112 bytes, as PyPI's are on average.
fn path(number: usize) -> String {
    let (first, second) = (number % 256, number / 256 % 256);
    format!("packages/{first:02x}/{second:02x}/{number:060x}/some_project-{number:07}-py3-none.whl")
}

/// These targets and others, as many as that in all.
fn bin_file<'a>(version: u64, paths: impl IntoIterator<Item = &'a String>, count: usize) -> Targets {
    let mut bin = Targets::new(version, EXPIRES);
    let others = (0..).map(|number| path(10_000_000 + number));
    for path in paths.into_iter().cloned().chain(others).take(count) {
        let file = TargetFile::of(path.as_bytes());
        bin.targets.insert(path, file);
    }
    bin
}

fn delegated(name: RoleName, keys: &[tuf::Key], prefixes: Vec<HashPrefix>) -> DelegatedRole {
    DelegatedRole::new(name, RoleKeys::new(keys, 1), PathSet::HashPrefixes(prefixes))
}

fn signed<T: Signed>(content: T, key: &SigningKey) -> Vec<u8> {
    let mut metadata = Metadata::new(content);
    metadata.sign(key);
    metadata.to_bytes()
}
