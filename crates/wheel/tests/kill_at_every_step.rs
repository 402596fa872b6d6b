//! A transaction that is killed, or that fails, at any step: the environment is exactly the old or exactly the new one.
//!
//! The test program starts itself again as the process that gets killed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use testkit::Mutations;

use super::placing::{self, Unpacked, key, name_of, picture, placement, scheme, site_packages, unpack};
use wheel::{
    InstalledDistribution, ProtectedPlaces, Removal, RemovalScope, Scheme, Transaction, TransactionError, installed,
};

const SIGKILL: i32 = 9;

/// What the child process does to the environment.
#[derive(Clone, Copy, Debug)]
enum Change {
    Fresh,
    Upgrade,
    Uninstall,
    /// Nothing but modules: all that changes is in the library.
    Modules,
    /// Only takes the lock and undoes what an interrupted change left.
    Recover,
}

const CHANGES: [(&str, Change); 5] = [
    ("fresh", Change::Fresh),
    ("upgrade", Change::Upgrade),
    ("uninstall", Change::Uninstall),
    ("modules", Change::Modules),
    ("recover", Change::Recover),
];

#[test]
fn a_killed_fresh_install_leaves_the_old_or_the_new_environment() {
    killed_at_every_step("fresh", 60);
}

#[test]
fn a_killed_upgrade_leaves_the_old_or_the_new_environment() {
    killed_at_every_step("upgrade", 75);
}

#[test]
fn a_killed_uninstallation_leaves_the_old_or_the_new_environment() {
    killed_at_every_step("uninstall", 15);
}

#[test]
fn a_failing_fresh_install_leaves_the_old_environment() {
    failed_at_every_step("fresh");
}

#[test]
fn a_failing_upgrade_leaves_the_old_environment() {
    failed_at_every_step("upgrade");
}

/// The roll-back itself is killed, again and again, at each of its steps.
#[test]
fn a_killed_roll_back_is_finished_by_the_next() {
    let world = World::new("upgrade");
    let before = picture(&world.prefix);
    let interrupted_at = world.last_step_before_done("upgrade");
    let mut recoveries = 0;
    for step in 0.. {
        world.reset();
        assert_eq!(world.child("upgrade", &[("KILL_AT", interrupted_at)]).signal(), Some(SIGKILL));
        assert_ne!(picture(&world.prefix), before);
        let status = world.child("recover", &[("KILL_AT", step)]);
        world.recover();
        assert_eq!(picture(&world.prefix), before, "killed at step {step} of the recovery");
        recoveries += 1;
        if status.success() {
            break;
        }
    }
    println!("{recoveries} interrupted recoveries");
    assert!(recoveries > 15);
}

/// Kills at moments that the program did not choose.
#[test]
fn kills_at_any_moment() {
    let world = World::new("upgrade");
    let (before, after) = world.before_and_after("upgrade");
    for round in 0..40u64 {
        world.reset();
        let mut child = world.command("upgrade").spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_micros(round * 250));
        child.kill().unwrap();
        child.wait().unwrap();
        world.recover();
        let found = picture(&world.prefix);
        assert!(found == before || found == after, "killed after {} µs", round * 250);
    }
}

