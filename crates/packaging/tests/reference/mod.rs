//! The crate and the interpreter probe against the reference implementation: `packaging` as pip carries it.
//!
//! Asks every Python from 3.8 that is found on PATH or under pyenv, each by itself and in virtual environments. The reference
//! is the pip of that Python, and also the one in the directory that TUFPIP_REFERENCE_PIP names, where it runs. What is
//! missing is skipped and said.

mod grid;
mod interpreters;
mod names;
mod paths;
mod questions;
mod tags;
mod texts;

use interpreters::Answers;

/// Runs a comparison on each interpreter with each reference.
fn on_all(compare: impl Fn(&Answers)) {
    let all = interpreters::all();
    if all.is_empty() {
        println!("skipped: no Python with pip was found");
    }
    for answers in all {
        println!("{}", answers.name);
        compare(answers);
    }
}
