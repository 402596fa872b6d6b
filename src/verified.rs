//! The lines below a result: against which snapshots or by whose hashes its files were verified, which were not, and what
//! the user asked of verification that came to nothing.

use std::collections::BTreeMap;

use packaging::PackageName;

use crate::net::Proof;
use crate::plan::Plan;
use crate::terminal::{Terminal, counted};
use crate::trust::Trust;

/// Says by what the files of a plan were checked; `proof` knows it of each project's file. What only an unsigned index says
/// is believed, not verified: its hashes prove the transfer and nothing else.
pub fn say(plan: &Plan, proof: impl Fn(&PackageName) -> Option<Proof>, terminal: &Terminal) {
    let mut signed: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_user = 0;
    let mut by_index = 0;
    let mut by_nobody = Vec::new();
    for addition in &plan.additions {
        let found = &addition.found;
        match proof(&addition.candidate.name).map(|proof| found.proof(proof)) {
            Some(Proof::Signed) => {
                let Some(file) = &found.request.signed else { continue };
                terminal.verbose(1, || format!("{}: {}", found.request.filename, file.signer()));
                *signed.entry(file.page().snapshot()).or_default() += 1;
            }
            Some(Proof::UserHash) => by_user += 1,
            Some(Proof::IndexHash) => by_index += 1,
            Some(Proof::Unverified) | None => by_nobody.push(found.request.filename.as_str()),
        }
    }
    for (snapshot, count) in signed {
        terminal.note(&format!("Verified   {} against {snapshot}", counted(count, "file")));
    }
    if by_user > 0 {
        terminal.note(&format!("Verified   {} by the hashes you gave", counted(by_user, "file")));
    }
    if by_index > 0 {
        let hashes = if by_index == 1 { "its hash" } else { "their hashes" };
        terminal.note(&format!("Unverified {}: only an unsigned index gave {hashes}", counted(by_index, "file")));
    }
    if !by_nobody.is_empty() {
        let names = by_nobody.join(" ");
        terminal.note(&format!("Unverified {}, no hash at all: {names}", counted(by_nobody.len(), "file")));
    }
}

/// Says what a plan leaves unchecked although signatures are required, and which permissions changed nothing.
pub fn say_limits(plan: &Plan, trust: &Trust, terminal: &Terminal) {
    if trust.requires_signed() && plan.kept > 0 {
        let verb = if plan.kept == 1 { "was" } else { "were" };
        terminal.note(&format!("Unchecked  {} {verb} not looked at", counted(plan.kept, "installed package")));
    }
    for name in trust.may_all_be_unsigned() {
        let reason = match plan.additions.iter().find(|addition| addition.candidate.name == *name) {
            Some(addition) if addition.found.request.signed.is_some() => "a signed index has it",
            Some(_) => continue,
            None => "it was not needed",
        };
        terminal.note(&format!("--allow-unsigned {name} had no effect: {reason}"));
    }
}
