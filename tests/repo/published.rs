//! An operator's directory with something published, made by the test kit instead of the program, and the program serving it.

use std::path::PathBuf;

use serde_json::Value;
use testkit::{Environment, Index, SignedIndex, SignedServer, Wheel};

use crate::repo::serving::Serving;
use crate::scene::tufpip;

/// `app` 1.0, which needs `library`, published in `work/repository/public`.
pub struct Published {
    pub environment: Environment,
    pub server: SignedServer,
}

impl Published {
    /// Everything as `publish` would have left it.
    pub fn new() -> Self {
        Self::of(SignedIndex::new(index()))
    }

    /// As [`Published::new`], signed in another way.
    pub fn of(index: SignedIndex) -> Self {
        let published = Self { environment: Environment::new(), server: index.serve() };
        published.environment.write(
            "repository/repo.toml",
            "base = \"https://pkgs.example.org/\"\noutput = \"public\"\nprofile = \"small\"\n",
        );
        published.write_tree();
        published
    }

    /// Writes what the server has now; what was there stays.
    pub fn write_tree(&self) {
        for (path, bytes) in self.server.files() {
            self.environment.write(&format!("repository/public{path}"), bytes);
        }
        self.environment.write("repository/root.json", &self.server.files()[&self.server.role_path("root")]);
        for project in ["app", "library"] {
            self.environment
                .write(&format!("repository/public/simple/{project}/index.json"), self.server.page(project));
            let rows: String = self.links(project);
            self.environment.write(&format!("repository/public/simple/{project}/index.html"), rows);
        }
        let projects = r#"{"meta": {"api-version": "1.1"}, "projects": [{"name": "app"}, {"name": "library"}]}"#;
        self.environment.write("repository/public/simple/index.json", projects);
        let links = "<a href=\"app/\">app</a> <a href=\"library/\">library</a>";
        self.environment.write("repository/public/simple/index.html", format!("<!DOCTYPE html>{links}"));
    }

    /// The page in HTML.
    fn links(&self, project: &str) -> String {
        let page: Value = serde_json::from_slice(&self.server.page(project)).unwrap();
        let files = page["files"].as_array().unwrap();
        let link = |file: &Value| {
            let (url, sha256) = (file["url"].as_str().unwrap(), file["hashes"]["sha256"].as_str().unwrap());
            let metadata = file["core-metadata"]["sha256"].as_str();
            let metadata =
                metadata.map(|sha256| format!(" data-core-metadata=\"sha256={sha256}\"")).unwrap_or_default();
            let name = file["filename"].as_str().unwrap();
            format!("<a href=\"{url}#sha256={sha256}\"{metadata}>{name}</a>")
        };
        files.iter().map(link).collect()
    }

    /// The operator's directory.
    pub fn directory(&self) -> PathBuf {
        self.environment.work().join("repository")
    }

    /// A published file.
    pub fn public(&self, path: &str) -> PathBuf {
        self.directory().join("public").join(path.trim_start_matches('/'))
    }

    /// `tufpip repo …` on the operator's directory.
    pub fn repo(&self, arguments: &[&str]) -> testkit::Command {
        let directory = self.directory();
        let command = tufpip(&self.environment).arg("repo").args(arguments);
        command.arg("--repo").arg(directory)
    }

    /// `tufpip repo serve` on any free port.
    pub fn serve(&self) -> Serving {
        Serving::start(&self.environment, &self.directory())
    }
}

/// `app` 1.0 needs `library`.
pub fn index() -> Index {
    Index::new().add(Wheel::new("app", "1.0").requires("library>=1").build()).add(Wheel::new("library", "2.0").build())
}
