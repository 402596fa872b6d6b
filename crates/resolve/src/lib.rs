//! Which version of each project: a pure function of what is known.
//!
//! [`solve`] takes a [`Catalog`] (everything known so far) and a [`ResolveRequest`] (what is wanted) and says
//! [`SolveOutcome::Solved`], [`SolveOutcome::Missing`] (facts to fetch, all at once; then solve again from scratch) or
//! [`SolveOutcome::Impossible`]. It never waits, reads or fetches anything. A bug report is a serialised catalog and request.
//!
//! What may be chosen is pip's behaviour: which candidates count (PEP 592 for yanked ones, pip's rule for pre-releases),
//! what is preferred (installed before newest, unless upgrading), how constraints, direct references and extras work.
//! No other crate names the solver.
//!
//! | module | is responsible for |
//! |---|---|
//! | `catalog`, `request` | what goes in: everything known so far, and what is wanted |
//! | `outcome`, `explanation` | what comes out: pins, missing facts, or why there is no solution |
//! | `candidate_set`, `table` | the candidates of a project, numbered from the least to the most preferred, and sets of them |
//! | `provider`, `search` | the solver's view of both: what depends on what, what is preferred, what is in effect |
//! | `solve` | attempts until nothing new is learned |
//! | `solution`, `order`, `conflict` | from the solver's answer to pins and their order, or from its proof to an explanation |
//!
//! ```
//! use resolve::{Candidate, CandidateOrigin, Catalog, ResolveRequest, SolveOutcome, UserRequirement, solve};
//! # use packaging::MarkerEnvironment;
//! # fn example(environment: &MarkerEnvironment) -> Result<(), Box<dyn std::error::Error>> {
//! let mut catalog = Catalog::new();
//! let mut request = ResolveRequest::new(environment);
//! request.requirements.push(UserRequirement::new("flask>=3".parse()?, "the command line"));
//! // Nothing is known yet, so the page of flask is missing.
//! let SolveOutcome::Missing(facts) = solve(&catalog, &request) else { unreachable!() };
//! assert_eq!(facts[0].to_string(), "the candidates of flask");
//! // The program fetches it and solves again.
//! let candidate = Candidate { version: "3.0".parse()?, origin: CandidateOrigin::Index, yanked: false, rejected: None };
//! catalog.insert_project("flask".parse()?, vec![candidate]);
//! # Ok(()) }
//! ```

mod candidate_set;
mod catalog;
mod conflict;
mod explanation;
mod order;
mod outcome;
mod provider;
mod request;
mod search;
mod solution;
mod solve;
mod table;

pub use catalog::{Candidate, CandidateId, CandidateMetadata, CandidateOrigin, Catalog, Rejection};
pub use explanation::{Conflict, ConflictCause, Explanation, NoMatch, Note, Parent, Unusable};
pub use outcome::{Fact, Pin, RequestedBy, Resolution, SolveOutcome, Warning};
pub use request::{Prereleases, ResolveRequest, UpgradeStrategy, UserRequirement};
pub use solve::solve;
