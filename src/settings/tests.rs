//! Precedence, values and combinations, each with its own files and variables.

use std::collections::BTreeMap;
use std::time::Duration;

use tempfile::TempDir;
use testkit::Mutations;
use url::Url;

use super::configuration::{Configuration, ConfigurationEntry, REQUIRE_SIGNED};
use super::*;
use crate::terminal::settings::{Color, ProgressBar};
use installer::error::{Code, Exit, Failure};
use installer::options::{InstallLocation, Output, ProjectNames, Proxy, TrustOptions};
use installer::process_environment::ProcessEnvironment;
use resolve::UpgradeStrategy;

mod trust;

/// A machine with a home, an environment and nothing else.
struct Machine {
    directory: TempDir,
    variables: BTreeMap<String, String>,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        let variables = [
            ("HOME", at("home")),
            ("XDG_CONFIG_DIRS", format!("{}:{}", at("xdg1"), at("xdg2"))),
            ("VIRTUAL_ENV", at("env")),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Self { variables: BTreeMap::from(variables), directory }
    }

    fn file(self, name: &str, content: &str) -> Self {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        let value = value.replace("{}", &self.directory.path().display().to_string());
        self.variables.insert(name.to_owned(), value);
        self
    }

    fn run(&self, line: &str) -> Result<Settings, Failure> {
        let words: Vec<String> = line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let system = self.directory.path().join("etc");
        resolve_settings(&words, &ProcessEnvironment { variables: self.variables.clone(), system })
    }

    fn install(&self, line: &str) -> (Settings, InstallOptions) {
        let settings = self.run(line).unwrap();
        let Command::Install(install) = settings.command.clone() else { panic!("{line}: {settings:?}") };
        (settings, *install)
    }

    fn timeout(&self) -> u64 {
        self.install("install a").0.common.network.timeout.as_secs()
    }
}

fn run(line: &str) -> Result<Settings, Failure> {
    Machine::new().run(line)
}

fn install(line: &str) -> InstallOptions {
    Machine::new().install(line).1
}

const USER: &str = "home/.config/pip/pip.conf";

#[test]
fn defaults() {
    let (settings, install) = Machine::new().install("install a");
    assert_eq!(install.indexes.indexes, [Url::parse(DEFAULT_INDEX_URL).unwrap()]);
    assert_eq!(settings.common.network.timeout, Duration::from_secs(15));
    assert_eq!((settings.common.network.retries, settings.common.network.resume_retries), (5, 5));
    assert_eq!(settings.common.network.proxy, Proxy::Environment);
    assert!(settings.common.network.cache_dir.unwrap().ends_with("tufpip"));
    assert!(install.compile && install.warn_conflicts && install.warn_script_location && install.warn_root_user);
    assert_eq!(install.upgrade, UpgradeStrategy::ToSatisfyOnly);
    assert_eq!(install.place, InstallLocation::Environment { user: None });
    assert_eq!(install.requirement_options.require_hashes, None);
    assert_eq!(settings.terminal.verbosity, 0);
    assert!(settings.warnings.is_empty());
}

#[test]
fn each_source_beats_the_one_before() {
    let mut machine = Machine::new();
    assert_eq!(machine.timeout(), 15);
    for (number, file) in
        ["xdg1/pip/pip.conf", "xdg2/pip/pip.conf", "etc/pip.conf", "home/.pip/pip.conf", USER, "env/pip.conf"]
            .into_iter()
            .enumerate()
    {
        machine = machine.file(file, &format!("[global]\ntimeout = {}", number + 20));
        assert_eq!(machine.timeout(), number as u64 + 20, "{file}");
    }
    // A command's section of the weakest file beats [global] of the strongest.
    machine = machine.file("xdg1/pip/pip.conf", "[install]\ndefault_timeout: 30\n[download]\ntimeout=99");
    assert_eq!(machine.timeout(), 30);
    machine = machine.variable("PIP_TIMEOUT", "31");
    assert_eq!(machine.timeout(), 31);
    machine = machine.variable("TUFPIP_TIMEOUT", "32");
    assert_eq!(machine.timeout(), 32);
    assert_eq!(machine.install("--timeout 33 install a").0.common.network.timeout.as_secs(), 33);
    assert_eq!(machine.install("--isolated install a").0.common.network.timeout.as_secs(), 30);
}

