//! Settings of signed indexes: how strictly signatures are required, and the options of `trust` and `why-trust`.

use std::path::PathBuf;

use installer::options::TrustOptions;
use url::Url;

use super::Command;
use super::configuration::{REQUIRE_SIGNED, require_named_anchors, trust_anchors};
use super::resolve_settings::CommandInput;
use crate::cli::trust as typed;
use crate::cli::{GeneralArgs, VerificationArgs};
use installer::error::{Code, Failure};
use installer::options::{IndexOptions, SelectionOptions};
use installer::options::{index_url, parse_index_url};
use installer::process_environment::ProcessEnvironment;

/// `trust`
#[derive(Clone, Debug)]
pub enum TrustCommand {
    /// `trust add`
    Add(Box<AddTrust>),
    /// `trust list`
    List {
        /// Print JSON.
        json: bool,
    },
    /// `trust show`
    Show {
        /// Which indexes; all when empty.
        indexes: Vec<Url>,
    },
    /// `trust remove`
    Remove {
        /// Which index.
        index: Url,
        /// Do not ask.
        yes: bool,
    },
    /// `trust log`
    Log {
        /// Which index.
        index: Url,
    },
}

/// `trust add`
#[derive(Clone, Debug)]
pub struct AddTrust {
    /// The index.
    pub index: Url,
    /// Where its root comes from.
    pub root: RootSource,
    /// Where its metadata is, with a slash at the end; the default place when `None`.
    pub metadata_url: Option<Url>,
    /// The name of a known layout, or the path of a JSON file.
    pub layout: Option<String>,
    /// Further places with the same metadata and pages, each with a slash at the end.
    pub mirrors: Vec<Url>,
    /// URL prefixes of files, and their replacements.
    pub rewrites: Vec<(String, String)>,
    /// Do not ask.
    pub yes: bool,
}

/// Where a root comes from, and so what it proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootSource {
    /// A local file, which the user trusts.
    File {
        /// The file.
        path: PathBuf,
        /// The hash it must have, as 64 lower-case digits.
        sha256: Option<String>,
    },
    /// Any server; the hash, which the user trusts, authenticates the file.
    Url {
        /// The address.
        url: Url,
        /// The hash it must have, as 64 lower-case digits.
        sha256: String,
    },
    /// The index itself, as it is now.
    FirstUse,
}

/// `why-trust`
#[derive(Clone, Debug)]
pub struct WhyTrustOptions {
    /// Names from the command line; at least one.
    pub names: Vec<String>,
    /// Where to look.
    pub indexes: IndexOptions,
    /// What may be chosen.
    pub selection: SelectionOptions,
}