/// What the journal of a killed transaction says is undone as it was written, or not at all.
#[test]
fn a_damaged_journal_is_never_undone_wrongly() {
    // Even without its seal, such a journal would be obeyed.
    let world = World::new("modules");
    let before = picture(&world.prefix);
    let outside = world.directory.path().join("precious");
    fs::write(&outside, "mine").unwrap();
    let step = world.last_step_before_done("modules");
    assert_eq!(world.child("modules", &[("KILL_AT", step)]).signal(), Some(SIGKILL));
    let killed = world.directory.path().join("killed");
    copy(&world.prefix, &killed);
    let entries = fs::read_dir(site_packages(&world.prefix)).unwrap().map(|entry| entry.unwrap().path());
    let journal = entries.map(|entry| entry.join("journal")).find(|path| path.exists()).unwrap();
    let original = fs::read(&journal).unwrap();
    let outside_text = outside.to_str().unwrap();
    let words = ["\0", "away\0", "place\0", "end\0", "\x000\0", "\x001\0", "/", "/../", "/.", outside_text];
    for bytes in Mutations::of(original, 200).words(words) {
        fs::write(&journal, &*bytes).unwrap();
        let interrupted = picture(&world.prefix);
        match Transaction::begin(&site_packages(&world.prefix), Some(&key()), || ()) {
            Ok(_) => {
                assert_eq!(picture(&world.prefix), before);
                fs::remove_dir_all(&world.prefix).unwrap();
                copy(&killed, &world.prefix);
            }
            Err(TransactionError::JournalDamaged { .. } | TransactionError::StagingNotBelieved { .. }) => {
                assert_eq!(picture(&world.prefix), interrupted);
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(fs::read_to_string(&outside).unwrap(), "mine");
    }
}

fn killed_at_every_step(change: &str, at_least: u64) {
    let world = World::new(change);
    let (before, after) = world.before_and_after(change);
    let (mut old, mut new) = (0, 0);
    for step in 0.. {
        world.reset();
        let status = world.child(change, &[("KILL_AT", step)]);
        if status.success() {
            assert_eq!(picture(&world.prefix), after);
            break;
        }
        assert_eq!(status.signal(), Some(SIGKILL), "step {step}");
        world.recover();
        let found = picture(&world.prefix);
        if found == after {
            new += 1;
        } else {
            assert_eq!(found, before, "killed at step {step}");
            assert_eq!(new, 0, "old again at step {step} after it was new before");
            old += 1;
        }
    }
    println!("{change}: killed at {} steps: {old} times old, {new} times new", old + new);
    assert!(old + new >= at_least, "only {} steps", old + new);
    assert!(old > 0 && new > 0);
}

fn failed_at_every_step(change: &str) {
    let world = World::new(change);
    let (before, after) = world.before_and_after(change);
    for forever in [0, 1] {
        let mut failures = 0;
        for step in 0.. {
            world.reset();
            let status = world.child(change, &[("FAIL_AT", step), ("FOREVER", forever)]);
            let failed = status.code() == Some(1);
            assert!(failed || status.success(), "step {step}: {status}");
            if forever == 1 || !failed {
                // A roll-back that fails too, or waste that could not be deleted, is left to the next transaction.
                world.recover();
            }
            let found = picture(&world.prefix);
            assert_eq!(found, if failed { before.clone() } else { after.clone() }, "failed at step {step}");
            failures += u64::from(failed);
            if status.success() && step > 0 && failures > 0 && world.steps() <= step {
                break;
            }
        }
        println!("{change}: failed at {failures} steps");
    }
}

/// Not a test by itself: what the killed process does.
#[test]
fn child() {
    let Ok(change) = std::env::var("CHANGE") else { return };
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(step) = number("KILL_AT") {
        wheel::fault::kill_at(step);
    }
    if let Some(step) = number("FAIL_AT") {
        wheel::fault::fail_at(step, number("FOREVER") == Some(1));
    }
    let directory = PathBuf::from(std::env::var_os("DIRECTORY").unwrap());
    let (_, change) = CHANGES.into_iter().find(|(name, _)| *name == change).unwrap();
    let outcome = perform(change, &directory);
    fs::write(directory.join("steps"), wheel::fault::steps().to_string()).unwrap();
    if let Err(error) = outcome {
        assert!(number("FAIL_AT").is_some(), "{error}");
        std::process::exit(1);
    }
}

fn perform(change: Change, directory: &Path) -> Result<(), TransactionError> {
    let prefix = directory.join("environment");
    let interpreter = prefix.join("bin/python");
    let wheels = new_wheels(&directory.join("cache"));
    let schemes: Vec<Scheme> = wheels.iter().map(|wheel| scheme(&prefix, name_of(wheel))).collect();
    let mut transaction = Transaction::begin(&site_packages(&prefix), Some(&key()), || ())?;
    let scope = RemovalScope {
        permitted: vec![prefix.clone()],
        scripts: prefix.join("bin"),
        libraries: vec![site_packages(&prefix)],
    };
    let there: Vec<InstalledDistribution> = installed(&[site_packages(&prefix)]).unwrap();
    match change {
        Change::Recover => return Ok(()),
        Change::Uninstall => {}
        Change::Modules => {
            let (wheel, scheme) = wheels.iter().zip(&schemes).next_back().unwrap();
            transaction.add(placement(wheel, scheme, &interpreter));
            let bystander = there.iter().find(|distribution| distribution.name == "bystander").unwrap();
            transaction.remove(Removal::of(bystander, &scope, &ProtectedPlaces::default())?);
            return transaction.commit(&ProtectedPlaces::default()).map(|_| ());
        }
        Change::Fresh | Change::Upgrade => {
            for (wheel, scheme) in wheels.iter().zip(&schemes) {
                transaction.add(placement(wheel, scheme, &interpreter));
            }
        }
    }
    for distribution in there.iter().filter(|distribution| distribution.name != "bystander") {
        transaction.remove(Removal::of(distribution, &scope, &ProtectedPlaces::default())?);
    }
    transaction.commit(&ProtectedPlaces::default()).map(|_| ())
}

/// An environment in a temporary directory, with a copy to start again from.
struct World {
    directory: tempfile::TempDir,
    prefix: PathBuf,
}

impl World {
    fn new(change: &str) -> World {
        let directory = tempfile::tempdir().unwrap();
        let prefix = directory.path().join("environment");
        let cache = directory.path().join("cache");
        fs::create_dir_all(site_packages(&prefix)).unwrap();
        fs::create_dir_all(prefix.join("bin")).unwrap();
        fs::write(prefix.join("bin/python"), "interpreter").unwrap();
        fs::write(prefix.join("pyvenv.cfg"), "home = /\n").unwrap();
        let bystander =
            unpack(&cache, "bystander", "1", &[("shared/__init__.py", "old\n"), ("shared/b.py", "b\n")], &[]);
        placing::install(&prefix, &[&bystander]).unwrap();
        if change != "fresh" {
            let wheels = old_wheels(&cache);
            placing::install(&prefix, &wheels.iter().collect::<Vec<_>>()).unwrap();
            fs::create_dir_all(site_packages(&prefix).join("alpha/__pycache__")).unwrap();
            fs::write(site_packages(&prefix).join("alpha/__pycache__/one.cpython-311.pyc"), "compiled").unwrap();
            fs::write(site_packages(&prefix).join("beta/made_by_user.txt"), "mine").unwrap();
        }
        new_wheels(&cache);
        let world = World { directory, prefix };
        copy(&world.prefix, &world.directory.path().join("template"));
        world
    }

    fn reset(&self) {
        fs::remove_dir_all(&self.prefix).unwrap();
        copy(&self.directory.path().join("template"), &self.prefix);
    }

    fn before_and_after(&self, change: &str) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let before = picture(&self.prefix);
        assert!(self.child(change, &[]).success());
        let after = picture(&self.prefix);
        assert_ne!(before, after);
        assert!(after.keys().all(|name| !name.contains(".tufpip")));
        self.reset();
        (before, after)
    }

    /// The last step at which the old environment still comes back: just before the journal is marked as done. Everything
    /// is moved by then.
    fn last_step_before_done(&self, change: &str) -> u64 {
        let is_done = || {
            let mut entries = fs::read_dir(site_packages(&self.prefix)).unwrap();
            entries.any(|entry| entry.unwrap().path().join("done").exists())
        };
        let done = (0..).find(|step| {
            self.reset();
            self.child(change, &[("KILL_AT", *step)]);
            is_done()
        });
        self.reset();
        done.unwrap() - 1
    }

    fn recover(&self) {
        drop(Transaction::begin(&site_packages(&self.prefix), Some(&key()), || ()).unwrap());
    }

    fn steps(&self) -> u64 {
        fs::read_to_string(self.directory.path().join("steps")).unwrap().parse().unwrap()
    }

    fn command(&self, change: &str) -> Command {
        let command = testkit::Command::at_home(std::env::current_exe().unwrap(), &self.directory.path().join("home"));
        let command = command.args(["--exact", "kill_at_every_step::child", "--quiet"]);
        let mut command = command.env("CHANGE", change).env("DIRECTORY", self.directory.path()).process();
        command.stdout(Stdio::null());
        command
    }

    fn child(&self, change: &str, numbers: &[(&str, u64)]) -> ExitStatus {
        let mut command = self.command(change);
        for (name, number) in numbers {
            command.env(name, number.to_string());
        }
        command.status().unwrap()
    }
}

fn old_wheels(cache: &Path) -> Vec<Unpacked> {
    vec![
        unpack(
            cache,
            "alpha",
            "1",
            &[
                ("alpha/__init__.py", "1\n"),
                ("alpha/one.py", "1\n"),
                ("alpha/sub/gone.py", "1\n"),
                ("alpha_top.py", "1\n"),
            ],
            &[("alpha-tool", "alpha:main"), ("alpha-old", "alpha:main")],
        ),
        unpack(
            cache,
            "beta",
            "1",
            &[
                ("beta/__init__.py", "1\n"),
                ("beta-1.data/data/share/beta/man/page.1", "1\n"),
                ("shared/beta.py", "1\n"),
            ],
            &[],
        ),
        unpack(cache, "leaving", "1", &[("leaving/__init__.py", "1\n")], &[("leave", "leaving:main")]),
    ]
}

fn new_wheels(cache: &Path) -> Vec<Unpacked> {
    // The child must find the files as the parent made them: their times are part of the manifest.
    let store = cache.join("new");
    vec![
        unpack(
            &store,
            "alpha",
            "2",
            &[
                ("alpha/__init__.py", "2\n"),
                ("alpha/one.py", "2\n"),
                ("alpha/sub/deep/new.py", "2\n"),
                ("alpha/two.py", "2\n"),
            ],
            &[("alpha-tool", "alpha:main"), ("alpha-new", "alpha:main")],
        ),
        unpack(
            &store,
            "beta",
            "2",
            &[
                ("beta/__init__.py", "2\n"),
                ("beta-2.data/data/share/beta/man/page.1", "2\n"),
                ("beta-2.data/scripts/beta-script!", "#!python\nprint(2)\n"),
                ("beta-2.data/headers/beta.h", "2\n"),
                ("shared/beta.py", "2\n"),
                ("shared/__init__.py", "new\n"),
            ],
            &[],
        ),
        unpack(&store, "gamma", "2", &[("gamma/__init__.py", "2\n"), ("shared/inner/gamma.py", "2\n")], &[]),
    ]
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
