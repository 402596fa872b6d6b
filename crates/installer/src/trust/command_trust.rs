//! The signed indexes of a command, and its policy about unsigned ones.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use packaging::PackageName;
use tuf::Mode;
use url::Url;

use super::anchor::{self, TrustAnchor};
use super::command_snapshot::EpochOptions;
use super::index::TrustedIndex;
use super::index_identity::IndexIdentity;
use super::project_map::{Mapping, ProjectMap};
use crate::error::{Code, Failure, Source};
use crate::event::{Reporter, WarningCode};
use crate::net::HttpClient;
use crate::options::{CommonOptions, TrustOptions};

/// The trust of one command: each signed index once, so that all parts of the command see one snapshot of it.
pub struct CommandTrust {
    settings: TrustOptions,
    mode: Mode,
    client: Arc<HttpClient>,
    reporter: Arc<dyn Reporter>,
    cache: PathBuf,
    indexes: Mutex<BTreeMap<IndexIdentity, Option<Arc<TrustedIndex>>>>,
    /// Whether there is a trust anchor for what was asked about.
    is_signed: Mutex<BTreeMap<IndexIdentity, bool>>,
    map: Option<ProjectMap>,
}

impl CommandTrust {
    /// Reads the map of projects, and warns if verification is switched off. Anchors are read when an index is opened.
    ///
    /// # Errors
    /// When the map is invalid.
    pub fn new(
        options: &CommonOptions,
        client: Arc<HttpClient>,
        reporter: Arc<dyn Reporter>,
        cache: PathBuf,
    ) -> Result<Self, Failure> {
        let mode = if options.network.offline { Mode::Offline } else { Mode::Online };
        let settings = options.trust.clone();
        if settings.disabled {
            reporter.warning(
                WarningCode::SecurityDisabled,
                "Repository security is switched off for this command (--disable-repository-security): signed indexes are \
                 used without verification. Whoever controls the network or a mirror can make you install anything.",
            );
        }
        let map = if settings.disabled { None } else { read_map(&settings)? };
        Ok(Self {
            settings,
            mode,
            client,
            reporter,
            cache,
            indexes: Mutex::default(),
            is_signed: Mutex::default(),
            map,
        })
    }

    /// The signed index at `url`; `None` when there is no anchor for it, or verification is switched off.
    ///
    /// # Errors
    /// When the anchor exists and cannot be used.
    pub fn index(&self, url: &Url) -> Result<Option<Arc<TrustedIndex>>, Failure> {
        if self.settings.disabled {
            return Ok(None);
        }
        let identity = IndexIdentity::of(url);
        let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = indexes.get(&identity) {
            return Ok(known.clone());
        }
        let anchor = TrustAnchor::find(&self.settings, &identity)?;
        if anchor.as_ref().is_some_and(|anchor| anchor.is_users(&self.settings))
            && let Err(error) = TrustAnchor::remember(&self.settings, &identity)
        {
            let url = printable::redacted_url(identity.url());
            self.reporter
                .detail(1, || format!("that {url} is trusted is not remembered outside of its directory: {error}"));
        }
        let index = anchor.map(|anchor| self.open(anchor)).transpose()?;
        if index.is_none() {
            self.warn_of_trusted_neighbour(&identity);
        }
        indexes.insert(identity, index.clone());
        Ok(index)
    }

    /// Warns about a URL similar to that of a trusted index: it is probably a mistake and is used unverified.
    fn warn_of_trusted_neighbour(&self, identity: &IndexIdentity) {
        let anchors = TrustAnchor::all(&self.settings).into_iter().filter_map(|(_, anchor)| anchor.ok().flatten());
        if let Some(trusted) = anchors.map(|anchor| anchor.identity).find(|trusted| trusted.is_similar(identity)) {
            let (untrusted, trusted) =
                (printable::redacted_url(identity.url()), printable::redacted_url(trusted.url()));
            self.reporter.warning(
                WarningCode::NearlyTrusted,
                format!("{untrusted} is not trusted and not verified; {trusted} is (tufpip trust list)"),
            );
        }
    }

