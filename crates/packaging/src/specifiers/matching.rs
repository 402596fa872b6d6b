//! Which versions a specifier admits, pre-releases always included.
//!
//! PEP 440, "Version specifiers", and where that leaves room, as the reference implementation (Python's `packaging`
//! from 26 on) decides. `tests/reference` compares the two.

use std::cmp::Ordering;
use std::ops::Range;

use pep440_rs::{Operator, Version};

use super::VersionSpecifier;

pub(super) fn admits(specifier: &VersionSpecifier, version: &Version) -> bool {
    let named = &specifier.version;
    match specifier.operator {
        Operator::Equal => equal(named, version),
        Operator::NotEqual => !equal(named, version),
        Operator::EqualStar => compare_prefix(named, version, named.release().len()).is_eq(),
        Operator::NotEqualStar => compare_prefix(named, version, named.release().len()).is_ne(),
        Operator::TildeEqual => {
            compare_prefix(named, version, named.release().len().saturating_sub(1)).is_eq() && version >= named
        }
        Operator::ExactEqual => {
            specifier.text.as_ref().is_some_and(|text| text.eq_ignore_ascii_case(&version.to_string()))
        }
        Operator::GreaterThanEqual => version >= named,
        Operator::LessThanEqual => public(version) <= *named,
        // What comes before the named version in its release is not meant, unless that is a pre-release itself.
        Operator::LessThan if named.any_prerelease() => version < named,
        Operator::LessThan => *version < named.clone().with_dev(Some(0)),
        // Neither a local version of the named version is meant, nor a post-release, unless that is one itself.
        Operator::GreaterThan => {
            let public = public(version);
            public > *named && (named.is_post() || public.with_post(None).with_dev(None) != *named)
        }
    }
}

/// A local version equals the one without, if no local version is named.
fn equal(named: &Version, version: &Version) -> bool {
    if named.is_local() { named == version } else { *named == public(version) }
}

/// The version without its local part.
fn public(version: &Version) -> Version {
    version.clone().without_local()
}

/// How the first `length` numbers of the version's release compare to those of the named one; the epoch counts first.
/// Missing numbers are zero.
fn compare_prefix(named: &Version, version: &Version, length: usize) -> Ordering {
    let number = |version: &Version, place: usize| version.release().get(place).copied().unwrap_or(0);
    version.epoch().cmp(&named.epoch()).then_with(|| {
        (0..length)
            .map(|place| number(version, place).cmp(&number(named, place)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

pub(super) fn spans(specifiers: &[VersionSpecifier], versions: &[&Version]) -> Vec<Range<usize>> {
    let all = std::iter::once(0..versions.len()).collect();
    specifiers.iter().fold(all, |spans: Vec<_>, specifier| intersection(&spans, &spans_of_one(specifier, versions)))
}

fn spans_of_one(specifier: &VersionSpecifier, versions: &[&Version]) -> Vec<Range<usize>> {
    let named = &specifier.version;
    let length = match specifier.operator {
        // Its text does not determine its order.
        Operator::ExactEqual => 0,
        Operator::EqualStar | Operator::NotEqualStar => named.release().len(),
        Operator::TildeEqual => named.release().len().saturating_sub(1),
        _ => named.release().len().max(1),
    };
    let start = versions.partition_point(|version| compare_prefix(named, version, length).is_lt());
    let end = versions.partition_point(|version| compare_prefix(named, version, length).is_le());
    let (below, above) = match specifier.operator {
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
