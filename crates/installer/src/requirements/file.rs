//! Requirements and constraint files: their lines, their options, and the files they include.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use packaging::HashAlgorithm;
use url::Url;

use super::file_options::option_set;
use super::install_requirement::{self, absolute_path, absolute_url};
use super::{
    InstallRequirement, MissingFiles, Reading, RequirementOrigin, RequirementSet, RequirementSource,
    installation_error, text,
};
use crate::error::{Code, Failure};
use crate::options::{SelectionOptions, index_url};
use crate::optparse::{self, OptionSet, OptionToken, Token, TokenError};
use crate::process_environment::ProcessEnvironment;

/// Limit on the files of one command, all inclusions counted; more is a loop with ever new names.
const MAX_FILES: usize = 1000;

/// Reads requirements into a set.
pub struct RequirementsReader<'a> {
    process_environment: &'a ProcessEnvironment,
    /// Files on servers that were fetched so far.
    remote_files: &'a HashMap<Url, Vec<u8>>,
    /// Files on servers that are still to be fetched.
    missing: Vec<(Url, String)>,
    found: RequirementSet,
    /// `--require-hashes` was given.
    require_hashes: bool,
    /// `--no-require-hashes` was given.
    no_require_hashes: bool,
    options: OptionSet,
    files: usize,
}

/// A file that is being read.
#[derive(Clone, Debug)]
struct RequirementsFile {
    /// As given, for messages; included files have their full path.
    shown: String,
    place: FileLocation,
    constraint: bool,
    /// Each open file with the one that included it, to find loops.
    open: BTreeMap<String, Option<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum FileLocation {
    Local(PathBuf),
    Remote(Url),
}

/// One line of a file, split.
struct ParsedLine<'a> {
    origin: RequirementOrigin,
    requirement: &'a str,
    options: Vec<OptionToken>,
}

impl<'a> RequirementsReader<'a> {
    /// Gathers into `found`; `require_hashes` is what the command line says.
    pub fn new(
        process_environment: &'a ProcessEnvironment,
        remote_files: &'a HashMap<Url, Vec<u8>>,
        found: RequirementSet,
        require_hashes: Option<bool>,
    ) -> Self {
        Self {
            process_environment,
            remote_files,
            missing: Vec::new(),
            found,
            require_hashes: require_hashes == Some(true),
            no_require_hashes: require_hashes == Some(false),
            options: option_set(),
            files: 0,
        }
    }

    /// `-r`
    pub fn read_requirements(&mut self, name: &str) -> Result<(), Failure> {
        self.read_file(&top_level_file(name, false)?, &format!("-r {}", printable::redacted(name)))
    }

    /// `-c`
    pub fn read_constraints(&mut self, name: &str) -> Result<(), Failure> {
        self.read_file(&top_level_file(name, true)?, &format!("-c {}", printable::redacted(name)))
    }

    /// Adds a requirement that is not a constraint.
    pub fn add(
        &mut self,
        text: &str,
        origin: RequirementOrigin,
        hashes: Vec<(HashAlgorithm, String)>,
    ) -> Result<(), Failure> {
        let wish = self.parse_requirement(text, origin, hashes)?;
        self.found.requirements.push(wish);
        Ok(())
    }

    /// Everything gathered.
    pub fn finish(mut self) -> Result<Reading, Failure> {
        if !self.missing.is_empty() {
            return Ok(Reading::Missing(MissingFiles { files: self.missing, trusted_hosts: self.found.trusted_hosts }));
        }
        if self.require_hashes && self.no_require_hashes {
            return Err(installation_error("--require-hashes and --no-require-hashes are mutually exclusive"));
        }
        let mut wishes = self.found.requirements.iter().chain(&self.found.constraints);
        let some_hashes = wishes.any(|wish| !wish.hashes.is_empty());
        self.found.require_hashes = self.require_hashes || (some_hashes && !self.no_require_hashes);
        Ok(Reading::Complete(Box::new(self.found)))
    }

    fn parse_requirement(
        &mut self,
        text: &str,
        origin: RequirementOrigin,
        hashes: Vec<(HashAlgorithm, String)>,
    ) -> Result<InstallRequirement, Failure> {
        let (source, marker) = install_requirement::parse(text, &origin, &mut self.found.warnings)?;
        let text = text.to_owned();
        Ok(InstallRequirement { source, text, hashes, origin, user_supplied: true, is_remote: false, marker })
    }

