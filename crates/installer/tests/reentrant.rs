//! Several installations in one process: side by side, and one inside another, as builds need it. None prints anything.
//!
//! Each test runs its own program again, so that everything that the library would print can be seen.

use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use installer::context::Context;
use installer::error::Failure;
use installer::event::{Reporter, Silent};
use installer::options::{
    CommonOptions, IndexOptions, InstallLocation, InstallOptions, NetworkOptions, Proxy, RequirementOptions,
    SelectionOptions, TrustOptions,
};
use resolve::UpgradeStrategy;
use testkit::{Command, Environment, Index, Server, SignedIndex, Wheel};

use super::recorder::Recorder;

/// Names the second run of this program.
const SECOND_RUN: &str = "INSTALLER_SECOND_RUN";

/// Runs a story in a process of its own, which must print nothing meanwhile. `test` is the name of the calling test.
fn in_silence(test: &str, story: impl Future<Output = ()>) {
    if std::env::var_os(SECOND_RUN).is_none() {
        let this = std::env::current_exe().unwrap();
        let again = Command::new(this).args([&format!("reentrant::{test}"), "--exact", "--nocapture"]);
        let outcome = again.env(SECOND_RUN, "1").run().expect_code(0);
        assert!(outcome.stdout.contains("[begin]\n[end]\n"), "the library printed:\n{}", outcome.stdout);
        assert_eq!(outcome.stderr, "", "the library printed");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("[begin]");
    runtime.block_on(story);
    println!("[end]");
}

fn index() -> Index {
    Index::new()
        .add(Wheel::new("app", "1.0").requires("library>=2").file("app.py", "import library as value").build())
        .add(Wheel::new("library", "2.0").build())
        .add(Wheel::new("library", "2.1").file("library.py", "import __future__").build())
        .add(Wheel::new("tool", "3.0").requires("library<2.1").file("tool.py", "VALUE = 3").build())
}

/// What is installed where, with what `user` trusts, and the cache there.
fn options(environment: &Environment, user: &Environment, cache: &Path) -> CommonOptions {
    let network = NetworkOptions {
        proxy: Proxy::Off,
        timeout: Duration::from_secs(15),
        retries: 0,
        resume_retries: 0,
        cert: None,
        client_cert: None,
        trusted_hosts: Vec::new(),
        cache_dir: Some(cache.to_owned()),
        offline: false,
    };
    let trust = TrustOptions { store: Some(user.trust_store()), ..TrustOptions::default() };
    CommonOptions { python: Some(environment.venv()), require_virtualenv: true, network, trust, protected: Vec::new() }
}

/// `install REQUIREMENT`, as a program that has the library would begin it: in a task that may go from thread to thread.
fn install<'a>(
    requirement: &'a str,
    environment: &'a Environment,
    server: &'a Server,
    user: &'a Environment,
    with_cache_of: &'a Environment,
    reporter: Arc<dyn Reporter>,
) -> Pin<Box<dyn Future<Output = Result<(), Failure>> + Send + 'a>> {
    Box::pin(async move {
        let install = InstallOptions {
            requirement_options: RequirementOptions {
                requirements: vec![requirement.to_owned()],
                ..RequirementOptions::default()
            },
            indexes: IndexOptions { indexes: vec![server.url("/simple/").parse().unwrap()], ..IndexOptions::default() },
            selection: SelectionOptions::default(),
            place: InstallLocation::Environment { user: None },
            root: None,
            upgrade: UpgradeStrategy::ToSatisfyOnly,
            force_reinstall: false,
            ignore_installed: false,
            dry_run: false,
            report: None,
            compile: true,
            warn_script_location: true,
            warn_conflicts: true,
            break_system_packages: false,
            warn_root_user: true,
        };
        let options = options(environment, user, &with_cache_of.cache());
        let context = Context::open(&options, reporter)?;
        installer::install::install(&options, &install, &context).await
    })
}

#[track_caller]
fn expect_app(environment: &Environment) {
    assert_eq!(environment.installed(), ["app-1.0", "library-2.1"]);
    environment.run_python("import app");
}

#[track_caller]
fn expect_tool(environment: &Environment) {
    assert_eq!(environment.installed(), ["library-2.0", "tool-3.0"]);
    assert_eq!(environment.run_python("import tool; print(tool.VALUE)"), "3");
}

