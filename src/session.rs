//! What one command holds on to: the terminal, the network, the caches, and the steps that need several of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use packaging::PackageName;
use tokio::task::JoinSet;
use url::Url;

use crate::bytecode::{Bytecode, Compiler};
use crate::environment::Environment;
use crate::failure::{Failure, Kind};
use crate::index::{Choice, Finder, MetadataReader, Pages, Sources};
use crate::net::{Client, Credentials, Downloader, Limits, VerifiedFile};
use crate::other_writers;
use crate::plan::{Addition, Plan};
use crate::python::Interpreter;
use crate::requirements::{self, Requirements};
use crate::settings::{IndexSettings, SelectionSettings, Settings, Surroundings, WishSettings};
use crate::store::{Store, UnpackedWheel};
use crate::terminal::{Progress, Terminal};
use crate::trust::Trust;
use crate::wanted::Asked;

/// Downloads that run at a time.
const CONNECTIONS: usize = 8;

/// The terminal, the network and the caches of one command.
pub struct Session {
    /// Where the command talks.
    pub terminal: Arc<Terminal>,
    client: Arc<Client>,
    downloader: Arc<Downloader>,
    store: Store,
    cache: PathBuf,
    trust: Arc<Trust>,
    /// The cache when there shall be none: gone with the session.
    _temporary: Option<tempfile::TempDir>,
}

/// The unpacked wheels of a plan, with their bytecode.
#[derive(Default)]
pub struct Wheels(HashMap<PackageName, (UnpackedWheel, Option<Bytecode>)>);

impl Wheels {
    /// The wheel of a project, and its bytecode when that was asked for.
    pub fn get(&self, name: &PackageName) -> Option<&(UnpackedWheel, Option<Bytecode>)> {
        self.0.get(name)
    }

    /// The wheels alone.
    pub fn by_name(&self) -> HashMap<PackageName, UnpackedWheel> {
        self.0.iter().map(|(name, (wheel, _))| (name.clone(), wheel.clone())).collect()
    }
}

