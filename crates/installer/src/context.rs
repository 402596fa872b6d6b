//! What the stages of one command share. It has no behaviour: stages take it whole, the functions
//! below them take what they need.

use std::sync::Arc;

use crate::cache::CacheDirectory;
use crate::download::Downloader;
use crate::error::Failure;
use crate::event::Reporter;
use crate::net::{Credentials, HttpClient};
use crate::options::CommonOptions;
use crate::trust::CommandTrust;
use crate::wheel_cache::WheelCache;

/// Downloads that run at a time.
const CONNECTIONS: usize = 8;

/// The reporter, the network, the trusted indexes and the caches.
pub struct Context {
    /// Receives the events.
    pub reporter: Arc<dyn Reporter>,
    /// The network.
    pub client: Arc<HttpClient>,
    /// Downloads of distributions.
    pub downloader: Arc<Downloader>,
    /// Each signed index once, so that everything sees one snapshot of it.
    pub trust: Arc<CommandTrust>,
    /// Unpacked wheels.
    pub wheels: WheelCache,
    /// The directory that everything cached is below.
    pub cache: CacheDirectory,
}

impl Context {
    /// Looks who may write into the cache and reads `map.json`; opens no connection yet.
    ///
    /// # Errors
    /// When a temporary directory is needed in place of the cache and cannot be made, or `map.json` is invalid.
    pub fn open(options: &CommonOptions, reporter: Arc<dyn Reporter>) -> Result<Self, Failure> {
        let cache = CacheDirectory::open(options, &*reporter)?;
        let client = Arc::new(HttpClient::new(options.network.clone(), Credentials::new(), Arc::clone(&reporter)));
        let archives = [cache.path().join("archives"), cache.writable("archives")?];
        let key = cache.key().clone();
        let wheels = WheelCache::new(cache.path().join("wheels"), cache.writable("wheels")?, key);
        let trust = CommandTrust::new(options, Arc::clone(&client), Arc::clone(&reporter), cache.path().to_owned())?;
        let trust = Arc::new(trust);
        let downloader =
            Downloader::new(Arc::clone(&client), Arc::clone(&trust), Arc::clone(&reporter), archives, CONNECTIONS);
        Ok(Self { reporter, client, downloader: Arc::new(downloader), trust, wheels, cache })
    }
}
