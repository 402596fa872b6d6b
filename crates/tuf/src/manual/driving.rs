//! # Driving a [`Client`](crate::Client)
//!
//! A driver is a loop: carry out [requests](crate::Client::poll_request) until there are none, look at
//! [events](crate::Client::poll_event) until there are none, wait for one answer, and again. All is done when there is
//! neither request nor event and no fetch is under way; after [`Event::Failed`](crate::Event::Failed) the fetches under
//! way may be dropped.
//!
//! This one fetches in parallel, with threads. `crates/conformance` of this workspace has a complete one, with files
//! and HTTP, that does one thing at a time.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::mpsc;
//! use tuf::{Client, Event, Fetched, Limits, LookUp, Mode, Request, UnixTime};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/greeting_server.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = greeting_server();
//! # let now = UnixTime::parse("2039-12-31T23:59:59Z").ok_or("not a date")?;
//! # let mut store: BTreeMap<String, Vec<u8>> = BTreeMap::new();
//! let mut client = Client::new(&server["1.root.json"], now, Mode::Online, Limits::default())?;
//! for path in ["greeting.txt", "farewell.txt"] {
//!     client.look_up(path);
//! }
//! std::thread::scope(|threads| {
//!     let (answers, arrived) = mpsc::channel();
//!     let mut under_way = 0;
//!     loop {
//!         while let Some(request) = client.poll_request() {
//!             match request {
//!                 Request::Fetch { id, file } => {
//!                     let (answers, server) = (answers.clone(), &server);
//!                     threads.spawn(move || answers.send((id, server.get(&file.name))));
//!                     under_way += 1;
//!                 }
//!                 Request::Load { id, file } => client.loaded(id, store.get(&file.file_name()).map(Vec::as_slice)),
//!                 Request::Store { file, bytes, .. } => drop(store.insert(file.file_name(), bytes.to_vec())),
//!                 Request::Delete { file, .. } => drop(store.remove(&file.file_name())),
//!             }
//!         }
//!         while let Some(event) = client.poll_event() {
//!             match event {
//!                 Event::LookedUp { result: Ok(LookUp::Found(target)), .. } => println!("{} is there", target.path),
//!                 Event::LookedUp { result: Ok(LookUp::NotFound { .. }), .. } => println!("one is not"),
//!                 Event::LookedUp { result: Err(error), .. } | Event::Failed(error) => return Err(error),
//!                 Event::Refreshed => {}
//!             }
//!         }
//!         if under_way == 0 {
//!             return Ok(());
//!         }
//!         let Ok((id, body)) = arrived.recv() else { return Ok(()) };
//!         under_way -= 1;
//!         client.fetched(id, body.map_or(Fetched::Absent, |bytes| Fetched::Body(bytes)));
//!     }
//! })?;
//! # Ok(()) }
//! ```
//!
//! ## Requests
//!
//! * [`Load`](crate::Request::Load), [`Store`](crate::Request::Store) and [`Delete`](crate::Request::Delete) are about the local
//!   store and are carried out in the order in which they come. What is loaded need not be good: the client verifies it and
//!   asks the repository if it is not. A file that is missing or unreadable is `None`; so may be one that is longer than
//!   [`Limits::metadata_size`](crate::Limits::metadata_size). Write to a temporary file and rename it. If storing fails, warn
//!   and go on: what is verified stays verified, only the next run has less to compare with.
//! * [`Fetch`](crate::Request::Fetch) asks the repository, at any time beside everything else. With the first new root comes
//!   the timestamp, so an update that finds nothing new takes one round trip; look-ups that need several delegated files ask
//!   for all of them. [`RemoteFile::name`](crate::RemoteFile::name) is percent-encoded already: append it to the URL as text. A
//!   URL library that decodes `%2F` or removes dots breaks it. Where the repository is a directory, decode it for the name.
//!
//! ## What only the driver can do
//!
//! * **The clock.** `now` comes in once, when the client is made.
//! * **HTTP.** Only the repository's own "there is no such file" (404, or 403 from an object store) is
//!   [`Fetched::Absent`](crate::Fetched::Absent). A server error, a reset connection, a page of a captive portal are
//!   [`Fetched::Failed`](crate::Fetched::Failed) or a body that will not verify. Retry before answering, not after.
//! * **Bounded bodies.** Stop reading after [`max_bytes`](crate::RemoteFile::max_bytes) of *decoded* content, and give up
//!   on connections that are too slow.
//! * **Several processes on one store.** Take a lock for each [`Store`](crate::Request::Store) and
//!   [`Delete`](crate::Request::Delete). Do not replace a root, a timestamp or a snapshot by an older one
//!   ([`claimed_version`](crate::metadata::claimed_version) says what the stored one is), and none of them if the store has a
//!   root newer than [`Client::root`](crate::Client::root), which may have deleted what this client still believes. Targets and
//!   delegated files are always replaced: their versions are the snapshot's business.
//! * **Files of targets.** [`Target::verifier`](crate::Target::verifier) checks them; what it has not finished checking
//!   must not reach its final name. A target path is text, not a file name.
//! * **Text of the repository.** Target paths, names of roles and custom fields are what signers wrote: escape control
//!   characters before they reach a terminal. [`Error`](crate::Error)s are escaped already.
//! * **Telling the user what was let pass.** With [`Limits::expired_for`](crate::Limits::expired_for), look at
//!   [`Client::expired`](crate::Client::expired) after the last look-up, warn, and write it into the report.
//!
//! ## The local store
//!
//! [`StoredFile::file_name`](crate::StoredFile::file_name) gives names that are safe everywhere. Keep the roots and the
//! three top-level files where no cache cleaner comes: they are the memory that rollbacks are noticed by. Files of
//! delegated roles can be fetched again at any time. A lost root is fetched again too, but if it took keys away, that
//! happens once more, and what was stored since is forgotten. The root that a client starts from should be kept apart
//! from what it stores, as well protected as the program itself; nothing in the store can replace it.
//!
//! ## Saying what was trusted
//!
//! [`Epoch::version`](crate::Epoch::version) has the version of every role, for a report: those of root, timestamp and
//! snapshot, and of the [roles](crate::Target::roles) that lead to a target. [`Client::chain`](crate::Client::chain)
//! says who could sign for each of them, and by whose signatures it was verified. Ask while the client exists.
//!
//! ## One client, one epoch
//!
//! A client has one time, one root and one snapshot, and everything it finds belongs together. If the repository has
//! removed a file of that snapshot in the meantime ([`Check::Present`](crate::Check::Present)), make a new client and
//! look up again; a repository whose timestamp does not move while its files vanish is broken, or withheld.
