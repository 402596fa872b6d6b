//! The search through delegations: which roles are asked, in which order, and who may speak of what (TUF 5.6.7).

use tuf::{AbsenceDoubt, Error, LookUp};

use super::simulator::{Machine, Order, Repository, found, searched};

/// From whom to whom, for which paths, and whether it is terminating.
type Delegation<'a> = (&'a str, &'a str, &'a [&'a str], bool);

const ALL: &[&str] = &["*"];

fn repository(delegations: &[Delegation<'_>]) -> Repository {
    let mut repository = Repository::new();
    for (from, to, paths, terminating) in delegations {
        if *terminating {
            repository.delegate_terminating(from, to, paths);
        } else {
            repository.delegate(from, to, paths);
        }
    }
    repository.publish();
    repository
}

/// A target that nobody lists is searched in these roles, in this order, each fetched once and not again.
#[track_caller]
fn visits(delegations: &[Delegation<'_>], roles: &[&str]) {
    let repository = repository(delegations);
    let expected: Vec<_> = ["targets"].iter().chain(roles).map(|role| (*role).to_owned()).collect();
    let fetched = roles.iter().map(|role| format!("1.{role}.json"));
    let fetched: Vec<_> = ["2.root.json", "timestamp.json"].map(str::to_owned).into_iter().chain(fetched).collect();
    for order in [Order::OneAtATime, Order::RoundTrips, Order::Shuffled(1)] {
        let mut machine = Machine::refreshed(&repository);
        machine.order = order;
        assert_eq!(searched(machine.look_up(&repository, "missing").unwrap()), expected);
        let mut requested = machine.requested.clone();
        // The order of these two does not matter.
        requested[..2].sort();
        assert_eq!(requested, fetched);
        assert_eq!(searched(machine.look_up(&repository, "missing").unwrap()), expected);
        assert_eq!(machine.requested.len(), 2, "the second time everything is stored");
        assert_eq!(searched(machine.look_up_offline("missing").unwrap()), expected);
    }
}

#[test]
fn one_delegation() {
    visits(&[("targets", "A", ALL, false)], &["A"]);
}

#[test]
fn two_delegations_in_order() {
    visits(&[("targets", "B", ALL, false), ("targets", "A", ALL, false)], &["B", "A"]);
}

#[test]
fn two_levels() {
    visits(&[("targets", "A", ALL, false), ("targets", "B", ALL, false), ("B", "C", ALL, false)], &["A", "B", "C"]);
}

#[test]
fn depth_first() {
    let two: &[Delegation<'_>] =
        &[("targets", "A", ALL, false), ("targets", "B", ALL, false), ("A", "C", ALL, false), ("A", "D", ALL, false)];
    visits(two, &["A", "C", "D", "B"]);
    let three: &[Delegation<'_>] =
        &[("targets", "A", ALL, false), ("targets", "B", ALL, false), ("A", "C", ALL, false), ("C", "D", ALL, false)];
    visits(three, &["A", "C", "D", "B"]);
}

#[test]
fn a_terminating_role_leaves_only_what_it_delegates_to() {
    let siblings: &[Delegation<'_>] =
        &[("targets", "A", ALL, false), ("targets", "B", ALL, false), ("A", "C", ALL, true), ("A", "D", ALL, false)];
    visits(siblings, &["A", "C"]);
    let below: &[Delegation<'_>] = &[
        ("targets", "A", ALL, false),
        ("targets", "B", ALL, false),
        ("A", "C", ALL, true),
        ("C", "D", ALL, false),
        ("C", "E", ALL, false),
    ];
    visits(below, &["A", "C", "D", "E"]);
}

#[test]
fn roles_before_a_terminating_one_are_asked() {
    let delegations: &[Delegation<'_>] =
        &[("targets", "A", ALL, false), ("targets", "B", ALL, true), ("targets", "C", ALL, false)];
    visits(delegations, &["A", "B"]);
}

#[test]
fn a_terminating_role_that_does_not_match_ends_nothing() {
    let delegations: &[Delegation<'_>] = &[("targets", "A", &["other/*"], true), ("targets", "B", ALL, false)];
    visits(delegations, &["B"]);
}

#[test]
fn branches_that_do_not_match_are_not_asked() {
    let first: &[Delegation<'_>] = &[
        ("targets", "A", &["*.py"], false),
        ("targets", "B", ALL, false),
        ("A", "C", ALL, false),
        ("A", "D", ALL, false),
    ];
    visits(first, &["B"]);
    let second: &[Delegation<'_>] = &[
        ("targets", "A", ALL, false),
        ("targets", "B", ALL, false),
        ("A", "C", &["*.py"], false),
        ("C", "D", ALL, false),
    ];
    visits(second, &["A", "B"]);
}

#[test]
fn a_cycle() {
    let delegations: &[Delegation<'_>] = &[
        ("targets", "A", ALL, false),
        ("targets", "B", ALL, false),
        ("B", "C", ALL, false),
        ("C", "D", ALL, false),
        ("D", "B", ALL, false),
        ("D", "D", ALL, false),
    ];
    visits(delegations, &["A", "B", "C", "D"]);
}

#[test]
fn two_roles_delegate_to_a_third() {
    let same_paths: &[Delegation<'_>] =
        &[("targets", "A", ALL, false), ("targets", "B", ALL, false), ("A", "C", ALL, false), ("B", "C", ALL, false)];
    visits(same_paths, &["A", "C", "B"]);
    let other_paths: &[Delegation<'_>] = &[
        ("targets", "A", ALL, false),
        ("targets", "B", ALL, false),
        ("A", "C", &["*.py"], false),
        ("B", "C", ALL, false),
    ];
    visits(other_paths, &["A", "B", "C"]);
}

/// Where a path is listed, and by which roles it is found, if at all.
#[test]
fn who_may_speak_of_a_path() -> Result<(), Error> {
    let mut repository = repository(&[
        ("targets", "A", &["*.whl", "a/*/c", "x-y"], false),
        ("targets", "B", &["b/?.txt", "b/*/*"], false),
        ("B", "C", &["b/n*"], false),
        ("targets", "D", &["Case/*", "[0-9].txt"], false),
    ]);
    let cases: &[(&str, &str, Option<&[&str]>)] = &[
        ("targets", "top", Some(&["targets"])),
        ("A", "file.whl", Some(&["targets", "A"])),
        ("A", "a/b/c", Some(&["targets", "A"])),
        // `*` does not cross a `/`.
        ("A", "a/file.whl", None),
        ("A", "a/b/b/c", None),
        ("A", "a/c", None),
        ("A", "x-y", Some(&["targets", "A"])),
        ("B", "b/1.txt", Some(&["targets", "B"])),
        // `?` is one character, and never none, two or a separator.
        ("B", "b/.txt", None),
        ("B", "b/12.txt", None),
        ("B", "b//.txt", Some(&["targets", "B"])),
        // C may speak of it, and B may not.
        ("C", "b/names", None),
        ("C", "b/n/names", None),
        ("D", "Case/file", Some(&["targets", "D"])),
        ("D", "case/file", None),
        ("D", "5.txt", Some(&["targets", "D"])),
        // Listed by a role that is not asked.
        ("D", "5.whl", None),
    ];
    for (role, path, _) in cases {
        repository.add_target(role, path, path.as_bytes());
    }
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    let paths: Vec<_> = cases.iter().map(|(_, path, _)| *path).collect();
    for ((_, path, roles), result) in cases.iter().zip(machine.look_up_all(&repository, &paths)?) {
        match (result?, roles) {
            (LookUp::Found(target), Some(roles)) => {
                assert_eq!(target.path, *path);
                assert_eq!(target.length, path.len() as u64);
                let chain: Vec<_> = target.roles.iter().map(|role| role.as_str()).collect();
                assert_eq!(chain, *roles, "{path}");
            }
            (LookUp::NotFound { doubt: None, .. }, None) => {}
            (other, _) => panic!("{path}: {other:?}"),
        }
    }
    Ok(())
}

#[test]
fn the_first_role_that_lists_a_target_has_the_say() -> Result<(), Error> {
    let mut repository =
        repository(&[("targets", "A", ALL, false), ("A", "below", ALL, false), ("targets", "B", ALL, false)]);
    for (role, content) in [("B", "last"), ("below", "second"), ("A", "first"), ("targets", "own")] {
        repository.add_target(role, "file", content.as_bytes());
        repository.release(role);
        let mut machine = Machine::trusting(&repository);
        let target = found(machine.look_up(&repository, "file")?);
        let mut verifier = target.verifier().unwrap();
        verifier.update(content.as_bytes()).unwrap();
        verifier.finish().unwrap();
        assert_eq!(target.roles.last().unwrap().as_str(), role);
    }
    Ok(())
}

/// No more roles than the limit, the top-level one not counted; what is found within it is found.
#[test]
fn a_search_that_is_too_long_says_so() -> Result<(), Error> {
    let mut repository = Repository::new();
    for number in 0..40 {
        repository.delegate("targets", &format!("role{number}"), ALL);
        repository.add_target(&format!("role{number}"), &format!("file{number}"), b"content");
    }
    repository.publish();
    let mut machine = Machine::refreshed(&repository);
    for (path, is_found) in [("file0", true), ("file31", true), ("file32", false), ("nowhere", false)] {
        match machine.look_up(&repository, path)? {
            LookUp::Found(_) => assert!(is_found, "{path}"),
            LookUp::NotFound { searched, doubt } => {
                assert!(!is_found && doubt == Some(AbsenceDoubt::Truncated), "{path}");
                assert_eq!(searched.len(), 33);
                assert_eq!(searched[32].as_str(), "role31");
            }
        }
    }
    // Depth counts like breadth, and 40 are allowed to who wants it.
    machine.limits.delegations_visited = 40;
    found(machine.look_up(&repository, "file39")?);
    assert_eq!(searched(machine.look_up(&repository, "nowhere")?).len(), 41);
    Ok(())
}

/// As many roles as the limit, and then only such as have been asked: nobody is left out.
#[test]
fn a_search_that_ends_at_the_limit_is_complete() -> Result<(), Error> {
    let repository = repository(&[
        ("targets", "A", ALL, false),
        ("targets", "B", ALL, false),
        ("A", "B", ALL, false),
        ("B", "A", ALL, false),
    ]);
    let mut machine = Machine::trusting(&repository);
    machine.limits.delegations_visited = 2;
    assert_eq!(searched(machine.look_up(&repository, "missing")?), ["targets", "A", "B"]);
    machine.limits.delegations_visited = 1;
    let LookUp::NotFound { searched, doubt: Some(AbsenceDoubt::Truncated) } =
        machine.look_up(&repository, "missing")?
    else {
        panic!()
    };
    assert_eq!(searched.len(), 2);
    machine.limits.delegations_visited = 0;
    let LookUp::NotFound { searched, doubt: Some(AbsenceDoubt::Truncated) } =
        machine.look_up(&repository, "missing")?
    else {
        panic!()
    };
    assert_eq!(searched.len(), 1);
    Ok(())
}

#[test]
fn a_deep_chain_of_delegations_with_patterns_made_to_be_slow() -> Result<(), Error> {
    let mut repository = Repository::new();
    let mut from = "targets".to_owned();
    for depth in 0..100 {
        let to = format!("depth{depth}");
        repository.delegate(&from, &to, &["*a*a*a*a*a*a*a*a*a*b", "a*"]);
        from = to;
    }
    let patterns: Vec<_> = (0..2_000).map(|number| format!("*a*a*a*a*{number}*a*b")).collect();
    repository.delegate("depth2", "many", &patterns.iter().map(String::as_str).collect::<Vec<_>>());
    repository.publish();
    let mut machine = Machine::trusting(&repository);
    let path = "a".repeat(2000);
    let LookUp::NotFound { searched, doubt: Some(AbsenceDoubt::Truncated) } = machine.look_up(&repository, &path)?
    else {
        panic!()
    };
    assert_eq!(searched.len(), 33);
    Ok(())
}