impl Session {
    /// Opens nothing yet, but makes the directory that stands in for a cache which is switched off.
    ///
    /// # Errors
    /// When that directory cannot be made.
    pub fn new(settings: &Settings, terminal: Arc<Terminal>) -> Result<Self, Failure> {
        let cache_dir = settings.network.cache_dir.as_ref().filter(|directory| is_believed(directory, &terminal));
        let (cache, temporary) = match cache_dir {
            Some(directory) => (directory.clone(), None),
            None => {
                let temporary = tempfile::Builder::new().prefix("tufpip-").tempdir().map_err(|error| {
                    Failure::new(Kind::Error, "disk", format!("Could not make a temporary directory: {error}"))
                        .hint("set TMPDIR to a directory with free space")
                })?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        let client = Arc::new(Client::new(settings.network.clone(), Credentials::new(), Arc::clone(&terminal)));
        let downloads = cache.join("archives");
        let downloader = Arc::new(Downloader::new(Arc::clone(&client), Arc::clone(&terminal), downloads, CONNECTIONS));
        let store = Store::new(cache.join("wheels"));
        let trust = Trust::new(settings, Arc::clone(&client), Arc::clone(&terminal), cache.clone())?;
        Ok(Self { terminal, client, downloader, store, cache, trust: Arc::new(trust), _temporary: temporary })
    }

    /// Reads what the user wants, files included.
    ///
    /// # Errors
    /// See [`Session::read`] and [`Asked::new`].
    pub fn asked(
        &self,
        wishes: &WishSettings,
        indexes: &IndexSettings,
        selection: &SelectionSettings,
        environment: &Environment,
    ) -> Result<Asked, Failure> {
        let read = self.read(wishes, indexes, selection)?;
        Asked::new(read, &environment.interpreter.markers, &self.terminal)
    }

    /// Begins to update the metadata of signed indexes, without waiting. What is wrong with them is said by whoever needs
    /// them.
    pub fn begin_to_verify(&self, indexes: &IndexSettings) {
        for url in &indexes.indexes {
            let _ = self.trust.index(url);
        }
    }

    /// Reads words and files, without asking what they mean for an environment. Their warnings are printed.
    ///
    /// # Errors
    /// See [`requirements::read`].
    pub fn read(
        &self,
        wishes: &WishSettings,
        indexes: &IndexSettings,
        selection: &SelectionSettings,
    ) -> Result<Requirements, Failure> {
        self.client.add_credentials_of(&indexes.indexes);
        let fetch = |url: &Url| self.fetch_text(url);
        let source = requirements::Source { surroundings: &Surroundings::of_process(), fetch: &fetch };
        let read: Requirements = requirements::read(wishes, indexes, selection, &source)?;
        for warning in &read.warnings {
            self.terminal.warning(warning);
        }
        self.client.add_credentials_of(&read.indexes.indexes);
        let links = read.indexes.find_links.iter().filter_map(|link| link.parse().ok());
        let links: Vec<Url> =
            links.filter(|link: &Url| !link.username().is_empty() || link.password().is_some()).collect();
        self.client.add_credentials_of(&links);
        self.client.trust_hosts(&read.trusted_hosts);
        Ok(read)
    }

    /// A finder over the indexes and links of what was asked.
    ///
    /// # Errors
    /// When the interpreter's version makes no sense, or an index is signed and its trusted root cannot be used.
    pub fn finder(&self, asked: &Asked, environment: &Environment) -> Result<Finder, Failure> {
        let sources = Sources::new(&asked.indexes, self.pages(), Arc::clone(&self.trust), Arc::clone(&self.terminal))?;
        let choice = Choice::new(&environment.interpreter, asked.selection.clone(), asked.hashes.clone())?;
        let reader = MetadataReader::new(
            Arc::clone(&self.client),
            Arc::clone(&self.downloader),
            self.store.clone(),
            self.cache.join("metadata"),
        );
        let (downloader, trust) = (Arc::clone(&self.downloader), Arc::clone(&self.trust));
        Ok(Finder::new(sources, choice, reader, downloader, trust, asked.named_urls(), Arc::clone(&self.terminal)))
    }

    /// Downloads, verifies, unpacks and compiles what a plan needs, everything side by side.
    ///
    /// # Errors
    /// The first that occurs; what was fetched until then stays in the cache.
    pub async fn fetch(&self, plan: &Plan, interpreter: &Interpreter, compile: bool) -> Result<Wheels, Failure> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let compiler = if compile { Compiler::new(interpreter, workers).map(Arc::new) } else { None };
        let mut running: JoinSet<Result<_, Failure>> = JoinSet::new();
        let (mut files, mut bytes) = (0, 0);
        for addition in plan.largest_first() {
            let request = addition.found.request.clone();
            let file = addition.found.file.clone();
            let unpacked = self.store.find(&request);
            if unpacked.is_none() && file.is_none() {
                files += 1;
                bytes += request.size.unwrap_or(0);
            }
            let (downloader, store, compiler) = (Arc::clone(&self.downloader), self.store.clone(), compiler.clone());
            let expected = Arc::clone(&addition.metadata);
            let name = addition.candidate.name.clone();
            running.spawn(async move {
                let file = match (&unpacked, file) {
                    (None, None) => Some(downloader.fetch(&request).await?),
                    (_, file) => file,
                };
                let work =
                    move || prepare(&store, unpacked, file.as_ref(), &request.filename, &expected, compiler.as_deref());
                let wheel = tokio::task::spawn_blocking(work).await.map_err(|error| internal(&error))??;
                Ok((name, wheel))
            });
        }
        if files > 0 {
            self.terminal.progress(Progress::DownloadPlanned { files, bytes });
        }
        let mut wheels = Wheels::default();
        while let Some(joined) = running.join_next().await {
            let (name, wheel): (PackageName, _) = joined.map_err(|error| internal(&error))??;
            wheels.0.insert(name, wheel);
        }
        Ok(wheels)
    }

    /// Downloads what a plan needs and leaves it packed.
    ///
    /// # Errors
    /// The first that occurs.
    pub async fn download(&self, plan: &Plan) -> Result<HashMap<PackageName, VerifiedFile>, Failure> {
        let mut running = JoinSet::new();
        let bytes = plan.additions.iter().filter_map(|addition| addition.found.request.size).sum();
        self.terminal.progress(Progress::DownloadPlanned { files: plan.additions.len(), bytes });
        for addition in plan.largest_first() {
            let Addition { found, candidate, .. } = addition;
            let (request, file, name) = (found.request.clone(), found.file.clone(), candidate.name.clone());
            let downloader = Arc::clone(&self.downloader);
            running.spawn(async move {
                match file {
                    Some(file) => Ok((name, file)),
                    None => downloader.fetch(&request).await.map(|file| (name, file)),
                }
            });
        }
        let mut files = HashMap::new();
        while let Some(joined) = running.join_next().await {
            let (name, file) = joined.map_err(|error| internal(&error))??;
            files.insert(name, file);
        }
        Ok(files)
    }

    /// Refuses what no signed index and no hash of the user vouches for, if that is required.
    ///
    /// # Errors
    /// A policy failure for the first such file.
    pub fn refuse_unsigned(&self, plan: &Plan) -> Result<(), Failure> {
        plan.additions.iter().try_for_each(|addition| {
            if addition.found.is_hashed_in_url {
                Ok(())
            } else {
                self.trust.refuse_unsigned_file(&addition.candidate.name, &addition.found.request)
            }
        })
    }

    /// The network of the command.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// The downloads of the command.
    pub fn downloader(&self) -> &Downloader {
        &self.downloader
    }

    /// The pages of indexes that nothing verifies.
    pub fn pages(&self) -> Pages {
        Pages::new(Arc::clone(&self.client), Arc::clone(&self.terminal), self.cache.join("pages"))
    }

    /// The trust of the command.
    pub fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    /// Forgets the unpacked wheel with this tree, whose files are no longer what was unpacked.
    pub fn forget(&self, tree: &Path) {
        self.store.forget(tree);
    }

    /// A remote requirements file. The reader is synchronous; other tasks go on meanwhile.
    fn fetch_text(&self, url: &Url) -> Result<Vec<u8>, Failure> {
        let headers = reqwest::header::HeaderMap::new();
        let fetched = tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(self.client.get(url, &headers, Limits::METADATA))
        })?;
        Ok(fetched.body)
    }
}

