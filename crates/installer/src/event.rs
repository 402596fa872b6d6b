//! The events that the libraries report while they work. They draw nothing and write to no stream: the caller decides
//! what to do with an event, and may ignore all of them.

use std::path::Path;
use std::sync::Arc;

use packaging::{PackageName, Version};

/// Receives events, from several threads.
pub trait Reporter: Send + Sync {
    /// Receives one event.
    fn report(&self, event: Event<'_>);

    /// Whether [`Event::Detail`] of this level is shown; if not, its text is never composed.
    fn wants_details(&self, level: i8) -> bool;

    /// Whether failures must list everything, however long the list is.
    fn wants_whole_lists(&self) -> bool {
        false
    }
}

/// Ignores everything, as an installation inside another one does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _: Event<'_>) {}

    fn wants_details(&self, _: i8) -> bool {
        false
    }
}

impl<R: Reporter + ?Sized> Reporter for Arc<R> {
    fn report(&self, event: Event<'_>) {
        (**self).report(event);
    }

    fn wants_details(&self, level: i8) -> bool {
        (**self).wants_details(level)
    }

    fn wants_whole_lists(&self) -> bool {
        (**self).wants_whole_lists()
    }
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// Work that takes time has begun, advanced or ended.
    Progress(Progress<'a>),
    /// Something the user should know although all goes well.
    Warning {
        /// What kind of warning it is.
        code: WarningCode,
        /// One or more sentences. Foreign text in them may steer a terminal unless it is escaped.
        text: String,
    },
    /// A detail that helps to find the cause of a problem.
    Detail {
        /// How detailed it is: what `-v` (1), `-vv` (2) … ask for.
        level: i8,
        /// One line.
        text: String,
    },
    /// Another process has to finish first.
    Waiting {
        /// What is waited for, as a sentence without a full stop.
        text: String,
    },
    /// A requirement does not apply, because of its marker.
    RequirementIgnored {
        /// Its name, or the requirement as written.
        requirement: &'a str,
        /// Its marker as written.
        marker: &'a str,
        /// The environment it was evaluated for: `your environment`, or a name.
        environment: &'a str,
    },
    /// A requirement needs no work.
    RequirementSatisfied {
        /// The requirement without its marker.
        requirement: &'a str,
        /// Where the distribution is installed.
        location: Option<&'a Path>,
        /// Who asks for it: a file with a line, or a project; empty for the command line.
        required_by: &'a str,
        /// The version that satisfies it.
        version: &'a Version,
    },
    /// A file that was named is the version that is installed, and is not installed again.
    SameVersionInstalled {
        /// The project.
        project: &'a PackageName,
    },
    /// What would be installed, as `name-version`, sorted; reported by a dry run that would change something.
    WouldInstall {
        /// `name-version` of each distribution.
        distributions: &'a [String],
    },
    /// The environment cannot be written to; the user's own site-packages are changed instead.
    UserSchemeChosen,
    /// The environment is about to be changed.
    Installing {
        /// Names of the projects, in the order of the plan.
        projects: &'a [&'a str],
    },
    /// An installed distribution makes room for another version.
    Replacing {
        /// The project as the requirement spells it.
        project: &'a str,
        /// The installed distribution's own spelling.
        installed: &'a str,
        /// Its version.
        version: &'a str,
    },
    /// An installed distribution lies outside of what may be changed and stays, shadowed by the new one.
    NotRemovable {
        /// The installed distribution's own spelling.
        installed: &'a str,
    },
    /// Another process changed the environment at the same time; everything is planned again.
    EnvironmentChanged,
    /// An unpacked wheel of the cache was modified; it is unpacked again.
    CacheChanged {
        /// The file.
        path: &'a Path,
    },
    /// A change that was interrupted earlier was undone.
    InterruptedChangeUndone {
        /// The changed `site-packages`.
        library: &'a Path,
    },
    /// The environment was changed.
    Installed {
        /// `name-version` of each distribution, sorted.
        distributions: &'a [String],
    },
    /// What the files of an installation were checked by.
    Verified(&'a Verified),
    /// Installed distributions were kept, and what they came from was not checked.
    KeptUnchecked {
        /// How many.
        count: usize,
    },
    /// `--allow-unsigned` named a project that did not need it.
    AllowUnsignedUnused {
        /// The project.
        project: &'a PackageName,
        /// A signed index has it; otherwise it was not needed at all.
        is_signed: bool,
    },
    /// Installed distributions whose requirements are not met after an installation.
    Conflicts {
        /// Each requirement that is not met.
        broken: &'a [BrokenRequirement],
    },
    /// The JSON report that was asked for on standard output.
    Report {
        /// The document.
        text: &'a str,
    },
}

/// What the files of an installation were checked by.
#[derive(Debug, Default)]
pub struct Verified {
    /// How many files each snapshot of a signed index vouches for; the key describes the snapshot.
    pub signed: std::collections::BTreeMap<String, usize>,
    /// Files with a hash of the user.
    pub by_user: usize,
    /// Files with a hash of an unsigned index only.
    pub by_index: usize,
    /// Names of files without any hash.
    pub by_nobody: Vec<String>,
}

/// A dependency that is not fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRequirement {
    /// The project that has the dependency.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// The project that it depends on.
    pub dependency: PackageName,
    /// The requirement in the normal form of Python's `packaging`.
    pub requirement: String,
    /// The installed version; `None` when it is not installed.
    pub found: Option<Version>,
}

