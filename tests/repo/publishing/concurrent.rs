//! Several publish at once: nobody's change is lost, and clients never notice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;
use testkit::{S3Server, Wheel};

use super::place::{Client, KINDS, Kind, Place};

/// No name that others keep for ever was ever given to two contents.
fn nothing_was_written_twice(store: &S3Server) {
    let mut written: BTreeMap<String, usize> = BTreeMap::new();
    for write in store.writes().iter().filter(|write| write.status == 200) {
        let key = write.action.split_once(' ').unwrap().1;
        if key.starts_with("tuf/") && key != "tuf/timestamp.json" {
            *written.entry(key.to_owned()).or_default() += 1;
        }
    }
    let twice: Vec<_> = written.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Publishes from all these directories at once; says how often each was overtaken.
fn publish_all(place: &Place, directories: &[String]) -> Vec<u64> {
    thread::scope(|scope| {
        let publications: Vec<_> = directories
            .iter()
            .map(|directory| scope.spawn(move || place.repo_in(directory, &["publish", "--json"]).expect_code(0)))
            .collect();
        let outcomes = publications.into_iter().map(|publication| publication.join().unwrap());
        let rebased = outcomes.map(|outcome| {
            let said: Value = serde_json::from_str(&outcome.stdout).unwrap();
            said["rebased"].as_u64().unwrap()
        });
        rebased.collect()
    })
}

fn several_publish(kind: Kind, count: usize) {
    let place = Place::new(kind);
    place.publish(&[("app", "1.0")]);
    let directories: Vec<String> = (0..count).map(|number| format!("operator-{number}")).collect();
    let same = Wheel::new("shared", "1.0").build();
    for (number, directory) in directories.iter().enumerate() {
        place.copy_workplace(directory);
        let own = Wheel::new(&format!("project-{number}"), "1.0").build();
        let of_one_project = Wheel::new("app", &format!("2.{number}")).build();
        place.stage_in(directory, &[own, of_one_project, same.clone()]);
    }
    if let Some(store) = &place.store {
        store.forget_writes();
    }
    let (before, _) = place.versions();
    let client = Client::new(&place);
    client.while_going_on("app==1.0", || publish_all(&place, &directories));
    assert_eq!(place.versions().0, before + count as u64);
    place.is_whole();
    let mut projects: Vec<String> = (0..count).map(|number| format!("project-{number}")).collect();
    projects.extend(["app".to_owned(), "shared".to_owned()]);
    projects.sort();
    assert_eq!(place.listed(), projects);
    let html = String::from_utf8(place.read("simple/index.html").unwrap()).unwrap();
    assert!(projects.iter().all(|project| html.contains(&format!("\"{project}/\""))), "{html}");
    for number in 0..count {
        client.gets(&format!("project-{number}"));
        client.gets(&format!("app==2.{number}"));
    }
    client.gets("shared");
    if let Some(store) = &place.store {
        nothing_was_written_twice(store);
    }
}

#[test]
fn two_and_eight_publishers_lose_nothing_in_a_directory() {
    several_publish(Kind::Directory, 2);
    several_publish(Kind::Directory, 8);
}

#[test]
fn two_and_eight_publishers_lose_nothing_in_a_bucket() {
    several_publish(Kind::Bucket, 2);
    several_publish(Kind::Bucket, 8);
}

#[test]
fn another_file_of_the_same_name_is_refused_to_the_second() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.copy_workplace("other");
        place.stage_in("index", &[Wheel::new("app", "1.0").file("app/__init__.py", "a = 1\n").build()]);
        place.stage_in("other", &[Wheel::new("app", "1.0").file("app/__init__.py", "a = 2\n").build()]);
        place.does(&["publish"]);
        let before = place.files();
        place.repo_in("other", &["publish"]).expect_code(1).expect_stderr(&["repo.change", "app-1.0-py3-none-any.whl"]);
        assert_eq!(place.files(), before, "{kind:?}");
        place.is_whole();
    }
}

#[test]
fn publishing_beside_refreshes() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.publish(&[("app", "1.0")]);
        place.copy_workplace("cron");
        let client = Client::new(&place);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    place.repo_in("cron", &["refresh"]).expect_code(0);
                }
            });
            client.while_going_on("app==1.0", || {
                for number in 0..4 {
                    place.publish(&[(&format!("project-{number}"), "1.0")]);
                }
            });
            is_over.store(true, Ordering::Relaxed);
        });
        place.is_whole();
        assert_eq!(place.listed().len(), 5);
        if let Some(store) = &place.store {
            nothing_was_written_twice(store);
        }
    }
}