    /// Begins to use the metadata behind an anchor.
    ///
    /// # Errors
    /// When the anchor's root cannot be used.
    pub fn open(&self, anchor: TrustAnchor) -> Result<Arc<TrustedIndex>, Failure> {
        let settings = EpochOptions {
            client: Arc::clone(&self.client),
            reporter: Arc::clone(&self.reporter),
            store: self.settings.store.clone(),
            cache: self.cache.clone(),
            mode: self.mode,
            allow_expired: self.settings.allow_expired,
        };
        TrustedIndex::open(anchor, settings).map(Arc::new)
    }

    /// Which indexes may offer a project, if the user's map mentions it.
    pub fn mappings(&self, project: &PackageName) -> Vec<Mapping> {
        self.map.as_ref().map(|map| map.mappings_for(project)).unwrap_or_default()
    }

    /// Whether the user names this project as one that may be unsigned.
    pub fn is_unsigned_allowed(&self, project: &PackageName) -> bool {
        self.settings.allow_unsigned.contains(project)
    }

    /// Every project that the user names as one that may be unsigned.
    pub fn unsigned_allowed(&self) -> &[PackageName] {
        &self.settings.allow_unsigned
    }

    /// Whether unsigned files and indexes are refused.
    pub fn requires_signed(&self) -> bool {
        self.settings.require_signed
    }

    /// The part of a report about the command as a whole: that verification was switched off, or the snapshots it used.
    pub async fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut fields = serde_json::Map::new();
        if self.settings.disabled {
            fields.insert("repository_security".to_owned(), "disabled".into());
        }
        let indexes: Vec<Arc<TrustedIndex>> =
            self.indexes.lock().unwrap_or_else(PoisonError::into_inner).values().flatten().cloned().collect();
        let mut repositories = Vec::new();
        for index in indexes {
            repositories.extend(index.to_json().await);
        }
        if !repositories.is_empty() {
            fields.insert("repositories".to_owned(), repositories.into());
        }
        fields
    }

    /// Refuses an unsigned index if only signed ones may be used, and no project is allowed to be unsigned.
    ///
    /// # Errors
    /// A policy failure.
    pub fn refuse_unsigned_index(&self, url: &Url) -> Result<(), Failure> {
        if !self.settings.require_signed || !self.settings.allow_unsigned.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{} is not a signed index, and only signed ones may be used (--require-signed)",
            printable::redacted_url(url)
        );
        Err(Failure::new(Code::PolicyRequireSigned, message)
            .detail("meaning", "there is no trusted root for this index, so that nothing of it can be verified")
            .hint("get the root of the index from its operator and run: tufpip trust add URL --root FILE"))
    }

    /// The signed index that the content at a URL belongs to, by whatever spelling: the one at the URL, or the nearest above it.
    ///
    /// # Errors
    /// When the anchor of such an index cannot be used.
    fn signed_index_around(&self, url: &Url) -> Result<Option<IndexIdentity>, Failure> {
        if self.settings.disabled {
            return Ok(None);
        }
        for identity in IndexIdentity::around(url) {
            let known = self.is_signed.lock().unwrap_or_else(PoisonError::into_inner).get(&identity).copied();
            let is_signed = match known {
                Some(is_signed) => is_signed,
                None => TrustAnchor::find(&self.settings, &identity)?.is_some(),
            };
            self.is_signed.lock().unwrap_or_else(PoisonError::into_inner).insert(identity.clone(), is_signed);
            if is_signed {
                return Ok(Some(identity));
            }
        }
        Ok(None)
    }

    /// Refuses to use what is at `url` without verification if it belongs to a signed index. The one rule for misspelt indexes,
    /// pages of links, links of pages and files that are named by their URL.
    ///
    /// # Errors
    /// A policy failure, or when the anchor of such an index cannot be used.
    pub fn refuse_unverified(&self, url: &Url) -> Result<(), Failure> {
        match self.signed_index_around(url)? {
            Some(index) => Err(used_unverified(url, &index)),
            None => Ok(()),
        }
    }

    /// The same for where redirects led. Who asked for something of an index that may be used unverified may be sent on by it.
    ///
    /// # Errors
    /// As [`CommandTrust::refuse_unverified`].
    pub fn refuse_unverified_redirect(&self, asked: &Url, answered: &Url) -> Result<(), Failure> {
        if asked == answered {
            return Ok(());
        }
        match self.signed_index_around(answered)? {
            Some(index) if self.signed_index_around(asked)?.as_ref() != Some(&index) => {
                Err(used_unverified(answered, &index).detail("asked for", printable::redacted_url(asked)))
            }
            _ => Ok(()),
        }
    }

    /// Whether a project may be searched in unsigned sources.
    pub fn may_search_unsigned(&self, project: &PackageName) -> bool {
        !self.settings.require_signed || self.is_unsigned_allowed(project)
    }

    /// Refuses a file that neither a signed index nor a hash of the user vouches for, if that is required.
    ///
    /// # Errors
    /// A policy failure.
    pub fn refuse_unsigned_file(&self, project: &PackageName, filename: &str, url: &Url) -> Result<(), Failure> {
        if !self.settings.require_signed || self.is_unsigned_allowed(project) {
            return Ok(());
        }
        let message = format!("{filename} is not signed, and only signed files may be used (--require-signed)");
        Err(Failure::new(Code::PolicyRequireSigned, message)
            .detail("from", printable::redacted_url(url))
            .hint(format!(
                "take {project} from a signed index, give its hash (--hash=sha256:… in a requirements file, or #sha256=… behind \
                 its URL), or allow it with --allow-unsigned {project}"
            )))
    }
}