    /// `named_by` is what includes the file.
    fn read_file(&mut self, file: &RequirementsFile, named_by: &str) -> Result<(), Failure> {
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(installation_error(format!("more than {MAX_FILES} requirements files include each other"))
                .detail("file", file.shown.clone()));
        }
        refuse_lock_file(&file.shown)?;
        let bytes = match &file.place {
            FileLocation::Remote(url) => match self.remote_files.get(url) {
                Some(bytes) => bytes.clone(),
                None => {
                    if !self.missing.iter().any(|(known, _)| known == url) {
                        self.missing.push((url.clone(), named_by.to_owned()));
                    }
                    return Ok(());
                }
            },
            FileLocation::Local(path) => std::fs::read(path).map_err(|error| cannot_open(file, error))?,
        };
        let content = text::decode(&bytes).map_err(|reason| {
            installation_error(format!("Could not read {} file: {reason}", file.kind()))
                .detail("file", file.shown.clone())
        })?;
        // A server must not put what this machine knows into URLs.
        let no_variables = BTreeMap::new();
        let variables = if file.is_remote() { &no_variables } else { &self.process_environment.variables };
        for (number, line) in text::lines(&content, variables) {
            self.read_line(file, number, &line)?;
        }
        Ok(())
    }

    fn read_line(&mut self, file: &RequirementsFile, number: usize, line: &str) -> Result<(), Failure> {
        let origin = RequirementOrigin::Line { constraint: file.constraint, file: file.shown.clone(), line: number };
        let parts = self.split(line, origin)?;
        if file.is_remote() {
            refuse_remote_options(&parts, &self.found.selection)?;
        }
        let value_of =
            |id: &str| parts.options.iter().find(|option| option.id == id).and_then(|option| option.value.as_deref());
        // Selections act on everything wherever they stand, because pip has one set of them.
        for option in &parts.options {
            self.found.selection.apply(&option.id, option.value.as_deref().unwrap_or_default())?;
        }
        if !parts.requirement.is_empty() {
            return self.read_requirement(file, &parts);
        }
        if let Some(editable) = value_of("editable") {
            return Err(if file.constraint {
                installation_error("Editable requirements are not allowed as constraints")
                    .detail("where", parts.place())
            } else {
                Failure::new(Code::UsageNotSupported, format!("`-e {editable}` is not supported yet"))
                    .detail("where", parts.place())
                    .hint("build a wheel of the project and install that")
            });
        }
        let nested = value_of("requirement").map(|name| (name, false));
        if let Some((name, constraint)) = nested.or(value_of("constraint").map(|name| (name, true))) {
            self.warn_of_rest(&parts, |id| matches!(id, "requirement" | "constraint"), true);
            return self.read_nested(file, name, constraint, &parts.place());
        }
        self.apply(file, &parts)
    }

    fn split<'line>(&self, line: &'line str, origin: RequirementOrigin) -> Result<ParsedLine<'line>, Failure> {
        let (requirement, options) = text::split_options(line);
        let start = line.len() - options.len();
        let Some(words) = text::split_words(options) else {
            let message = format!("Could not split options: {options}");
            return Err(invalid_line(line, &origin, &message, start));
        };
        let (positions, words): (Vec<usize>, Vec<String>) = words.into_iter().unzip();
        let wrong_word = |error: &TokenError| {
            let position = positions.get(error.position).copied().unwrap_or_default();
            invalid_line(line, &origin, &error.message, start + position)
        };
        let words = optparse::parse(&self.options, &words).map_err(|error| wrong_word(&error))?;
        let options = words.into_iter().filter_map(|word| match word {
            Token::Option(option) => Some(option),
            // pip drops arguments that stand behind options.
            Token::Argument(_) => None,
        });
        Ok(ParsedLine { requirement, options: options.collect(), origin })
    }

    fn read_requirement(&mut self, file: &RequirementsFile, parts: &ParsedLine<'_>) -> Result<(), Failure> {
        self.warn_of_rest(parts, |id| id == "hash" || is_selection(id), false);
        let hashes = parts.options.iter().filter(|option| option.id == "hash").map(|option| {
            parse_hash(option.value.as_deref().unwrap_or_default()).map_err(|reason| {
                installation_error(format!("Invalid requirement: {}\n{reason}", parts.requirement))
                    .detail("where", parts.place())
            })
        });
        let hashes = hashes.collect::<Result<Vec<_>, _>>()?;
        if file.is_remote() && install_requirement::names_local_file(parts.requirement) {
            return Err(remote_path(parts));
        }
        let mut wish = self.parse_requirement(parts.requirement, parts.origin.clone(), hashes)?;
        wish.is_remote = file.is_remote();
        let is_local = match &wish.source {
            RequirementSource::Specifier(_) => false,
            RequirementSource::File { url, .. } => url.scheme() == "file",
            RequirementSource::Directory { .. } => true,
        };
        if wish.is_remote && is_local {
            return Err(remote_path(parts));
        }
        if file.constraint {
            check_constraint(&wish, &parts.place())?;
            self.found.constraints.push(wish);
        } else {
            // Requirements that a constraints file includes with `-r` are installed but not marked as requested by the
            // user.
            wish.user_supplied = !file.inside_constraints();
            self.found.requirements.push(wish);
        }
        Ok(())
    }

    fn read_nested(
        &mut self,
        file: &RequirementsFile,
        name: &str,
        constraint: bool,
        named_by: &str,
    ) -> Result<(), Failure> {
        let place = file.place.join(name)?;
        if let (FileLocation::Remote(outer), inner) = (&file.place, &place)
            && !matches!(inner, FileLocation::Remote(inner) if inner.origin() == outer.origin())
        {
            return Err(Failure::new(
                Code::RequirementsRemoteInclude,
                "A requirements file from a server includes a file from elsewhere",
            )
            .detail("where", named_by)
            .detail("includes", inner.shown())
            .hint("name that file with -r yourself if you trust it"));
        }
        let key = place.key();
        if let Some(first) = file.open.get(&key) {
            let again = first.as_deref().map(|first| format!(" and again in {first}")).unwrap_or_default();
            return Err(installation_error(format!(
                "{} recursively references itself in {}{again}",
                place.shown(),
                file.shown
            )));
        }
        let mut open = file.open.clone();
        open.insert(key, Some(file.shown.clone()));
        self.read_file(&RequirementsFile { shown: place.shown(), place, constraint, open }, named_by)
    }

    /// Options of a line without a requirement.
    fn apply(&mut self, file: &RequirementsFile, parts: &ParsedLine<'_>) -> Result<(), Failure> {
        let given = |id: &'static str| parts.options.iter().filter(move |option| option.id == id);
        let values = |id: &'static str| given(id).filter_map(|option| option.value.as_deref());
        let has = |id: &'static str| given(id).next().is_some();
        if has("hash") {
            let (file, line) = (&file.shown, parts.line());
            let warning = format!("{file} line {line} has --hash but no requirement, and will be ignored.");
            self.found.warnings.push(warning);
        }
        self.require_hashes |= has("require_hashes");
        self.no_require_hashes |= has("no_require_hashes");
        let indexes = &mut self.found.indexes;
        if has("no_index") {
            indexes.no_index = true;
            indexes.indexes.clear();
        }
        if !indexes.no_index {
            let in_file = |failure: Failure| failure.detail("where", parts.place());
            if let Some(url) = values("index_url").next_back() {
                indexes.indexes = vec![index_url(url, self.process_environment).map_err(in_file)?];
            }
            for url in values("extra_index_url") {
                indexes.indexes.push(index_url(url, self.process_environment).map_err(in_file)?);
            }
        }
        indexes.find_links.extend(values("find_links").map(|link| file.find_links(link)));
        let selection = &mut self.found.selection;
        selection.prefer_binary |= has("prefer_binary");
        if has("pre") {
            selection.releases.pre();
        }
        self.found.trusted_hosts.extend(values("trusted_host").map(str::to_owned));
        self.warn_of_rest(parts, |id| id != "config_settings", false);
        Ok(())
    }

    /// pip silently ignores options that do not belong to a line; with `only_first` repeated ones, too.
    fn warn_of_rest(&mut self, parts: &ParsedLine<'_>, belongs: impl Fn(&str) -> bool, only_first: bool) {
        let mut seen = false;
        for option in &parts.options {
            let known = belongs(&option.id);
            if !known || (only_first && seen) {
                self.found.warnings.push(format!("{} has no effect here ({})", option.name, parts.place()));
            }
            seen |= known;
        }
    }
}

