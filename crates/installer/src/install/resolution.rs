//! From requirements to a plan: what all commands that resolve have in common.

use std::collections::HashMap;
use std::sync::Arc;

use url::Url;

use super::plan::{InstalledPolicy, Plan};
use super::resolver_input::{ResolverInput, warn_of_unknown_extras};
use crate::context::Context;
use crate::error::{Code, Failure};
use crate::event::WarningCode;
use crate::index::{CandidateEvaluator, Finder, MetadataReader, PackageSources, PageFetcher};
use crate::net::{HttpClient, RemoteFailure, ResponseLimits};
use crate::options::{IndexOptions, RequirementOptions, SelectionOptions};
use crate::process_environment::ProcessEnvironment;
use crate::python::environment::Environment;
use crate::requirements::{self, Reading, RequirementSet};
use crate::trust::CommandTrust;
use resolve::UpgradeStrategy;

/// How a resolution treats what is installed, and dependencies.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether what is installed may stay although there is something newer.
    pub upgrade: UpgradeStrategy,
    /// What becomes of what is installed.
    pub existing: InstalledPolicy,
    /// Take no dependencies.
    pub no_deps: bool,
    /// Take nothing but dependencies.
    pub only_deps: bool,
}

impl Rules {
    /// As in an empty environment.
    pub fn ignoring_installed(requirements: &RequirementOptions) -> Self {
        Self {
            upgrade: UpgradeStrategy::ToSatisfyOnly,
            existing: InstalledPolicy::Ignore,
            no_deps: requirements.no_deps,
            only_deps: requirements.only_deps,
        }
    }
}

/// A resolution and what led to it.
pub struct Resolved {
    /// What it means for the environment.
    pub plan: Plan,
    /// The resolver input it was made from.
    pub input: ResolverInput,
    /// The finder with everything it has fetched.
    pub finder: Finder,
}

/// Servers could go on for ever with files that include further ones.
const NESTED_FILES: usize = 50;

/// Reads the requirements, files included; those on servers are fetched in parallel. Warnings are reported, credentials
/// and hosts that the files name are known to the network from then on.
///
/// # Errors
/// See [`requirements::read`]; and when a file cannot be fetched, or they include each other without an end.
pub async fn read_requirements(
    requirements: &RequirementOptions,
    indexes: &IndexOptions,
    selection: &SelectionOptions,
    context: &Context,
) -> Result<RequirementSet, Failure> {
    let client = &context.client;
    client.add_credentials_of(&indexes.indexes);
    let process_environment = ProcessEnvironment::current();
    let mut remote_files: HashMap<Url, Vec<u8>> = HashMap::new();
    let mut levels = 0;
    let read = loop {
        match requirements::read(requirements, indexes, selection, &process_environment, &remote_files)? {
            Reading::Complete(read) => break *read,
            Reading::Missing(_) if levels == NESTED_FILES => {
                let message =
                    format!("Requirements files on servers include each other in more than {NESTED_FILES} levels");
                return Err(Failure::new(Code::RequirementsInvalid, message));
            }
            Reading::Missing(missing) => {
                levels += 1;
                client.trust_hosts(&missing.trusted_hosts);
                for (url, named_by) in &missing.files {
                    refuse_insecure(url, named_by, client)?;
                }
                client.add_origins_of(missing.files.iter().map(|(url, _)| url.clone()));
                let urls = missing.files.into_iter().map(|(url, _)| url);
                let headers = reqwest::header::HeaderMap::new();
                let fetch = |url: Url| {
                    let headers = &headers;
                    async move {
                        let fetched = client.get(&url, headers, ResponseLimits::METADATA).await?;
                        Ok::<_, RemoteFailure>((url, fetched.body))
                    }
                };
                remote_files.extend(futures_util::future::try_join_all(urls.map(fetch)).await?);
            }
        }
    };
    for warning in &read.warnings {
        context.reporter.warning(WarningCode::Requirements, warning);
    }
    client.add_credentials_of(&read.indexes.indexes);
    let links: Vec<Url> = read.indexes.find_links.iter().filter_map(|link| link.parse().ok()).collect();
    client.add_origins_of(links.iter().cloned().chain(read.user_urls()));
    let links: Vec<Url> =
        links.into_iter().filter(|link: &Url| !link.username().is_empty() || link.password().is_some()).collect();
    client.add_credentials_of(&links);
    client.trust_hosts(&read.trusted_hosts);
    // Verification of signed indexes begins now: a server's answers take as long as an interpreter's first one. What is
    // wrong with them is reported where they are needed.
    for url in &read.indexes.indexes {
        let _ = context.trust.index(url);
    }
    Ok(read)
}