#[test]
fn the_file_named_by_a_variable_replaces_the_users() {
    let machine = Machine::new()
        .file(USER, "[global]\ntimeout = 1\nretries = 1")
        .file("etc/pip.conf", "[global]\nretries = 2")
        .file("named.conf", "[global]\ntimeout = 3")
        .variable("PIP_CONFIG_FILE", "{}/named.conf");
    let network = machine.install("install a").0.common.network;
    assert_eq!((network.timeout.as_secs(), network.retries), (3, 2));
    let network = machine.variable("PIP_CONFIG_FILE", "{}/missing").install("install a").0.common.network;
    assert_eq!((network.timeout.as_secs(), network.retries), (1, 1));
    let machine = Machine::new().file("etc/pip.conf", "[global]\ntimeout = 2").variable("PIP_CONFIG_FILE", "/dev/null");
    assert_eq!(machine.timeout(), 15);
    let isolated = Machine::new().file(USER, "[global]\ntimeout = 1").file("etc/pip.conf", "[global]\nretries = 2");
    let network = isolated.install("install a --isolated").0.common.network;
    assert_eq!((network.timeout.as_secs(), network.retries), (15, 2));
}

#[test]
fn empty_values_fall_through() {
    let machine =
        Machine::new().file("etc/pip.conf", "[global]\ntimeout = 3\n[install]\ntimeout =").variable("PIP_TIMEOUT", "");
    assert_eq!(machine.timeout(), 3);
    // Within a section the later file wins, even with nothing.
    assert_eq!(machine.file(USER, "[global]\ntimeout =").timeout(), 15);
    assert_eq!(Machine::new().variable("PIP_TIMEOUT", "3").variable("TUFPIP_TIMEOUT", "").timeout(), 3);
}

#[test]
fn lists_are_split_and_replaced_and_the_command_line_adds() {
    let machine = Machine::new().file(
        "etc/pip.conf",
        "[global]\nfind-links =\n    a\n    b c\ntrusted-host = h1\n[install]\nTrusted_Host = h2 h3\n",
    );
    let (settings, install) = machine.install("install x -f d --trusted-host h4");
    assert_eq!(install.indexes.find_links, ["a", "b", "c", "d"]);
    assert_eq!(settings.common.network.trusted_hosts, ["h2", "h3", "h4"]);
    let machine = machine.variable("PIP_FIND_LINKS", "e f").variable("PIP_REQUIREMENT", "r.txt s.txt");
    let install = machine.install("install -r t.txt").1;
    assert_eq!(install.indexes.find_links, ["e", "f"]);
    assert_eq!(install.requirement_options.requirement_files, ["r.txt", "s.txt", "t.txt"]);
}

#[test]
fn selections_add_up_in_order() {
    let machine = Machine::new()
        .file("etc/pip.conf", "[global]\nno-binary = a,b\n[install]\nonly-binary = a")
        .variable("PIP_NO_BINARY", "c");
    let formats = machine.install("install x --only-binary c --no-binary d").1.selection.formats;
    let names = |names: &ProjectNames| names.named.iter().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!((names(&formats.no_binary), names(&formats.only_binary)), ("b d".to_owned(), "a c".to_owned()));
    assert!(install("install x --only-binary=:all:").selection.formats.is_only_binary());
}