impl RequirementsFile {
    fn kind(&self) -> &'static str {
        if self.constraint { "constraint" } else { "requirements" }
    }

    /// A server sends it.
    fn is_remote(&self) -> bool {
        matches!(self.place, FileLocation::Remote(_))
    }

    /// A file that is no constraint file but was reached through one.
    fn inside_constraints(&self) -> bool {
        self.open.contains_key(INSIDE_CONSTRAINTS)
    }

    /// A place to find links at is tried next to the file first.
    fn find_links(&self, link: &str) -> String {
        match &self.place {
            FileLocation::Local(path) => {
                let beside = path.parent().unwrap_or(path).join(link);
                if beside.exists() { beside.display().to_string() } else { link.to_owned() }
            }
            // Refused before it gets here.
            FileLocation::Remote(_) => link.to_owned(),
        }
    }
}

/// Key in `RequirementsFile::open` of everything that a `-c` of the command line reached; no path and no URL is empty.
const INSIDE_CONSTRAINTS: &str = "";

impl FileLocation {
    fn of(name: &str) -> Result<Self, Failure> {
        if !has_scheme(name) {
            return Ok(Self::Local(absolute_path(Path::new(name))));
        }
        let url = absolute_url(name)?;
        match url.to_file_path() {
            Ok(path) if url.scheme() == "file" => Ok(Self::Local(path)),
            _ => Ok(Self::Remote(url)),
        }
    }

