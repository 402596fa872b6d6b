//! A signed index and the operator's directory behind it: what the commands below `repo` share.

pub mod adding;
pub mod anchor;
pub mod ceremony;
pub mod collect;
pub mod config;
pub mod content;
pub mod distribution;
pub mod keys;
pub mod mirror;
pub mod overview;
pub mod plain_pages;
pub mod publish;
pub mod releases;
pub mod server;
pub mod source_distribution;
pub mod state;
pub mod storage;
pub mod verification;
pub mod workplace;
