//! Whoever waits for the verifier of an index is told when it has ended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test may panic")]

use std::net::TcpListener;

use tempfile::TempDir;
use testkit::{Index, Response, Server, SignedIndex, SignedServer, Wheel};
use tokio::runtime::Runtime;
use tokio::time::{error::Elapsed, timeout};

use super::*;
use crate::error::Code;
use crate::event::{Event, Silent};
use crate::net::Credentials;
use crate::options::{NetworkOptions, Proxy};
use crate::trust::IndexIdentity;

/// Longer than anything takes that answers at all.
const LIMIT: Duration = Duration::from_secs(30);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A directory for the cache, and a signed index.
fn world() -> (TempDir, SignedServer) {
    let index = Index::new().add(Wheel::new("app", "1.0").build());
    (TempDir::new().unwrap(), SignedIndex::new(index).serve())
}

fn snapshot(
    (directory, server): &(TempDir, SignedServer),
    metadata_url: &str,
    reporter: Arc<dyn Reporter>,
) -> CommandSnapshot {
    let network = NetworkOptions {
        proxy: Proxy::Off,
        timeout: LIMIT * 2,
        retries: 1,
        resume_retries: 0,
        cert: None,
        client_cert: None,
        trusted_hosts: Vec::new(),
        cache_dir: None,
        offline: false,
    };
    let identity = IndexIdentity::of(&server.index_url().parse().unwrap());
    let anchor = TrustAnchor::new(identity, server.root(), metadata_url.parse().unwrap());
    let client = Arc::new(HttpClient::new(network, Credentials::new(), Arc::clone(&reporter)));
    let cache = directory.path().to_owned();
    let (mode, allow_expired) = (Mode::Online, Duration::ZERO);
    CommandSnapshot::open(anchor, EpochOptions { client, reporter, store: None, cache, mode, allow_expired }).unwrap()
}

#[track_caller]
fn expect_stopped(outcome: Result<Result<LookUpResult, Failure>, Elapsed>, server: &SignedServer) {
    let failure = outcome.expect("it waits for ever").err().unwrap();
    assert_eq!(failure.code, Code::Internal, "{failure}");
    assert!(failure.message.contains(server.index_url().trim_end_matches('/')), "{failure}");
}

/// Panics in the task that tells it something: a fetch that is tried again, or the driver that cannot store what it verified.
struct Panicking;

impl Reporter for Panicking {
    fn report(&self, event: Event<'_>) {
        panic!("this is what the test is about: {event:?}")
    }

    fn wants_details(&self, _: i8) -> bool {
        panic!("this is what the test is about")
    }
}

#[test]
fn a_look_up_fails_when_the_driver_panics() {
    let world = world();
    let metadata = TempDir::new().unwrap();
    for (path, bytes) in world.1.files() {
        if let Some(name) = path.strip_prefix("/tuf/") {
            std::fs::write(metadata.path().join(name), bytes).unwrap();
        }
    }
    let metadata_url = Url::from_directory_path(metadata.path()).unwrap();
    runtime().block_on(async {
        let snapshot = snapshot(&world, metadata_url.as_str(), Arc::new(Panicking));
        expect_stopped(timeout(LIMIT, snapshot.look_up("x")).await, &world.1);
        let outcome = timeout(LIMIT, snapshot.epoch_info()).await.unwrap();
        assert_eq!(outcome.err().unwrap().code, Code::Internal);
    });
}

#[test]
fn a_look_up_fails_when_a_fetch_panics() {
    let world = world();
    let overloaded = Server::start(|_| Response::new(503));
    runtime().block_on(async {
        let snapshot = snapshot(&world, &overloaded.url("/tuf/"), Arc::new(Panicking));
        expect_stopped(timeout(LIMIT, snapshot.look_up("x")).await, &world.1);
    });
}

#[test]
fn a_look_up_that_waits_for_the_network_fails_when_the_driver_is_dropped() {
    let world = world();
    // The kernel takes connections, and nobody ever answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let metadata_url = format!("http://{}/tuf/", silent.local_addr().unwrap());
    let of_driver = runtime();
    let snapshot = of_driver.block_on(async { snapshot(&world, &metadata_url, Arc::new(Silent)) });
    runtime().block_on(async {
        let (outcome, ()) = tokio::join!(timeout(LIMIT, snapshot.look_up("x")), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            of_driver.shutdown_background();
        });
        expect_stopped(outcome, &world.1);
    });
}

#[test]
fn nothing_is_looked_up_after_the_driver_is_dropped() {
    let world = world();
    let of_driver = runtime();
    let (snapshot, target) = of_driver.block_on(async {
        let snapshot = snapshot(&world, &world.1.metadata_url(), Arc::new(Silent));
        let target = snapshot.look_up(&world.1.page_target("app")).await.unwrap().target.unwrap();
        (snapshot, target)
    });
    of_driver.shutdown_timeout(LIMIT);
    runtime().block_on(async {
        expect_stopped(timeout(LIMIT, snapshot.look_up("x")).await, &world.1);
        let chain = timeout(LIMIT, snapshot.chain(&target)).await.unwrap();
        assert_eq!(chain.err().unwrap().code, Code::Internal);
        // What was verified before stays so.
        assert!(timeout(LIMIT, snapshot.epoch_info()).await.unwrap().is_ok());
    });
}