#[test]
fn switches_that_say_no_want_a_false_value() {
    for (name, value, compile, warned) in [
        ("PIP_NO_COMPILE", "0", false, false),
        ("PIP_NO_COMPILE", "false", false, false),
        ("PIP_NO_COMPILE", "1", true, true),
        ("PIP_COMPILE", "no", false, false),
        ("PIP_COMPILE", "yes", true, false),
    ] {
        let (settings, install) = Machine::new().variable(name, value).install("install a");
        assert_eq!((install.compile, !settings.warnings.is_empty()), (compile, warned), "{name}={value}");
    }
    let machine = Machine::new().variable("PIP_NO_WARN_SCRIPT_LOCATION", "0").variable("PIP_NO_WARN_CONFLICTS", "1");
    let install = machine.install("install a").1;
    assert!(!install.warn_script_location && install.warn_conflicts);
    assert!(Machine::new().variable("PIP_COMPILE", "no").install("install a --compile").1.compile);
    let place = Machine::new().variable("PIP_USER", "no").install("install a").1.place;
    assert_eq!(place, InstallLocation::Environment { user: Some(false) });
}

#[test]
fn the_cache_is_off_whatever_the_value() {
    for value in ["1", "0", "true", "off"] {
        assert_eq!(
            Machine::new().variable("PIP_NO_CACHE_DIR", value).install("install a").0.common.network.cache_dir,
            None
        );
    }
    assert!(Machine::new().variable("PIP_NO_CACHE_DIR", "maybe").run("install a").is_err());
    let cache = |machine: Machine, line: &str| machine.install(line).0.common.network.cache_dir;
    assert_eq!(cache(Machine::new(), "install a --no-cache-dir --cache-dir x"), Some("x".into()));
    assert_eq!(cache(Machine::new(), "install a --cache-dir x --no-cache-dir"), None);
    assert!(cache(Machine::new().variable("PIP_CACHE_DIR", "/x"), "install a").unwrap().ends_with("tufpip"));
    assert_eq!(cache(Machine::new().variable("TUFPIP_CACHE_DIR", "/x"), "install a"), Some("/x".into()));
    let home = Machine::new();
    let expected = home.directory.path().join("home/c");
    assert_eq!(cache(home, "install a --cache-dir=~/c"), Some(expected));
}

#[test]
fn how_much_is_said() {
    for (line, verbosity) in
        [("-v install a -vv", 3), ("install a -qq -v", -1), ("-q install -q a", -2), ("install a --debug", 2)]
    {
        assert_eq!(run(line).unwrap().terminal.verbosity, verbosity, "{line}");
    }
    for (value, verbosity) in [("2", 2), ("yes", 1), ("0", 0)] {
        assert_eq!(Machine::new().variable("PIP_VERBOSE", value).run("check").unwrap().terminal.verbosity, verbosity);
    }
    assert_eq!(Machine::new().variable("PIP_QUIET", "1").run("check -q").unwrap().terminal.verbosity, -2);
    assert_eq!(run("check --no-color").unwrap().terminal.color, Color::Never);
    assert_eq!(run("check --no-color --color always").unwrap().terminal.color, Color::Always);
    assert_eq!(run("install a --progress-bar json").unwrap().terminal.progress_bar, ProgressBar::Json);
}

#[test]
fn proxies() {
    assert_eq!(run("check --proxy=").unwrap().common.network.proxy, Proxy::Off);
    assert_eq!(run("check --no-proxy-env").unwrap().common.network.proxy, Proxy::Off);
    assert_eq!(run("check --no-proxy-env --proxy p:1").unwrap().common.network.proxy, Proxy::Url("p:1".to_owned()));
}

#[test]
fn places() {
    let target = install("install a -t d");
    assert_eq!((target.place, target.ignore_installed), (InstallLocation::Target("d".into()), true));
    assert_eq!(install("install a --prefix d").place, InstallLocation::Prefix("d".into()));
    assert_eq!(install("install a --user --no-user").place, InstallLocation::Environment { user: Some(false) });
    assert_eq!(install("install a --upgrade-strategy eager").upgrade, UpgradeStrategy::ToSatisfyOnly);
    assert_eq!(install("install a -U --upgrade-strategy eager").upgrade, UpgradeStrategy::Eager);
    assert_eq!(install("install a --report -").report, Some(Output::Stdout));
    let target = install("install a --dry-run --python-version 312 --platform p --abi x --no-deps").selection.target;
    assert!(target.is_set());
    assert_eq!(target.python_version, Some(vec![3, 12]));
}

