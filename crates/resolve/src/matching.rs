//! Which versions a version specifier admits (PEP 440, "Version specifiers").
//!
//! Decided here, pre-releases always included, because the library's own answer differs from the standard in places
//! (`==1.2.*` against `1`, `<2rc2` against `2rc1`). Whether a pre-release is wanted is a question of its own.

use std::cmp::Ordering;
use std::ops::Range;

use packaging::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// Whether `version` fits all of `specifiers`, pre-releases included.
pub(crate) fn contains(specifiers: &VersionSpecifiers, version: &Version) -> bool {
    specifiers.iter().all(|specifier| admits(specifier, version))
}

/// The spans of `versions`, which ascend, that fit all of `specifiers`.
///
/// Only versions with the release number a specifier names are looked at one by one; the rest is decided by which side
/// they are on. Projects have thousands of versions, and each version of a project may name another specifier.
pub(crate) fn spans(specifiers: &VersionSpecifiers, versions: &[&Version]) -> Vec<Range<usize>> {
    let all = std::iter::once(0..versions.len()).collect();
    specifiers.iter().fold(all, |spans: Vec<_>, specifier| intersection(&spans, &spans_of_one(specifier, versions)))
}

/// Whether a specifier names a pre-release, so that pre-releases are wanted.
pub(crate) fn names_prerelease(specifiers: &VersionSpecifiers) -> bool {
    specifiers.iter().any(|specifier| {
        !matches!(specifier.operator(), Operator::NotEqual | Operator::EqualStar | Operator::NotEqualStar)
            && specifier.version().any_prerelease()
    })
}

/// Whether a specifier pins one version, so that a yanked one may be wanted (PEP 592).
pub(crate) fn pins(specifiers: &VersionSpecifiers) -> bool {
    specifiers.iter().any(|specifier| matches!(specifier.operator(), Operator::Equal | Operator::ExactEqual))
}

fn admits(specifier: &VersionSpecifier, version: &Version) -> bool {
    let named = specifier.version();
    match specifier.operator() {
        Operator::Equal => equal(named, version),
        Operator::NotEqual => !equal(named, version),
        Operator::EqualStar => compare_prefix(named, version, named.release().len()) == Ordering::Equal,
        Operator::NotEqualStar => compare_prefix(named, version, named.release().len()) != Ordering::Equal,
        Operator::TildeEqual => {
            let prefix = named.release().len().saturating_sub(1);
            compare_prefix(named, version, prefix) == Ordering::Equal && without_local(version) >= *named
        }
        // Compared as text by the standard; both sides are normalized here.
        Operator::ExactEqual => named.to_string() == version.to_string(),
        Operator::GreaterThanEqual => without_local(version) >= *named,
        Operator::LessThanEqual => without_local(version) <= *named,
        // Neither a pre-release nor a development release of the named version is meant to be before it.
        Operator::LessThan => version < named && (named.any_prerelease() || *version < named.clone().with_dev(Some(0))),
        // Neither a local version nor a post-release of the named version is meant to be after it.
        Operator::GreaterThan => {
            let public = without_local(version);
            version > named && public != *named && (named.is_post() || public.with_post(None).with_dev(None) != *named)
        }
    }
}

fn equal(named: &Version, version: &Version) -> bool {
    if named.is_local() { named == version } else { *named == without_local(version) }
}

fn without_local(version: &Version) -> Version {
    version.clone().without_local()
}

/// How the first `length` numbers of the version's release compare to those of the named one; the epoch counts first.
fn compare_prefix(named: &Version, version: &Version, length: usize) -> Ordering {
    let number = |version: &Version, place: usize| version.release().get(place).copied().unwrap_or(0);
    version.epoch().cmp(&named.epoch()).then_with(|| {
        (0..length)
            .map(|place| number(version, place).cmp(&number(named, place)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

fn spans_of_one(specifier: &VersionSpecifier, versions: &[&Version]) -> Vec<Range<usize>> {
    let named = specifier.version();
    let length = match specifier.operator() {
        // Its text says nothing about its place.
        Operator::ExactEqual => 0,
        Operator::EqualStar | Operator::NotEqualStar => named.release().len(),
        Operator::TildeEqual => named.release().len().saturating_sub(1),
        _ => named.release().len().max(1),
    };
    let start = versions.partition_point(|version| compare_prefix(named, version, length) == Ordering::Less);
    let end = versions.partition_point(|version| compare_prefix(named, version, length) != Ordering::Greater);
    let (below, above) = match specifier.operator() {
        Operator::LessThan | Operator::LessThanEqual => (true, false),
        Operator::GreaterThan | Operator::GreaterThanEqual => (false, true),
        Operator::NotEqual | Operator::NotEqualStar => (true, true),
        _ => (false, false),
    };
    let mut spans = Vec::new();
    if below {
        push(&mut spans, 0..start);
    }
    for (place, version) in versions.iter().enumerate().take(end).skip(start) {
        if admits(specifier, version) {
            push(&mut spans, place..place + 1);
        }
    }
    if above {
        push(&mut spans, end..versions.len());
    }
    spans
}

fn push(spans: &mut Vec<Range<usize>>, span: Range<usize>) {
    match spans.last_mut() {
        _ if span.is_empty() => {}
        Some(last) if last.end == span.start => last.end = span.end,
        _ => spans.push(span),
    }
}

fn intersection(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for left in one {
        for right in other {
            push(&mut spans, left.start.max(right.start)..left.end.min(right.end));
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

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
        VERSIONS.into_iter().filter(|version| contains(&specifiers, &version.parse().unwrap())).collect()
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
                    (0..ascending.len()).filter(|place| contains(&specifiers, ascending[*place])).collect();
                let by_spans: Vec<usize> = spans(&specifiers, &ascending).into_iter().flatten().collect();
                assert_eq!(by_spans, each, "{specifiers}");
            }
        }
    }

    #[test]
    fn only_some_specifiers_ask_for_prereleases_or_pin() {
        let parsed = |text: &str| text.parse::<VersionSpecifiers>().unwrap();
        assert!(names_prerelease(&parsed(">=1a1")) && names_prerelease(&parsed("<2.dev1")));
        assert!(!names_prerelease(&parsed("!=1a1")) && !names_prerelease(&parsed(">=1.post1")));
        assert!(pins(&parsed("==1")) && pins(&parsed(">0,===1")));
        assert!(!pins(&parsed("==1.*")) && !pins(&parsed(">=1")));
    }
}
