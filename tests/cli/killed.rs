//! The program is killed at random moments, and the next command finds an environment it can go on with.

use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Environment, Index, Server, Wheel};

use crate::scene::{expect_whole, tufpip};

const PACKAGES: usize = 25;
/// How often the program is killed while it runs, and how often that is tried.
const KILLS: u32 = 35;
const ATTEMPTS: u32 = 200;

fn index(version: &str, index: Index) -> Index {
    (0..PACKAGES).fold(index, |index, number| {
        let name = format!("package{number}");
        let mut wheel = Wheel::new(&name, version).console_script(&format!("{name} = {name}:main"));
        for module in 0..12 {
            wheel = wheel.file(&format!("{name}/v{version}_{module}.py"), format!("value = {module}\n"));
        }
        index.add(wheel.file(&format!("{name}/__init__.py"), format!("version = '{version}'\n")).build())
    })
}

/// A process that can be killed.
fn start(environment: &Environment, server: &Server, version: &str) -> Child {
    let command = tufpip(environment).index(server).args(["install", "--quiet"]).args(wishes(version));
    command.process().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn wishes(version: &str) -> Vec<String> {
    (0..PACKAGES).map(|number| format!("package{number}=={version}")).collect()
}

/// Everything of one version, nothing of the other.
fn is_all(environment: &Environment, version: &str) -> bool {
    let installed = environment.installed();
    installed.len() == PACKAGES && installed.iter().all(|name| name.ends_with(&format!("-{version}")))
}

fn reinstalls(environment: &Environment, server: &Server, version: &str) {
    tufpip(environment).index(server).arg("install").args(wishes(version)).run().expect_code(0);
}

fn staging_left(environment: &Environment) -> Vec<String> {
    environment.state().into_iter().filter(|line| line.contains(".tufpip")).collect()
}

#[test]
fn killed_at_random_moments_the_next_command_repairs() {
    let server = index("2.0", index("1.0", Index::new())).serve();
    let environment = Environment::new();
    reinstalls(&environment, &server, "1.0");
    // How long a change takes with everything in the cache: kills are spread over that time and a little more.
    reinstalls(&environment, &server, "2.0");
    let begin = Instant::now();
    start(&environment, &server, "1.0").wait().unwrap();
    let mut whole = begin.elapsed();
    assert!(is_all(&environment, "1.0"));

    let mut current = "1.0";
    let (mut interrupted, mut repaired, mut round) = (0, 0, 0);
    while interrupted < KILLS {
        round += 1;
        assert!(round < ATTEMPTS, "only {interrupted} of {ATTEMPTS} were still running");
        let other = if current == "1.0" { "2.0" } else { "1.0" };
        let mut child = start(&environment, &server, other);
        // The golden ratio spreads the moments evenly without repeating one.
        let fraction = f64::from(round) * 0.618_033_988_749_895 % 1.0;
        thread::sleep(whole.mul_f64(fraction * 1.1));
        let killed = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        if killed {
            interrupted += 1;
        } else {
            // Other tests run beside this one: what was measured may have been a slow moment.
            whole = whole.mul_f64(0.95);
        }
        if !staging_left(&environment).is_empty() {
            repaired += 1;
        }
        // The very next command does what it is asked, whatever was there.
        reinstalls(&environment, &server, other);
        assert!(is_all(&environment, other), "round {round}: {:?}", environment.installed());
        expect_whole(&environment);
        assert_eq!(staging_left(&environment), Vec::<String>::new(), "round {round}");
        current = other;
    }
    println!("{repaired} of {interrupted} were killed in the middle of a change");
}

#[test]
fn killed_again_and_again_without_a_moment_of_peace() {
    let server = index("2.0", index("1.0", Index::new())).serve();
    let environment = Environment::new();
    reinstalls(&environment, &server, "1.0");
    for round in 0..30_u64 {
        let mut child = start(&environment, &server, if round % 2 == 0 { "2.0" } else { "1.0" });
        thread::sleep(Duration::from_millis(20 + round * 17 % 230));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    reinstalls(&environment, &server, "2.0");
    assert!(is_all(&environment, "2.0"), "{:?}", environment.installed());
    expect_whole(&environment);
    assert_eq!(staging_left(&environment), Vec::<String>::new());
}

#[test]
fn killed_with_an_empty_cache() {
    let server = index("1.0", Index::new()).serve();
    let environment = Environment::new();
    let before = environment.state();
    for milliseconds in [5, 20, 40, 60, 90, 120, 160, 200, 260, 330] {
        let mut child = start(&environment, &server, "1.0");
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        if environment.installed().is_empty() && staging_left(&environment).is_empty() {
            assert_eq!(environment.state(), before);
        }
    }
    reinstalls(&environment, &server, "1.0");
    assert!(is_all(&environment, "1.0"));
    expect_whole(&environment);
}
