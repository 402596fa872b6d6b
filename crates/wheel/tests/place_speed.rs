//! How long placing takes. Run by hand: `cargo test --release -p wheel --test integration place_speed:: -- --ignored --nocapture`.

use std::fs;
use std::time::Instant;

use super::placing::{Unpacked, install, unpack};

/// 100 wheels with 120 small files each, in six directories: about what jupyter has.
#[test]
#[ignore = "measures, and checks nothing"]
fn twelve_thousand_files() {
    let directory = tempfile::tempdir_in(std::env::var("SPEED_DIRECTORY").unwrap_or("/tmp".to_owned())).unwrap();
    let cache = directory.path().join("cache");
    let wheels: Vec<Unpacked> = (0..100)
        .map(|number| {
            let name = format!("wheel{number}");
            let paths: Vec<String> = (0..117)
                .map(|file| match file % 6 {
                    0 => format!("{name}/module{file}.py"),
                    inner => format!("{name}/inner{inner}/part{}/module{file}.py", file % 3),
                })
                .collect();
            let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "x = 1\n")).collect();
            let tool = format!("{name}.module0:main");
            unpack(&cache, &name, "1.0", &files, &[(name.as_str(), tool.as_str())])
        })
        .collect();
    let wheels: Vec<&Unpacked> = wheels.iter().collect();
    for round in 0..5 {
        let prefix = directory.path().join(format!("environment{round}"));
        let (wall, before) = (Instant::now(), processor_seconds());
        install(&prefix, &wheels).unwrap();
        let (wall, after) = (wall.elapsed().as_secs_f64(), processor_seconds());
        println!("{wall:.3} s wall, {:.2} s processor", after - before);
    }
}

/// User and system time of this process, from Linux' clock of 100 ticks a second; 0 elsewhere.
fn processor_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = text
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split(' ')
        .skip(12)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    fields.iter().sum::<f64>() / 100.0
}
