//! From arguments to [`Settings`]: find the command, add configured options, check values and combinations.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, FromArgMatches, ValueHint};

use installer::options::CommonOptions;

use super::commands;
use super::configuration::{Configuration, unknown_variables};
use super::layers::{self, ConfiguredOption};
use super::protected_places;
use super::trust;
use super::{Command, Settings, nearest};
use crate::arguments::values::WholeMessage;
use crate::arguments::{GeneralArgs, VerificationArgs};
use crate::cli::tokens::{OptionToken, Token, TokenError, find_long, long_names, parse, parse_leading_options};
use crate::cli::{self, Cli, unsupported_options};
use crate::terminal::settings::{Color, ProgressBar, TerminalSettings};
use installer::error::{Code, Failure};
use installer::options::{NetworkOptions, Proxy, TrustOptions};
use installer::process_environment::ProcessEnvironment;

/// The input of a command: configured options, then the typed ones.
pub(super) struct CommandInput {
    pub configured: Vec<ConfiguredOption>,
    pub tokens: Vec<Token>,
}

/// The settings of this run. `arguments` are those after the program's name.
///
/// # Errors
/// Wrong options, values or combinations, and configuration that cannot be read.
pub fn resolve_settings(tokens: &[String], process_environment: &ProcessEnvironment) -> Result<Settings, Failure> {
    let definition = cli::definition();
    let command_line = parse_command_line(&definition, tokens)?;
    if has(&command_line.before, "version") {
        return settings_without_configuration(
            Command::Version,
            &definition,
            process_environment,
            &command_line.before,
        );
    }
    // `tufpip` and `tufpip trust` alone name no command.
    if command_line.definition.has_subcommands() {
        return settings_without_configuration(
            help_command(command_line.definition),
            &definition,
            process_environment,
            &command_line.before,
        );
    }
    let input = parse(command_line.definition, &command_line.tokens)
        .map_err(|error| invalid_token(error, command_line.definition))?;
    let page = match command_line.path.as_slice() {
        _ if has(&input, "help") => Some(command_line.definition),
        ["help"] => Some(command_definition(&definition, arguments(&input))?),
        _ => None,
    };
    if let Some(page) = page {
        return settings_without_configuration(help_command(page), &definition, process_environment, &input);
    }
    resolve_command_settings(&definition, &command_line, input, process_environment)
}

/// The command that the arguments name, and the rest of them.
struct CommandLine<'a> {
    /// `["install"]`, `["trust", "add"]`; empty when the line names no command.
    path: Vec<&'a str>,
    definition: &'a clap::Command,
    /// The options before the last element of the path.
    before: Vec<Token>,
    /// All arguments except the path.
    tokens: Vec<String>,
}

/// Finds the command. General options may precede it.
fn parse_command_line<'a>(definition: &'a clap::Command, tokens: &[String]) -> Result<CommandLine<'a>, Failure> {
    let mut command_line = CommandLine { path: Vec::new(), definition, before: Vec::new(), tokens: Vec::new() };
    let mut rest = tokens;
    while command_line.definition.has_subcommands() {
        let read = parse_leading_options(command_line.definition, rest);
        let (before, next) = read.map_err(|error| invalid_token(error, command_line.definition))?;
        let (options, behind) = rest.split_at_checked(next).unwrap_or_default();
        rest = behind;
        command_line.before.extend(before);
        command_line.tokens.extend(options.iter().filter(|token| *token != "--").cloned());
        if has(&command_line.before, "help") || has(&command_line.before, "version") {
            break;
        }
        let Some((name, behind)) = rest.split_first() else { break };
        rest = behind;
        command_line.definition = find_command(command_line.definition, &command_line.path, name)?;
        command_line.path.push(command_line.definition.get_name());
    }
    command_line.tokens.extend(rest.iter().cloned());
    Ok(command_line)
}

/// `--help` and `--version` must work when the configuration is broken, so none is read.
fn settings_without_configuration(
    command: Command,
    definition: &clap::Command,
    process_environment: &ProcessEnvironment,
    tokens: &[Token],
) -> Result<Settings, Failure> {
    let general = options(tokens).filter(|option| option.id != "version");
    let tokens = general.cloned().map(Token::Option).collect();
    let input = CommandInput { configured: Vec::new(), tokens };
    let typed = parse_with_clap(definition, &["help"], &input, process_environment)?;
    let trust = trust::trust_locations(process_environment);
    Ok(assemble(command, typed.shared, trust, process_environment))
}