fn used_unverified(url: &Url, index: &IndexIdentity) -> Failure {
    let (url, index) = (printable::redacted_url(url), printable::redacted_url(index.url()));
    Failure::new(Code::PolicySignedAsLinks, format!("{url} belongs to a signed index and is not used unverified"))
        .detail("index", &index)
        .detail(
            "meaning",
            "only what is taken from this index by the name of a project is verified, and it can be and must be",
        )
        .hint(format!("give the index with --index-url or --extra-index-url {index}, and name the project"))
}

/// The most bytes of a map.
const MAP_SIZE: u64 = 4 << 20;

/// The first map found; a user's map is ignored where the system has one.
fn read_map(settings: &TrustOptions) -> Result<Option<ProjectMap>, Failure> {
    for place in settings.anchors.iter().chain(&settings.store) {
        let path = place.join("map.json");
        if !path.exists() && !path.is_symlink() {
            continue;
        }
        let bytes = anchor::read(&path, MAP_SIZE)?.ok_or_else(|| unusable_map(&path, "it leads nowhere"))?;
        return ProjectMap::read(&bytes).map(Some).map_err(|error| unusable_map(&path, error));
    }
    Ok(None)
}

fn unusable_map(path: &std::path::Path, cause: impl Into<Source>) -> Failure {
    let cause = cause.into();
    Failure::usage(format!("Could not use {}: {}", path.display(), printable::line(&cause.to_string())))
        .caused_by(cause)
        .detail("meaning", "it says which indexes may offer which projects, so nothing is installed without it")
        .hint(
            "repair the file, or remove it if nothing shall be tied to an index. Its form (docs/reference/layouts.md): \
             {\"repositories\": {\"corp\": \"https://pkgs.example.org/simple/\"}, \
             \"mapping\": [{\"projects\": [\"acme-*\"], \"repositories\": [\"corp\"]}]}",
        )
}