/// Work that takes time has begun, advanced or ended.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// Looking for versions; the numbers are pages and metadata files known so far.
    Resolving {
        /// Project pages.
        projects: usize,
        /// Metadata files.
        metadata: usize,
    },
    /// The set of distributions is known.
    Resolved,
    /// All downloads of this command are known.
    DownloadPlanned {
        /// How many files.
        files: usize,
        /// How many bytes, as far as sizes are known.
        bytes: u64,
    },
    /// A file begins to come.
    DownloadStarted {
        /// The file's name.
        name: &'a str,
        /// Its length in bytes, if known.
        size: Option<u64>,
    },
    /// More of it came.
    DownloadAdvanced {
        /// The file's name.
        name: &'a str,
        /// How many bytes more.
        bytes: u64,
    },
    /// The download is complete, or failed.
    DownloadFinished {
        /// The file's name.
        name: &'a str,
    },
    /// Wheels are being put into place.
    Placing {
        /// How many.
        packages: usize,
    },
    /// All wheels are in place.
    Placed,
    /// `done` of `total` items are done; ends with the last one.
    Counted {
        /// What is being done: `Reading pages`.
        what: &'static str,
        /// How many are done.
        done: usize,
        /// Of how many.
        total: usize,
    },
}

/// What kind of warning an [`Event::Warning`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningCode {
    /// A request failed and is sent again.
    Retrying,
    /// Something in the environment looks like a distribution and is none, or has invalid metadata.
    InstalledInvalid,
    /// Text in a requirements file or on the command line that has no effect, or not the one it seems to have.
    Requirements,
    /// A project does not have an extra that was asked for.
    UnknownExtra,
    /// The process runs as root outside of a virtual environment.
    RootUser,
    /// A name in a `--target` directory was there before and was kept.
    TargetExists,
    /// A distribution replaced files of another one.
    FilesOverwritten,
    /// A yanked release was chosen.
    Yanked,
    /// A script lies outside of PATH.
    ScriptLocation,
    /// The cache could have been written to by others and is not used.
    CacheNotPrivate,
    /// A place to look at is ignored.
    LocationIgnored,
    /// A host that can be impersonated is ignored.
    InsecureHost,
    /// A file comes from an unsigned source.
    Unsigned,
    /// Verified metadata cannot be stored.
    TrustNotRemembered,
    /// The machine's clock is behind.
    ClockBehind,
    /// Expired metadata is used, because the user allowed it.
    Expired,
    /// Nothing signed is verified, because the user switched that off.
    SecurityDisabled,
    /// An index is nearly, but not quite, one that is trusted.
    NearlyTrusted,
    /// Something about a signed index that its operator should know.
    Repository,
}

impl dyn Reporter + '_ {
    /// Reports [`Event::Progress`].
    pub fn progress(&self, progress: Progress<'_>) {
        self.report(Event::Progress(progress));
    }

    /// Reports [`Event::Warning`].
    pub fn warning(&self, code: WarningCode, text: impl Into<String>) {
        self.report(Event::Warning { code, text: text.into() });
    }

    /// Reports [`Event::Detail`], if it is shown.
    pub fn detail(&self, level: i8, text: impl FnOnce() -> String) {
        if self.wants_details(level) {
            self.report(Event::Detail { level, text: text() });
        }
    }
}
