//! From words to [`Settings`]: split off the command, lay the configuration below, check values and combinations.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::FromArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use installer::options::CommonOptions;

use super::commands::{self, Settled};
use super::configuration::{Configuration, unknown_variables};
use super::layers::{self, Configured};
use super::{Command, Settings, TerminalSettings, nearest};
use crate::cli::words::{OptionWord, Word, WordError, find_long, long_names, read, read_options};
use crate::cli::{self, Cli, General, known};
use installer::error::{Failure, Kind};
use installer::options::{NetworkOptions, Proxy};
use installer::process_environment::ProcessEnvironment;

/// What a command was told: by configuration first, then by the user.
pub(super) struct Told {
    pub configured: Vec<Configured>,
    pub words: Vec<Word>,
}

/// What this process shall do. The words are those after the program's name.
///
/// # Errors
/// Wrong options, values or combinations, and configuration that cannot be read.
pub fn settle(words: &[String], process_environment: &ProcessEnvironment) -> Result<Settings, Failure> {
    let definition = cli::definition();
    let called = call(&definition, words)?;
    if has(&called.before, "version") {
        return bare(Command::Version, &definition, process_environment, &called.before);
    }
    // `tufpip` and `tufpip trust` alone name nothing to do.
    if called.definition.has_subcommands() {
        return bare(help(called.definition), &definition, process_environment, &called.before);
    }
    let told = read(called.definition, &called.words).map_err(|error| wrong_word(error, called.definition))?;
    let page = match called.path.as_slice() {
        _ if has(&told, "help") => Some(called.definition),
        ["help"] => Some(page(&definition, arguments(&told))?),
        _ => None,
    };
    if let Some(page) = page {
        return bare(help(page), &definition, process_environment, &told);
    }
    settle_command(&definition, &called, told, process_environment)
}

/// The command that a line names, and the other words.
struct Called<'a> {
    /// `["install"]`, `["trust", "add"]`; empty when the line names no command.
    path: Vec<&'a str>,
    definition: &'a clap::Command,
    /// The options before the last word of the path.
    before: Vec<Word>,
    /// All words but the path.
    words: Vec<String>,
}

/// Finds the command. General options before and between its words are as good as behind them; an option that asks for
/// a page ends the search.
fn call<'a>(definition: &'a clap::Command, words: &[String]) -> Result<Called<'a>, Failure> {
    let mut called = Called { path: Vec::new(), definition, before: Vec::new(), words: Vec::new() };
    let mut rest = words;
    while called.definition.has_subcommands() {
        let read = read_options(called.definition, rest);
        let (before, next) = read.map_err(|error| wrong_word(error, called.definition))?;
        let (options, behind) = rest.split_at_checked(next).unwrap_or_default();
        rest = behind;
        called.before.extend(before);
        called.words.extend(options.iter().filter(|word| *word != "--").cloned());
        if has(&called.before, "help") || has(&called.before, "version") {
            break;
        }
        let Some((name, behind)) = rest.split_first() else { break };
        rest = behind;
        called.definition = find_command(called.definition, &called.path, name)?;
        called.path.push(called.definition.get_name());
    }
    called.words.extend(rest.iter().cloned());
    Ok(called)
}

/// A run that only prints needs no configuration, and must work when that is broken.
fn bare(
    command: Command,
    definition: &clap::Command,
    process_environment: &ProcessEnvironment,
    words: &[Word],
) -> Result<Settings, Failure> {
    let general = options(words).filter(|option| option.id != "version");
    let words = general.cloned().map(Word::Option).collect();
    let general: General = match typed(definition, &["help"], &Told { configured: Vec::new(), words })?.command {
        Some(cli::Command::Help(help)) => help.general,
        _ => return Err(Failure::usage("no command")),
    };
    Ok(assemble(Settled::new(general, command, process_environment), process_environment))
}

fn settle_command(
    definition: &clap::Command,
    called: &Called<'_>,
    words: Vec<Word>,
    process_environment: &ProcessEnvironment,
) -> Result<Settings, Failure> {
    let isolated = has(&words, "isolated");
    let mut warnings = unknown_own_variables(definition, process_environment);
    let prefix = environment_prefix(&words, process_environment);
    let configuration = Configuration::load(process_environment, isolated, prefix.as_deref())?;
    let section = called.path.first().copied().unwrap_or_default();
    let configurable = configurable(definition, called)?;
    let configured = layers::words(configuration.entries(section), &configurable, &mut warnings)?;
    let mut told = Told { configured, words };
    refuse_known(&called.path.join(" "), &mut told, &mut warnings)?;
    let typed = typed(definition, &called.path, &told)?;
    let mut settings =
        assemble(commands::settle(typed, &told, process_environment, &mut warnings)?, process_environment);
    settings.warnings = warnings;
    Ok(settings)
}

