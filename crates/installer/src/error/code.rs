//! The codes of failures: stable names that are the same on screen, in JSON and in the documentation. The program has
//! one table of them, so that those of `repo` are here, too.

use std::fmt;

use wheel::Rule;

/// Why a command failed; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The request cannot be fulfilled: no such version, a conflict, a file that is missing. Exit code 1.
    Error,
    /// The command line or the configuration is wrong. Exit code 2.
    Usage,
    /// A virtual environment is required and there is none. Exit code 3.
    NoVirtualEnvironment,
    /// A downloaded file failed verification: hash, length, RECORD, a hostile archive. Exit code 10.
    Verification,
    /// Signed metadata has expired or is withheld. Exit code 11.
    Expired,
    /// A policy the user asked for forbids it, for instance hash-checking mode. Exit code 12.
    Policy,
    /// The network or a server failed; the only kind that is safe to retry. Exit code 13.
    Network,
}

impl Exit {
    /// The exit code of the process: stable and documented.
    pub fn code(self) -> u8 {
        match self {
            Self::Error => 1,
            Self::Usage => 2,
            Self::NoVirtualEnvironment => 3,
            Self::Verification => 10,
            Self::Expired => 11,
            Self::Policy => 12,
            Self::Network => 13,
        }
    }
}

/// The page of `docs/reference` that explains a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `refusals.md`
    Failures,
    /// `repo.md`
    Repo,
}

impl Page {
    /// The name of the file in `docs/reference`.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Failures => "refusals.md",
            Self::Repo => "repo.md",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $exit:ident, $page:ident;)*) => {
        /// What failed. Each code has one exit code, and one page of reference that explains it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name, such as `verify.hash-mismatch`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Which exit code it means.
            pub fn exit(self) -> Exit {
                match self {
                    $(Self::$variant => Exit::$exit,)*
                }
            }

            /// Where it is explained.
            pub fn page(self) -> Page {
                match self {
                    $(Self::$variant => Page::$page,)*
                }
            }
        }
    };
}

