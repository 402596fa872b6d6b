//! A page of `docs/how-to`, done as it is written.
//!
//! Its `sh` blocks are run in their order, each by a shell of its own that begins in the working directory of a machine:
//! `operator`, or the one that is named behind `sh`. Of `cron` blocks the command of each line is run. Where a page says
//! `https://pkgs.example.org/`, the commands get the address of a server for what is in `public/` of the operator, and
//! `/media/stick` is a directory that all machines see.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tempfile::TempDir;
use testkit::{Command, Environment, Outcome, Response, Server, WheelFile};

use crate::repo::operator::{Operator, PASSPHRASE};

/// Nobody sits at a terminal: passphrases come from the environment, and questions are answered with yes.
const NOBODY_ASKED: &str = r#"
tufpip() {
    case "${1-} ${2-} ${3-}" in
        "repo root sign" | "repo sign "* | "repo remove "* | "trust remove "*) command tufpip "$@" --yes ;;
        *) command tufpip "$@" ;;
    esac
}
"#;

/// A page, and the machines it is done on.
pub struct Page {
    name: String,
    text: String,
    blocks: Vec<Block>,
    done: usize,
    machines: BTreeMap<String, Operator>,
    meanings: Vec<(String, String)>,
    variables: Vec<(String, String, String)>,
    served: Arc<RwLock<PathBuf>>,
    server: Server,
    shared: TempDir,
}

#[derive(Clone, Debug)]
struct Block {
    section: String,
    language: String,
    machine: String,
    text: String,
}

impl Page {
    /// The page of this name. Nothing of it is done yet.
    pub fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/how-to").join(format!("{name}.md"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let shared = TempDir::new().unwrap();
        for directory in ["bin", "stick"] {
            fs::create_dir(shared.path().join(directory)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_tufpip"), shared.path().join("bin/tufpip")).unwrap();
        bring_other_installers(&shared.path().join("bin"));
        let served = Arc::new(RwLock::new(PathBuf::new()));
        let directory = Arc::clone(&served);
        let server = Server::start(move |request| {
            answer(&directory.read().unwrap_or_else(PoisonError::into_inner), &request.path)
        });
        let mut page = Self {
            name: name.to_owned(),
            blocks: blocks(&text)
                .into_iter()
                .filter(|block| ["sh", "cron"].contains(&block.language.as_str()))
                .collect(),
            text,
            done: 0,
            machines: BTreeMap::new(),
            meanings: Vec::new(),
            variables: Vec::new(),
            served,
            server,
            shared,
        };
        let named = page.blocks.iter().map(|block| block.machine.clone());
        for machine in named.chain(["operator", "user", "thief"].map(str::to_owned)).collect::<Vec<_>>() {
            page.machines.entry(machine).or_insert_with(|| Operator { environment: Environment::new() });
        }
        let stick = page.shared.path().join("stick").display().to_string();
        let address = page.server.url("/");
        page.serve("operator", "public");
        let directory = page.machine("operator").environment.work().display().to_string();
        for (text, meaning) in
            [("https://pkgs.example.org/", address), ("/media/stick", stick), ("/srv/index", directory)]
        {
            page.meanings.push((text.to_owned(), meaning));
        }
        page
    }

    /// What the commands get where the page has this text.
    pub fn meaning(mut self, text: &str, replacement: &str) -> Self {
        assert!(self.text.contains(text), "{text} is not on {}.md", self.name);
        self.meanings.push((text.to_owned(), replacement.to_owned()));
        self
    }

    /// A variable of the environment on a machine.
    pub fn variable(mut self, machine: &str, name: &str, value: &str) -> Self {
        self.variables.push((machine.to_owned(), name.to_owned(), value.to_owned()));
        self
    }

    /// Serves another directory of a machine from now on.
    pub fn serve(&self, machine: &str, directory: &str) {
        *self.served.write().unwrap() = self.machine(machine).path(directory);
    }

    /// A machine of the page.
    #[track_caller]
    pub fn machine(&self, name: &str) -> &Operator {
        self.machines.get(name).unwrap_or_else(|| panic!("no block of {}.md is for {name}", self.name))
    }

    /// Puts wheels into `dist/` of a machine.
    pub fn has_built(&self, machine: &str, wheels: &[WheelFile]) {
        for wheel in wheels {
            self.machine(machine).environment.write(&format!("dist/{}", wheel.filename), &wheel.bytes);
        }
    }

    /// Does the next section that has commands, which must be this one, and must work. Gives the outcome of each block.
    #[track_caller]
    pub fn follow(&mut self, section: &str) -> Vec<Outcome> {
        self.follow_while(|block| block.section == section)
    }

    /// The next blocks of this section that are all for this machine.
    #[track_caller]
    pub fn follow_on(&mut self, machine: &str, section: &str) -> Vec<Outcome> {
        self.follow_while(|block| block.section == section && block.machine == machine)
    }

    #[track_caller]
    fn follow_while(&mut self, is_meant: impl Fn(&Block) -> bool) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while let Some(block) = self.next_block().filter(&is_meant) {
            for script in self.scripts(&block) {
                let outcome = self.run(&block.machine, &script);
                assert_eq!(
                    outcome.code,
                    Some(0),
                    "{}.md, {}, on {}:\n{script}\nstdout:\n{}\nstderr:\n{}",
                    self.name,
                    block.section,
                    block.machine,
                    outcome.stdout,
                    outcome.stderr
                );
                outcomes.push(outcome);
            }
            self.done += 1;
        }
        assert!(!outcomes.is_empty(), "other commands are next in {}.md: {:?}", self.name, self.next_block());
        outcomes
    }