fn resolve_command_settings(
    definition: &clap::Command,
    command_line: &CommandLine<'_>,
    tokens: Vec<Token>,
    process_environment: &ProcessEnvironment,
) -> Result<Settings, Failure> {
    let isolated = has(&tokens, "isolated");
    let mut warnings = unknown_own_variables(definition, process_environment);
    let prefix = environment_prefix(&tokens, process_environment);
    let configuration = Configuration::load(process_environment, isolated, prefix.as_deref())?;
    let section = command_line.path.first().copied().unwrap_or_default();
    let configurable = configurable(definition, command_line)?;
    let configured = layers::option_tokens(configuration.entries(section), &configurable, &mut warnings)?;
    let mut input = CommandInput { configured, tokens };
    refuse_unsupported(&command_line.path.join(" "), &mut input, &mut warnings)?;
    let mut typed = parse_with_clap(definition, &command_line.path, &input, process_environment)?;
    let command = commands::resolve_command(typed.command, &input, process_environment, &mut warnings)?;
    let trust = match typed.shared.verification.take() {
        Some(verification) => trust::trust_options(verification, &input, process_environment)?,
        None => trust::trust_locations(process_environment),
    };
    let mut settings = assemble(command, typed.shared, trust, process_environment);
    settings.warnings = warnings;
    Ok(settings)
}

/// The options that may be configured. For commands below another one these are the general ones, and those about
/// indexes where the command uses some: PIP_ROOT means the --root of `install`, and PIP_YES answers no question of
/// `trust`.
fn configurable<'a>(
    definition: &clap::Command,
    command_line: &CommandLine<'a>,
) -> Result<Cow<'a, clap::Command>, Failure> {
    if command_line.path.len() <= 1 {
        return Ok(Cow::Borrowed(command_line.definition));
    }
    // It has the general options and those about indexes, and no others.
    let asks_indexes = find_command(definition, &[], "why-trust")?;
    let is_shared = |option: &&clap::Arg| option.get_long().is_some_and(|name| find_long(asks_indexes, name).is_some());
    let shared = command_line.definition.get_arguments().filter(is_shared).cloned();
    Ok(Cow::Owned(clap::Command::new("configurable").args(shared)))
}

fn assemble(
    command: Command,
    shared: SharedArgs,
    trust: TrustOptions,
    process_environment: &ProcessEnvironment,
) -> Settings {
    let general = shared.general;
    let expanded = |path: &Option<String>| {
        path.as_deref().filter(|path| !path.is_empty()).map(|path| process_environment.expand(path))
    };
    let verbosity = i16::from(general.verbose) - i16::from(general.quiet);
    let verbosity = if general.debug { 2 } else { i8::try_from(verbosity.clamp(-9, 9)).unwrap_or_default() };
    let color = if general.no_color { Color::Never } else { general.color };
    let proxy = match general.proxy.as_deref() {
        Some("") => Proxy::Off,
        Some(url) => Proxy::Url(url.to_owned()),
        None if general.no_proxy_env => Proxy::Off,
        None => Proxy::Environment,
    };
    let cache_dir = if general.no_cache_dir { None } else { expanded(&general.cache_dir).or_else(default_cache) };
    Settings {
        command,
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
                offline: shared.offline,
            },
            trust,
            protected: protected_places::protected_places(process_environment),
        },
        terminal: TerminalSettings {
            verbosity,
            color,
            progress_bar: shared.progress_bar,
            log: expanded(&general.log),
            no_input: general.no_input,
        },
        warnings: Vec::new(),
    }
}

pub(super) fn default_cache() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|directories| directories.cache_dir().join("tufpip"))
}

/// The environment whose own pip.conf counts.
fn environment_prefix(tokens: &[Token], process_environment: &ProcessEnvironment) -> Option<PathBuf> {
    let named =
        options(tokens).filter(|option| option.id == "python").filter_map(|option| option.value.as_deref()).last();
    let named = named
        .or_else(|| process_environment.variable("TUFPIP_PYTHON"))
        .or_else(|| process_environment.variable("PIP_PYTHON"));
    match named {
        Some(python) if !installer::python::is_command_name(Path::new(python)) && Path::new(python).is_dir() => {
            Some(PathBuf::from(python))
        }
        Some(_) => None,
        None => process_environment.variable("VIRTUAL_ENV").map(PathBuf::from),
    }
}

