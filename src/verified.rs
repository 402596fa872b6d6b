//! The line below a result: against which snapshots, or by whose hashes, its files were verified.

use std::collections::BTreeMap;

use packaging::PackageName;

use crate::net::Proof;
use crate::plan::Plan;
use crate::terminal::Terminal;

/// Says by what the files of a plan were checked; `proof` knows it of each project's file. An unsigned index is believed,
/// not verified: its hashes prove the transfer only.
pub fn say(plan: &Plan, proof: impl Fn(&PackageName) -> Option<Proof>, terminal: &Terminal) {
    let mut signed: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_user = 0;
    let mut by_index = 0;
    let mut unverified = Vec::new();
    for addition in &plan.additions {
        match proof(&addition.candidate.name) {
            Some(Proof::Signed) => {
                let Some(file) = &addition.found.request.signed else { continue };
                terminal.verbose(1, || format!("{}: {}", addition.found.request.filename, file.signer()));
                *signed.entry(file.page().snapshot()).or_default() += 1;
            }
            Some(Proof::UserHash) => by_user += 1,
            Some(Proof::IndexHash) => by_index += 1,
            Some(Proof::Unverified) | None => unverified.push(addition.found.request.filename.as_str()),
        }
    }
    let files = |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    let mut parts: Vec<String> =
        signed.into_iter().map(|(snapshot, count)| format!("{} against {snapshot}", files(count))).collect();
    if by_user > 0 {
        parts.push(format!("{} by the hashes you gave", files(by_user)));
    }
    if by_index > 0 {
        parts.push(format!("{} by the hashes of an unsigned index", files(by_index)));
    }
    if !parts.is_empty() {
        terminal.note(&format!("Verified   {}", parts.join(", ")));
    }
    if !unverified.is_empty() {
        terminal.note(&format!("Unverified {}: {}", files(unverified.len()), unverified.join(" ")));
    }
}
