//! `trust`: which indexes are trusted, by whose keys, and since when.
//!
//! `add` and `remove` are the only commands that change trust anchors; the others verify stored metadata again and
//! print it, without a network.

mod add;
pub(super) mod key_text;
mod list;
mod log;
mod new_root;
mod remove;
mod show;
mod stored_metadata;

use std::sync::Arc;

use url::Url;

use crate::settings::{Settings, TrustCommand};
use crate::terminal::Terminal;
use installer::context::Context;
use installer::error::{Code, Failure};
use installer::event::Reporter;
use installer::options::TrustOptions;
use installer::trust::{IndexIdentity, TrustAnchor};

/// Runs one of the commands below `trust`.
///
/// # Errors
/// When an anchor cannot be used, or metadata is refused; see the commands.
pub async fn trust(settings: &Settings, command: &TrustCommand, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    match command {
        TrustCommand::Add(add) => {
            let context = Context::open(&settings.common, Arc::clone(terminal) as Arc<dyn Reporter>)?;
            add::add(settings, add, &context, terminal).await
        }
        TrustCommand::List { json } => list::list(&settings.common.trust, *json, terminal),
        TrustCommand::Show { indexes } => show::show(&settings.common.trust, indexes, terminal),
        TrustCommand::Remove { index, yes } => remove::remove(settings, index, *yes, terminal),
        TrustCommand::Log { index } => log::log(&settings.common.trust, index, terminal),
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
