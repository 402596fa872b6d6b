//! Sets of candidate indexes, the "versions" the solver sees.
//!
//! Candidates of a project are numbered, worst first. Sets are kept as half-open spans, so that neighbouring candidates
//! join into one span; the library's own ranges take numbers for dense and would keep thousands of single points.

use std::fmt;
use std::ops::{Bound, Range};

use pubgrub::{Ranges, VersionSet};

/// A set of candidate indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CandidateSet(Ranges<u32>);

impl CandidateSet {
    /// The indexes of a half-open span; empty when it ends before it starts.
    pub(crate) fn span(span: Range<u32>) -> Self {
        Self(Ranges::from_range_bounds(span))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The spans from the lowest to the highest. A set made from candidates is always bounded.
    pub(crate) fn spans(&self) -> impl DoubleEndedIterator<Item = Range<u32>> + '_ {
        // The library's iterator runs in one direction only.
        let spans: Vec<_> = self.0.iter().map(|(start, end)| lowest(start)..end_of(end)).collect();
        spans.into_iter()
    }

    /// How many indexes the set has.
    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|(start, end)| end_of(end).saturating_sub(lowest(start))).fold(0, u32::saturating_add)
    }

    /// The indexes from the highest, which is the most preferred, to the lowest.
    pub(crate) fn best_first(&self) -> impl Iterator<Item = u32> + '_ {
        self.spans().rev().flat_map(Iterator::rev)
    }
}

impl FromIterator<u32> for CandidateSet {
    /// From ascending indexes.
    fn from_iter<I: IntoIterator<Item = u32>>(indexes: I) -> Self {
        let mut spans: Vec<Range<u32>> = Vec::new();
        for index in indexes {
            match spans.last_mut() {
                Some(span) if span.end == index => span.end += 1,
                _ => spans.push(index..index + 1),
            }
        }
        Self(spans.into_iter().map(|span| (Bound::Included(span.start), Bound::Excluded(span.end))).collect())
    }
}

impl VersionSet for CandidateSet {
    type V = u32;

    fn empty() -> Self {
        Self(Ranges::empty())
    }

    fn singleton(index: u32) -> Self {
        Self::span(index..index.saturating_add(1))
    }

    fn complement(&self) -> Self {
        Self(self.0.complement())
    }

    fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0))
    }

    fn contains(&self, index: &u32) -> bool {
        self.0.contains(index)
    }

    fn full() -> Self {
        Self(Ranges::full())
    }

    fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0))
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        self.0.is_disjoint(&other.0)
    }

    fn subset_of(&self, other: &Self) -> bool {
        self.0.subset_of(&other.0)
    }
}

impl fmt::Display for CandidateSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

fn lowest(start: &Bound<u32>) -> u32 {
    match start {
        Bound::Included(index) => *index,
        Bound::Excluded(index) => index.saturating_add(1),
        Bound::Unbounded => 0,
    }
}

fn end_of(end: &Bound<u32>) -> u32 {
    match end {
        Bound::Included(index) => index.saturating_add(1),
        Bound::Excluded(index) => *index,
        Bound::Unbounded => u32::MAX,
    }
}
