//! `why-trust`: the chain of signatures for the file that would be installed, from the pinned root down to its hash.

use std::process::ExitCode;

use tuf::{ChainLink, Target, UnixTime};

use super::trust::key_text;
use crate::terminal::Terminal;
use installer::context::Context;
use installer::error::Failure;
use installer::install::plan::Addition;
use installer::install::resolution::{self, Resolved, Rules};
use installer::install::resolver_input::ResolverInput;
use installer::options::{CommonOptions, IndexOptions, RequirementOptions, SelectionOptions};
use installer::python::environment::Environment;
use installer::trust::{AnchorKind, SignedFile, TrustAnchor, unix_now};

/// `why-trust`
#[derive(Clone, Debug)]
pub struct WhyTrustOptions {
    /// Names from the command line; at least one.
    pub names: Vec<String>,
    /// Where to look.
    pub indexes: IndexOptions,
    /// What may be chosen.
    pub selection: SelectionOptions,
}

/// Chooses a file for each name as `install` would, and prints its chain of roles and keys, in the order of the names. Exit code
/// 1 when one of them has none.
///
/// # Errors
/// When no file can be chosen, above all because metadata is refused.
pub async fn why_trust(
    common: &CommonOptions,
    why: &WhyTrustOptions,
    context: &Context,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let environment = Environment::open(common, &context.cache)?;
    let named = RequirementOptions { requirements: why.names.clone(), no_deps: true, ..RequirementOptions::default() };
    let requirements = resolution::read_requirements(&named, &why.indexes, &why.selection, context).await?;
    let input = ResolverInput::new(requirements, &environment.interpreter.markers, terminal)?;
    let rules = Rules::ignoring_installed(&named);
    let Resolved { plan, input, .. } = resolution::choose(input, &environment, rules, context).await?;
    let mut code = ExitCode::SUCCESS;
    let names = input.names();
    let mut additions: Vec<&Addition> = plan.additions.iter().collect();
    additions.sort_by_key(|addition| names.iter().position(|name| *name == addition.candidate.name));
    for (number, addition) in additions.into_iter().enumerate() {
        if number > 0 {
            terminal.data("");
        }
        match &addition.chosen_file.request.signed {
            Some(signed) => report_signed(addition, signed, terminal).await?,
            None => {
                report_unsigned(addition, terminal);
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn title(addition: &Addition) -> String {
    format!("{} {}: {}", addition.spelled, addition.candidate.version, addition.chosen_file.request.filename)
}

fn report_unsigned(addition: &Addition, terminal: &Terminal) {
    let request = &addition.chosen_file.request;
    terminal.data(&printable::line(&title(addition)));
    row(terminal, "from", &printable::redacted_url(&request.url));
    let by = if request.is_hashed_by_user() {
        "a hash that you gave; no signature"
    } else if request.known_sha256().is_some() {
        "nothing but a hash by the index, which is unsigned: whoever controls it chooses what is installed"
    } else {
        "nothing: there is neither a signature nor a hash"
    };
    row(terminal, "believed", by);
}

async fn report_signed(addition: &Addition, signed: &SignedFile, terminal: &Terminal) -> Result<(), Failure> {
    let index = signed.page().index();
    terminal.data(&printable::line(&title(addition)));
    row(terminal, "from", &printable::redacted_url(&addition.chosen_file.request.url));
    row(terminal, "index", &signed.page().snapshot());
    row(terminal, "anchor", &anchor(index.anchor()));
    let target = signed.target();
    for link in index.chain(target).await?.unwrap_or_default() {
        report_link(&link, unix_now(), terminal);
    }
    report_target("file", target, terminal);
    let page = signed.page().target();
    if page != target {
        report_target("page", page, terminal);
        let roles: Vec<&str> = page.roles.iter().map(tuf::metadata::RoleName::as_str).collect();
        row(terminal, "", &format!("signed by {}", printable::line(&roles.join(" → "))));
    } else {
        row(terminal, "", "the signed page has length and hash of the file");
    }
    Ok(())
}

/// How the first root was obtained.
fn anchor(anchor: &TrustAnchor) -> String {
    let place = anchor.directory.as_ref().map_or("came with the program".to_owned(), |path| path.display().to_string());
    let how = anchor.record.as_ref().map(|record| {
        let kind = match record.kind {
            AnchorKind::File => "from the file",
            AnchorKind::Url => "with a known hash from",
            AnchorKind::FirstUse => "believed without proof on first use, from",
        };
        printable::line(&format!(": root {}, {kind} {}, {}", record.version, record.source, record.added))
    });
    format!("{place}{}", how.unwrap_or_default())
}

/// Signatures beyond the threshold are not verified: nothing is known about the other keys.
fn report_link(link: &ChainLink, now: UnixTime, terminal: &Terminal) {
    let head = format!("version {}, {}", link.version, key_text::expiry(link.expires, now));
    row(terminal, &printable::line(link.role.as_str()), &head);
    let keys = |counted: bool| {
        let signers = link.signers.iter().filter(|signer| signer.signed == counted);
        signers.map(|signer| key_text::key(&signer.key_id, signer.key.as_ref())).collect::<Vec<_>>().join(", ")
    };
    let (threshold, all, others) = (link.threshold, link.signers.len(), keys(false));
    let also = if others.is_empty() { String::new() } else { format!("; also allowed: {others}") };
    row(terminal, "", &format!("{threshold} of {all} keys must sign; counted: {}{also}", keys(true)));
}

fn report_target(label: &str, target: &Target, terminal: &Terminal) {
    row(terminal, label, &printable::line(&target.path));
    row(terminal, "", &format!("{} bytes", target.length));
    for (algorithm, hex) in target.hashes.iter() {
        row(terminal, "", &printable::line(&format!("{algorithm} {hex}")));
    }
}

fn row(terminal: &Terminal, label: &str, text: &str) {
    terminal.data(&format!("  {label:<10} {text}"));
}
