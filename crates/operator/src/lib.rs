//! Signed indexes from the operator's side, as a library: what the commands of `tufpip repo` call.
//!
//! What is published, plain files in a directory or a bucket, is the only state. Signing is pure and lies in `repository`; here
//! is what touches the disk, the network and the clock. What happens is told to the installer's `Reporter`.
//!
//! Begin to read in [`publish`], which everything that changes an index goes through. A module uses only those above it
//! (docs/architecture.md):
//!
//! | module | is responsible for |
//! |---|---|
//! | [`config`] | `repo.toml`: what the operator decided |
//! | [`operator_directory`] | the operator's directory: decisions, keys, what this machine has seen, what is staged |
//! | [`storage`] | a directory or a bucket: create if absent, replace if unchanged |
//! | [`keys`] | private keys as encrypted files, and how they are unlocked |
//! | [`source_distribution`] | what a source distribution says of itself, read without building it |
//! | [`distribution`] | a wheel or source distribution on this disk, looked into |
//! | [`published_state`] | what is published, read and verified from the operator's own root |
//! | [`plain_pages`] | pages for installers without signatures |
//! | [`publish`] | the order of writing, and beginning again when another publisher was faster; `publish/drafting.rs` what comes before it |
//! | [`index_contents`] | what the index will have: published pages, and what is staged on top |
//! | [`add`] | files of this machine are checked and staged, all or none |
//! | [`releases`] | which files a release is |
//! | [`mirror`] | a chosen part of another index, or all of one that cannot be changed |
//! | [`ceremony`] | what key holders sign: files that travel, and their publication |
//! | [`garbage_collection`] | deletes published files that nobody can reach any more |
//! | [`overview`] | what is published, what waits and what expires |
//! | [`anchor`] | what users of the index are given to trust it |
//! | [`verification`] | what is published, seen by the real client |
//! | [`server`] | a web server on this machine, for trying |

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