#[test]
fn mistakes() {
    for (line, kind, part) in [
        ("install", Exit::Error, "You must give at least one requirement to install (see \"tufpip help install\")"),
        (
            "download -f x",
            Exit::Error,
            "You must give at least one requirement to download (maybe you meant \"tufpip download x\"?)",
        ),
        ("uninstall", Exit::Error, "You must give at least one requirement to uninstall"),
        ("show", Exit::Error, "Please provide a package name or names."),
        ("install a --user --target x", Exit::Error, "Can not combine '--user' and '--target'"),
        ("install a --user --prefix x", Exit::Error, "Can not combine '--user' and '--prefix'"),
        ("install a --pre --only-final b", Exit::Error, "--pre cannot be used with --all-releases or --only-final."),
        ("install a --abi x", Exit::Error, "When restricting platform and interpreter constraints using"),
        ("install a --abi x --no-deps", Exit::Error, "Can not use any platform or abi specific options unless"),
        ("download a --abi x --only-binary=:all: --no-binary b", Exit::Error, "When restricting platform"),
        ("install a --only-deps --no-deps -r x", Exit::Error, "'--no-deps', or '--requirement'"),
        ("install a --require-hashes --no-require-hashes", Exit::Error, "mutually exclusive"),
        ("install a --no-binary --pre", Exit::Error, "--no-binary / --only-binary option requires 1 argument."),
        ("list -o -u", Exit::Error, "Options --outdated and --uptodate cannot be combined."),
        ("list -o --format freeze", Exit::Error, "List format 'freeze' cannot be used with the --outdated option."),
        ("freeze --path x --local", Exit::Error, "Cannot combine '--path' with '--user' or '--local'"),
        ("install a --bogus", Exit::Usage, "no such option: --bogus"),
        ("--bogus", Exit::Usage, "no such option: --bogus"),
        ("install a --progress-bar x", Exit::Usage, "option --progress-bar: invalid choice: 'x' (choose from 'auto'"),
        ("install a --retries x", Exit::Usage, "option --retries: "),
        ("install a --python-version 1.2.3.4", Exit::Usage, "at most three version parts are allowed"),
        ("install a --uploaded-prior-to x", Exit::Usage, "Expected an ISO 8601 datetime string"),
        ("install a --group x.toml:g", Exit::Usage, "group paths use 'pyproject.toml' filenames"),
        ("install a -i nonsense", Exit::Usage, "please provide a scheme"),
        ("instal", Exit::Usage, "unknown command \"instal\" - maybe you meant \"install\""),
        ("help bogus", Exit::Usage, "unknown command \"bogus\""),
        ("wheel x", Exit::Usage, "The command \"wheel\" is not there yet"),
        ("install -e .", Exit::Usage, "`--editable` is not supported yet"),
        ("install a -C x=y", Exit::Usage, "`--config-settings` is not supported yet"),
        ("install a --src x", Exit::Usage, "`--src` is not supported yet"),
        ("check --keyring-provider subprocess", Exit::Usage, "`--keyring-provider subprocess` is not supported yet"),
        ("check --use-deprecated legacy-resolver", Exit::Usage, "is not supported yet"),
    ] {
        let failure = run(line).unwrap_err();
        assert!(failure.message.contains(part), "{line}: {failure}");
        assert_eq!(failure.code.exit(), kind, "{line}");
    }
    let removed = run("install a --install-option=x").unwrap_err();
    assert!(removed.hints[0].contains("pip no longer has it"), "{removed}");
    assert!(run("install a --upgrde").unwrap_err().hints[0].contains("--upgrade"));
}

#[test]
fn harmless_options_are_taken() {
    for line in [
        "install a --use-pep517 --no-build-isolation --check-build-dependencies --no-clean --exists-action w",
        "--disable-pip-version-check --no-python-version-warning check --keyring-provider disabled",
        "install a --root-user-action ignore --no-warn-script-location --no-warn-conflicts --use-deprecated legacy-certs",
    ] {
        assert!(run(line).unwrap().warnings.is_empty(), "{line}");
    }
    assert_eq!(run("check --use-feature fast-deps").unwrap().warnings.len(), 1);
    let machine = Machine::new().variable("PIP_SRC", "/src").variable("PIP_KEYRING_PROVIDER", "import");
    assert_eq!(machine.run("install a").unwrap().warnings.len(), 2);
}

