//! `repo serve`: serves the published state over HTTP, on this machine only.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::OperatorDirectoryArgs;
use crate::terminal::Terminal;
use installer::error::{Code, Failure};
use operator::anchor::{IndexAddress, NewestRoot, shell_quoted};
use operator::config::Config;
use operator::published_state::ROOT_FILE;
use operator::server::{ResponseOverrides, Server};

/// Serve what is published on this machine, for trying it
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Port; any free one when 0
    #[arg(long, value_name = "port", default_value_t = 8080)]
    pub port: u16,
    #[command(flatten)]
    pub operator_directory: OperatorDirectoryArgs,
}

/// Serves the published directory until the process is ended, and says what to type to use it.
///
/// # Errors
/// When nothing is published in a directory yet, or the port is taken.
pub async fn serve(serve: &ServeArgs, terminal: &Arc<Terminal>) -> Result<(), Failure> {
    let repo = &serve.operator_directory;
    let config = Config::read(&repo.directory)?;
    let directory = published_directory(&config, &config.output(&repo.directory))?;
    let server = Server::start(&directory, serve.port, ResponseOverrides::default()).await?;
    let address = address(&config, &server);
    let index = printable::redacted_url(&address.index);
    if repo.json {
        terminal.json(&json!({"url": server.url(), "index_url": index, "directory": directory}).to_string());
    } else {
        let url = server.url();
        terminal.line(&format!("Serving {} at {url} on this machine only, until Ctrl-C", directory.display()));
        terminal.line("");
        let root = NewestRoot::read(&repo.directory)?;
        let file = repo.directory.join(ROOT_FILE);
        let file = std::path::absolute(&file).unwrap_or(file);
        terminal.line(&printable::line(&address.trust_command(&file.display().to_string(), &root.sha256)));
        terminal.line(&format!("tufpip install -i {} NAME", shell_quoted(&index)));
        terminal.line(&format!("pip install -i {} NAME          (verifies nothing)", shell_quoted(&index)));
    }
    server.run().await;
    Ok(())
}

/// The metadata is served here; so are the pages, unless they are those of another index.
fn address(config: &Config, server: &Server) -> IndexAddress {
    IndexAddress::of(&Config { base: server.url().clone(), ..config.clone() })
}

fn published_directory(config: &Config, output: &str) -> Result<PathBuf, Failure> {
    let directory = match output.split_once("://") {
        None => PathBuf::from(output),
        Some(("file", _)) => output.parse().ok().and_then(|url: url::Url| url.to_file_path().ok()).unwrap_or_default(),
        Some(_) => {
            let message = format!("{} is published in a bucket, which serves itself", config.output);
            return Err(Failure::new(Code::RepoServedElsewhere, printable::line(&message)).hint(format!(
                "use it where it is: tufpip install -i {} NAME",
                printable::redacted_url(&config.index_url())
            )));
        }
    };
    if directory.is_dir() {
        return Ok(directory);
    }
    let message = format!("Nothing is published in {} yet", directory.display());
    Err(Failure::new(Code::RepoNotPublished, message).hint("run tufpip repo publish first"))
}
