//! `trust`: which indexes are trusted, by whose keys, and since when.
//!
//! `add` and `remove` are the only commands that change trust anchors; the others verify stored metadata again and
//! print it, without a network.

pub(crate) mod add;
pub(super) mod key_text;
mod list;
mod log;
mod new_root;
mod remove;
mod show;
mod stored_metadata;

use std::sync::Arc;

use clap::{Args, Subcommand};
use url::Url;

use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use installer::options::{CommonOptions, TrustOptions};
use installer::trust::{IndexIdentity, TrustAnchor};

/// Say which indexes are trusted, and by whose signatures
///
/// An index with a trusted root is never used unverified. The root is the list of keys that everything else is signed
/// with; get it from the operator of the index by a way that you trust.
#[derive(Clone, Debug, Args)]
#[command(override_usage = "tufpip trust <command> [options]")]
pub struct TrustArgs {
    #[command(subcommand)]
    pub command: TrustCommand,
}

#[derive(Clone, Debug, Subcommand)]
pub enum TrustCommand {
    /// Trust an index from now on
    Add(Box<add::AddArgs>),
    /// List the trusted indexes
    List(list::ListArgs),
    /// Show roles, keys and versions of trusted indexes
    Show(show::ShowArgs),
    /// Forget that an index is trusted
    Remove(remove::RemoveArgs),
    /// Show how the root of a trusted index changed
    Log(log::LogArgs),
}

/// Runs one of the commands below `trust`.
///
/// # Errors
/// When something about an index cannot be used, or is refused; see the commands.
pub async fn trust(common: &CommonOptions, command: &TrustCommand, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    match command {
        TrustCommand::Add(add) => add::add(common, add, terminal).await,
        TrustCommand::List(list) => list::list(&common.trust, list, terminal),
        TrustCommand::Show(show) => show::show(&common.trust, show, terminal),
        TrustCommand::Remove(remove) => remove::remove(&common.trust, remove, terminal),
        TrustCommand::Log(log) => log::log(&common.trust, log, terminal),
    }
}

/// The trust anchor of an index.
fn anchor_of(settings: &TrustOptions, index: &Url) -> Result<TrustAnchor, Failure> {
    let identity = IndexIdentity::of(index);
    TrustAnchor::find(settings, &identity)?.ok_or_else(|| not_trusted(&identity))
}

fn not_trusted(identity: &IndexIdentity) -> Failure {
    let message = format!("There is no trusted root for {}", printable::redacted_url(identity.url()));
    Failure::new(Code::TrustNone, message)
        .hint("`tufpip trust list` prints the indexes that are trusted; `tufpip trust add` adds one")
}