#[test]
fn two_at_once_from_a_signed_index() {
    in_silence("two_at_once_from_a_signed_index", async {
        let (server, recorder) = (SignedIndex::new(index()).serve(), Arc::new(Recorder::default()));
        let [one, other] = [Environment::new(), Environment::new()];
        for environment in [&one, &other] {
            server.write_trust(&environment.trust_store());
        }
        let (first, second) = tokio::join!(
            install("app", &one, &server, &one, &one, Arc::new(Silent)),
            install("tool", &other, &server, &other, &other, Arc::clone(&recorder) as Arc<dyn Reporter>),
        );
        first.unwrap();
        second.unwrap();
        expect_app(&one);
        expect_tool(&other);
        recorder.expect_installation(&["library-2.0", "tool-3.0"]);
        assert_eq!(recorder.count("started"), 2);
    });
}

#[test]
fn two_of_the_same_at_once_with_one_cache() {
    in_silence("two_of_the_same_at_once_with_one_cache", async {
        let (server, recorders) = (index().serve(), [(); 2].map(|()| Arc::new(Recorder::default())));
        let [one, other] = [Environment::new(), Environment::new()];
        let reporters = recorders.clone().map(|recorder| recorder as Arc<dyn Reporter>);
        let [reporter, other_reporter] = reporters;
        let (first, second) = tokio::join!(
            install("app", &one, &server, &one, &one, reporter),
            install("app", &other, &server, &one, &one, other_reporter),
        );
        first.unwrap();
        second.unwrap();
        for environment in [&one, &other] {
            expect_app(environment);
        }
        for recorder in &recorders {
            recorder.expect_installation(&["app-1.0", "library-2.1"]);
        }
    });
}

/// Neither believes what the other put into the cache, and makes it again; in the end each goes on alone.
#[test]
fn two_users_at_once_with_one_cache() {
    in_silence("two_users_at_once_with_one_cache", async {
        let server = index().serve();
        let [one, other] = [Environment::new(), Environment::new()];
        for _ in 0..5 {
            let (first, second) = tokio::join!(
                install("app", &one, &server, &one, &one, Arc::new(Silent)),
                install("app", &other, &server, &other, &one, Arc::new(Silent)),
            );
            first.unwrap();
            second.unwrap();
            for environment in [&one, &other] {
                expect_app(environment);
                std::fs::remove_dir_all(environment.site_packages().join("app-1.0.dist-info")).unwrap();
                std::fs::remove_dir_all(environment.site_packages().join("library-2.1.dist-info")).unwrap();
            }
        }
    });
}

/// A build installs what it needs while the installation that it belongs to waits, in the same task.
#[test]
fn one_inside_another() {
    in_silence("one_inside_another", async {
        let (server, recorder) = (index().serve(), Arc::new(Recorder::default()));
        let [outer, inner] = [Environment::new(), Environment::new()];
        let mut installation =
            pin!(install("app", &outer, &server, &outer, &outer, Arc::clone(&recorder) as Arc<dyn Reporter>));
        // It has begun to ask the index.
        let begun = std::future::poll_fn(|task| Poll::Ready(installation.as_mut().poll(task))).await;
        assert!(begun.is_pending());
        install("tool", &inner, &server, &outer, &outer, Arc::new(Silent)).await.unwrap();
        expect_tool(&inner);
        assert_eq!(outer.installed(), Vec::<String>::new());
        installation.await.unwrap();
        expect_app(&outer);
        expect_tool(&inner);
        recorder.expect_installation(&["app-1.0", "library-2.1"]);
    });
}

/// The inner one fails: the outer one goes on.
#[test]
fn a_failure_inside_is_the_callers() {
    in_silence("a_failure_inside_is_the_callers", async {
        let server = index().serve();
        let [outer, inner] = [Environment::new(), Environment::new()];
        let mut installation = pin!(install("app", &outer, &server, &outer, &outer, Arc::new(Silent)));
        let begun = std::future::poll_fn(|task| Poll::Ready(installation.as_mut().poll(task))).await;
        assert!(begun.is_pending());
        let failure = install("absent", &inner, &server, &outer, &outer, Arc::new(Silent)).await.unwrap_err();
        assert!(failure.message.contains("absent"), "{failure}");
        installation.await.unwrap();
        expect_app(&outer);
        assert_eq!(inner.installed(), Vec::<String>::new());
    });
}