#[test]
fn a_wrong_value_names_where_it_stands() {
    for (machine, origin) in [
        (Machine::new().variable("PIP_TIMEOUT", "soon"), "PIP_TIMEOUT"),
        (Machine::new().file("etc/pip.conf", "[global]\nretries = many"), "etc/pip.conf"),
        (Machine::new().variable("PIP_PRE", "maybe"), "PIP_PRE"),
        (Machine::new().variable("PIP_VERBOSE", "-1"), "PIP_VERBOSE"),
        (Machine::new().variable("PIP_EDITABLE", "."), "PIP_EDITABLE"),
    ] {
        let failure = machine.run("install a").unwrap_err();
        let named = failure.details.iter().any(|(label, text)| *label == "set by" && text.ends_with(origin));
        assert!(named, "{failure}");
    }
    for content in ["timeout = 3", "[global]\ntimeout", "[global", "[global]\n= 3"] {
        let failure = Machine::new().file("etc/pip.conf", content).run("install a").unwrap_err();
        assert_eq!(failure.exit_code(), 2, "{content}: {failure}");
    }
}

#[test]
fn unknown_variables_of_ours_are_named() {
    let machine = Machine::new()
        .variable("TUFPIP_INDX_URL", "x")
        .variable("TUFPIP_TIMEOUT", "3")
        .variable("TUFPIP_CONFIG_FILE", "/dev/null")
        .variable("PIP_WHATEVER", "x");
    let warnings = machine.run("check").unwrap().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("TUFPIP_INDX_URL") && warnings[0].contains("TUFPIP_INDEX_URL"));
}

#[test]
fn pages_need_no_configuration() {
    let broken = Machine::new().file("etc/pip.conf", "nonsense").variable("PIP_TIMEOUT", "x");
    for line in ["", "help", "--help", "-h", "install --help", "install a -h", "help install --isolated", "-v -h"] {
        assert!(matches!(broken.run(line).unwrap().command, Command::Help { .. }), "{line}");
    }
    assert!(matches!(broken.run("-V").unwrap().command, Command::Version));
    let Command::Help { text } = run("help install").unwrap().command else { panic!() };
    assert!(text.contains("--upgrade") && text.contains("tufpip install") && !text.contains("--use-pep517"));
    assert!(run("install --version").is_err());
}

#[test]
fn an_index_may_be_a_directory() {
    let machine = Machine::new().file("simple/x", "");
    let path = machine.directory.path().join("simple");
    let install = machine.install(&format!("install a -i {}", path.display())).1;
    assert_eq!(install.indexes.indexes, [Url::from_directory_path(path).unwrap()]);
    let install = machine.install("install a --no-index --extra-index-url https://x.example.org").1;
    assert!(install.indexes.indexes.is_empty() && install.indexes.no_index);
}

#[cfg(feature = "repo")]
#[test]
fn a_tilde_is_the_home_directory() {
    let machine = Machine::new();
    let home = machine.directory.path().join("home");
    let settings = machine.run("repo add ~/a.whl ~b --repo ~/index").unwrap();
    let Command::Repo(command) = settings.command else { panic!() };
    let crate::commands::repo::RepoCommand::Add(add) = *command else { panic!() };
    assert_eq!(add.files, [home.join("a.whl"), "~b".into()]);
    assert_eq!(add.operator_directory.directory, home.join("index"));
}

#[cfg(not(feature = "repo"))]
#[test]
fn a_build_without_repo_says_so() {
    for line in ["repo", "repo init", "help repo"] {
        let failure = run(line).unwrap_err();
        let expected = "unknown command \"repo\": this build has no `repo`";
        assert_eq!((failure.message.as_str(), failure.exit_code()), (expected, 2), "{line}");
    }
}

