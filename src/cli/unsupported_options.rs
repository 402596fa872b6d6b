//! Options and commands of pip that are not supported: accepted without effect, refused for now, or removed by pip.

use clap::{Arg, ArgAction, Command};

use installer::error::{Code, Failure};

/// What happens when such an option is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsupportedOptionAction {
    /// It has nothing to do here and does no harm.
    Accept,
    /// As [`UnsupportedOptionAction::Accept`], with a warning.
    Warn,
    /// Accepted with one of these values, else refused with the sentence.
    AcceptValues(&'static [&'static str], &'static str),
    /// Not there yet; the sentence says what to do instead.
    Refuse(&'static str),
}

struct UnsupportedOption {
    /// Commands that have it; empty for all, and the bare command.
    commands: &'static [&'static str],
    names: &'static [&'static str],
    short: Option<char>,
    takes_value: bool,
    /// In configuration, a value that means no switches it on.
    is_negative: bool,
    action: UnsupportedOptionAction,
}

const REQUIREMENT_COMMANDS: &[&str] = &["install", "download"];
const INDEX_COMMANDS: &[&str] = &["install", "download", "list"];

const OPTIONS: &[UnsupportedOption] = &[
    flag(&[], &["disable-pip-version-check"], UnsupportedOptionAction::Accept),
    flag(&[], &["no-python-version-warning"], UnsupportedOptionAction::Accept),
    value(&[], &["exists-action"], UnsupportedOptionAction::Accept),
    value(&[], &["use-feature"], UnsupportedOptionAction::Warn),
    value(
        &[],
        &["use-deprecated"],
        UnsupportedOptionAction::AcceptValues(&["legacy-certs"], "the old resolver is not there; leave the option out"),
    ),
    value(
        &[],
        &["keyring-provider"],
        UnsupportedOptionAction::AcceptValues(
            &["auto", "disabled"],
            "put the user name and password into the index URL or into ~/.netrc",
        ),
    ),
    flag(REQUIREMENT_COMMANDS, &["use-pep517"], UnsupportedOptionAction::Accept),
    UnsupportedOption {
        is_negative: true,
        ..flag(REQUIREMENT_COMMANDS, &["no-build-isolation"], UnsupportedOptionAction::Accept)
    },
    flag(REQUIREMENT_COMMANDS, &["check-build-dependencies"], UnsupportedOptionAction::Accept),
    flag(REQUIREMENT_COMMANDS, &["no-clean"], UnsupportedOptionAction::Accept),
    value(
        REQUIREMENT_COMMANDS,
        &["src", "source", "source-dir", "source-directory"],
        UnsupportedOptionAction::Refuse("nothing is checked out; leave the option out"),
    ),
    value(
        REQUIREMENT_COMMANDS,
        &["build-constraint"],
        UnsupportedOptionAction::Refuse("nothing is built; install from wheels, for instance with --only-binary :all:"),
    ),
    value(
        REQUIREMENT_COMMANDS,
        &["requirements-from-script"],
        UnsupportedOptionAction::Refuse("copy the script's dependencies into a requirements file and use -r"),
    ),
    value(
        INDEX_COMMANDS,
        &["refresh-package"],
        UnsupportedOptionAction::Refuse("use --no-cache-dir, which asks the index for every page again"),
    ),
    UnsupportedOption {
        short: Some('e'),
        ..value(
            &["install"],
            &["editable"],
            UnsupportedOptionAction::Refuse("build a wheel of the project and install that"),
        )
    },
    UnsupportedOption {
        short: Some('C'),
        ..value(
            &["install"],
            &["config-settings"],
            UnsupportedOptionAction::Refuse("nothing is built; install from wheels"),
        )
    },
];

/// Options that pip had once.
const REMOVED: &[(&str, &str)] = &[
    ("--global-option", "pip no longer has it; use --config-settings of a build tool"),
    ("--build-option", "pip no longer has it; use --config-settings of a build tool"),
    ("--install-option", "pip no longer has it; for a place to install to see --prefix, --root and --target"),
    ("--no-use-pep517", "pip no longer has it; projects are always built by their build backend"),
    ("--egg", "pip no longer has it; packages are always installed as wheels"),
    ("--build", "pip no longer has it; set TMPDIR to build elsewhere"),
    ("--build-dir", "pip no longer has it; set TMPDIR to build elsewhere"),
    ("--build-directory", "pip no longer has it; set TMPDIR to build elsewhere"),
    ("-b", "pip no longer has it; set TMPDIR to build elsewhere"),
    ("--process-dependency-links", "pip no longer has it; write dependencies as `name @ URL`"),
    ("--allow-external", "pip no longer has it; use --find-links"),
    ("--allow-all-external", "pip no longer has it; use --find-links"),
    ("--allow-unverified", "pip no longer has it; use --find-links"),
    ("--always-unzip", "pip no longer has it; packages are always unpacked"),
    ("-Z", "pip no longer has it; packages are always unpacked"),
];

