//! Names of roles in URLs and on disks.

use std::collections::BTreeMap;
use tuf::metadata::RoleName;

fn stem(name: &str) -> String {
    RoleName::from(name).file_stem()
}

#[test]
fn in_urls() {
    let cases = [
        ("bins-0f", "bins-0f"),
        ("A_.-~z9", "A_.-~z9"),
        ("../x", "..%2Fx"),
        ("?a#b c", "%3Fa%23b%20c"),
        ("ä%", "%C3%A4%25"),
    ];
    for (name, encoded) in cases {
        assert_eq!(RoleName::from(name).encoded(), encoded);
    }
}

#[test]
fn on_disks() {
    let cases = [
        ("bins-0f_.x", "bins-0f_.x"),
        ("../x", "%2E.%2Fx"),
        (".", "%2E"),
        ("Bins", "%42ins"),
        ("a~b", "a%7Eb"),
        ("a\\b:c\0", "a%5Cb%3Ac%00"),
        ("con", "%63on"),
        ("CON", "%43%4F%4E"),
        ("nul.x.y", "%6Eul.x.y"),
        ("com0", "%63om0"),
        ("lpt9.txt", "%6Cpt9.txt"),
        ("com10", "com10"),
        ("com", "com"),
        ("console", "console"),
        ("é", "%C3%A9"),
        ("e\u{301}", "e%CC%81"),
    ];
    for (name, expected) in cases {
        assert_eq!(stem(name), expected);
    }
}

#[test]
fn long_names() {
    assert_eq!(stem(&"x".repeat(180)), "x".repeat(180));
    let hashed = stem(&"x".repeat(181));
    assert_eq!(hashed, "h-dc31ed5afb940294fdd687c69bbba2aecc51b6093425c0047f6fa6c687303924");
    assert_eq!(stem(&"ä".repeat(31)).len(), 66);
    // A role called like the file of another.
    assert_eq!(stem(&hashed), format!("%68{}", &hashed[1..]));
    assert_eq!(stem(&hashed[..65]), hashed[..65]);
}

/// Also where upper and lower case are one.
#[test]
fn distinct_names_have_distinct_stems() {
    let parts = ["", ".", "con", "CON", "%63", "h-", "a", "A", "%", "/", "é", "e\u{301}", "2e", "2E", "E.", "com1"];
    let mut names = BTreeMap::new();
    for first in parts {
        for second in parts {
            for third in parts {
                let name = format!("{first}{second}{third}");
                let earlier = names.insert(stem(&name).to_lowercase(), name.clone());
                assert!(earlier.as_ref().is_none_or(|earlier| *earlier == name), "{name:?} and {earlier:?}");
            }
        }
    }
}
