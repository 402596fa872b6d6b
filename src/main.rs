//! tufpip: a pip-compatible installer that verifies what it downloads.

mod failure;
mod settings;

fn main() {}
