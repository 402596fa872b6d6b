//! The installation report: what was or would be installed, as JSON in the form of pip's `--report`.
//!
//! `tufpip_version` stands where pip writes `pip_version`. `verification` says what each file was checked by, and is
//! null for one that was not fetched; `repositories` are the snapshots of signed indexes that were used;
//! `repository_security` exists, with the value `disabled`, when verification was switched off.

use std::collections::HashMap;

use packaging::PackageName;
use serde_json::{Value, json};

use crate::context::Context;
use crate::download::Proof;
use crate::error::{Code, Failure};
use crate::event::Event;
use crate::install::plan::{Addition, Plan};
use crate::options::Output;
use crate::python::Interpreter;
use crate::trust::CommandTrust;
use crate::wheel_cache::UnpackedWheel;

/// Writes the report of `plan` to `output`; `wheels` are those that were fetched, none with `--dry-run`.
///
/// # Errors
/// When the file cannot be written.
pub async fn write(
    output: &Output,
    plan: &Plan,
    wheels: &HashMap<PackageName, UnpackedWheel>,
    interpreter: &Interpreter,
    context: &Context,
) -> Result<(), Failure> {
    let report = report(plan, wheels, interpreter, &context.trust).await?;
    let text = serde_json::to_string_pretty(&report)
        .map_err(|error| Failure::new(Code::Internal, error.to_string()).caused_by(error))?;
    match output {
        Output::Stdout => {
            context.reporter.report(Event::Report { text: &text });
            Ok(())
        }
        Output::File(path) => std::fs::write(path, text).map_err(|error| {
            Failure::new(Code::FileUnwritable, format!("Could not write the report {}: {error}", path.display()))
                .caused_by(error)
        }),
    }
}

async fn report(
    plan: &Plan,
    wheels: &HashMap<PackageName, UnpackedWheel>,
    interpreter: &Interpreter,
    trust: &CommandTrust,
) -> Result<Value, Failure> {
    let mut install = Vec::new();
    for addition in &plan.additions {
        let (wheel, file) = (wheels.get(&addition.candidate.name), addition.chosen_file.file.as_ref());
        let sha256 = wheel.map(UnpackedWheel::sha256).or_else(|| file.map(|file| file.sha256()));
        let proof = wheel.map(UnpackedWheel::proof).or_else(|| file.map(|file| file.proof()));
        let mut entry = json!({
            "download_info": addition.download_info(sha256.unwrap_or_default()),
            "is_direct": matches!(addition.candidate.origin, resolve::CandidateOrigin::Direct(_)),
            "is_yanked": addition.chosen_file.yanked.is_some(),
            "requested": addition.requested,
            "metadata": addition.metadata.to_json(),
            "verification": verification(proof, addition, trust).await?,
        });
        if let (true, false, Some(entry)) = (addition.requested, addition.extras.is_empty(), entry.as_object_mut()) {
            entry.insert("requested_extras".to_owned(), json!(addition.extras));
        }
        install.push(entry);
    }
    let mut report = json!({
        "version": "1",
        "tufpip_version": env!("CARGO_PKG_VERSION"),
        "install": install,
        "environment": interpreter.markers,
    });
    if let Some(fields) = report.as_object_mut() {
        fields.extend(trust.to_json().await);
    }
    Ok(report)
}

/// What a file was checked by; null when it was not fetched.
async fn verification(proof: Option<Proof>, addition: &Addition, trust: &CommandTrust) -> Result<Value, Failure> {
    let mut verification = match proof.map(|proof| addition.chosen_file.proof(proof)) {
        Some(Proof::Signed) => match &addition.chosen_file.request.signed {
            Some(signed) => signed.to_json().await?,
            None => Value::Null,
        },
        None => Value::Null,
        Some(Proof::UserHash) => json!({"by": "user-hash"}),
        Some(Proof::IndexHash) => json!({"by": "index-hash"}),
        Some(Proof::Unverified) => json!({"by": "nothing"}),
    };
    if addition.chosen_file.request.signed.is_none()
        && trust.is_unsigned_allowed(&addition.candidate.name)
        && let Some(fields) = verification.as_object_mut()
    {
        fields.insert("unsigned".to_owned(), "allowed".into());
    }
    Ok(verification)
}
