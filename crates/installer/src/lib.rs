//! What pip does, as a library: from requirements to a changed environment, every byte verified before it is used.
//!
//! It prints nothing and asks nobody: what happens is told to a [`Reporter`](event::Reporter), what fails is a
//! [`Failure`](error::Failure). It can run several times at once in one process, and inside itself.
//! It needs the multi-threaded runtime of tokio: metadata is stored with `block_in_place`.
//!
//! Begin to read in [`install`](mod@install), the straight line. A module uses only those above it (docs/architecture.md):
//!
//! | module | is responsible for |
//! |---|---|
//! | [`text`] | small pieces of text that many make in the same way |
//! | [`error`] | what fails: `Failure` with its code, details and hints |
//! | [`event`] | what happens: `Reporter`, and one that is silent |
//! | [`process_environment`] | what a process was started with, as far as options are read from it; how much of it child processes get |
//! | [`optparse`] | options by the rules of Python's optparse, for the command line and requirements files |
//! | [`options`] | what callers decide; every default is applied before |
//! | [`ownership`] | whether another user can write into a directory that is relied on |
//! | [`local_key`] | the user's secret on this machine, by which files prove to be the user's own |
//! | [`cache`] | the directory of the cache, and files in it that may be damaged or foreign |
//! | [`net`] | the only user of HTTP: retry, limits, credentials, proxies, certificates |
//! | [`python`] | interpreters (asked once, then cached), environments, what is installed, where files go |
//! | [`requirements`] | arguments, `-r` and `-c` files and dependency groups become a `RequirementSet` |
//! | [`trust`] | which indexes are signed, and their verification |
//! | [`download`] | distributions: streamed, hashed, resumed; the only maker of a `VerifiedFile` |
//! | [`wheel_cache`] | unpacked wheels and their bytecode, shared by environments |
//! | [`index`] | what is on offer: pages, links, the choice of a file for a version, metadata at the least cost; feeds the resolver |
//! | [`context`] | what the stages of one command share; no behaviour |
//! | [`install`](mod@install) | the straight line: resolve, plan, fetch, place, report, recover |

#![forbid(unsafe_code)]

pub mod cache;
pub mod context;
pub mod download;
pub mod error;
pub mod event;
pub mod index;
pub mod install;
pub mod local_key;
pub mod net;
pub mod options;
pub mod optparse;
pub mod ownership;
pub mod process_environment;
pub mod python;
pub mod requirements;
pub mod text;
pub mod trust;
pub mod wheel_cache;