/// A command below the one with this path.
fn find_command<'a>(definition: &'a clap::Command, path: &[&str], name: &str) -> Result<&'a clap::Command, Failure> {
    if let Some(command) = definition.find_subcommand(name) {
        return Ok(command);
    }
    if let Some(instead) = unsupported_options::unsupported_command_hint(path, name) {
        let message = format!("The command \"{}\" is not there yet", [path, &[name]].concat().join(" "));
        return Err(Failure::new(Code::UsageNotSupported, message).hint(instead));
    }
    if name == "repo" && path.is_empty() && cfg!(not(feature = "repo")) {
        return Err(Failure::usage("unknown command \"repo\": this build has no `repo`")
            .hint("a build with the feature `repo`, which is on by default, makes and keeps signed indexes"));
    }
    let whole = |name: &str| [path, &[name]].concat().join(" ");
    let names = definition.get_subcommands().map(clap::Command::get_name);
    let guess = nearest(name, names).map(|guess| format!(" - maybe you meant \"{}\"", whole(guess)));
    Err(Failure::usage(format!("unknown command \"{}\"{}", whole(name), guess.unwrap_or_default())))
}

/// The definition that `help WORDS` shows: of the program without words, of `trust add` with these two.
fn command_definition<'a, 'b>(
    definition: &'a clap::Command,
    tokens: impl Iterator<Item = &'b str>,
) -> Result<&'a clap::Command, Failure> {
    let mut page = definition;
    let mut path = Vec::new();
    for token in tokens {
        if !page.has_subcommands() {
            break;
        }
        page = find_command(page, &path, token)?;
        path.push(token);
    }
    Ok(page)
}

/// The short form for options, and the full text about the command itself.
fn help_command(definition: &clap::Command) -> Command {
    let mut shown = definition.clone();
    if let Some(about) = definition.get_long_about() {
        shown = shown.about(about.clone());
    }
    Command::Help { text: shown.render_help().to_string() }
}

/// Options that are known by name only; those that came from a file are warned of rather than refused, where leaving
/// them out changes nothing that is installed.
fn refuse_unsupported(command: &str, input: &mut CommandInput, warnings: &mut Vec<String>) -> Result<(), Failure> {
    const IGNORED_IN_CONFIGURATION: &[&str] = &["src", "keyring-provider"];
    for option in options(&input.tokens) {
        warnings.extend(unsupported_options::check_option(command, &option.id, option.value.as_deref())?);
    }
    for ConfiguredOption { token, origin } in &input.configured {
        match unsupported_options::check_option(command, &token.id, token.value.as_deref()) {
            Ok(warning) => warnings.extend(warning),
            Err(_) if IGNORED_IN_CONFIGURATION.contains(&token.id.as_str()) => {
                warnings.push(format!("{} from {origin} is not supported yet and is ignored.", token.name));
            }
            Err(failure) => return Err(failure.detail("set by", origin.clone())),
        }
    }
    Ok(())
}

/// A command line that clap has read.
struct TypedCommand {
    command: cli::Command,
    shared: SharedArgs,
}

/// What clap found of the groups of options that are the same for all commands that have them.
struct SharedArgs {
    general: GeneralArgs,
    /// Of a command that asks an index.
    verification: Option<VerificationArgs>,
    offline: bool,
    progress_bar: ProgressBar,
}

impl SharedArgs {
    /// Reads them of the command that has this definition.
    fn read(matches: &ArgMatches, definition: &clap::Command) -> Result<Self, clap::Error> {
        let mut of_command = matches;
        while let Some((_, below)) = of_command.subcommand() {
            of_command = below;
        }
        let has = |id: &str| definition.get_arguments().any(|argument| argument.get_id() == id);
        let verification = has("offline").then(|| VerificationArgs::from_arg_matches(of_command)).transpose()?;
        Ok(Self {
            general: GeneralArgs::from_arg_matches(of_command)?,
            offline: verification.as_ref().is_some_and(|verification| verification.offline),
            verification,
            progress_bar: match has("progress_bar") {
                true => of_command.get_one("progress_bar").copied().unwrap_or(ProgressBar::Auto),
                false => ProgressBar::Auto,
            },
        })
    }
}