/// Whether only the user can write into a cache. Unpacked wheels in it are installed without being hashed again.
fn is_believed(cache: &Path, terminal: &Terminal) -> bool {
    let strange = [cache.to_owned(), cache.join("wheels")].into_iter().find_map(|directory| {
        let reason = other_writers::reason(&std::fs::metadata(&directory).ok()?, false)?;
        Some((directory, reason))
    });
    if let Some((directory, reason)) = &strange {
        terminal.warning(&format!(
            "The cache in {} is not used: {reason}, and could have put other files there than were verified. If it shall be \
             used, make it yours with chown, and chmod o-w.",
            directory.display()
        ));
    }
    strange.is_none()
}

/// Unpacks a wheel unless that was done before, holds it against the metadata it was chosen by, and compiles it.
fn prepare(
    store: &Store,
    unpacked: Option<UnpackedWheel>,
    file: Option<&VerifiedFile>,
    filename: &str,
    expected: &packaging::CoreMetadata,
    compiler: Option<&Compiler>,
) -> Result<(UnpackedWheel, Option<Bytecode>), Failure> {
    let wheel = match (unpacked, file) {
        (Some(wheel), _) => wheel,
        (None, Some(file)) => store.add(file)?,
        (None, None) => return Err(Failure::new(Kind::Error, "internal", "there is nothing to unpack")),
    };
    // Each time: that the wheel was unpacked before does not say that it was chosen by its own metadata now.
    let found = packaging::CoreMetadata::parse(&wheel.raw_metadata()?)
        .map_err(|error| Failure::new(Kind::Verification, "verify.metadata", format!("{filename}: {error}")))?;
    refuse_other_metadata(filename, expected, &found)?;
    let bytecode = compiler.map(|compiler| compiler.bytecode(&wheel)).transpose()?;
    Ok((wheel, bytecode))
}

/// The dependencies that were resolved must be those of the file that is installed: an index could show others.
fn refuse_other_metadata(
    filename: &str,
    expected: &packaging::CoreMetadata,
    found: &packaging::CoreMetadata,
) -> Result<(), Failure> {
    let same = expected.name == found.name
        && expected.version == found.version
        && expected.raw_requires_python() == found.raw_requires_python()
        && expected.valid_requires_dist() == found.valid_requires_dist();
    if same {
        return Ok(());
    }
    let lines = |metadata: &packaging::CoreMetadata| {
        let mut lines: Vec<String> = metadata.valid_requires_dist().iter().map(ToString::to_string).collect();
        lines.insert(0, format!("{} {}", metadata.name, metadata.version));
        lines.join("\n")
    };
    Err(Failure::new(
        Kind::Verification,
        "verify.metadata-mismatch",
        format!("The metadata inside {filename} is not what the index showed for it"),
    )
    .detail("expected", lines(expected))
    .detail("received", lines(found))
    .detail("meaning", "the index announces other dependencies than the file has; nothing was installed")
    .hint("report it to the operator of the index"))
}

fn internal(error: &tokio::task::JoinError) -> Failure {
    Failure::new(Kind::Error, "internal", error.to_string())
}
