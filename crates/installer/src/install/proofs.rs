//! Reports what the files of an installation were checked by: which snapshots, whose hashes, nothing; and which
//! verification options of the user had no effect.

use packaging::PackageName;

use crate::download::Proof;
use crate::event::{Event, Reporter, Verified};
use crate::install::plan::Plan;
use crate::trust::CommandTrust;

/// Reports what the files of a plan were checked by; `proof` knows it of each project's file.
pub fn report(plan: &Plan, proof: impl Fn(&PackageName) -> Option<Proof>, reporter: &dyn Reporter) {
    let mut verified = Verified::default();
    for addition in &plan.additions {
        let found = &addition.chosen_file;
        match proof(&addition.candidate.name).map(|proof| found.proof(proof)) {
            Some(Proof::Signed) => {
                let Some(file) = &found.request.signed else { continue };
                reporter.detail(1, || format!("{}: {}", found.request.filename, file.signer()));
                *verified.signed.entry(file.page().snapshot()).or_default() += 1;
            }
            Some(Proof::UserHash) => verified.by_user += 1,
            Some(Proof::IndexHash) => verified.by_index += 1,
            Some(Proof::Unverified) | None => verified.by_nobody.push(found.request.filename.clone()),
        }
    }
    reporter.report(Event::Verified(&verified));
}

/// Reports what a plan leaves unchecked although signatures are required, and which permissions had no effect.
pub fn report_limits(plan: &Plan, trust: &CommandTrust, reporter: &dyn Reporter) {
    if trust.requires_signed() && plan.kept > 0 {
        reporter.report(Event::KeptUnchecked { count: plan.kept });
    }
    for project in trust.unsigned_allowed() {
        let is_signed = match plan.additions.iter().find(|addition| addition.candidate.name == *project) {
            Some(addition) if addition.chosen_file.request.signed.is_some() => true,
            Some(_) => continue,
            None => false,
        };
        reporter.report(Event::AllowUnsignedUnused { project, is_signed });
    }
}
