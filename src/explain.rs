//! Turns the resolver's explanations into the words that pip's users know, with what can be done below them.

use resolve::Explanation;

use crate::failure::{Failure, Kind};
use crate::index::Sources;

/// Versions shown of a list at most.
const MOST_VERSIONS: usize = 24;

/// The failure for a request that nothing can satisfy.
///
/// Long lists of versions are shortened unless `verbose`.
pub fn impossible(explanation: &Explanation, sources: &Sources, verbose: bool) -> Failure {
    let failure = match explanation {
        Explanation::NoMatch(problem) => {
            let most = if verbose { usize::MAX } else { MOST_VERSIONS };
            let mut lines = problem.lines(most);
            lines.push(format!("No matching distribution found for {}", problem.wanted()));
            let mut failure = Failure::new(Kind::Error, "resolve.no-match", lines.join("\nERROR: "));
            let reasons = problem.other_reasons(most);
            if !reasons.is_empty() {
                failure = failure.detail("left out", reasons.join("\n"));
            }
            let nothing_known = problem.versions.is_empty() && problem.rejected.is_empty() && problem.yanked.is_empty();
            if nothing_known && problem.unusable.is_empty() {
                let asked = if sources.is_empty() {
                    "nothing: there is no index and no --find-links".to_owned()
                } else {
                    sources.shown().join(" ")
                };
                let failure = failure.detail("asked", asked);
                match sources.absence(&problem.requirement.name) {
                    Some(absence) => failure.hint(absence),
                    None => failure,
                }
                .hint("check the spelling of the name, and that the index has this project")
            } else {
                failure
            }
        }
        Explanation::Conflict(_) => {
            let message =
                format!("{explanation}\n\nERROR: ResolutionImpossible: no set of versions satisfies all of these");
            Failure::new(Kind::Error, "resolve.conflict", message)
                .hint("loosen the range of package versions you've specified, or remove package versions to let tufpip choose")
        }
        Explanation::Unusable(problem) if problem.reason.ends_with("on this platform.") => {
            Failure::new(Kind::Error, "wheel.not-supported", problem.reason.clone())
                .hint("choose a wheel for this interpreter and platform, or another interpreter with --python")
        }
        Explanation::Unusable(problem) => {
            let message = format!("Package '{}' {}", problem.requirement.name, problem.reason);
            Failure::new(Kind::Error, "resolve.unusable", message)
        }
    };
    explanation.notes().iter().fold(failure, |failure, note| failure.hint(note.clone()))
}
