//! Settings of signed indexes: where trusted roots are, and how strictly signatures are insisted on.

use std::path::PathBuf;

use super::configuration::{REQUIRE_SIGNED, require_named_anchors, trust_anchors};
use super::resolve_settings::CommandInput;
use crate::arguments::VerificationArgs;
use installer::error::{Code, Failure};
use installer::options::TrustOptions;
use installer::process_environment::ProcessEnvironment;

/// Where trusted roots are kept; nothing else is said.
pub(super) fn trust_locations(process_environment: &ProcessEnvironment) -> TrustOptions {
    TrustOptions {
        store: data_directory().map(|data| data.join("tuf-repositories")),
        anchors: trust_anchors(process_environment),
        ..TrustOptions::default()
    }
}

/// Where the program keeps what must not get lost.
pub(super) fn data_directory() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|directories| directories.data_dir().join("tufpip"))
}

/// Which signatures are required. What the configuration requires cannot be taken back by an option.
pub(super) fn trust_options(
    security: VerificationArgs,
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
) -> Result<TrustOptions, Failure> {
    if security.require_signed {
        let origin = input.configured.iter().find(|configured| configured.token.name == format!("--{REQUIRE_SIGNED}"));
        refuse_weakening(&security, origin.map(|configured| configured.origin.as_str()))?;
    }
    require_named_anchors(process_environment)?;
    Ok(TrustOptions {
        require_signed: security.require_signed,
        allow_unsigned: security.allow_unsigned,
        allow_expired: security.allow_expired.unwrap_or_default(),
        disabled: security.disable_repository_security,
        ..trust_locations(process_environment)
    })
}

fn refuse_weakening(security: &VerificationArgs, origin: Option<&str>) -> Result<(), Failure> {
    let refused = |option: &str, origin: &str| {
        let message = format!("{option} is refused, because signatures are required ({REQUIRE_SIGNED})");
        Failure::new(Code::PolicyRequireSigned, message)
            .detail("set by", origin)
            .hint(format!("leave {option} out, or ask whoever set {REQUIRE_SIGNED}"))
    };
    match (security.disable_repository_security, origin) {
        (true, Some(origin)) => Err(refused("--disable-repository-security", origin)),
        (true, None) => Err(Failure::usage("--require-signed and --disable-repository-security contradict each other")
            .hint("leave one of them out")),
        (false, origin) if security.allow_expired.is_some() => {
            Err(refused("--allow-expired", origin.unwrap_or("the command line")))
        }
        (false, _) => Ok(()),
    }
}
