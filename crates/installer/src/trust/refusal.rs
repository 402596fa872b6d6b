//! The messages and codes of everything that is refused because of signed metadata.
//!
//! A refusal reports what was refused, from where, what was expected and received, what that means and what to do. The
//! code is stable. No message advises to switch verification off.

use tuf::{Action, Check};
use url::Url;

use super::anchor::TrustAnchor;
use super::metadata_fetcher::UNAUTHORIZED;
use super::signed_file::SignedFile;
use crate::error::{Code, Failure};
use crate::text::duration;

/// Tells the user explicitly that the refused file was not used.
pub const NOTHING_USED: &str = "it was not used, nothing was installed, and what was trusted before is still trusted";

/// A failure of the metadata of a repository, which came `from` there or from a mirror.
pub fn of_metadata(anchor: &TrustAnchor, from: &Url, error: &tuf::Error, now: tuf::UnixTime) -> Failure {
    let role = printable::line(error.role().as_str());
    let index = printable::redacted_url(anchor.identity.url());
    let code = code_of(error);
    let message = match error.action() {
        Action::ReplaceTrustedRoot => format!("The trusted root of {index} cannot be used"),
        Action::CheckDate => format!("The signed metadata of {index} has expired ({role})"),
        Action::TryAgain if is_unauthorized(error) => {
            format!("{index} shows its signed metadata only to those who log in ({role})")
        }
        Action::TryAgain if error.check() == Check::Reachable => {
            format!("Could not fetch the signed metadata of {index} ({role})")
        }
        Action::TryAgain if error.check() == Check::RootRotations => {
            format!("{index} has replaced its keys more often than one command follows ({role})")
        }
        Action::TryAgain => format!("The signed metadata of {index} is incomplete: {role} is withheld or missing"),
        Action::GoOnline => format!("{index} cannot be used offline: stored metadata does not suffice ({role})"),
        Action::Upgrade => format!("The signed metadata of {index} needs a newer program ({role})"),
        Action::DoNotTrust => format!("Refused the signed metadata of {index} ({role})"),
    };
    let version = error.version().map(|version| format!(" version {version}")).unwrap_or_default();
    let mut failure = Failure::new(code, message)
        .detail("refused", format!("{role}{version}"))
        .detail("from", printable::redacted_url(from))
        .detail("expected", with_readable_time(error.expected()))
        .detail("received", error.found())
        .detail("check", format!("TUF {}", error.step()));
    if error.action() == Action::CheckDate {
        failure = failure.detail("clock", format!("this machine's clock says {now}"));
    }
    failure.detail("meaning", meaning_text(error)).hint(advice(error))
}

/// Adds the HTTP status with which the server reported a file as missing. By the rules of TUF repositories 403 means no
/// more than that, but it may mean more.
pub fn with_status(mut failure: Failure, status: u16) -> Failure {
    for (_, received) in failure.details.iter_mut().filter(|(label, _)| *label == "received") {
        *received = format!("no such file: the server answered {status}");
    }
    if status == 403 {
        failure.hint("if the index wants a password, put user name and password into the URL, or into ~/.netrc")
    } else {
        failure
    }
}

/// Whether the server demands credentials.
fn is_unauthorized(error: &tuf::Error) -> bool {
    error.check() == Check::Reachable && error.found() == UNAUTHORIZED
}

/// The verifier states `--allow-expired` in seconds; users read it in days.
fn with_readable_time(expected: &str) -> String {
    let readable = || {
        let (before, rest) = expected.split_once("less than ")?;
        let (seconds, after) = rest.split_once(" seconds ")?;
        Some(format!("{before}less than {} {after}", duration(seconds.parse().ok()?)))
    };
    readable().unwrap_or_else(|| expected.to_owned())
}

fn code_of(error: &tuf::Error) -> Code {
    match error.check() {
        Check::TrustedRoot => Code::TrustRoot,
        Check::Expiry => Code::TrustExpired,
        Check::Present => Code::TrustWithheld,
        Check::RootRotations => Code::TrustTooManyRoots,
        Check::Reachable if is_unauthorized(error) => Code::TrustUnauthorized,
        Check::Reachable => Code::TrustUnreachable,
        Check::Stored => Code::TrustOffline,
        Check::Supported | Check::SupportedKeys => Code::TrustUnsupported,
        Check::Signatures => Code::TrustSignatures,
        Check::TimestampRollback | Check::SnapshotRollback | Check::RoleRollback | Check::RoleRemoved => {
            Code::TrustRollback
        }
        Check::Version | Check::RootVersion => Code::TrustVersion,
        Check::LengthAndHashes => Code::TrustHashMismatch,
        Check::Size => Code::TrustTooLarge,
        Check::InSnapshot => Code::TrustNotInSnapshot,
        // All other checks, present and future: format, type.
        _ => Code::TrustMalformed,
    }
}