    /// The place that a name in this file means.
    fn join(&self, name: &str) -> Result<Self, Failure> {
        match self {
            Self::Remote(url) => {
                let joined = url
                    .join(name)
                    .map_err(|error| installation_error(format!("Invalid URL '{name}': {error}")).caused_by(error))?;
                Self::of(joined.as_str())
            }
            Self::Local(_) if has_scheme(name) => Self::of(name),
            Self::Local(path) => Ok(Self::Local(absolute_path(&path.parent().unwrap_or(path).join(name)))),
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Local(path) => path.display().to_string(),
            Self::Remote(url) => url.to_string(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Local(path) => path.display().to_string(),
            Self::Remote(url) => printable::redacted(url.as_str()),
        }
    }
}

impl ParsedLine<'_> {
    fn line(&self) -> usize {
        match self.origin {
            RequirementOrigin::Line { line, .. } => line,
            _ => 0,
        }
    }

    /// `line 3 of r.txt`
    fn place(&self) -> String {
        place_of(&self.origin)
    }
}

fn place_of(origin: &RequirementOrigin) -> String {
    match origin {
        RequirementOrigin::Line { file, line, .. } => format!("line {line} of {file}"),
        other => other.to_string(),
    }
}

fn top_level_file(name: &str, constraint: bool) -> Result<RequirementsFile, Failure> {
    let place = FileLocation::of(name)?;
    let mut open = BTreeMap::from([(place.key(), None)]);
    if constraint {
        open.insert(INSIDE_CONSTRAINTS.to_owned(), None);
    }
    let shown = if has_scheme(name) { place.shown() } else { name.to_owned() };
    Ok(RequirementsFile { shown, place, constraint, open })
}

fn has_scheme(name: &str) -> bool {
    let scheme = name.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "file"))
}

fn is_selection(id: &str) -> bool {
    matches!(id, "no_binary" | "only_binary" | "all_releases" | "only_final")
}

fn cannot_open(file: &RequirementsFile, error: std::io::Error) -> Failure {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    let number = error.raw_os_error().map(|number| format!("[Errno {number}] ")).unwrap_or_default();
    installation_error(format!("Could not open {} file: {number}{reason}: '{}'", file.kind(), file.shown))
        .caused_by(error)
}