/// Where trusted roots are kept; all else stays at its default.
pub(super) fn trust_locations(process_environment: &ProcessEnvironment) -> TrustOptions {
    let data = directories::BaseDirs::new().map(|directories| directories.data_dir().join("tufpip"));
    TrustOptions {
        store: data.map(|data| data.join("tuf-repositories")),
        anchors: trust_anchors(process_environment),
        ..TrustOptions::default()
    }
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

/// Separates the general options of a command below `trust` from the command itself.
pub(super) fn command(
    typed: typed::TrustCommand,
    process_environment: &ProcessEnvironment,
) -> Result<(GeneralArgs, Command), Failure> {
    let index = |text: &String| index_url(text, process_environment);
    let (general, command) = match typed {
        typed::TrustCommand::Add(add) => {
            let (general, add) = self::add(*add, process_environment)?;
            (general, TrustCommand::Add(Box::new(add)))
        }
        typed::TrustCommand::List(list) => (list.general, TrustCommand::List { json: list.json }),
        typed::TrustCommand::Show(show) => {
            let indexes = show.indexes.iter().map(index).collect::<Result<_, _>>()?;
            (show.general, TrustCommand::Show { indexes })
        }
        typed::TrustCommand::Remove(remove) => {
            (remove.general, TrustCommand::Remove { index: index(&remove.index)?, yes: remove.yes })
        }
        typed::TrustCommand::Log(log) => (log.general, TrustCommand::Log { index: index(&log.index)? }),
    };
    Ok((general, Command::Trust(command)))
}

fn add(typed: typed::AddTrust, process_environment: &ProcessEnvironment) -> Result<(GeneralArgs, AddTrust), Failure> {
    let directory = |option: &str, text: &str| {
        let url = parse_index_url(text, process_environment).map(with_slash);
        url.ok_or_else(|| wrong_url(option, text))
    };
    let metadata_url = typed.metadata_url.as_deref().map(|url| directory("--metadata-url", url)).transpose()?;
    let mirrors = typed.mirror.iter().map(|url| directory("--mirror", url)).collect::<Result<_, _>>()?;
    let rewrites = typed.rewrite.iter().map(|rule| rewrite(rule)).collect::<Result<_, _>>()?;
    let add = AddTrust {
        index: index_url(&typed.index, process_environment)?,
        root: root(&typed, process_environment)?,
        metadata_url,
        layout: typed.layout.filter(|layout| !layout.is_empty()),
        mirrors,
        rewrites,
        yes: typed.yes,
    };
    Ok((typed.general, add))
}

fn root(typed: &typed::AddTrust, process_environment: &ProcessEnvironment) -> Result<RootSource, Failure> {
    let sha256 = typed.root_sha256.as_deref().map(sha256).transpose()?;
    let Some(root) = typed.root.as_deref().filter(|root| !root.is_empty()) else {
        return match (typed.tofu, sha256) {
            (true, None) => Ok(RootSource::FirstUse),
            (true, Some(_)) => Err(Failure::usage("--tofu and --root-sha256 cannot be combined")
                .hint("with a hash there is no need to trust what the index shows: use --root URL --root-sha256 HEX")),
            (false, _) => Err(Failure::usage("`trust add` needs a root: --root FILE, or --root URL --root-sha256 HEX")
                .hint("the operator of the index publishes it; --tofu trusts whatever the index shows today")),
        };
    };
    if typed.tofu {
        return Err(Failure::usage("--tofu and --root cannot be combined")
            .hint("--tofu trusts whatever the index shows today; with --root there is no need to"));
    }
    match Url::parse(root).ok().filter(|url| matches!(url.scheme(), "http" | "https" | "file")) {
        Some(url) if url.scheme() == "file" => {
            let path = url.to_file_path().map_err(|()| wrong_url("--root", root))?;
            Ok(RootSource::File { path, sha256 })
        }
        Some(url) => {
            let sha256 = sha256.ok_or_else(|| {
                Failure::usage("--root with a URL needs --root-sha256")
                    .detail("because", "a root that comes over the network proves nothing by itself")
                    .hint("get the hash from the operator of the index by another way than this URL")
            })?;
            Ok(RootSource::Url { url, sha256 })
        }
        None => Ok(RootSource::File { path: process_environment.expand(root), sha256 }),
    }
}

fn sha256(text: &str) -> Result<String, Failure> {
    let digits = text.trim().to_ascii_lowercase();
    if digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    Err(Failure::usage(format!("option --root-sha256: expected 64 hexadecimal digits, found '{text}'")))
}

fn rewrite(rule: &str) -> Result<(String, String), Failure> {
    let is_url = |text: &str| Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "file"));
    match rule.split_once('=') {
        Some((from, to)) if is_url(from) && is_url(to) => Ok((from.to_owned(), to.to_owned())),
        _ => Err(Failure::usage(format!("option --rewrite: expected URL=URL, found '{}'", printable::redacted(rule)))),
    }
}

fn wrong_url(option: &str, text: &str) -> Failure {
    let text = printable::redacted(text);
    Failure::usage(format!("option {option}: expected an http or https URL or a local directory, found '{text}'"))
}

/// Adds the slash that relative URLs need.
fn with_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}