/// The options that may be configured. For commands below another one these are the general ones, and those about indexes
/// where the command asks some: PIP_ROOT means the --root of `install`, and PIP_YES answers no question of `trust`.
fn configurable<'a>(definition: &clap::Command, called: &Called<'a>) -> Result<Cow<'a, clap::Command>, Failure> {
    if called.path.len() <= 1 {
        return Ok(Cow::Borrowed(called.definition));
    }
    // It has the general options and those about indexes, and no others.
    let asks_indexes = find_command(definition, &[], "why-trust")?;
    let is_shared = |option: &&clap::Arg| option.get_long().is_some_and(|name| find_long(asks_indexes, name).is_some());
    let shared = called.definition.get_arguments().filter(is_shared).cloned();
    Ok(Cow::Owned(clap::Command::new("configurable").args(shared)))
}

fn assemble(settled: Settled, process_environment: &ProcessEnvironment) -> Settings {
    let general = settled.general;
    let expanded = |path: &Option<String>| {
        path.as_deref().filter(|path| !path.is_empty()).map(|path| process_environment.expand(path))
    };
    let verbosity = i16::from(general.verbose) - i16::from(general.quiet);
    let verbosity = if general.debug { 2 } else { i8::try_from(verbosity.clamp(-9, 9)).unwrap_or_default() };
    let color = if general.no_color { super::Color::Never } else { general.color };
    let proxy = match general.proxy.as_deref() {
        Some("") => Proxy::Off,
        Some(url) => Proxy::Url(url.to_owned()),
        None if general.no_proxy_env => Proxy::Off,
        None => Proxy::Environment,
    };
    let cache_dir = if general.no_cache_dir { None } else { expanded(&general.cache_dir).or_else(default_cache) };
    Settings {
        command: settled.command,
        common: CommonOptions {
            python: expanded(&general.python),
            require_virtualenv: general.require_virtualenv,
            network: NetworkOptions {
                proxy,
                timeout: general.timeout,
                retries: general.retries,
                resume_retries: general.resume_retries,
                cert: expanded(&general.cert),
                client_cert: expanded(&general.client_cert),
                trusted_hosts: general.trusted_host.clone(),
                cache_dir,
                offline: settled.offline,
            },
            trust: settled.trust,
        },
        terminal: TerminalSettings {
            verbosity,
            color,
            progress_bar: settled.progress_bar,
            log: expanded(&general.log),
            no_input: general.no_input,
        },
        warnings: Vec::new(),
    }
}

fn default_cache() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|directories| directories.cache_dir().join("tufpip"))
}

/// The environment whose own pip.conf counts.
fn environment_prefix(words: &[Word], process_environment: &ProcessEnvironment) -> Option<PathBuf> {
    let named =
        options(words).filter(|option| option.id == "python").filter_map(|option| option.value.as_deref()).last();
    let named = named
        .or_else(|| process_environment.variable("TUFPIP_PYTHON"))
        .or_else(|| process_environment.variable("PIP_PYTHON"));
    match named {
        Some(python) if Path::new(python).is_dir() => Some(PathBuf::from(python)),
        Some(_) => None,
        None => process_environment.variable("VIRTUAL_ENV").map(PathBuf::from),
    }
}

/// A command below the one with this path.
fn find_command<'a>(definition: &'a clap::Command, path: &[&str], name: &str) -> Result<&'a clap::Command, Failure> {
    if let Some(command) = definition.find_subcommand(name) {
        return Ok(command);
    }
    if let Some(instead) = known::missing_command(name).filter(|_| path.is_empty()) {
        let message = format!("The command \"{name}\" is not there yet");
        return Err(Failure::new(Kind::Usage, "usage.not-supported", message).hint(instead));
    }
    let whole = |name: &str| [path, &[name]].concat().join(" ");
    let names = definition.get_subcommands().map(clap::Command::get_name);
    let guess = nearest(name, names).map(|guess| format!(" - maybe you meant \"{}\"", whole(guess)));
    Err(Failure::usage(format!("unknown command \"{}\"{}", whole(name), guess.unwrap_or_default())))
}

/// The definition that `help WORDS` is about: of the program without words, and of `trust add` with these two.
fn page<'a, 'b>(
    definition: &'a clap::Command,
    words: impl Iterator<Item = &'b str>,
) -> Result<&'a clap::Command, Failure> {
    let mut page = definition;
    let mut path = Vec::new();
    for word in words {
        if !page.has_subcommands() {
            break;
        }
        page = find_command(page, &path, word)?;
        path.push(word);
    }
    Ok(page)
}

/// The short form for options, and all that is said about the command itself.
fn help(definition: &clap::Command) -> Command {
    let mut shown = definition.clone();
    if let Some(about) = definition.get_long_about() {
        shown = shown.about(about.clone());
    }
    Command::Help { text: shown.render_help().to_string() }
}

/// Options that are known by name only; those that came from a file are warned of rather than refused, where leaving
/// them out changes nothing that is installed.
fn refuse_known(command: &str, told: &mut Told, warnings: &mut Vec<String>) -> Result<(), Failure> {
    const IGNORED_IN_CONFIGURATION: &[&str] = &["src", "keyring-provider"];
    for option in options(&told.words) {
        warnings.extend(known::answer(command, &option.id, option.value.as_deref())?);
    }
    for Configured { word, origin } in &told.configured {
        match known::answer(command, &word.id, word.value.as_deref()) {
            Ok(warning) => warnings.extend(warning),
            Err(_) if IGNORED_IN_CONFIGURATION.contains(&word.id.as_str()) => {
                warnings.push(format!("{} from {origin} is not supported yet and is ignored.", word.name));
            }
            Err(failure) => return Err(failure.detail("set by", origin.clone())),
        }
    }
    Ok(())
}

