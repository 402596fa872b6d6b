//! # Driving a [`Client`](crate::Client)
//!
//! A driver is a loop: carry out [requests](crate::Client::poll_request) until there are none, look at
//! [events](crate::Client::poll_event) until there are none, wait for an answer, and again.
//!
//! `crates/conformance` of this workspace is a complete one that does one thing at a time.
//!
//! ## Requests
//!
//! * [`Load`](crate::Request::Load) reads the local store. No file longer than
//!   [`Limits::metadata_size`](crate::Limits::metadata_size) is used, so it need not be read. A file that is missing, unreadable, truncated or foreign is
//!   `None` or just its bytes: the client verifies what it reads and asks the repository if it is no good.
//! * [`Fetch`](crate::Request::Fetch) asks the repository. All fetches in the queue may run at once: with the first new
//!   root comes the timestamp, so an update that finds nothing new takes one round trip; look-ups that need several
//!   delegated files ask for all of them. [`RemoteFile::name`](crate::RemoteFile::name) is percent-encoded already; a
//!   URL library that decodes `%2F` or removes dots breaks it.
//! * [`Store`](crate::Request::Store) and [`Delete`](crate::Request::Delete) change the local store, in the order they
//!   come. Write to a temporary file and rename it. If storing fails, warn and go on: what is verified stays verified, only
//!   the next run has less to compare with.
//!
//! ## What only the driver can do
//!
//! * **The clock.** `now` comes in once, when the client is made.
//! * **HTTP.** Only the repository's own "there is no such file" (404, or 403 from an object store) is
//!   [`Fetched::Absent`](crate::Fetched::Absent). A server error, a reset connection, a page of a captive portal are
//!   [`Fetched::Failed`](crate::Fetched::Failed) or a body that will not verify. Retry before answering, not after.
//! * **Bounded bodies.** Stop reading after [`max_bytes`](crate::RemoteFile::max_bytes) of *decoded* content, and give up
//!   on connections that are too slow.
//! * **Several processes on one store.** Take a lock for each [`Store`](crate::Request::Store) and leave a file alone
//!   whose version is higher already. Leave it alone too if the store has a root newer than
//!   [`Client::root`](crate::Client::root): that root may have deleted what this client still believes.
//! * **Files of targets.** [`Target::verifier`](crate::Target::verifier) checks them; what it has not finished checking
//!   must not reach its final name. A target path is text, not a file name.
//! * **Text in messages.** [`Error::found`](crate::Error::found) and names of roles come from the repository: escape control
//!   characters before they reach a terminal.
//!
//! ## The local store
//!
//! [`StoredFile::file_name`](crate::StoredFile::file_name) gives names that are safe everywhere. Keep the roots and the
//! three top-level files where no cache cleaner comes: they are the memory that rollbacks are noticed by. Files of
//! delegated roles can be fetched again at any time. The root that a client starts from should be kept apart from what it
//! stores, as well protected as the program itself; nothing in the store can replace it.
//!
//! ## One client, one epoch
//!
//! A client has one time, one root and one snapshot, and everything it finds belongs together. If the repository has removed
//! a file of that snapshot in the meantime ([`Check::Present`](crate::Check::Present)), make a new client and look up again;
//! a repository whose timestamp does not move while its files vanish is broken, or withheld.