/// Commands of pip that are not there yet.
const COMMANDS: &[(&str, &str)] = &[
    ("wheel", "`tufpip download` saves the wheels of an index"),
    ("hash", "`sha256sum FILE` prints the number behind `--hash=sha256:`"),
    ("inspect", "`tufpip list --format json` prints the installed packages"),
    ("index", "`tufpip list --outdated` names newer versions of what is installed"),
    ("config", "edit pip.conf with any editor"),
    ("debug", "`tufpip install -vv` says more about its choices"),
    ("completion", "`tufpip help` lists the commands"),
    ("search", "search on the index's web site"),
    ("lock", "`tufpip freeze` prints what is installed as requirements"),
];

/// Commands of `pip cache` that are not there yet.
const CACHE_COMMANDS: &[(&str, &str)] = &[
    ("dir", "it is tufpip in the user's cache directory, unless --cache-dir names another place"),
    ("info", "the cache is a directory that may be removed at any time"),
    ("list", "the cache is a directory that may be removed at any time"),
    ("remove", "the cache is a directory that may be removed at any time"),
    ("purge", "the cache is a directory that may be removed at any time"),
];

const fn flag(
    commands: &'static [&'static str],
    names: &'static [&'static str],
    action: UnsupportedOptionAction,
) -> UnsupportedOption {
    UnsupportedOption { commands, names, short: None, takes_value: false, is_negative: false, action }
}

const fn value(
    commands: &'static [&'static str],
    names: &'static [&'static str],
    action: UnsupportedOptionAction,
) -> UnsupportedOption {
    UnsupportedOption { commands, names, short: None, takes_value: true, is_negative: false, action }
}

/// Adds the options of this page to a command's definition; the bare command has no name.
pub fn add_options(definition: Command, command: &str) -> Command {
    let belongs = |option: &&UnsupportedOption| option.commands.is_empty() || option.commands.contains(&command);
    OPTIONS.iter().filter(belongs).fold(definition, |definition, option| {
        let mut names = option.names.iter();
        let Some(name) = names.next() else { return definition };
        let action = match (option.takes_value, option.is_negative) {
            (true, _) => ArgAction::Append,
            (false, true) => ArgAction::SetFalse,
            (false, false) => ArgAction::SetTrue,
        };
        let mut argument = Arg::new(*name).long(*name).action(action).hide(true).aliases(names.copied());
        if let Some(short) = option.short {
            argument = argument.short(short);
        }
        definition.arg(argument)
    })
}

/// The answer to an option of this page, by its clap identifier; the sentence is a warning to print.
///
/// # Errors
/// The option is refused.
pub fn check_option(command: &str, id: &str, value: Option<&str>) -> Result<Option<String>, Failure> {
    let same = |option: &&UnsupportedOption| {
        option.names.first() == Some(&id) && (option.commands.is_empty() || option.commands.contains(&command))
    };
    let refuse = |given: &str, instead: &str| {
        Failure::new(Code::UsageNotSupported, format!("`{given}` is not supported yet")).hint(instead)
    };
    match OPTIONS.iter().find(same).map(|option| option.action) {
        None | Some(UnsupportedOptionAction::Accept) => Ok(None),
        Some(UnsupportedOptionAction::Warn) => Ok(Some(format!("--{id} {} has no effect.", value.unwrap_or_default()))),
        Some(UnsupportedOptionAction::AcceptValues(values, instead)) => match value {
            Some(value) if !values.contains(&value) => Err(refuse(&format!("--{id} {value}"), instead)),
            _ => Ok(None),
        },
        Some(UnsupportedOptionAction::Refuse(instead)) => Err(refuse(&format!("--{id}"), instead)),
    }
}

/// What became of an option that pip had once; the option comes with its hyphens.
pub fn removed_option_hint(option: &str) -> Option<&'static str> {
    REMOVED.iter().find(|(name, _)| *name == option).map(|(_, hint)| *hint)
}

/// The names of all options that pip had once, with their hyphens.
pub fn removed_names() -> Vec<&'static str> {
    REMOVED.iter().map(|(name, _)| *name).collect()
}

/// What to do instead of a command of pip that is not there yet. `path` is the command that it stands below.
pub fn unsupported_command_hint(path: &[&str], name: &str) -> Option<&'static str> {
    let commands = match path {
        [] => COMMANDS,
        ["cache"] => CACHE_COMMANDS,
        _ => return None,
    };
    commands.iter().find(|(command, _)| *command == name).map(|(_, hint)| *hint)
}
