//! pip.conf and the environment: which files are read, in which order, and their entries. What an entry means for a
//! command is decided in [`super::layers`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use configparser::ini::{Ini, IniDefault};

use super::layers::parse_boolean;
use installer::error::{Code, Failure};
use installer::process_environment::{LAUNCHER_VARIABLE, PASSPHRASE_VARIABLE, ProcessEnvironment, TRUST_VARIABLE};
use installer::trust::IndexIdentity;

/// One configured value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationEntry {
    /// The long option without hyphens, in lower case.
    pub key: String,
    /// The text.
    pub value: String,
    /// The file, or the variable, for messages.
    pub origin: String,
}

/// Everything that is configured, weakest first within each list. No value is empty.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// By section; the first one is `global`, the others are commands.
    sections: BTreeMap<String, BTreeMap<String, ConfigurationEntry>>,
    /// From `PIP_*` and `TUFPIP_*`.
    variables: Vec<ConfigurationEntry>,
}

/// `TUFPIP_*` variables that do not stand for an option.
const NON_OPTION_VARIABLES: &[&str] = &["TUFPIP_CONFIG_FILE", TRUST_VARIABLE, PASSPHRASE_VARIABLE, LAUNCHER_VARIABLE];

/// The option that can only be strengthened: if one source sets it, no other can unset it, and --isolated does not
/// disable the variable.
pub const REQUIRE_SIGNED: &str = "require-signed";

impl Configuration {
    /// Reads all files and variables. `prefix` is the environment that may have a pip.conf of its own.
    ///
    /// # Errors
    /// A file cannot be read, or is no INI file.
    pub fn load(
        process_environment: &ProcessEnvironment,
        isolated: bool,
        prefix: Option<&Path>,
    ) -> Result<Self, Failure> {
        let mut configuration = Self::default();
        if is_silenced(process_environment) {
            // These files are skipped, except for what the machine requires.
            for file in system_files(process_environment) {
                configuration.read_file(&file)?;
            }
            for section in configuration.sections.values_mut() {
                section.retain(|key, _| key == REQUIRE_SIGNED);
            }
        } else {
            for file in files(process_environment, isolated, prefix) {
                configuration.read_file(&file)?;
            }
        }
        configuration.read_variables(process_environment, isolated);
        for section in configuration.sections.values_mut() {
            section.retain(|_, entry| !entry.value.is_empty());
        }
        Ok(configuration)
    }

    /// What counts for a command, weakest first.
    pub fn entries(&self, command: &str) -> impl Iterator<Item = &ConfigurationEntry> {
        let section = |name: &str| self.sections.get(name).into_iter().flat_map(BTreeMap::values);
        section("global").chain(section(command)).chain(&self.variables)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), Failure> {
        let origin = path.display().to_string();
        let broken = |reason: String| {
            Failure::new(Code::UsageConfiguration, format!("Configuration file {reason}"))
                .detail("file", origin.clone())
        };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            // As in pip: a missing file, or something that is no file, is no configuration.
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound
                        | std::io::ErrorKind::NotADirectory
                        | std::io::ErrorKind::IsADirectory
                        | std::io::ErrorKind::PermissionDenied
                ) =>
            {
                return Ok(());
            }
            Err(error) => return Err(broken(format!("could not be loaded: {error}"))),
        };
        let text = String::from_utf8(bytes).map_err(|_| broken("contains invalid UTF-8 characters.".to_owned()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        let sections = dialect().read(text).map_err(|error| broken(format!("could not be loaded: {error}")))?;
        if sections.contains_key(NO_SECTION) {
            return Err(broken("could not be loaded: it contains no section headers, such as [global]".to_owned()));
        }
        for (section, pairs) in sections {
            let known = self.sections.entry(section).or_default();
            for (key, value) in pairs {
                let Some(value) = value else {
                    return Err(broken(format!("could not be loaded: '{key}' has no '='")));
                };
                let key = normalize_key(&key);
                insert(known, ConfigurationEntry { key, value, origin: origin.clone() });
            }
        }
        Ok(())
    }

    fn read_variables(&mut self, process_environment: &ProcessEnvironment, isolated: bool) {
        let mut entries: BTreeMap<String, ConfigurationEntry> = BTreeMap::new();
        // Ours come second, so that they win.
        for prefix in ["PIP_", "TUFPIP_"] {
            for (name, value) in &process_environment.variables {
                let Some(key) = name.strip_prefix(prefix).map(normalize_key) else { continue };
                // These would make pip's own parser print its version or help.
                if value.is_empty() || matches!(key.as_str(), "version" | "help" | "config-file") {
                    continue;
                }
                if isolated && key != REQUIRE_SIGNED {
                    continue;
                }
                insert(&mut entries, ConfigurationEntry { key, value: value.clone(), origin: name.clone() });
            }
        }
        self.variables = entries.into_values().collect();
    }
}

