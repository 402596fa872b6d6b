//! Turns the resolver's explanations into the messages that pip's users know, followed by advice.

use resolve::{Explanation, Rejection};

use crate::error::{Code, Failure};
use crate::index::PackageSources;

/// Versions shown of a list at most.
const MOST_VERSIONS: usize = 24;

/// The failure for a request that nothing can satisfy.
///
/// Long lists of versions are shortened unless `verbose`.
pub fn resolution_failure(explanation: &Explanation, sources: &PackageSources, verbose: bool) -> Failure {
    let failure = match explanation {
        Explanation::NoMatch(problem) => {
            let most = if verbose { usize::MAX } else { MOST_VERSIONS };
            let mut lines = problem.lines(most);
            lines.push(format!("No matching distribution found for {}", problem.requirement_text()));
            let mut failure = Failure::new(Code::ResolveNoMatch, lines.join("\nERROR: "));
            let reasons = problem.other_reasons(most, rejection);
            if !reasons.is_empty() {
                failure = failure.detail("left out", reasons.join("\n"));
            }
            let nothing_known = problem.versions.is_empty() && problem.rejected.is_empty() && problem.yanked.is_empty();
            let nothing_known = nothing_known && problem.unusable.is_empty();
            let notes = sources.notes(&problem.requirement.name);
            if nothing_known {
                let shown = sources.display_url().into_iter();
                let asked: Vec<String> = shown.filter(|index| !notes.not_asked.contains(index)).collect();
                failure = match (sources.is_empty(), asked.is_empty()) {
                    (true, _) => failure.detail("asked", "nothing: there is no index and no --find-links"),
                    (false, true) => failure,
                    (false, false) => failure.detail("asked", asked.join(" ")),
                };
            }
            failure = notes.sentences.into_iter().fold(failure, Failure::hint);
            if nothing_known {
                failure = failure.hint("check the spelling of the name, and that the index has this project");
            }
            failure
        }
        Explanation::Conflict(_) => {
            let message =
                format!("{explanation}\n\nERROR: ResolutionImpossible: no set of versions satisfies all of these");
            Failure::new(Code::ResolveConflict, message)
                .hint("loosen the range of package versions you've specified, or remove package versions to let tufpip choose")
        }
        Explanation::Unusable(problem) => match &problem.reason {
            reason @ Rejection::NotSupported { .. } => Failure::new(Code::WheelNotSupported, rejection(reason))
                .hint("choose a wheel for this interpreter and platform, or another interpreter with --python"),
            reason => {
                let message = format!("Package '{}' {}", problem.requirement.name, rejection(reason));
                Failure::new(Code::ResolveUnusable, message)
            }
        },
    };
    explanation.notes().iter().fold(failure, |failure, note| failure.hint(note.sentence(rejection)))
}

/// Why a candidate cannot be used, with what this program cannot do yet.
pub fn rejection(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Source => format!("{rejection}, which tufpip does not build yet"),
        other => other.to_string(),
    }
}
