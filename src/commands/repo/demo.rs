//! `repo demo`: a signed index, somebody who uses it, and somebody on the network between them. No network, no repository and
//! no keys are needed; nothing of the user's own is touched.
//!
//! What is shown is what users see: every step is this program, run as they run it.

mod attacker;
mod sample_wheel;
mod stage;

use std::sync::Arc;

use self::attacker::Attacker;
use self::sample_wheel::SampleWheel;
use self::stage::{Ran, Stage};
use crate::failure::{Failure, Kind};
use crate::python;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// What is published, and installed.
const GREETING: &str = "tufpip-demo-greeting";
/// What that needs.
const WORDS: &str = "tufpip-demo-words";
/// What only the attacker's wheels say.
const EVIL: &str = "your passwords are on their way";

/// Plays the story.
///
/// # Errors
/// When an attack is not refused, or something that should work does not.
pub async fn demo(settings: &Settings, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let stage = Stage::new(python::find(settings.python.as_deref())?, terminal).await?;
    stage.say(&[
        "A signed index, somebody who uses it, and somebody on the network between them.",
        &format!("All of it is in {} and on 127.0.0.1;", stage.directory().display()),
        "your own trust, cache and packages are not touched. Every command begins with an empty cache.",
    ]);
    publish(&stage)?;
    trust(&stage)?;
    let attacker = Attacker::new(&stage);
    replaced_wheel(&stage, &attacker)?;
    invented_version(&stage, &attacker)?;
    rollback(&stage, &attacker)?;
    attacker.leave();
    stage.title("The attacker is gone. The same command again:");
    stage.succeeds(&install(&stage, "after"))?;
    stage.expect("after", "Good morning")?;
    stage.say(&["", "Every attack was refused, and nothing of the attacker's was installed."]);
    Ok(())
}

fn publish(stage: &Stage) -> Result<(), Failure> {
    stage.title("1. An operator makes a signed index out of two wheels");
    let wheels = [
        SampleWheel::new(GREETING, "1.0", "Good evening").requires(WORDS).write(stage.directory())?,
        SampleWheel::new(WORDS, "1.0", "words, words, words").write(stage.directory())?,
    ];
    stage.succeeds(&["repo", "init", "--repo", "index", "--base", stage.url()])?;
    stage.succeeds(&[&["repo", "add", "--repo", "index"][..], &wheels.each_ref().map(String::as_str)].concat())?;
    stage.succeeds(&["repo", "publish", "--repo", "index"])?;
    stage.succeeds(&["repo", "export-anchor", "--repo", "index", "-o", "root.json"])
}

fn trust(stage: &Stage) -> Result<(), Failure> {
    stage.title("2. A user gets root.json from the operator, trusts it once, and installs");
    stage.succeeds(&["trust", "add", stage.index(), "--root", "root.json"])?;
    stage.succeeds(&install(stage, "first"))?;
    stage.expect("first", "Good evening")?;
    stage.runs_module("first", GREETING)
}

fn replaced_wheel(stage: &Stage, attacker: &Attacker) -> Result<(), Failure> {
    stage.title("Attack 1: another wheel under the same name");
    stage.say(&[
        "The attacker answers instead of the server: with a wheel that has a back door,",
        "and with pages that give the hash of that wheel.",
    ]);
    let evil = SampleWheel::new(GREETING, "1.0", EVIL).requires(WORDS);
    attacker.replaces(GREETING, &evil.filename(), &evil.bytes()?)?;
    is_refused(stage, "replaced", EVIL, 10, "verify.target")
}

fn invented_version(stage: &Stage, attacker: &Attacker) -> Result<(), Failure> {
    stage.title("Attack 2: a newer version that was never published");
    stage.say(&["The attacker adds version 99.0 to the page of the project, the signed one too."]);
    let evil = SampleWheel::new(GREETING, "99.0", EVIL).requires(WORDS);
    attacker.leave();
    attacker.adds(GREETING, &evil.filename(), &evil.bytes()?)?;
    is_refused(stage, "invented", EVIL, 10, "verify.page")
}

fn rollback(stage: &Stage, attacker: &Attacker) -> Result<(), Failure> {
    attacker.leave();
    stage.title("3. The operator publishes a security fix, and the user sees it");
    let yesterday = attacker.remembers(GREETING)?;
    let fixed = SampleWheel::new(GREETING, "1.1", "Good morning").requires(WORDS).write(stage.directory())?;
    stage.succeeds(&["repo", "add", "--repo", "index", &fixed])?;
    stage.succeeds(&["repo", "publish", "--repo", "index"])?;
    stage.succeeds(&install(stage, "fixed"))?;
    stage.expect("fixed", "Good morning")?;

    stage.title("Attack 3: back to the version with the hole");
    stage.say(&["The attacker answers with what the operator had signed before the fix. Every signature is genuine."]);
    attacker.replays(yesterday);
    is_refused(stage, "rolled-back", "Good evening", 10, "trust.rollback")?;
    stage.say(&["", "Then with the old pages alone, and \"404 Not Found\" for everything that is signed."]);
    attacker.withholds_metadata()?;
    is_refused(stage, "downgraded", "Good evening", 11, "trust.withheld")
}

fn install<'a>(stage: &'a Stage, target: &'a str) -> [&'a str; 6] {
    ["install", "-i", stage.index(), "--target", target, GREETING]
}

/// An attack that others would fall for, and this program must not.
fn is_refused(stage: &Stage, target: &str, aim: &str, exit_code: i32, code: &str) -> Result<(), Failure> {
    let fooled = format!("{target}-by-others");
    let without_trust = stage.run_as_stranger(&install(stage, &fooled))?;
    if without_trust.code != Some(0) || !stage.installed(&fooled, aim) {
        return Err(unexpected("the attack would have harmed nobody", &without_trust));
    }
    stage.say(&["An installer that believes pages and their hashes installs what the attacker wants. This one was told whom to trust:"]);
    let ran = stage.run(&install(stage, target))?;
    stage.show(&ran);
    if ran.code != Some(exit_code) || !ran.output.contains(code) || stage.is_there(target) {
        return Err(unexpected(&format!("expected exit code {exit_code}, {code}, and nothing installed"), &ran));
    }
    stage.say(&[&format!("Refused, with exit code {exit_code}. Nothing was installed.")]);
    Ok(())
}

fn unexpected(expected: &str, ran: &Ran) -> Failure {
    let code = ran.code.map_or("none".to_owned(), |code| code.to_string());
    Failure::new(Kind::Error, "repo.demo", format!("The demonstration failed: {expected}"))
        .detail("ran", &ran.shown)
        .detail("exit code", code)
        .detail("received", ran.output.trim_end())
}