fn meaning_text(error: &tuf::Error) -> String {
    let words = match error.check() {
        Check::TrustedRoot => "the index was not used: without a usable root nothing of it can be verified",
        Check::Expiry => {
            "its operator stopped signing, somebody withholds newer metadata, or this machine's clock is wrong; the index was not used"
        }
        Check::Present => {
            "the server says that a signed file does not exist: somebody removes or withholds it; the index was not used"
        }
        Check::Reachable => "the index was not used: it is signed, and nothing of it is believed without its metadata",
        Check::RootRotations => {
            "far more keys were replaced than an operator ever does; what was verified so far is kept, and the index was not used"
        }
        Check::Stored => "offline, only metadata that is stored and has not expired can be used",
        Check::Supported | Check::SupportedKeys => {
            "it uses something this program does not know, so it cannot be verified"
        }
        Check::Signatures => "it is not signed by the keys that may sign it: a forgery, or a mistake of its operator",
        Check::TimestampRollback | Check::SnapshotRollback | Check::RoleRollback | Check::RoleRemoved => {
            "somebody shows an older state of the index than this machine has seen before"
        }
        _ => "a broken or hostile server or network, or a mistake of its operator",
    };
    match error.action() {
        Action::DoNotTrust => format!("{words}; {NOTHING_USED}"),
        _ => words.to_owned(),
    }
}

fn advice(error: &tuf::Error) -> &'static str {
    match error.action() {
        Action::ReplaceTrustedRoot => {
            "get the root from the operator of the index; run tufpip trust remove URL, then tufpip trust add URL --root FILE"
        }
        Action::CheckDate => {
            "check the clock; if it is right, ask the operator of the index, or try from another network"
        }
        Action::TryAgain if is_unauthorized(error) => {
            "put a user name and password into the URL, or into ~/.netrc for this host; nothing was used unverified instead"
        }
        Action::TryAgain if error.check() == Check::Reachable => {
            "check the network and try again; nothing is used unverified instead"
        }
        Action::TryAgain if error.check() == Check::RootRotations => {
            "run the command again, which goes on where this one stopped; or ask the operator of the index"
        }
        Action::TryAgain => "try again later or from another network; if it stays so, tell the operator of the index",
        Action::GoOnline => "run it once without --offline",
        Action::Upgrade => "use a newer version of tufpip",
        Action::DoNotTrust => "try from another network; if it stays so, tell the operator of the index",
    }
}

/// A distribution that is not what was signed.
pub fn refused_file(filename: &str, url: &Url, mismatch: &tuf::Mismatch, signed: &SignedFile) -> Failure {
    of_file(filename, Code::VerifyTarget, url, mismatch, &signed.signer())
}

/// A signed distribution that the server reports as missing or refuses to send.
pub fn withheld_file(filename: &str, url: &Url, status: u16, signed: &SignedFile) -> Failure {
    let message = format!("{} is signed, and the server does not give it", printable::line(filename));
    let failure = Failure::new(Code::TrustWithheld, message)
        .detail("from", printable::redacted_url(url))
        .detail("received", format!("status {status}"))
        .detail("signed by", printable::line(&signed.signer()))
        .detail(
            "meaning",
            "somebody removes or withholds it, or the index was published in part; nothing was installed",
        );
    match status {
        403 => failure.hint("if the server wants a user name and password, put them into the URL or into ~/.netrc"),
        _ => failure,
    }
    .hint("try again in a moment or from another network; if it stays so, tell the operator of the index")
}

/// A file that is not what was signed.
pub fn of_file(what: &str, code: Code, url: &Url, mismatch: &tuf::Mismatch, signer: &str) -> Failure {
    let (expected, received) = match mismatch {
        tuf::Mismatch::TooLong { limit } => (format!("{limit} bytes"), "more".to_owned()),
        tuf::Mismatch::TooShort { expected, found } => (format!("{expected} bytes"), format!("{found} bytes")),
        tuf::Mismatch::Hash { algorithm, expected, found } => {
            (format!("{algorithm} {}", printable::line(expected)), format!("{algorithm} {found}"))
        }
        tuf::Mismatch::NoKnownHash { listed } => ("a hash that can be verified".to_owned(), printable::line(listed)),
    };
    Failure::new(code, format!("Refused {}: it is not what was signed", printable::line(what)))
        .detail("from", printable::redacted_url(url))
        .detail("expected", expected)
        .detail("received", received)
        .detail("signed by", printable::line(signer))
        .detail(
            "meaning",
            format!("the server or the network gives another file than the index signed; {NOTHING_USED}"),
        )
        .hint("try from another network; if it stays so, tell the operator of the index")
}