    /// As [`Page::follow`]; lines of the machine `plain` whose program is not here are left out, and that is said.
    #[track_caller]
    pub fn follow_where_possible(&mut self, section: &str) -> Vec<Outcome> {
        let programs = self.shared.path().join("bin");
        for block in self.blocks.iter_mut().filter(|block| block.machine == "plain") {
            let (here, missing): (Vec<&str>, Vec<&str>) =
                block.text.lines().partition(|line| programs.join(line.split(' ').next().unwrap()).exists());
            missing.iter().for_each(|line| println!("skipped (TUFPIP_TEST_PYTHON): {line}"));
            block.text = here.join("\n");
        }
        self.follow(section)
    }

    /// Runs a script on a machine, as the blocks of the page are run.
    pub fn run(&self, machine: &str, script: &str) -> Outcome {
        let mut script = format!("{NOBODY_ASKED}\n{script}");
        for (text, meaning) in &self.meanings {
            script = script.replace(text, meaning);
        }
        let environment = &self.machine(machine).environment;
        let path =
            format!("{}:{}:/usr/bin:/bin", self.shared.path().join("bin").display(), environment.scripts().display());
        let command = environment.command("/bin/bash").args(["-eu", "-o", "pipefail", "-c", &script]).env("PATH", path);
        let command = command.env("TUFPIP_REPO_PASSPHRASE", PASSPHRASE).env("PIP_RETRIES", "0");
        let variables = self.variables.iter().filter(|(of, ..)| of == machine);
        variables.fold(command, |command, (_, name, value)| command.env(name, value)).run()
    }

    /// Nothing of the page is left to be done.
    #[track_caller]
    pub fn end(&self) {
        assert!(self.next_block().is_none(), "{}.md goes on: {:?}", self.name, self.next_block());
    }

    /// The blocks in another language.
    pub fn blocks_in(&self, language: &str) -> Vec<String> {
        blocks(&self.text).into_iter().filter(|block| block.language == language).map(|block| block.text).collect()
    }

    fn next_block(&self) -> Option<Block> {
        self.blocks.get(self.done).cloned()
    }

    /// What a shell is to run for a block.
    fn scripts(&self, block: &Block) -> Vec<String> {
        if block.language != "cron" {
            return vec![block.text.clone()];
        }
        let lines = block.text.lines().filter(|line| !line.starts_with('#'));
        let commands = lines.map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_time = |field: &&str| field.bytes().all(|byte| byte.is_ascii_digit() || b"*/,-".contains(&byte));
            assert!(fields.len() > 5 && fields.iter().take(5).all(is_time), "not a line for cron: {line}");
            fields[5..].join(" ")
        });
        commands.collect()
    }
}

/// All blocks of a page.
fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let (mut section, mut open) = (String::new(), None::<Block>);
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let mut words = info.split_whitespace();
                let language = words.next().expect("a block says what is in it").to_owned();
                let machine = words.next().unwrap_or("operator").to_owned();
                open = Some(Block { section: section.clone(), language, machine, text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => block.text.push_str(&format!("{line}\n")),
            (None, None) => {
                if let Some(heading) = line.strip_prefix("## ") {
                    section = heading.to_owned();
                }
            }
        }
    }
    found
}

/// pip and uv, if the interpreter that `TUFPIP_TEST_PYTHON` names, or else `python3`, has them.
fn bring_other_installers(directory: &Path) {
    let python = std::env::var("TUFPIP_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = "import sys, pip; print(sys.executable)";
    if let Ok(found) = Command::new(&python).args(["-c", probe]).try_run()
        && found.succeeded()
    {
        let script = format!("#!/bin/sh\nexec {} -m pip --python \"$VIRTUAL_ENV\" \"$@\"\n", found.stdout.trim_end());
        fs::write(directory.join("pip"), script).unwrap();
        fs::set_permissions(directory.join("pip"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let uv = Path::new(&python).with_file_name("uv");
    if uv.is_file() {
        symlink(uv, directory.join("uv")).unwrap();
    }
}

/// A file as a web server without settings sends it; `index.html` for a directory.
fn answer(directory: &Path, path: &str) -> Response {
    let file = match path.ends_with('/') {
        true => format!("{path}index.html"),
        false => path.to_owned(),
    };
    let kind = if file.ends_with(".html") { "text/html" } else { "application/octet-stream" };
    match fs::read(directory.join(file.trim_start_matches('/'))) {
        Ok(bytes) => Response::ok(kind, bytes),
        Err(_) => Response::not_found(),
    }
}