/// Anybody between a server and this machine can change what comes over plain http.
fn refuse_insecure(url: &Url, named_by: &str, client: &HttpClient) -> Result<(), Failure> {
    if client.is_secure_origin(url) {
        return Ok(());
    }
    let host = url.host_str().unwrap_or_default();
    let message = format!("{} comes over plain http, so that others can change it", printable::redacted_url(url));
    Err(Failure::new(Code::RequirementsInsecure, message).detail("where", named_by).hint(format!(
        "use https, or accept that anybody on the way can choose what is installed: --trusted-host {host}"
    )))
}

/// Finds a distribution for every project that is needed, and refuses what the user's policies do not allow.
///
/// # Errors
/// When it cannot be found, or a policy forbids it.
pub async fn resolve(
    requirements: RequirementSet,
    environment: &Environment,
    rules: Rules,
    context: &Context,
) -> Result<Resolved, Failure> {
    let input = ResolverInput::new(requirements, &environment.interpreter.markers, &*context.reporter)?;
    let resolved = choose(input, environment, rules, context).await?;
    resolved.refuse_forbidden(&context.trust)?;
    Ok(resolved)
}

/// As [`resolve()`], without the policies: for commands that only show what would be chosen.
///
/// # Errors
/// When something cannot be found.
pub async fn choose(
    input: ResolverInput,
    environment: &Environment,
    rules: Rules,
    context: &Context,
) -> Result<Resolved, Failure> {
    let mut finder = finder(&input, environment, context)?;
    if rules.existing == InstalledPolicy::Keep {
        finder.insert_all_installed(environment);
    }
    let ignore_installed = rules.existing != InstalledPolicy::Keep;
    let request = input.resolve_request(environment, rules.upgrade, ignore_installed, rules.no_deps);
    let resolution = finder.resolve(&request).await?;
    warn_of_unknown_extras(&resolution, &*context.reporter);
    let mut plan = Plan::new(&resolution, &finder, environment, rules.existing, &*context.reporter)?;
    if rules.only_deps {
        plan.remove_named(&input.names());
    }
    Ok(Resolved { plan, input, finder })
}

impl Resolved {
    /// Refuses what hash-checking mode and `--require-signed` forbid.
    ///
    /// # Errors
    /// A policy failure.
    pub fn refuse_forbidden(&self, trust: &CommandTrust) -> Result<(), Failure> {
        self.input.refuse_unhashed(&self.plan)?;
        self.plan.additions.iter().filter(|addition| !addition.chosen_file.is_hashed_in_url).try_for_each(|addition| {
            let request = &addition.chosen_file.request;
            if request.is_vouched_for() {
                return Ok(());
            }
            trust.refuse_unsigned_file(&addition.candidate.name, &request.filename, &request.url)
        })
    }
}

/// A finder over the indexes and find-links locations of the resolver input.
///
/// # Errors
/// When the interpreter's version is invalid, or an index is signed and its trusted root cannot be used.
pub fn finder(input: &ResolverInput, environment: &Environment, context: &Context) -> Result<Finder, Failure> {
    let reporter = &context.reporter;
    let sources =
        PackageSources::new(&input.indexes, page_fetcher(context), Arc::clone(&context.trust), Arc::clone(reporter))?;
    let evaluator = CandidateEvaluator::new(&environment.interpreter, input.selection.clone(), input.hashes.clone())?;
    let (client, downloader) = (Arc::clone(&context.client), Arc::clone(&context.downloader));
    let (metadata, key) = (context.cache.path().join("metadata"), context.cache.key().clone());
    let reader = MetadataReader::new(client, Arc::clone(&downloader), context.wheels.clone(), metadata, key);
    let trust = Arc::clone(&context.trust);
    Ok(Finder::new(sources, evaluator, reader, downloader, trust, input.user_urls.clone(), Arc::clone(reporter)))
}

/// The pages of indexes that nothing verifies.
pub fn page_fetcher(context: &Context) -> PageFetcher {
    let (client, trust) = (Arc::clone(&context.client), Arc::clone(&context.trust));
    let (pages, key) = (context.cache.path().join("pages"), context.cache.key().clone());
    PageFetcher::new(client, trust, Arc::clone(&context.reporter), pages, key)
}

/// A task of this process panicked, which is a bug in this program.
pub(super) fn internal(error: tokio::task::JoinError) -> Failure {
    Failure::new(Code::Internal, error.to_string()).caused_by(error)
}
