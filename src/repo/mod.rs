//! A signed index and the operator's directory behind it: what the commands below `repo` share.

pub mod anchor;
pub mod config;
pub mod server;
pub mod storage;
pub mod workplace;