/// `TUFPIP_*` variables that are unknown, each with the closest known one.
pub fn unknown_variables(process_environment: &ProcessEnvironment, known: &[String]) -> Vec<(String, Option<String>)> {
    let own = process_environment.variables.keys().filter(|name| name.starts_with("TUFPIP_"));
    let unknown = own.filter(|name| !known.contains(name) && !NON_OPTION_VARIABLES.contains(&name.as_str()));
    unknown
        .map(|name| {
            let candidates = known.iter().map(String::as_str).chain(NON_OPTION_VARIABLES.iter().copied());
            (name.clone(), super::nearest(name, candidates).map(str::to_owned))
        })
        .collect()
}

/// The directories of trusted roots that are set up by the administrator or the environment, most trusted first. They
/// count with --isolated too: without them a signed index would not be verified.
pub fn trust_anchors(process_environment: &ProcessEnvironment) -> Vec<PathBuf> {
    let mut directories = system_directories(process_environment);
    if cfg!(not(any(windows, target_os = "macos"))) {
        directories.push(process_environment.system.clone());
    }
    let mut anchors: Vec<PathBuf> =
        directories.into_iter().map(|directory| directory.join("tufpip").join("trust.d")).collect();
    anchors.extend(named_anchors(process_environment));
    anchors
}

/// The directories of trusted roots that a variable names.
///
/// # Errors
/// When one of them is missing or contains no roots: its indexes would be used unverified.
pub fn require_named_anchors(process_environment: &ProcessEnvironment) -> Result<(), Failure> {
    for path in named_anchors(process_environment) {
        if !path.is_dir() {
            return Err(no_anchors(&path, "is no directory", format!("correct {TRUST_VARIABLE}, or unset it")));
        }
        if !holds_anchors(&path) {
            return Err(no_anchors(&path, "holds no trusted roots", right_level(&path)));
        }
    }
    Ok(())
}

fn no_anchors(path: &Path, problem: &str, hint: String) -> Failure {
    Failure::usage(format!("{TRUST_VARIABLE} names {}, which {problem}", path.display()))
        .detail("expected", "a directory with directories named by 56 hex digits, one for each index, or with map.json")
        .detail("meaning", "the indexes that are trusted there would be used without verification; nothing was done")
        .hint(hint)
}

/// Whether a directory may contain trusted roots. One that can be searched but not listed may.
fn holds_anchors(path: &Path) -> bool {
    let Ok(mut entries) = std::fs::read_dir(path) else { return true };
    entries.any(|entry| {
        let name = entry.map(|entry| entry.file_name()).unwrap_or_default();
        name.to_str().is_some_and(|name| name == "map.json" || IndexIdentity::names_directory(name))
    })
}

/// The directory where the roots probably are instead.
fn right_level(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let below = path.join("tuf-repositories");
    match path.parent() {
        Some(parent) if IndexIdentity::names_directory(name) => {
            format!("it looks like the directory of one index; name the one above: {}", parent.display())
        }
        _ if below.is_dir() => format!("name the directory in it: {}", below.display()),
        _ => format!("correct {TRUST_VARIABLE}, or unset it"),
    }
}

fn named_anchors(process_environment: &ProcessEnvironment) -> Vec<PathBuf> {
    let named = std::env::split_paths(process_environment.variable(TRUST_VARIABLE).unwrap_or_default());
    named.filter(|path| !path.as_os_str().is_empty()).collect()
}

/// A later entry replaces an earlier one.
fn insert(entries: &mut BTreeMap<String, ConfigurationEntry>, entry: ConfigurationEntry) {
    let stays = entry.key == REQUIRE_SIGNED
        && entries.get(REQUIRE_SIGNED).is_some_and(|earlier| parse_boolean(&earlier.value) == Some(true));
    if !stays {
        entries.insert(entry.key.clone(), entry);
    }
}