/// A damaged file of the user is an error that names it, or means one thing; what the machine requires stays.
#[test]
fn damaged_configuration_files() {
    let machine = Machine::new().file("etc/pip.conf", "[global]\nrequire-signed = true\n").file(USER, "");
    let path = machine.directory.path().join(USER);
    let name = path.display().to_string();
    let original = "# comment\n[global]\ntimeout = 60\nindex-url = https://pkgs.example.org/simple\nextra-index-url =\n    \
        https://a.example.org/\n    https://b.example.org/\ntrusted-host: h\n[install]\nno-binary = x\n; comment\n[list]\nformat=json\n";
    let words = [
        "\n",
        "\r\n",
        "\r",
        "\n[",
        "]\n",
        "[]",
        "[[",
        "\n[install]\n",
        "\n[global]\n",
        "\n[DEFAULT]\n",
        "=",
        ":",
        "\n ",
        "\n\t",
        "#",
        ";",
        "%(a)s",
        "\u{feff}",
        "\nrequire-signed = false\n",
        "\nrequire_signed=0\n",
        "\n--require-signed = no\n",
        "\nREQUIRE-SIGNED =\n",
        "\u{85}",
        "\u{2028}",
        "\u{130}",
    ];
    let mut understood = 0;
    for bytes in Mutations::of(original, 1_000).words(words) {
        std::fs::write(&path, &*bytes).unwrap();
        let load = || {
            let system = machine.directory.path().join("etc");
            Configuration::load(&ProcessEnvironment { variables: machine.variables.clone(), system }, false, None)
        };
        let configuration = match load() {
            Ok(configuration) => configuration,
            Err(failure) => {
                assert_eq!(failure.code, Code::UsageConfiguration);
                assert!(failure.details.contains(&("file", name.clone())), "{failure}");
                continue;
            }
        };
        understood += 1;
        let entries: Vec<&ConfigurationEntry> = configuration.entries("install").collect();
        assert_eq!(entries, load().unwrap().entries("install").collect::<Vec<_>>());
        assert!(
            entries.iter().all(|entry| !entry.value.is_empty() && entry.key == entry.key.to_lowercase()),
            "{entries:?}"
        );
        let required = entries.iter().filter(|entry| entry.key == REQUIRE_SIGNED && entry.value == "true");
        assert!(required.count() >= 1, "{entries:?}");
    }
    assert!(understood > 50, "only {understood}");

    // And through all rules: whatever else is in the file, a command that runs requires signatures.
    for bytes in Mutations::of(original, 30).words(words) {
        std::fs::write(&path, &*bytes).unwrap();
        if let Ok(settings) = machine.run("install a") {
            assert!(settings.common.trust.require_signed);
        }
    }
}

/// Every long option of the pip that is at hand, by its own account, means something here.
#[test]
fn every_option_of_pip_is_known() {
    const SCRIPT: &str = "
from pip._internal.commands import create_command
for name in 'install download uninstall list freeze show check help'.split():
    for option in create_command(name).parser.option_list_all:
        for text in option._long_opts + option._short_opts:
            print(name, text, int(option.takes_value()))
";
    let outcome = testkit::Command::new("python3").args(["-c", SCRIPT]).try_run();
    let Some(outcome) = outcome.ok().filter(testkit::Outcome::succeeded) else {
        eprintln!("skipped: python3 with pip is not at hand");
        return;
    };
    let definition = crate::cli::definition();
    let mut checked = 0;
    for line in outcome.stdout.lines() {
        let [command, option, takes_value] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        // Since 26.3 only the bare command has a version.
        if matches!(option, "--version" | "-V")
            || crate::cli::unsupported_options::removed_option_hint(option).is_some()
        {
            continue;
        }
        let mut words = vec![option.to_owned()];
        words.extend((takes_value == "1").then(|| "value".to_owned()));
        let found = crate::cli::tokens::parse(definition.find_subcommand(command).unwrap(), &words);
        assert_eq!(found.as_ref().map(Vec::len), Ok(1), "{line}: {found:?}");
        checked += 1;
    }
    assert!(checked > 100);
}
