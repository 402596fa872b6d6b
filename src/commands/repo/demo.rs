//! `repo demo`: a signed index, a user of it, and an attacker on the network between them. No network, no repository
//! and no keys are needed; the user's own files are not touched.
//!
//! The output is what users see: every step runs this program as users run it.

mod attacker;
mod sample_wheel;
mod stage;

use std::sync::Arc;

use clap::Args;

use self::attacker::Attacker;
use self::sample_wheel::SampleWheel;
use self::stage::{CommandResult, DemoStage};
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use installer::options::CommonOptions;
use installer::python;

/// Show a signed index at work, and attacks on it refused
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {}

/// What is published, and installed.
const GREETING: &str = "tufpip-demo-greeting";
/// Its dependency.
const WORDS: &str = "tufpip-demo-words";
/// The output of the attacker's wheels; as long as that of the others, so that the length does not reveal them.
const EVIL: &str = "Data stolen.";
/// The output of the version with the security hole.
const FIRST: &str = "Good evening";
/// The output of the fixed version.
const FIXED: &str = "Good morning";

/// Runs the demonstration.
///
/// # Errors
/// When an attack is not refused, or something that should work does not.
pub async fn demo(common: &CommonOptions, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let stage = DemoStage::new(python::find(common.python.as_deref())?, terminal).await?;
    stage.report(&[
        "A signed index, somebody who uses it, and somebody on the network between them.",
        &format!("All of it is in {} and on 127.0.0.1;", stage.directory().display()),
        "your own trust, cache and packages are not touched. Every command begins with an empty cache.",
    ]);
    publish(&stage)?;
    trust(&stage)?;
    let attacker = Attacker::new(&stage);
    replaced_wheel(&stage, &attacker)?;
    invented_version(&stage, &attacker)?;
    attacker.leave();
    let yesterday = attacker.remembers(GREETING)?;
    fix(&stage)?;
    attacker.replays(yesterday);
    rollback(&stage)?;
    attacker.withholds_metadata()?;
    downgrade(&stage)?;
    attacker.leave();
    stage.title("8. The attacker is gone. The same command again");
    stage.succeeds(&install(&stage, "after"))?;
    stage.expect("after", FIXED)?;
    stage.report(&["", "Every attack was refused, and nothing of the attacker's was installed."]);
    Ok(())
}

fn publish(stage: &DemoStage) -> Result<(), Failure> {
    stage.title("1. An operator makes a signed index out of two wheels");
    let wheels = [
        SampleWheel::new(GREETING, "1.0", FIRST).requires(WORDS).write(stage.directory())?,
        SampleWheel::new(WORDS, "1.0", "words, words, words").write(stage.directory())?,
    ];
    stage.succeeds_with(&["repo", "init", "--repo", "index", "--base", stage.url()], 3)?;
    let add = [&["repo", "add", "--repo", "index"][..], &wheels.each_ref().map(String::as_str)].concat();
    stage.succeeds_with(&add, 1)?;
    stage.succeeds(&["repo", "publish", "--repo", "index"])?;
    stage.succeeds_with(&["repo", "export-anchor", "--repo", "index", "-o", "root.json"], 2)
}

fn trust(stage: &DemoStage) -> Result<(), Failure> {
    stage.title("2. A user gets root.json from the operator, trusts it once, and installs");
    stage.succeeds(&["trust", "add", stage.index(), "--root", "root.json"])?;
    stage.succeeds(&install(stage, "first"))?;
    stage.expect("first", FIRST)?;
    stage.runs_module("first", GREETING)
}

fn replaced_wheel(stage: &DemoStage, attacker: &Attacker) -> Result<(), Failure> {
    stage.title("3. Attack: another wheel under the same name");
    stage.report(&["The attacker answers with a wheel that has a back door, and with pages that give its hash."]);
    let evil = SampleWheel::new(GREETING, "1.0", EVIL).requires(WORDS);
    attacker.replaces(GREETING, &evil.filename(), &evil.bytes()?)?;
    is_refused(stage, "replaced", EVIL, Code::VerifyTarget)
}

fn invented_version(stage: &DemoStage, attacker: &Attacker) -> Result<(), Failure> {
    attacker.leave();
    stage.title("4. Attack: a newer version that was never published");
    stage.report(&["The attacker adds version 99.0 to all pages of the project, the signed one too."]);
    let evil = SampleWheel::new(GREETING, "99.0", EVIL).requires(WORDS);
    attacker.adds(GREETING, &evil.filename(), &evil.bytes()?)?;
    is_refused(stage, "invented", EVIL, Code::VerifyPage)
}

fn fix(stage: &DemoStage) -> Result<(), Failure> {
    stage.title("5. Version 1.0 has a hole. The operator publishes 1.1, and the user installs it");
    let fixed = SampleWheel::new(GREETING, "1.1", FIXED).requires(WORDS).write(stage.directory())?;
    stage.succeeds_with(&["repo", "add", "--repo", "index", &fixed], 1)?;
    stage.succeeds(&["repo", "publish", "--repo", "index"])?;
    stage.succeeds(&install(stage, "fixed"))?;
    stage.expect("fixed", FIXED)
}

fn rollback(stage: &DemoStage) -> Result<(), Failure> {
    stage.title("6. Attack: back to the version with the hole");
    stage.report(&["The attacker answers with what the operator signed before the fix. Every signature is genuine."]);
    is_refused(stage, "rolled-back", FIRST, Code::TrustRollback)
}

fn downgrade(stage: &DemoStage) -> Result<(), Failure> {
    stage.title("7. Attack: no signatures at all");
    stage.report(&["The attacker answers with the old pages, and that there is no such thing as signed metadata."]);
    is_refused(stage, "downgraded", FIRST, Code::TrustWithheld)
}

fn install<'a>(stage: &'a DemoStage, target: &'a str) -> [&'a str; 6] {
    ["install", "-i", stage.index(), "--target", target, GREETING]
}

/// Runs an attack that succeeds against other installers and must fail here.
fn is_refused(stage: &DemoStage, target: &str, aim: &str, code: Code) -> Result<(), Failure> {
    let exit_code = i32::from(code.exit().code());
    let fooled = format!("{target}-by-others");
    let without_trust = stage.run_as_stranger(&install(stage, &fooled))?;
    if without_trust.code != Some(0) || !stage.installed(&fooled, aim) {
        return Err(unexpected("the attack would have harmed nobody", &without_trust));
    }
    stage.report(&["Tried by somebody who trusts no root: what the attacker wants was installed. Now the user:"]);
    let ran = stage.run(&install(stage, target))?;
    stage.show(&ran);
    if ran.code != Some(exit_code) || !ran.output.contains(code.name()) || stage.is_there(target) {
        return Err(unexpected(&format!("expected exit code {exit_code}, {code}, and nothing installed"), &ran));
    }
    stage.report(&[&format!("Refused, with exit code {exit_code}. Nothing was installed.")]);
    Ok(())
}

fn unexpected(expected: &str, ran: &CommandResult) -> Failure {
    let code = ran.code.map_or("none".to_owned(), |code| code.to_string());
    Failure::new(Code::RepoDemo, format!("The demonstration failed: {expected}"))
        .detail("ran", &ran.shown)
        .detail("exit code", code)
        .detail("received", ran.output.trim_end())
}
