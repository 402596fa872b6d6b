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
    let mut spans = vec![0..versions.len()];
    for specifier in specifiers.iter() {
        let admitted = spans_of_one(specifier, versions);
        spans = intersection(&spans, &admitted);
    }
    spans
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
        Operator::LessThan => {
            version < named && (named.any_prerelease() || !version.any_prerelease() || !same_release(named, version))
        }
        Operator::GreaterThan => {
            version > named
                && !(same_release(named, version) && (version.is_local() || version.is_post() && !named.is_post()))
        }
    }
}

fn equal(named: &Version, version: &Version) -> bool {
    if named.is_local() { named == version } else { *named == without_local(version) }
}

fn without_local(version: &Version) -> Version {
    version.clone().without_local()
}

fn same_release(named: &Version, version: &Version) -> bool {
    let length = named.release().len().max(version.release().len());
    compare_prefix(named, version, length) == Ordering::Equal
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
