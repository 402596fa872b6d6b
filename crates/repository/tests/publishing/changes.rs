use repository::{BinForm, Change, Profile};
use tuf::UnixTime;
use tuf::metadata::{Metadata, Timestamp};

use crate::world::{DAY, Operator, User, add, policy, project};

const SHAPES: [(Profile, BinForm); 4] = [
    (Profile::Small, BinForm::Succinct),
    (Profile::Pep458, BinForm::Succinct),
    (Profile::Pep458, BinForm::Classic),
    (Profile::Rstuf, BinForm::Succinct),
];

#[test]
fn what_is_published_is_found_in_every_profile() {
    for (profile, form) in SHAPES {
        let mut operator = Operator::new(policy(profile, form));
        let mut user = User::new(&operator);
        assert!(user.files(&operator, "app").is_empty());
        operator.publish(&[add("app", "1.0"), add("app", "1.10"), add("app", "1.9"), add("lib", "2.0")]);
        let in_order = ["app-1.0-py3-none-any.whl", "app-1.9-py3-none-any.whl", "app-1.10-py3-none-any.whl"];
        assert_eq!(user.files(&operator, "app"), in_order, "{profile:?} {form:?}");
        assert_eq!(user.files(&operator, "lib").len(), 1);
        assert!(user.files(&operator, "other").is_empty());
        assert_eq!(User::new(&operator).files(&operator, "app"), in_order);
    }
}

#[test]
fn only_bins_that_change_are_written() {
    let mut operator = Operator::new(policy(Profile::Pep458, BinForm::Succinct));
    let many: Vec<Change> = (0..200).map(|number| add(&format!("project-{number}"), "1.0")).collect();
    assert_eq!(operator.publish(&many).leaves.len(), 16);
    // A page, a wheel, its metadata.
    let one = operator.publish(&[add("project-7", "1.1")]);
    assert!((1..=3).contains(&one.leaves.len()), "{}", one.leaves.len());
    assert_eq!(one.pages.len(), 1);
    // Nothing has changed: no bin, no snapshot, only a new timestamp.
    let none = operator.publish(&[add("project-7", "1.1")]);
    assert!(none.leaves.is_empty() && none.snapshot.is_none());
    assert_eq!(none.timestamp_version, 4);
    assert_eq!(User::new(&operator).files(&operator, "project-7").len(), 2);
}

#[test]
fn the_same_changes_give_the_same_bytes() {
    let mut one = Operator::new(policy(Profile::Pep458, BinForm::Succinct));
    let mut other = Operator::new(policy(Profile::Pep458, BinForm::Succinct));
    one.publish(&[add("app", "1.0"), add("app", "2.0"), add("lib", "1.0")]);
    other.publish(&[add("lib", "1.0"), add("app", "2.0"), add("app", "1.0")]);
    assert_eq!(one.store, other.store);
}

#[test]
fn yanked_and_removed() {
    let mut operator = Operator::new(policy(Profile::Small, BinForm::Succinct));
    operator.publish(&[add("app", "1.0"), add("app", "2.0")]);
    let filename = "app-2.0-py3-none-any.whl".to_owned();
    let yank = Change::Yank { project: project("app"), filename: filename.clone(), reason: "broken".to_owned() };
    let yanked = operator.publish(&[yank]);
    let content = yanked.pages[0].content.as_ref().unwrap();
    let page: serde_json::Value = serde_json::from_slice(&content.json).unwrap();
    assert_eq!(page["files"][1]["yanked"], "broken");
    assert!(String::from_utf8_lossy(&content.html).contains(r#"data-yanked="broken""#));
    let mut user = User::new(&operator);
    assert_eq!(user.files(&operator, "app").len(), 2);

    let remove = Change::Remove { project: project("app"), filename: filename.clone() };
    operator.publish(std::slice::from_ref(&remove));
    assert_eq!(user.files(&operator, "app"), ["app-1.0-py3-none-any.whl"]);
    assert!(user.look_up(&operator, &format!("dist/app/{filename}")).unwrap().is_none());
    // Once more does no harm: a publication that was interrupted is repeated.
    assert!(operator.publish(&[remove]).leaves.is_empty());

    let first = Change::Remove { project: project("app"), filename: "app-1.0-py3-none-any.whl".to_owned() };
    let gone = operator.publish(&[first]);
    assert!(gone.pages[0].content.is_none());
    assert!(user.files(&operator, "app").is_empty());
}

#[test]
fn a_file_name_stands_for_one_content() {
    let mut operator = Operator::new(policy(Profile::Small, BinForm::Succinct));
    operator.publish(&[add("app", "1.0")]);
    let before = operator.store.clone();
    let other = Change::Add {
        project: project("app"),
        addition: crate::world::addition("app-1.0-py3-none-any.whl", "something else"),
    };
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| operator.publish(&[other])));
    let message = *refused.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("OtherContent"), "{message}");
    assert_eq!(operator.store, before);
}

/// With the timestamp renewed every six hours, nothing ever expires, and bins are signed again only about twice a month.
#[test]
fn a_month_of_refreshes() {
    let mut operator = Operator::new(policy(Profile::Pep458, BinForm::Succinct));
    operator.publish(&[add("app", "1.0"), add("lib", "1.0")]);
    let mut user = User::new(&operator);
    let mut bins = 0;
    let mut snapshots = 0;
    for _ in 0..4 * 60 {
        operator.now = UnixTime(operator.now.0 + DAY / 4);
        let refreshed = operator.publish(&[]);
        bins += refreshed.leaves.len();
        snapshots += usize::from(refreshed.snapshot.is_some());
        assert_eq!(user.files(&operator, "app").len(), 1);
    }
    assert!((32..=80).contains(&bins), "{bins} bins were signed");
    assert!((15..=40).contains(&snapshots), "{snapshots} snapshots were signed");
    let timestamp: Metadata<Timestamp> = Metadata::from_bytes(&operator.store["tuf/timestamp.json"]).unwrap();
    assert_eq!(timestamp.signed.other.get("x-signed-at").unwrap().as_str().unwrap(), operator.now.to_string());
}
