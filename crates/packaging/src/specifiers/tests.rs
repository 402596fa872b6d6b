use super::*;

#[test]
fn what_is_not_valid_is_told_in_one_line() {
    for text in [">=", "1.0", ">=1.0.*", "~=1", "=>1", ">=1 <2", "==1.0;", ">=\0", ">= 99999999999999999999999"] {
        let error = text.parse::<VersionSpecifiers>().expect_err(text);
        assert!(!error.reason.is_empty() && !error.reason.contains('\n'), "{error}");
    }
    assert_eq!(">=1.0,, <2,".parse::<VersionSpecifiers>().unwrap().to_string(), ">=1.0, <2");
    assert!("".parse::<VersionSpecifiers>().unwrap().contains(&"1.0a1".parse().unwrap()));
}

#[test]
fn long_texts_take_linear_time() {
    for long in [vec![">=1"; 20_000].join(","), ",".repeat(100_000), format!("=={}1", "1.".repeat(30_000))] {
        let specifiers: VersionSpecifiers = long.parse().unwrap();
        specifiers.contains(&"1.0".parse().unwrap());
    }
}

const VERSIONS: [&str; 26] = [
    "0",
    "0.9",
    "1.dev1",
    "1a1",
    "1.0rc1",
    "1.0",
    "1.0+local.1",
    "1.0.post1",
    "1.0.1.dev2",
    "1.0.1",
    "1.1a2",
    "1.1",
    "1.2",
    "1.2.3b1",
    "1.2.3",
    "1.2.3+cpu",
    "1.10",
    "2.dev3",
    "2b1",
    "2rc1",
    "2rc2",
    "2",
    "2.0.post2",
    "2.5",
    "10.4",
    "1!0.5",
];

fn admitted(specifiers: &str) -> Vec<&'static str> {
    let specifiers: VersionSpecifiers = specifiers.parse().unwrap();
    VERSIONS.into_iter().filter(|version| specifiers.contains(&version.parse().unwrap())).collect()
}

#[test]
fn a_pin_without_a_local_part_admits_every_local_version() {
    assert_eq!(admitted("==1"), ["1.0", "1.0+local.1"]);
    assert_eq!(admitted("==1.2.3+cpu"), ["1.2.3+cpu"]);
    assert_eq!(admitted("===1.2.3"), ["1.2.3"]);
}

#[test]
fn a_prefix_is_padded_with_zeros() {
    assert_eq!(admitted("==1.2.*"), ["1.2", "1.2.3b1", "1.2.3", "1.2.3+cpu"]);
    assert_eq!(admitted("==0.0.*"), ["0"]);
    assert_eq!(admitted("~=1.2.2"), ["1.2.3b1", "1.2.3", "1.2.3+cpu"]);
}

#[test]
fn exclusive_bounds_leave_out_what_belongs_to_the_bound() {
    assert_eq!(admitted("<1.0"), ["0", "0.9"]);
    assert_eq!(admitted(">1.0,<1.1"), ["1.0.1.dev2", "1.0.1"]);
    assert_eq!(admitted(">=2b1,<2rc2"), ["2b1", "2rc1"]);
    assert_eq!(admitted(">2,<3"), ["2.5"]);
    assert_eq!(admitted(">2.0.post1,<3"), ["2.0.post2", "2.5"]);
    assert_eq!(admitted(">1.0rc1,<1.0.1"), ["1.0", "1.0+local.1", "1.0.post1"]);
    assert_eq!(admitted("<1.0.post1,>0.9"), ["1.dev1", "1a1", "1.0rc1", "1.0", "1.0+local.1"]);
    assert_eq!(admitted(">10.4"), ["1!0.5"]);
}

#[test]
fn spans_admit_what_looking_at_each_version_admits() {
    let versions: Vec<Version> = VERSIONS.iter().map(|version| version.parse().unwrap()).collect();
    let mut ascending: Vec<&Version> = versions.iter().collect();
    ascending.sort();
    let mut all: Vec<String> = Vec::new();
    for version in VERSIONS {
        let operators: &[&str] =
            if version.contains('+') { &["==", "!=", "==="] } else { &["==", "!=", "<", "<=", ">", ">=", "==="] };
        all.extend(operators.iter().map(|operator| format!("{operator}{version}")));
        if version.chars().all(|character| character.is_ascii_digit() || character == '.') {
            all.extend([format!("=={version}.*"), format!("!={version}.*")]);
        }
    }
    all.extend(["~=1.0", "~=1.0.1", "~=1.1a2", "~=2.0.post1"].map(str::to_owned));
    for one in &all {
        for other in &all {
            let specifiers: VersionSpecifiers = format!("{one},{other}").parse().unwrap();
            let each: Vec<usize> =
                (0..ascending.len()).filter(|place| specifiers.contains(ascending[*place])).collect();
            let by_spans: Vec<usize> = specifiers.spans(&ascending).into_iter().flatten().collect();
            assert_eq!(by_spans, each, "{specifiers}");
        }
    }
}

#[test]
fn only_some_specifiers_ask_for_prereleases_or_pin() {
    let parsed = |text: &str| text.parse::<VersionSpecifiers>().unwrap();
    assert!(parsed(">=1a1").names_prerelease() && parsed("<2.dev1").names_prerelease());
    assert!(!parsed("!=1a1").names_prerelease() && !parsed(">=1.post1").names_prerelease());
    assert!(parsed("==1").pins() && parsed(">0,===1").pins());
    assert!(!parsed("==1.*").pins() && !parsed(">=1").pins());
}

#[test]
fn a_prefix_longer_than_the_version_and_a_post_release_of_a_prerelease() {
    // Versions that another reading of PEP 440 took for a match.
    for (specifiers, version) in [("==1.2.*", "1"), (">1.0a1", "1.0a1.post1"), ("~=1.2.3", "1")] {
        let specifiers: VersionSpecifiers = specifiers.parse().unwrap();
        assert!(!specifiers.contains(&version.parse().unwrap()), "{version} in {specifiers}");
    }
}

#[test]
fn arbitrary_equality_compares_texts() {
    let admits = |specifiers: &str, version: &str| {
        specifiers.parse::<VersionSpecifiers>().unwrap().contains(&version.parse().unwrap())
    };
    assert!(admits("===1.0", "1.0") && admits("=== 1.0RC1", "1.0rc1") && admits("===1.0+cpu", "1.0+CPU"));
    assert!(!admits("===1.0", "1.0.0") && !admits("===1.0", "1.0+cpu") && !admits("===v1.0", "1.0"));
    let specifiers: VersionSpecifiers = "=== v1.0 , >0".parse().unwrap();
    assert_eq!(specifiers.to_string(), "===v1.0, >0");
    assert_eq!(
        serde_json::from_str::<VersionSpecifiers>(&serde_json::to_string(&specifiers).unwrap()).unwrap(),
        specifiers
    );
}
