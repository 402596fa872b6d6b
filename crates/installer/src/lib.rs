//! What pip does, as a library: from requirements to a changed environment, every byte verified before it is used.
//!
//! It prints nothing and asks nobody: what happens is told to a [`Reporter`](event::Reporter), what fails is a
//! [`Failure`](error::Failure). It can run several times at once in one process, and inside itself.
//! It needs the multi-threaded runtime of tokio: metadata is stored with `block_in_place`.
//!
//! Modules depend on those above them only:
//!
//! | module | is responsible for |
//! |---|---|
//! | [`error`], [`event`], [`text`] | what fails, what happens, and words that many use |
//! | [`process_environment`], [`options`], [`optparse`] | what callers decide; options in the syntax of pip |
//! | [`cache`] | the directory of the cache, and who else may write there |
//! | [`net`] | the only user of HTTP |
//! | [`python`] | interpreters, environments, and what is installed |
//! | [`requirements`] | what is asked for: arguments, files, dependency groups |
//! | [`trust`] | which indexes are signed, and their verification |
//! | [`download`] | the only maker of a [`VerifiedFile`](download::VerifiedFile) |
//! | [`wheel_cache`] | unpacked wheels and their bytecode, shared by environments |
//! | [`index`] | what is on offer, and what the resolver is told of it |
//! | [`install`] | the straight line: resolve, plan, fetch, place, report |

#![forbid(unsafe_code)]

pub mod cache;
pub mod context;
pub mod download;
pub mod error;
pub mod event;
pub mod index;
pub mod install;
pub mod net;
pub mod options;
pub mod optparse;
pub mod process_environment;
pub mod python;
pub mod requirements;
pub mod text;
pub mod trust;
pub mod wheel_cache;
