//! A signed index and the operator's directory behind it: what the commands below `repo` share.

pub mod add;
pub mod anchor;
pub mod ceremony;
pub mod config;
pub mod distribution;
pub mod garbage_collection;
pub mod index_contents;
pub mod keys;
pub mod mirror;
pub mod operator_directory;
pub mod overview;
pub mod plain_pages;
pub mod publish;
pub mod published_state;
pub mod releases;
pub mod server;
pub mod source_distribution;
pub mod storage;
pub mod verification;
