//! One trust store for many commands at once, and for commands that are killed: what is remembered never grows older.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Environment, Outcome};

use crate::scene::{SignedScene, index, tufpip};

const COMMANDS: usize = 16;
const KILLS: u32 = 20;

/// Versions by file name. Fails when a file is half, or is no metadata.
fn versions(directory: &Path) -> BTreeMap<String, u64> {
    let history = std::fs::read_dir(directory.join("root_history")).unwrap();
    let roots = history.map(|entry| format!("root_history/{}", entry.unwrap().file_name().to_str().unwrap()));
    let others = ["timestamp.json", "snapshot.json", "targets.json", "root.json"].map(str::to_owned);
    let mut versions = BTreeMap::new();
    for name in roots.filter(|name| name.ends_with(".root.json")).chain(others) {
        let Ok(bytes) = std::fs::read(directory.join(&name)) else { continue };
        let file: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        versions.insert(name, file["signed"]["version"].as_u64().unwrap());
    }
    let newest = versions.iter().filter(|(name, _)| name.starts_with("root_history")).map(|(_, version)| *version);
    let newest = newest.max().unwrap_or(0);
    versions.insert("newest root".to_owned(), newest);
    versions
}

/// Targets are the snapshot's business: theirs may be older for a moment.
fn expect_not_older(before: &BTreeMap<String, u64>, now: &BTreeMap<String, u64>) {
    for (name, version) in before.iter().filter(|(name, _)| *name != "targets.json") {
        assert!(now.get(name).is_none_or(|now| now >= version), "{name}: {version} became {:?}", now.get(name));
    }
}

fn expect_newest(scene: &SignedScene) {
    let stored = versions(&scene.stored(""));
    for (name, role) in [("timestamp.json", "timestamp"), ("snapshot.json", "snapshot"), ("newest root", "root")] {
        assert_eq!(stored.get(name), Some(&scene.server.version(role)), "{name}");
    }
    expect_nothing_unfinished(scene);
}

fn expect_nothing_unfinished(scene: &SignedScene) {
    let unfinished: Vec<_> = scene.trusted().into_iter().filter(|line| line.contains(".new-")).collect();
    assert_eq!(unfinished, Vec::<String>::new());
}

/// The same command in many environments that share the user's data, while somebody watches the store all the time.
fn at_once(scene: &SignedScene, environments: &[Environment], is_publishing: bool) -> Vec<Outcome> {
    let (directory, done) = (scene.stored(""), AtomicBool::new(false));
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut before, mut looks) = (versions(&directory), 0);
            while !done.load(Ordering::SeqCst) {
                let now = versions(&directory);
                expect_not_older(&before, &now);
                before.extend(now);
                looks += 1;
            }
            looks
        });
        let publisher = scope.spawn(|| {
            while is_publishing && !done.load(Ordering::SeqCst) {
                scene.server.publish(|index| index);
                thread::sleep(Duration::from_millis(30));
            }
        });
        let commands: Vec<_> = environments
            .iter()
            .map(|environment| {
                let command = tufpip(environment)
                    .env("PIP_INDEX_URL", scene.server.index_url())
                    .env("PIP_RETRIES", "0")
                    .env("XDG_DATA_HOME", scene.environment.data());
                scope.spawn(|| command.args(["install", "--force-reinstall", "app"]).run())
            })
            .collect();
        let outcomes: Vec<_> = commands.into_iter().map(|command| command.join().unwrap()).collect();
        done.store(true, Ordering::SeqCst);
        publisher.join().unwrap();
        assert!(watcher.join().unwrap() > 50, "the watcher hardly looked");
        outcomes
    })
}

#[test]
fn many_commands_share_one_store() {
    let scene = SignedScene::signed();
    let environments: Vec<Environment> = (0..COMMANDS).map(|_| Environment::new()).collect();
    scene.installs(&["app"]);
    let old = scene.server.day();
    scene.server.publish(|index| index);
    scene.installs(&["--force-reinstall", "app"]);

    // An honest server that publishes all the time: nobody is refused because others are faster.
    for outcome in at_once(&scene, &environments, true) {
        let outcome = outcome.expect_code(0);
        assert!(!outcome.stderr.contains("WARNING"), "{}", outcome.stderr);
    }
    // All of them meet a new root, which takes away the key of everything that is stored.
    scene.server.rotate("timestamp");
    scene.server.rotate_root(1);
    for outcome in at_once(&scene, &environments, false) {
        outcome.expect_code(0);
    }
    expect_newest(&scene);

    // A stale node of the network gives every third command an older timestamp: those that see it are refused, with nothing
    // stored, and the others are not.
    let (asked, stale) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let (yesterday, counted) = (scene.server.day(), Arc::clone(&stale));
    scene.server.publish(|index| index);
    scene.installs(&["--force-reinstall", "app"]);
    scene.server.intercept(move |request| {
        if request.path != "/tuf/timestamp.json" || asked.fetch_add(1, Ordering::SeqCst) % 3 != 0 {
            return None;
        }
        // Of yesterday, or of a time when another key signed.
        let is_ancient = counted.fetch_add(1, Ordering::SeqCst) % 2 == 0;
        Some(if is_ancient { old.respond(request) } else { yesterday.respond(request) })
    });
    let outcomes = at_once(&scene, &environments, true);
    let refused: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.code != Some(0)).collect();
    assert_eq!(refused.len(), stale.load(Ordering::SeqCst), "refused are exactly those that were shown something old");
    for outcome in refused {
        assert_eq!(outcome.code, Some(10), "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("trust.rollback") || outcome.stderr.contains("trust.signatures"),
            "{}",
            outcome.stderr
        );
    }

    scene.server.honest();
    for outcome in at_once(&scene, &environments, false) {
        outcome.expect_code(0);
    }
    expect_newest(&scene);
}

/// `crate::trust::store` has a test that kills at every single change of the store; here it is the real program, with a
/// network that takes its time, killed at any moment.
#[test]
fn killed_at_random_moments_the_next_command_goes_on() {
    let scene = SignedScene::of(testkit::SignedIndex::new(index()).profile(testkit::Profile::Small));
    scene.installs(&["app"]);
    let command = || {
        let command = tufpip(&scene.environment).index(&scene.server);
        let mut command = command.args(["download", "--quiet", "--no-deps", "--dest", "downloaded", "app"]).process();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let begin = Instant::now();
    assert!(command().status().unwrap().success());
    let mut whole = begin.elapsed();
    let mut killed = 0;
    for round in 1.. {
        assert!(round < KILLS * 6, "only {killed} were still running");
        match round % 3 {
            0 => scene.server.rotate("timestamp"),
            1 => scene.server.rotate_root(1),
            _ => {}
        }
        scene.server.publish(|index| index);
        let before = versions(&scene.stored(""));
        let mut child = command().spawn().unwrap();
        // The golden ratio spreads the moments evenly without repeating one.
        thread::sleep(whole.mul_f64(f64::from(round) * 0.618_033_988_749_895 % 1.0));
        let is_running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        whole = whole.mul_f64(if is_running { 1.0 } else { 0.95 });
        expect_not_older(&before, &versions(&scene.stored("")));
        assert!(command().status().unwrap().success(), "round {round}");
        expect_newest(&scene);
        killed += u32::from(is_running);
        if killed == KILLS {
            break;
        }
    }
    scene.installs(&["--force-reinstall", "app"]);
}