/// Lock files (PEP 751) are no requirements files.
fn refuse_lock_file(name: &str) -> Result<(), Failure> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let last = last.split('[').next().unwrap_or(last);
    let middle = last.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix("toml"));
    let is_lock = middle.is_some_and(|middle| middle.is_empty() || (middle.len() > 1 && middle.ends_with('.')));
    if !is_lock {
        return Ok(());
    }
    Err(Failure::new(Code::UsageNotSupported, format!("the lock file '{name}' cannot be read yet"))
        .hint("export it to a requirements file with hashes"))
}

/// A file from a server may ask for packages and make the rules stricter. Nothing else in it is the user's word.
fn refuse_remote_options(parts: &ParsedLine<'_>, selection: &SelectionOptions) -> Result<(), Failure> {
    for option in &parts.options {
        let value = option.value.as_deref().unwrap_or_default();
        let is_allowed = match option.id.as_str() {
            "requirement" | "constraint" | "hash" | "require_hashes" => true,
            "only_binary" => only_restricts(selection, value)?,
            _ => false,
        };
        if !is_allowed {
            let message = format!("A requirements file from a server may not set {}", option.name);
            return Err(Failure::new(Code::RequirementsRemoteOption, message)
                .detail("where", parts.place())
                .detail("meaning", REMOTE_TEXT)
                .hint(format!(
                    "give {} yourself if you want it, and download the file without that line",
                    option.name
                )));
        }
    }
    Ok(())
}

/// Whether `--only-binary VALUE` takes back nothing that was said before.
fn only_restricts(selection: &SelectionOptions, value: &str) -> Result<bool, Failure> {
    let before = &selection.formats;
    let mut after = before.clone();
    after.only_binary(value)?;
    let is_kept = !before.only_binary.all && before.only_binary.named.is_subset(&after.only_binary.named);
    Ok(after.no_binary == before.no_binary && (after.only_binary.all || is_kept))
}

/// What a server sends must not be looked for on this machine.
fn remote_path(parts: &ParsedLine<'_>) -> Failure {
    let message = "A requirements file from a server may not name a file or directory of this machine";
    Failure::new(Code::RequirementsRemotePath, message)
        .detail("where", parts.place())
        .detail("line", printable::redacted(parts.requirement))
        .detail("meaning", REMOTE_TEXT)
        .hint("name that file yourself if you want it, and download the requirements file without that line")
}

const REMOTE_TEXT: &str = "what a server sends may ask for packages, give their hashes and include files of the same server, and nothing else";

/// Constraints are names with versions or URLs.
fn check_constraint(wish: &InstallRequirement, place: &str) -> Result<(), Failure> {
    let problem = if wish.name().is_none() {
        "Unnamed requirements are not allowed as constraints"
    } else if !wish.extras().is_empty() {
        "Constraints cannot have extras"
    } else {
        return Ok(());
    };
    Err(installation_error(problem).detail("where", place).detail("line", printable::redacted(&wish.text)))
}

/// `ALGORITHM:HEX`
fn parse_hash(text: &str) -> Result<(HashAlgorithm, String), String> {
    let Some((algorithm, digest)) = text.split_once(':') else {
        return Err(
            "Arguments to --hash must be a hash name followed by a value, like --hash=sha256:abcde...".to_owned()
        );
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err("Allowed hash algorithms for --hash are sha256, sha384, sha512.".to_owned()),
    };
    let algorithm = HashAlgorithm::from_name(algorithm).ok_or("unknown algorithm")?;
    let digest = digest.trim().to_ascii_lowercase();
    // A digest that can match nothing is not refused: pip reports it as a mismatch, with the file's name.
    if digest.len() > length {
        return Err(format!("expected {length} hexadecimal digits after the colon, found {}", digest.len()));
    }
    Ok((algorithm, digest))
}

/// pip's error for a line, with the line shown and a mark below the place.
fn invalid_line(line: &str, origin: &RequirementOrigin, message: &str, position: usize) -> Failure {
    let before = printable::redacted(line.get(..position).unwrap_or_default()).chars().count();
    installation_error(format!("Invalid requirement: {line}\n{message}"))
        .detail("where", place_of(origin))
        .detail("line", format!("{}\n{}^", printable::redacted(line), " ".repeat(before)))
}