/// Lets clap check and convert the values.
fn typed(definition: &clap::Command, path: &[&str], told: &Told) -> Result<Cli, Failure> {
    let configured = told.configured.iter().map(|configured| &configured.word);
    let line = configured.chain(options(&told.words)).map(spell);
    let line = start(path).chain(line).chain(["--".to_owned()]).chain(arguments(&told.words).map(str::to_owned));
    let matches = definition.clone().try_get_matches_from(line).map_err(|error| {
        if error.kind() == ErrorKind::MissingRequiredArgument {
            return missing(&error, &path.join(" "));
        }
        match blame(definition, path, &told.configured) {
            Some(origin) => wrong_value(&error).detail("set by", origin),
            None => wrong_value(&error),
        }
    })?;
    Cli::from_arg_matches(&matches).map_err(|error| wrong_value(&error))
}

fn start(path: &[&str]) -> impl Iterator<Item = String> {
    std::iter::once("tufpip").chain(path.iter().copied()).map(str::to_owned)
}

fn spell(option: &OptionWord) -> String {
    match &option.value {
        Some(value) => format!("{}={value}", option.name),
        None => option.name.clone(),
    }
}

/// Which configured option clap does not like; tried one by one, after the fact.
fn blame(definition: &clap::Command, path: &[&str], configured: &[Configured]) -> Option<String> {
    let wrong = configured.iter().find(|configured| {
        let line = start(path).chain([spell(&configured.word)]);
        let outcome = definition.clone().try_get_matches_from(line);
        outcome.is_err_and(|error| error.kind() != ErrorKind::MissingRequiredArgument)
    });
    wrong.map(|configured| configured.origin.clone())
}

/// clap's complaint about a value, in optparse's words.
fn wrong_value(error: &clap::Error) -> Failure {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => {
            texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    };
    let option = text(ContextKind::InvalidArg);
    let option = option.split(' ').next().unwrap_or_default();
    let value = text(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::InvalidValue => Failure::usage(format!(
            "option {option}: invalid choice: '{value}' (choose from {})",
            text(ContextKind::ValidValue)
        )),
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            let reason = reason.unwrap_or_else(|| format!("invalid value: '{value}'"));
            Failure::usage(format!("option {option}: {reason}"))
        }
        _ => {
            let text = error.render().to_string();
            Failure::usage(text.trim().strip_prefix("error: ").unwrap_or(text.trim()))
        }
    }
}

fn missing(error: &clap::Error, command: &str) -> Failure {
    let names = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(names)) => names.join(" and "),
        _ => "more arguments".to_owned(),
    };
    Failure::usage(format!("`{command}` needs {names}")).hint(format!("see \"tufpip help {command}\""))
}

fn wrong_word(error: WordError, definition: &clap::Command) -> Failure {
    let failure = Failure::usage(error.message);
    let Some(option) = error.unknown else { return failure };
    if let Some(hint) = known::removed(&option) {
        return failure.hint(hint);
    }
    let options = definition.get_arguments().filter(|option| !option.is_hide_set());
    let names: Vec<String> = options.flat_map(long_names).map(|name| format!("--{name}")).collect();
    match nearest(&option, names.iter().map(String::as_str)) {
        Some(near) if option.starts_with("--") => failure.hint(format!("did you mean {near}?")),
        _ => failure.hint("`tufpip help <command>` lists the options"),
    }
}

fn unknown_own_variables(definition: &clap::Command, process_environment: &ProcessEnvironment) -> Vec<String> {
    if !process_environment.variables.keys().any(|name| name.starts_with("TUFPIP_")) {
        return Vec::new();
    }
    let options = definition.get_subcommands().flat_map(clap::Command::get_arguments).flat_map(long_names);
    let known: Vec<String> = options.map(|name| format!("TUFPIP_{}", name.to_uppercase().replace('-', "_"))).collect();
    let unknown = unknown_variables(process_environment, &known).into_iter();
    unknown
        .map(|(name, near)| match near {
            Some(near) => format!("The environment variable {name} means nothing; maybe you meant {near}."),
            None => format!("The environment variable {name} means nothing."),
        })
        .collect()
}

/// The options among words.
pub(super) fn options(words: &[Word]) -> impl Iterator<Item = &OptionWord> {
    words.iter().filter_map(|word| match word {
        Word::Option(option) => Some(option),
        Word::Argument(_) => None,
    })
}

fn arguments(words: &[Word]) -> impl Iterator<Item = &str> {
    words.iter().filter_map(|word| match word {
        Word::Argument(argument) => Some(argument.as_str()),
        Word::Option(_) => None,
    })
}

fn has(words: &[Word], id: &str) -> bool {
    options(words).any(|option| option.id == id)
}