/// Lets clap check and convert the values.
fn parse_with_clap(
    definition: &clap::Command,
    path: &[&str],
    input: &CommandInput,
    process_environment: &ProcessEnvironment,
) -> Result<TypedCommand, Failure> {
    let mut of_command = definition;
    for name in path {
        of_command = find_command(of_command, &[], name)?;
    }
    let configured = input.configured.iter().map(|configured| &configured.token);
    let line = configured.chain(options(&input.tokens)).map(|option| {
        let definition = of_command.get_arguments().find(|argument| *argument.get_id() == option.id);
        let value = option.value.as_deref().map(|value| expand(value, definition, process_environment));
        to_argument(&OptionToken { value, ..option.clone() })
    });
    let positional = of_command.get_positionals().next();
    let arguments = arguments(&input.tokens).map(|argument| expand(argument, positional, process_environment));
    let line = command_words(path).chain(line).chain(["--".to_owned()]).chain(arguments);
    let matches = definition.clone().try_get_matches_from(line).map_err(|error| {
        if error.kind() == ErrorKind::MissingRequiredArgument {
            return missing_argument(&error, &path.join(" "));
        }
        match origin_of_rejected_option(definition, path, &input.configured) {
            Some(origin) => invalid_value(&error).detail("set by", origin),
            None => invalid_value(&error),
        }
    })?;
    let typed = Cli::from_arg_matches(&matches).map_err(|error| invalid_value(&error))?;
    let shared = SharedArgs::read(&matches, of_command).map_err(|error| invalid_value(&error))?;
    let command = typed.command.ok_or_else(|| Failure::usage("no command"))?;
    Ok(TypedCommand { command, shared })
}

/// The value with the home directory in the place of `~`, where the definition says that it may be a path. Other values are
/// expanded, or not, by whoever reads them.
fn expand(value: &str, definition: Option<&clap::Arg>, process_environment: &ProcessEnvironment) -> String {
    let is_path = definition.is_some_and(|definition| {
        matches!(definition.get_value_hint(), ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath)
    });
    match process_environment.expand(value).into_os_string().into_string() {
        Ok(expanded) if is_path => expanded,
        _ => value.to_owned(),
    }
}

fn command_words(path: &[&str]) -> impl Iterator<Item = String> {
    std::iter::once("tufpip").chain(path.iter().copied()).map(str::to_owned)
}

fn to_argument(option: &OptionToken) -> String {
    match &option.value {
        Some(value) => format!("{}={value}", option.name),
        None => option.name.clone(),
    }
}

/// The origin of the configured option that clap rejects, found by trying each.
fn origin_of_rejected_option(
    definition: &clap::Command,
    path: &[&str],
    configured: &[ConfiguredOption],
) -> Option<String> {
    let wrong = configured.iter().find(|configured| {
        let line = command_words(path).chain([to_argument(&configured.token)]);
        let outcome = definition.clone().try_get_matches_from(line);
        outcome.is_err_and(|error| error.kind() != ErrorKind::MissingRequiredArgument)
    });
    wrong.map(|configured| configured.origin.clone())
}

/// clap's error about a value, with optparse's message.
fn invalid_value(error: &clap::Error) -> Failure {
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
            let source = std::error::Error::source(error);
            if let Some(WholeMessage(message)) = source.and_then(|source| source.downcast_ref()) {
                return Failure::usage(message);
            }
            let reason = source.map(ToString::to_string);
            let reason = reason.unwrap_or_else(|| format!("invalid value: '{value}'"));
            Failure::usage(format!("option {option}: {reason}"))
        }
        _ => {
            let text = error.render().to_string();
            Failure::usage(text.trim().strip_prefix("error: ").unwrap_or(text.trim()))
        }
    }
}

fn missing_argument(error: &clap::Error, command: &str) -> Failure {
    let names = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(names)) => names.join(" and "),
        _ => "more arguments".to_owned(),
    };
    Failure::usage(format!("`{command}` needs {names}")).hint(format!("see \"tufpip help {command}\""))
}

fn invalid_token(error: TokenError, definition: &clap::Command) -> Failure {
    let failure = Failure::usage(error.message);
    let Some(option) = error.unknown else { return failure };
    if let Some(hint) = unsupported_options::removed_option_hint(&option) {
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

/// The option tokens.
pub(super) fn options(tokens: &[Token]) -> impl Iterator<Item = &OptionToken> {
    tokens.iter().filter_map(|token| match token {
        Token::Option(option) => Some(option),
        Token::Argument(_) => None,
    })
}

fn arguments(tokens: &[Token]) -> impl Iterator<Item = &str> {
    tokens.iter().filter_map(|token| match token {
        Token::Argument(argument) => Some(argument.as_str()),
        Token::Option(_) => None,
    })
}

fn has(tokens: &[Token], id: &str) -> bool {
    options(tokens).any(|option| option.id == id)
}