/// Stands for "before any section"; no header can spell it.
const NO_SECTION: &str = "\n";

/// The INI dialect of Python's RawConfigParser, as far as the parts are adjustable.
fn dialect() -> Ini {
    let mut default = IniDefault::default();
    default.default_section = NO_SECTION.to_owned();
    default.comment_symbols = vec!['#', ';'];
    default.delimiters = vec!['=', ':'];
    default.case_sensitive = true;
    default.multiline = true;
    default.enable_inline_comments = false;
    Ini::new_from_defaults(default)
}

fn normalize_key(key: &str) -> String {
    let key = key.to_lowercase().replace('_', "-");
    key.strip_prefix("--").unwrap_or(&key).to_owned()
}

/// Whether the configuration file variable names the null device, which disables all files.
fn is_silenced(process_environment: &ProcessEnvironment) -> bool {
    named_file(process_environment) == Some(if cfg!(windows) { "nul" } else { "/dev/null" })
}

fn named_file(process_environment: &ProcessEnvironment) -> Option<&str> {
    process_environment.variable("TUFPIP_CONFIG_FILE").or_else(|| process_environment.variable("PIP_CONFIG_FILE"))
}

/// The files to read, weakest first; they need not exist.
fn files(process_environment: &ProcessEnvironment, isolated: bool, prefix: Option<&Path>) -> Vec<PathBuf> {
    let named = named_file(process_environment);
    let mut files = system_files(process_environment);
    if !isolated && !named.is_some_and(|named| Path::new(named).exists()) {
        files.extend(user_files(process_environment));
    }
    files.extend(prefix.map(|prefix| prefix.join(BASE_NAME)));
    files.extend(named.map(PathBuf::from));
    files
}

/// Every file that pip or this program may read options from, whether they do in this run or not. Those of another
/// system's name are for programs that look for them.
pub(super) fn possible_files(process_environment: &ProcessEnvironment) -> Vec<PathBuf> {
    let mut files = system_files(process_environment);
    files.extend(user_files(process_environment));
    files.extend(process_environment.variable("VIRTUAL_ENV").map(|prefix| Path::new(prefix).join(BASE_NAME)));
    for variable in ["TUFPIP_CONFIG_FILE", "PIP_CONFIG_FILE"] {
        files.extend(process_environment.variable(variable).map(PathBuf::from));
    }
    files
}

const BASE_NAME: &str = if cfg!(windows) { "pip.ini" } else { "pip.conf" };

fn system_files(process_environment: &ProcessEnvironment) -> Vec<PathBuf> {
    let directories = system_directories(process_environment).into_iter();
    let mut files: Vec<PathBuf> = directories.map(|directory| directory.join("pip").join(BASE_NAME)).collect();
    if cfg!(not(any(windows, target_os = "macos"))) {
        files.push(process_environment.system.join(BASE_NAME));
    }
    files
}

/// Where programs have their directories for what holds on the whole machine.
fn system_directories(process_environment: &ProcessEnvironment) -> Vec<PathBuf> {
    if cfg!(windows) {
        return vec![PathBuf::from(process_environment.variable("PROGRAMDATA").unwrap_or("C:\\ProgramData"))];
    }
    if cfg!(target_os = "macos") {
        return vec![PathBuf::from("/Library/Application Support")];
    }
    let directories = process_environment.variable("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
    directories.split(':').filter(|directory| !directory.is_empty()).map(PathBuf::from).collect()
}

fn user_files(process_environment: &ProcessEnvironment) -> Vec<PathBuf> {
    let Some(home) = process_environment.home() else { return Vec::new() };
    let configuration = if cfg!(windows) {
        process_environment.variable("APPDATA").map_or_else(|| home.join("AppData\\Roaming"), PathBuf::from)
    } else {
        let application_support = home.join("Library/Application Support");
        if cfg!(target_os = "macos") && application_support.join("pip").is_dir() {
            application_support
        } else {
            process_environment.variable("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from)
        }
    };
    let legacy = home.join(if cfg!(windows) { "pip" } else { ".pip" });
    vec![legacy.join(BASE_NAME), configuration.join("pip").join(BASE_NAME)]
}
