//! The settings of one run: the command line, `PIP_*`, `TUFPIP_*` and pip.conf, merged.
//!
//! Every default is applied here, so nothing that has one is optional behind this point; an `Option` left means that
//! absence has a meaning of its own. Nothing here uses the network or runs Python. The rules are those of pip's
//! configuration page: built-in < `[global]` of every file < `[command]` of every file < `PIP_*` < command line.

use installer::options::{CommonOptions, DownloadOptions, InstallOptions};

mod commands;
mod configuration;
mod layers;
mod protected_places;
mod resolve_settings;
#[cfg(test)]
mod tests;
mod trust;

pub use resolve_settings::resolve_settings;

use crate::commands::cache::CacheCommand;
use crate::commands::freeze::FreezeOptions;
use crate::commands::list::ListOptions;
use crate::commands::show::ShowOptions;
use crate::commands::trust::TrustCommand;
use crate::commands::uninstall::UninstallOptions;
use crate::commands::why_trust::WhyTrustOptions;
use crate::terminal::settings::TerminalSettings;

/// The index that is used when none is named: pip's documented default, and the only registry address in the program.
pub const DEFAULT_INDEX_URL: &str = "https://pypi.org/simple";

/// The settings of one run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What to do.
    pub command: Command,
    /// What every command of the installer has to know.
    pub common: CommonOptions,
    /// What the user sees.
    pub terminal: TerminalSettings,
    /// Sentences to print as warnings before the command starts.
    pub warnings: Vec<String>,
}

/// The command with what belongs to it alone.
#[derive(Clone, Debug)]
pub enum Command {
    /// `install`
    Install(Box<InstallOptions>),
    /// `download`
    Download(Box<DownloadOptions>),
    /// `uninstall`
    Uninstall(UninstallOptions),
    /// `list`
    List(Box<ListOptions>),
    /// `freeze`
    Freeze(FreezeOptions),
    /// `show`
    Show(ShowOptions),
    /// `check`
    Check,
    /// `cache`
    Cache(CacheCommand),
    /// `trust`
    Trust(TrustCommand),
    /// `why-trust`
    WhyTrust(Box<WhyTrustOptions>),
    /// `repo`
    #[cfg(feature = "repo")]
    Repo(Box<crate::commands::repo::RepoCommand>),
    /// `--version`
    Version,
    /// `help`, `help COMMAND`, `--help`, or no argument at all.
    Help {
        /// The page, for standard output.
        text: String,
    },
}

/// The candidate that looks most like a word, when one looks like it at all.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::normalized_damerau_levenshtein(word, candidate);
    let scored = candidates.map(|candidate| (likeness(candidate), candidate)).filter(|(likeness, _)| *likeness >= 0.6);
    scored.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, candidate)| candidate)
}