codes! {
    /// A bug in this program: something that cannot happen has happened.
    Internal = "internal", Error, Failures;
    /// The disk refuses to read or write a file of the program's own.
    Disk = "disk", Error, Failures;
    /// A file that was named cannot be read.
    FileUnreadable = "file.unreadable", Error, Failures;
    /// A file that was named cannot be written.
    FileUnwritable = "file.unwritable", Error, Failures;
    /// A `file:` URL that names no path.
    FileUrl = "file.url", Error, Failures;
    /// The file of `--log` cannot be opened.
    Log = "log", Error, Failures;
    /// The command line cannot be understood.
    Usage = "usage", Usage, Failures;
    /// Options or arguments that pip understands and refuses together.
    UsageConflict = "usage.conflict", Error, Failures;
    /// A configuration file or variable cannot be understood.
    UsageConfiguration = "usage.configuration", Usage, Failures;
    /// An option, command or kind of requirement of pip that is not supported yet.
    UsageNotSupported = "usage.not-supported", Usage, Failures;
    /// A question cannot be answered: no terminal, or `--no-input`.
    UsageNoInput = "usage.no-input", Usage, Failures;
    /// `uninstall` names nothing.
    UsageNothingToUninstall = "usage.nothing-to-uninstall", Error, Failures;
    /// `uninstall`: the question cannot be answered.
    UninstallNotConfirmed = "uninstall.not-confirmed", Error, Failures;
    /// There is no interpreter.
    PythonNotFound = "python.not-found", Error, Failures;
    /// The interpreter cannot be run or examined.
    PythonUnusable = "python.unusable", Error, Failures;
    /// `--require-virtualenv`, and the environment is no virtual one.
    PythonNoVirtualenv = "python.no-virtualenv", NoVirtualEnvironment, Failures;
    /// The environment belongs to the operating system (PEP 668).
    PythonExternallyManaged = "python.externally-managed", Error, Failures;
    /// The interpreter has no place for packages of users.
    PythonNoUserScheme = "python.no-user-scheme", Error, Failures;
    /// The interpreter cannot compile modules.
    PythonCompile = "python.compile", Error, Failures;
    /// The metadata of an installed distribution is invalid.
    InstalledMetadata = "installed.metadata", Error, Failures;
    /// The RECORD of an installed distribution is invalid.
    InstalledRecord = "installed.record", Error, Failures;
    /// An installed distribution has no RECORD of its files.
    InstalledNoRecord = "installed.no-record", Error, Failures;
    /// A distribution was installed by distutils, which does not record its files.
    InstalledDistutils = "installed.distutils", Error, Failures;
    /// A requirement, or a line of a requirements file, is invalid.
    RequirementsInvalid = "requirements.invalid", Error, Failures;
    /// A `pyproject.toml` with dependency groups cannot be read.
    RequirementsUnreadable = "requirements.unreadable", Error, Failures;
    /// A requirement names a version control system, which is not supported yet.
    RequirementsVersionControl = "requirements.version-control", Error, Failures;
    /// A file that was named has an invalid wheel file name.
    RequirementsWheelName = "requirements.wheel-name", Error, Failures;
    /// A requirements file from a server sets an option that only users may set.
    RequirementsRemoteOption = "requirements.remote-option", Policy, Failures;
    /// A requirements file from a server includes a file from elsewhere.
    RequirementsRemoteInclude = "requirements.remote-include", Policy, Failures;
    /// A requirements file from a server names a file or directory of this machine.
    RequirementsRemotePath = "requirements.remote-path", Policy, Failures;
    /// A requirements file comes over plain http from another machine.
    RequirementsInsecure = "requirements.insecure", Policy, Failures;
    /// A URL in a requirement is invalid.
    RequirementUrl = "requirement.url", Error, Failures;
    /// There is only a source distribution or a directory, and building is not supported yet.
    SourceNotSupported = "source.not-supported", Error, Failures;
    /// No version fits.
    ResolveNoMatch = "resolve.no-match", Error, Failures;
    /// No set of versions satisfies all requirements.
    ResolveConflict = "resolve.conflict", Error, Failures;
    /// The search for versions has no end.
    ResolveTooDeep = "resolve.too-deep", Error, Failures;
    /// A file that was named cannot be used.
    ResolveUnusable = "resolve.unusable", Error, Failures;
    /// A wheel that was named is for another interpreter or platform.
    WheelNotSupported = "wheel.not-supported", Error, Failures;
    /// A page of an index or of links cannot be understood.
    IndexPage = "index.page", Error, Failures;
    /// A link on a page of an index is invalid.
    IndexLink = "index.link", Error, Failures;
    /// `--user` is not possible for this interpreter.
    TargetUser = "target.user", Error, Failures;
    /// `--target` names something that is no directory.
    TargetNotADirectory = "target.not-a-directory", Error, Failures;
    /// A path to install to cannot be used.
    TargetPath = "target.path", Error, Failures;
    /// Files cannot be put into the environment.
    Place = "place", Error, Failures;
    /// Something in the environment looks like an interrupted change and does not prove to be the user's own.
    PlaceForeignChange = "place.foreign-change", Error, Failures;
    /// A server demands credentials or refuses access (401, 403).
    NetUnauthorized = "net.unauthorized", Error, Failures;
    /// A server does not have it (404, 410).
    NetNotFound = "net.not-found", Error, Failures;
    /// `--offline`, and the cache does not have it.
    NetOffline = "net.offline", Error, Failures;
    /// Neither an http, https nor file URL.
    NetUnsupportedUrl = "net.unsupported-url", Error, Failures;
    /// The settings of the network cannot be used.
    NetSettings = "net.settings", Error, Failures;
    /// The file of `--cert` or `--client-cert` cannot be used.
    NetCertificateFile = "net.certificate-file", Error, Failures;
    /// A server sends more than the limit.
    NetTooLarge = "net.too-large", Verification, Failures;
    /// A server redirects from https to http.
    NetUnsafeRedirect = "net.unsafe-redirect", Verification, Failures;
    /// No connection can be made.
    NetUnreachable = "net.unreachable", Network, Failures;
    /// A server gives no answer in time.
    NetTimeout = "net.timeout", Network, Failures;
    /// A transfer is too slow.
    NetTooSlow = "net.too-slow", Network, Failures;
    /// An answer is damaged or ends too early.
    NetIncomplete = "net.incomplete", Network, Failures;
    /// An answer breaks the rules of HTTP.
    NetProtocol = "net.protocol", Network, Failures;
    /// Redirects lead nowhere.
    NetRedirect = "net.redirect", Network, Failures;
    /// The certificate of a server cannot be verified.
    NetCertificate = "net.certificate", Network, Failures;
    /// A server failed or refuses for now.
    NetStatus = "net.status", Network, Failures;
    /// A project page that is not the signed one.
    VerifyPage = "verify.page", Verification, Failures;
    /// A distribution that is not the signed one.
    VerifyTarget = "verify.target", Verification, Failures;
    /// A metadata file that is not the signed one, or invalid metadata in a wheel.
    VerifyMetadata = "verify.metadata", Verification, Failures;
    /// A page and a target, both signed, that contradict each other about one file.
    VerifyPageTargetDisagree = "verify.page-target-disagree", Verification, Failures;
    /// The index does not prove that it lacks something: a hashed bin could be another one.
    VerifyAbsenceInDoubt = "verify.absence-in-doubt", Verification, Failures;
    /// A file without the hash or length that the index or you gave.
    VerifyHashMismatch = "verify.hash-mismatch", Verification, Failures;
    /// A file without the hash or length that the index or you gave.
    VerifyLengthMismatch = "verify.length-mismatch", Verification, Failures;
    /// A metadata file without the hash on the page of an unsigned index.
    VerifyMetadataHashMismatch = "verify.metadata-hash-mismatch", Verification, Failures;
    /// A wheel whose dependencies differ from those that the index gave for it.
    VerifyMetadataMismatch = "verify.metadata-mismatch", Verification, Failures;
    /// Metadata without enough signatures by the keys that may sign it.
    TrustSignatures = "trust.signatures", Verification, Failures;
    /// Metadata older than what was seen before.
    TrustRollback = "trust.rollback", Verification, Failures;
    /// Metadata of another version than the one that is signed for.
    TrustVersion = "trust.version", Verification, Failures;
    /// Metadata with other bytes than the ones that are signed for.
    TrustHashMismatch = "trust.hash-mismatch", Verification, Failures;
    /// Metadata that is not what the specification says.
    TrustMalformed = "trust.malformed", Verification, Failures;
    /// Metadata longer than signed, or than the limit.
    TrustTooLarge = "trust.too-large", Verification, Failures;
    /// More than 1,024 new roots at once.
    TrustTooManyRoots = "trust.too-many-roots", Verification, Failures;
    /// A delegated role that the snapshot does not list.
    TrustNotInSnapshot = "trust.not-in-snapshot", Verification, Failures;
    /// Metadata that needs a newer program.
    TrustUnsupported = "trust.unsupported", Verification, Failures;
    /// `trust add`: a root without the SHA-256 that you gave.
    TrustRootHash = "trust.root-hash", Verification, Failures;
    /// Metadata that has expired: the repository stopped signing, newer metadata is withheld, or the clock is wrong.
    TrustExpired = "trust.expired", Expired, Failures;
    /// A signed file for which the server answers 404, 410 or 403, as many servers answer for a missing
    /// file. After a 403 a password may be missing, too.
    TrustWithheld = "trust.withheld", Expired, Failures;
    /// An index that was changed twice while it was read.
    TrustSnapshotMoved = "trust.snapshot-moved", Expired, Failures;
    /// `--require-signed`: an index or file without signed metadata; or an option that would weaken it.
    PolicyRequireSigned = "policy.require-signed", Policy, Failures;
    /// Something of a signed index would be used without verification: its URL is spelled in another way, or it is named as a
    /// page of links or as a single file.
    PolicySignedAsLinks = "policy.signed-as-links", Policy, Failures;
    /// A dependency names a URL for a project that comes from its index only.
    PolicyClaimed = "policy.claimed", Policy, Failures;
    /// A dependency names a URL that only the user may name: a file of this machine, or plain http to another one.
    PolicyDependencyUrl = "policy.dependency-url", Policy, Failures;
    /// `map.json` sends a project to an index that does not take part in the command.
    PolicyMap = "policy.map", Policy, Failures;
    /// `--require-hashes`.
    PolicyRequireHashes = "policy.require-hashes", Policy, Failures;
    /// `--require-hashes`.
    PolicyNoCommonHash = "policy.no-common-hash", Policy, Failures;
    /// `--uploaded-prior-to` on an index that gives no upload times.
    PolicyUploadTime = "policy.upload-time", Policy, Failures;
    /// Metadata of a signed index could not be fetched (but see `trust.unauthorized`). Nothing is used unverified
    /// instead.
    TrustUnreachable = "trust.unreachable", Network, Failures;
    /// The pinned root is not a root that its own keys signed.
    TrustRoot = "trust.root", Error, Failures;
    /// The server answered 401 for metadata: put a user name and password into the URL, or into `~/.netrc`.
    TrustUnauthorized = "trust.unauthorized", Error, Failures;
    /// The directory of the index in the trust store. It is not skipped: the index would then be used unverified.
    /// `trust list` prints the others and ends with exit code 1.
    TrustDamaged = "trust.damaged", Error, Failures;
    /// The directory of the index in the trust store. It is not skipped: the index would then be used unverified.
    /// `trust list` prints the others and ends with exit code 1.
    TrustUnreadable = "trust.unreadable", Error, Failures;
    /// The directory belongs to another user, or everybody may write to it.
    TrustStoreUnsafe = "trust.store-unsafe", Error, Failures;
    /// An index that is known to be signed, and no root for it.
    TrustMissing = "trust.missing", Error, Failures;
    /// What says how the index names its files cannot be used.
    TrustLayout = "trust.layout", Error, Failures;
    /// Nothing says how the index names its files.
    TrustLayoutMissing = "trust.layout-missing", Error, Failures;
    /// `--offline`, and stored metadata does not suffice.
    TrustOffline = "trust.offline", Error, Failures;
    /// `trust add`: the index is trusted already, by another root. Either that one was added by mistake, or the
    /// operator started again with a new root; in both cases `tufpip trust remove URL` comes first.
    TrustOtherRoot = "trust.other-root", Error, Failures;
    /// `trust add`, `trust remove`: the index is trusted by a place that the user does not own.
    TrustReadOnly = "trust.read-only", Error, Failures;
    /// The index is not trusted.
    TrustNone = "trust.none", Error, Failures;
    /// `trust add`, `trust remove`: the trust store cannot be written.
    TrustUnwritable = "trust.unwritable", Error, Failures;
    /// `trust add --tofu`, `trust remove`: the question was answered with no.
    TrustNotConfirmed = "trust.not-confirmed", Error, Failures;
    /// A wheel: the name of the file is no name of a wheel.
    WheelFileName = "wheel.file-name", Verification, Failures;
    /// A wheel: the archive can be read in more than one way.
    WheelFraming = "wheel.framing", Verification, Failures;
    /// A wheel: an entry is compressed in a way that wheels are not.
    WheelCompression = "wheel.compression", Verification, Failures;
    /// A wheel: an entry has a dangerous name.
    WheelEntryName = "wheel.entry-name", Verification, Failures;
    /// A wheel: an entry is neither a file nor a directory.
    WheelEntryKind = "wheel.entry-kind", Verification, Failures;
    /// A wheel: an entry is larger than it declares, or than the limit.
    WheelSize = "wheel.size", Verification, Failures;
    /// A wheel: an entry is damaged.
    WheelContents = "wheel.contents", Verification, Failures;
    /// A wheel: the dist-info directory is missing or not the one of the file's name.
    WheelDistInfo = "wheel.dist-info", Verification, Failures;
    /// A wheel: METADATA is invalid or names another project.
    WheelMetadata = "wheel.metadata", Verification, Failures;
    /// A wheel: the WHEEL file is invalid or of a newer version.
    WheelWheelFile = "wheel.wheel-file", Verification, Failures;
    /// A wheel: RECORD does not list the files as they are.
    WheelRecord = "wheel.record", Verification, Failures;
    /// A wheel: the data directory has unknown parts.
    WheelData = "wheel.data", Verification, Failures;
    /// A wheel: an entry point is invalid.
    WheelEntryPoint = "wheel.entry-point", Verification, Failures;
    /// A wheel: a file would land where it must not.
    WheelPlacement = "wheel.placement", Verification, Failures;
    /// There is no `repo.toml`.
    RepoNoRepository = "repo.no-repository", Error, Repo;
    /// `repo.toml` cannot be used, or `output` would publish the operator's directory.
    RepoConfig = "repo.config", Usage, Repo;
    /// `init`: there is a repository already.
    RepoExists = "repo.exists", Usage, Repo;
    /// `init`: another repository is published in the same place.
    RepoPublishedAlready = "repo.published-already", Error, Repo;
    /// Another command works on this directory; `publish` and `refresh` wait for it up to a minute.
    RepoBusy = "repo.busy", Error, Repo;
    /// A file of the operator's directory is not what it must be.
    RepoDamaged = "repo.damaged", Error, Repo;
    /// The disk refuses to read or write a file.
    RepoDisk = "repo.disk", Error, Repo;
    /// Nothing is published, because the first root is not signed yet.
    RepoNotInitialized = "repo.not-initialized", Error, Repo;
    /// There is no root to verify the published state from.
    RepoNoRoot = "repo.no-root", Error, Repo;
    /// The published state is not signed by the keys of the root, or older than what this machine has seen.
    RepoRefused = "repo.refused", Verification, Repo;
    /// A file that must be published is missing.
    RepoMissing = "repo.missing", Verification, Repo;
    /// `verify`: clients refuse the published state, or it is older than what this machine has seen.
    RepoNotAsSigned = "repo.not-as-signed", Verification, Repo;
    /// `verify`: the published state cannot be read.
    RepoUnreadable = "repo.unreadable", Error, Repo;
    /// `verify`: key holders have to sign again soon.
    RepoExpiresSoon = "repo.expires-soon", Error, Repo;
    /// `verify`: the index cannot be reached.
    RepoUnreachable = "repo.unreachable", Network, Repo;
    /// `export-anchor`: the root here is not the one that is published.
    RepoRootNotPublished = "repo.root-not-published", Error, Repo;
    /// `serve`: there is nothing to serve.
    RepoNotPublished = "repo.not-published", Error, Repo;
    /// `serve`: the storage is a bucket.
    RepoServedElsewhere = "repo.served-elsewhere", Usage, Repo;
    /// `serve`: the port cannot be used.
    RepoPort = "repo.port", Error, Repo;
    /// `add`: a file does not match its name, or could be read in two ways.
    RepoDistribution = "repo.distribution", Verification, Repo;
    /// `add`: a name that cannot be in an index.
    RepoFileName = "repo.file-name", Error, Repo;
    /// `add`: a directory without distributions.
    RepoNothingToAdd = "repo.nothing-to-add", Error, Repo;
    /// `add`: the name already belongs to other content.
    RepoOtherContent = "repo.other-content", Error, Repo;
    /// `add`: several files cannot be added; each is named.
    RepoNothingAdded = "repo.nothing-added", Error, Repo;
    /// `yank`, `unyank`, `remove`: no such release or file.
    RepoNoSuchRelease = "repo.no-such-release", Error, Repo;
    /// A question was answered with no.
    RepoNotConfirmed = "repo.not-confirmed", Error, Repo;
    /// The staged changes do not fit the published state.
    RepoChange = "repo.change", Error, Repo;
    /// A file that was staged is gone.
    RepoNotStaged = "repo.not-staged", Error, Repo;
    /// A staged file is not the one that was added.
    RepoStagedChanged = "repo.staged-changed", Verification, Repo;
    /// The clock of this machine is behind the dates that are signed already.
    RepoClock = "repo.clock", Error, Repo;
    /// Other publishers were faster fifty times.
    RepoContention = "repo.contention", Error, Repo;
    /// Another publisher has published a different file with this version.
    RepoTaken = "repo.taken", Error, Repo;
    /// Offline metadata lacks signatures of key holders.
    RepoNotSigned = "repo.not-signed", Error, Repo;
    /// The online key may not sign what is to be published.
    RepoOnlineKey = "repo.online-key", Error, Repo;
    /// The private half of the online key is not here.
    RepoNoOnlineKey = "repo.no-online-key", Error, Repo;
    /// A passphrase is wrong.
    RepoPassphrase = "repo.passphrase", Error, Repo;
    /// A passphrase is needed and cannot be asked for, or an invalid one was given.
    RepoNoPassphrase = "repo.no-passphrase", Usage, Repo;
    /// A key file cannot be used.
    RepoKeyFile = "repo.key-file", Error, Repo;
    /// A key file would be overwritten.
    RepoKeyExists = "repo.key-exists", Error, Repo;
    /// The operating system has no randomness for a new key.
    RepoRandomness = "repo.randomness", Error, Repo;
    /// Keys and thresholds cannot be changed in this way.
    RepoCeremony = "repo.ceremony", Usage, Repo;
    /// `root edit`, `delegate`: everything would stay as it is.
    RepoNothingChanges = "repo.nothing-changes", Usage, Repo;
    /// `root sign`, `root finalize`: no file waits for signatures.
    RepoNothingWaits = "repo.nothing-waits", Error, Repo;
    /// `root sign`: no key here has to sign these files, or it has signed already.
    RepoNotASigner = "repo.not-a-signer", Error, Repo;
    /// `root finalize`: not enough key holders have signed.
    RepoSignaturesMissing = "repo.signatures-missing", Error, Repo;
    /// A file is not offline metadata, or not the one that is needed.
    RepoMetadataFile = "repo.metadata-file", Error, Repo;
    /// Offline metadata has a key under the key id of another one.
    RepoKeyName = "repo.key-name", Verification, Repo;
    /// Signed metadata has expired.
    RepoExpired = "repo.expired", Expired, Repo;
    /// Another index has replaced a file under its name.
    RepoUpstreamReplaced = "repo.upstream-replaced", Verification, Repo;
    /// Another index has changed while it was read.
    RepoUpstreamMoved = "repo.upstream-moved", Error, Repo;
    /// A file cannot be linked to.
    RepoLink = "repo.link", Error, Repo;
    /// `mirror --lock`: the file cannot be used.
    RepoLockFile = "repo.lock-file", Error, Repo;
    /// `add-metadata-to`: the index is fetched over plain http.
    RepoInsecureIndex = "repo.insecure-index", Policy, Repo;
    /// `add-metadata-to`: this repository signs another index, or packages of its own.
    RepoOtherIndex = "repo.other-index", Usage, Repo;
    /// The storage cannot be read or written.
    RepoStorage = "repo.storage", Error, Repo;
    /// Another process keeps the published directory locked.
    RepoStorageLocked = "repo.storage-locked", Error, Repo;
    /// A path at which nothing can be published.
    RepoStoragePath = "repo.storage-path", Error, Repo;
    /// The bucket refuses these keys.
    RepoStorageRefused = "repo.storage-refused", Error, Repo;
    /// The bucket cannot be reached.
    RepoStorageUnreachable = "repo.storage-unreachable", Network, Repo;
    /// `demo`: a step did not have the expected result.
    RepoDemo = "repo.demo", Error, Repo;
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl From<Rule> for Code {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::FileName => Self::WheelFileName,
            Rule::Framing => Self::WheelFraming,
            Rule::Compression => Self::WheelCompression,
            Rule::EntryName => Self::WheelEntryName,
            Rule::EntryKind => Self::WheelEntryKind,
            Rule::Size => Self::WheelSize,
            Rule::Contents => Self::WheelContents,
            Rule::DistInfo => Self::WheelDistInfo,
            Rule::Metadata => Self::WheelMetadata,
            Rule::WheelFile => Self::WheelWheelFile,
            Rule::Record => Self::WheelRecord,
            Rule::Data => Self::WheelData,
            Rule::EntryPoint => Self::WheelEntryPoint,
            Rule::Placement => Self::WheelPlacement,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_stands_for_two_codes() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
