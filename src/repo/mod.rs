//! A signed index and the operator's directory behind it: what the commands below `repo` share.

pub mod config;
pub mod mirror;
pub mod workplace;
