//! Which version of each project: a pure function of what is known.
//!
//! [`solve`] takes a [`Catalog`] (everything known so far) and a [`Request`] (what is wanted) and says
//! [`Outcome::Solved`], [`Outcome::Missing`] (facts to fetch, all at once; then solve again from scratch) or
//! [`Outcome::Impossible`]. It never waits, reads or fetches anything. A bug report is a serialised catalog and request.
//!
//! What may be chosen is pip's behaviour: which candidates count (PEP 592 for yanked ones, pip's rule for pre-releases),
//! what is preferred (installed before newest, unless upgrading), how constraints, direct references and extras work.
//! No other crate names the solver.
//!
//! ```
//! use resolve::{Candidate, Catalog, Origin, Outcome, Request, Wanted, solve};
//! # use packaging::MarkerEnvironment;
//! # fn example(environment: &MarkerEnvironment) -> Result<(), Box<dyn std::error::Error>> {
//! let mut catalog = Catalog::new();
//! let mut request = Request::new(environment);
//! request.requirements.push(Wanted::new("flask>=3".parse()?, "the command line"));
//! // Nothing is known yet, so the page of flask is missing.
//! let Outcome::Missing(facts) = solve(&catalog, &request) else { unreachable!() };
//! assert_eq!(facts[0].to_string(), "the candidates of flask");
//! // The program fetches it and solves again.
//! let candidate = Candidate { version: "3.0".parse()?, origin: Origin::Index, yanked: false, rejected: None };
//! catalog.insert_project("flask".parse()?, vec![candidate]);
//! # Ok(()) }
//! ```

mod catalog;
mod conflict;
mod explanation;
mod indexes;
mod order;
mod outcome;
mod provider;
mod request;
mod search;
mod solution;
mod solve;
mod table;

pub use catalog::{Candidate, CandidateId, Catalog, Metadata, Origin, Rejection};
pub use explanation::{Cause, Conflict, Explanation, NoMatch, Note, Parent, Unusable};
pub use outcome::{Fact, Outcome, Pin, RequestedBy, Resolution, Warning};
pub use request::{Prereleases, Request, Upgrade, Wanted};
pub use solve::solve;
