//! Scenes with a signed index that the user trusts.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use testkit::{Index, Request, Server, SignedIndex, SignedServer, Wheel};

use super::{Played, Scene};

/// An environment whose user trusts a signed index.
pub type SignedScene = Scene<Arc<SignedServer>>;

impl Played for Arc<SignedServer> {
    const RETRIES: Option<&str> = Some("0");

    fn server(&self) -> &Server {
        self
    }
}

/// `app` 1.0 needs `library`, of which there are 1.0 and 2.0.
pub fn index() -> Index {
    Index::new()
        .add(Wheel::new("app", "1.0").requires("library>=1").build())
        .add(Wheel::new("library", "1.0").build())
        .add(Wheel::new("library", "2.0").build())
}

impl SignedScene {
    /// The usual index, in the smallest profile.
    pub fn signed() -> Self {
        Self::of(SignedIndex::new(index()))
    }

    /// A signed index of the story's own.
    pub fn of(index: SignedIndex) -> Self {
        let scene = Self::served(Arc::new(index.serve()));
        scene.trust(&scene.server);
        scene
    }

    /// The user trusts this index, too.
    pub fn trust(&self, server: &SignedServer) {
        server.write_trust(&self.environment.trust_store());
    }

    /// Changes `trust.json` of the index, as its user may.
    pub fn edit_trust(&self, edit: impl FnOnce(&mut Value)) {
        self.server.edit_trust(&self.environment.trust_store(), edit);
    }

    /// The user's map of projects.
    pub fn map(&self, map: &Value) {
        fs::write(self.environment.trust_store().join("map.json"), map.to_string()).unwrap();
    }

    /// With the honest repository back, the same command works and all of this is installed.
    #[track_caller]
    pub fn recovers(&self, arguments: &[&str], installed: &[&str]) {
        self.server.honest();
        self.installs(arguments);
        self.expect_installed(installed);
    }

    /// The owner takes stolen keys away. With the honest repository back, the same command works then.
    #[track_caller]
    pub fn recovers_with_new_keys(&self, arguments: &[&str], installed: &[&str]) {
        self.server.honest();
        self.server.rotate("timestamp");
        self.server.rotate("snapshot");
        self.recovers(arguments, installed);
    }

    /// Nobody was asked for a page as an ordinary index has it, in the whole story.
    #[track_caller]
    pub fn expect_nothing_asked_plainly(&self) {
        expect_no_plain_pages(&self.server);
    }

    /// The version of a role that is remembered.
    pub fn stored_version(&self, role: &str) -> Option<u64> {
        let file: Value = serde_json::from_slice(&fs::read(self.stored(&format!("{role}.json"))).ok()?).unwrap();
        file["signed"]["version"].as_u64()
    }

    /// The signed page of a project, changed.
    pub fn altered_page(&self, project: &str, alter: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut page: Value = serde_json::from_slice(&self.server.page(project)).unwrap();
        alter(&mut page);
        page.to_string().into_bytes()
    }

    /// A file of the index's own directory in the trust store.
    pub fn stored(&self, name: &str) -> PathBuf {
        self.server.trust_directory(&self.environment.trust_store()).join(name)
    }

    /// Does something once, when a request comes that fits; the request is answered afterwards.
    pub fn when(
        &self,
        fits: impl Fn(&Request) -> bool + Send + Sync + 'static,
        action: impl Fn(&SignedServer) + Send + Sync + 'static,
    ) {
        let server = Arc::downgrade(&self.server);
        let done = AtomicBool::new(false);
        self.server.intercept(move |request| {
            if fits(request)
                && !done.swap(true, Ordering::SeqCst)
                && let Some(server) = server.upgrade()
            {
                action(&server);
            }
            None
        });
    }
}

/// A server was not asked for `/simple/PROJECT/`, which is never signed in the usual layout.
#[track_caller]
pub fn expect_no_plain_pages(server: &Server) {
    let plain: Vec<String> =
        server.log().into_iter().filter(|line| line.contains("/simple/") && line.ends_with('/')).collect();
    assert_eq!(plain, Vec::<String>::new(), "asked for an unsigned page");
}

/// Empties the cache: delegated roles, pages and files lie there, and are not asked for again while they are what is signed.
pub fn forget_what_can_be_fetched(scene: &SignedScene) {
    fs::remove_dir_all(scene.environment.cache()).unwrap();
    fs::create_dir(scene.environment.cache()).unwrap();
}
