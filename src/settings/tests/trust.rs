//! Options about signatures, who may set them, and the commands below `trust`.

use super::*;
use crate::commands::trust::add::{AddArgs, RootSource};

const DIGITS: &str = "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef";

fn add(line: &str) -> AddArgs {
    let Command::Trust(TrustCommand::Add(add)) = run(line).unwrap().command else { panic!("{line}") };
    *add
}

/// Why a line is refused: as it is read, or by `trust add` before it does anything.
fn refusal(settings: Result<Settings, Failure>) -> Failure {
    match settings.map(|settings| settings.command) {
        Ok(Command::Trust(TrustCommand::Add(add))) => add.root_source().unwrap_err(),
        Ok(other) => panic!("{other:?}"),
        Err(failure) => failure,
    }
}

fn set_by(failure: &Failure) -> Option<&str> {
    failure.details.iter().find(|(label, _)| *label == "set by").map(|(_, text)| text.as_str())
}

#[test]
fn nothing_is_said_about_signatures() {
    for line in ["install a", "check", "trust list", "why-trust a", "--version"] {
        let settings = run(line).unwrap();
        let trust = settings.common.trust;
        assert!(trust.store.unwrap().ends_with("tufpip/tuf-repositories"), "{line}");
        assert!(!settings.common.network.offline && !trust.require_signed && !trust.disabled, "{line}");
        assert_eq!((trust.allow_unsigned.len(), trust.allow_expired), (0, Duration::ZERO), "{line}");
    }
}

#[test]
fn commands_that_ask_an_index_have_the_options() {
    for command in ["install a", "download a", "list", "why-trust a"] {
        let options = "--require-signed --allow-unsigned A_b,c --allow-unsigned d --offline";
        let settings = run(&format!("{command} {options}")).unwrap();
        assert!(settings.common.network.offline && settings.common.trust.require_signed, "{command}");
        let names: Vec<String> = settings.common.trust.allow_unsigned.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a-b", "c", "d"], "{command}");
    }
    assert!(run("list --disable-repository-security").unwrap().common.trust.disabled);
    let week = Duration::from_secs(7 * 24 * 3600);
    assert_eq!(run("install a --allow-expired 7d").unwrap().common.trust.allow_expired, week);
    assert_eq!(run("list --allow-expired=P7D").unwrap().common.trust.allow_expired, week);
    for line in ["check --offline", "trust list --disable-repository-security", "install a --allow-expired soon"] {
        assert_eq!(run(line).unwrap_err().code.exit(), Exit::Usage, "{line}");
    }
}

#[test]
fn requiring_signatures_and_staying_offline_may_be_configured() {
    for (machine, from) in [
        (Machine::new().file("etc/pip.conf", "[global]\nrequire-signed = true\noffline = yes"), "file"),
        (Machine::new().variable("PIP_REQUIRE_SIGNED", "1").variable("PIP_OFFLINE", "1"), "pip's variable"),
        (Machine::new().variable("TUFPIP_REQUIRE_SIGNED", "1").variable("TUFPIP_OFFLINE", "1"), "our variable"),
    ] {
        let settings = machine.run("install a").unwrap();
        assert!(settings.common.trust.require_signed && settings.common.network.offline, "{from}");
        assert!(settings.warnings.is_empty(), "{from}");
    }
}

#[test]
fn what_is_required_once_is_not_taken_back() {
    let machine = || Machine::new().file("etc/pip.conf", "[global]\nrequire-signed = true");
    for (machine, line) in [
        (machine().file(USER, "[global]\nrequire-signed = false"), "install a"),
        (machine().file(USER, "[global]\nrequire-signed ="), "install a"),
        (
            machine().file("etc/pip.conf", "[global]\nrequire-signed = true\n[install]\nrequire-signed = no"),
            "install a",
        ),
        (machine().variable("PIP_REQUIRE_SIGNED", "0"), "install a"),
        (Machine::new().variable("PIP_REQUIRE_SIGNED", "1").variable("TUFPIP_REQUIRE_SIGNED", "0"), "install a"),
        (Machine::new().variable("TUFPIP_REQUIRE_SIGNED", "1"), "install a --isolated"),
        (machine(), "install a --isolated"),
        (machine().variable("PIP_CONFIG_FILE", "/dev/null"), "install a"),
        (machine().variable("TUFPIP_CONFIG_FILE", "/dev/null"), "install a --isolated"),
    ] {
        assert!(machine.run(line).unwrap().common.trust.require_signed, "{line}: {:?}", machine.variables);
    }
    assert!(run("install a --no-require-signed").is_err());
}

#[test]
fn what_weakens_is_only_taken_from_the_command_line() {
    for (key, value) in [
        ("disable-repository-security", "true"),
        ("allow-unsigned", "a"),
        ("allow-expired", "7d"),
        ("allow-expired", "x"),
    ] {
        let variable = key.to_uppercase().replace('-', "_");
        for (machine, place) in [
            (Machine::new().file("etc/pip.conf", &format!("[global]\n{key} = {value}")), "etc/pip.conf".to_owned()),
            (Machine::new().file(USER, &format!("[install]\n{key} = {value}")), USER.to_owned()),
            (Machine::new().variable(&format!("PIP_{variable}"), value), format!("PIP_{variable}")),
            (Machine::new().variable(&format!("TUFPIP_{variable}"), value), format!("TUFPIP_{variable}")),
        ] {
            let settings = machine.run("install a").unwrap();
            let [warning] = settings.warnings.as_slice() else { panic!("{place} {key}: {:?}", settings.warnings) };
            assert!(warning.contains(&place) && warning.contains("only be given on the command line"), "{warning}");
            let expected = TrustOptions { store: settings.common.trust.store.clone(), ..TrustOptions::default() };
            assert_eq!(TrustOptions { anchors: Vec::new(), ..settings.common.trust }, expected, "{place} {key}");
            // A command that has no such option has nothing to say about it.
            assert!(machine.run("check").unwrap().warnings.is_empty(), "{place} {key}");
        }
    }
}

#[test]
fn what_the_administrator_requires_is_not_weakened() {
    for (machine, place) in [
        (Machine::new().file("etc/pip.conf", "[global]\nrequire-signed = true"), "etc/pip.conf"),
        (Machine::new().file(USER, "[download]\nrequire-signed = true"), USER),
        (Machine::new().variable("PIP_REQUIRE_SIGNED", "1"), "PIP_REQUIRE_SIGNED"),
        (Machine::new().variable("TUFPIP_REQUIRE_SIGNED", "yes"), "TUFPIP_REQUIRE_SIGNED"),
    ] {
        for option in
            ["--disable-repository-security", "--require-signed --disable-repository-security", "--allow-expired 7d"]
        {
            let failure = machine.run(&format!("download a {option}")).unwrap_err();
            assert_eq!((failure.exit_code(), failure.code.name()), (12, "policy.require-signed"), "{place}: {failure}");
            assert!(set_by(&failure).unwrap().ends_with(place), "{place}: {failure}");
        }
    }
    let failure = run("install a --require-signed --disable-repository-security").unwrap_err();
    assert_eq!(failure.exit_code(), 2, "{failure}");
    let failure = run("install a --require-signed --allow-expired 12h").unwrap_err();
    assert_eq!(
        (failure.exit_code(), failure.code.name(), set_by(&failure)),
        (12, "policy.require-signed", Some("the command line"))
    );
}

#[test]
fn directories_of_trust_come_most_trusted_first() {
    let machine = Machine::new().variable("TUFPIP_TRUST", "{}/one::{}/two");
    let at = |name: &str| machine.directory.path().join(name);
    let expected =
        [at("xdg1/tufpip/trust.d"), at("xdg2/tufpip/trust.d"), at("etc/tufpip/trust.d"), at("one"), at("two")];
    for (named, entry) in [("one", "map.json".to_owned()), ("two", "0".repeat(56))] {
        assert!(machine.run("install a").unwrap_err().message.contains("which is no directory"), "{named}");
        std::fs::create_dir(at(named)).unwrap();
        assert!(machine.run("install a").unwrap_err().message.contains("holds no trusted roots"), "{named}");
        std::fs::create_dir(at(named).join(entry)).unwrap();
    }
    // Without them an index that is to be verified would not be.
    for line in ["install a", "--isolated install a", "trust list", "help"] {
        let settings = machine.run(line).unwrap();
        assert_eq!(settings.common.trust.anchors, expected, "{line}");
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    }
}

#[test]
fn commands_below_a_command() {
    let index = Url::parse("https://pkgs.example.org/simple").unwrap();
    for line in [
        "trust remove https://pkgs.example.org/simple --yes -v --timeout 3",
        "-v trust --timeout 3 remove -y https://pkgs.example.org/simple",
        "--timeout=3 trust -v -- remove https://pkgs.example.org/simple -y",
        "trust --timeout 3 -v remove -y -- https://pkgs.example.org/simple",
    ] {
        let settings = run(line).unwrap();
        assert_eq!((settings.terminal.verbosity, settings.common.network.timeout.as_secs()), (1, 3), "{line}");
        let Command::Trust(TrustCommand::Remove(remove)) = settings.command else { panic!("{line}") };
        assert_eq!((remove.index, remove.yes), (index.clone(), true), "{line}");
    }
    let command = |line: &str| match run(line).unwrap().command {
        Command::Trust(command) => command,
        other => panic!("{line}: {other:?}"),
    };
    assert!(matches!(command("trust list --json"), TrustCommand::List(list) if list.json));
    assert!(matches!(command("trust show"), TrustCommand::Show(show) if show.indexes.is_empty()));
    assert!(matches!(
        command("trust show https://a.example.org https://b.example.org"),
        TrustCommand::Show(show) if show.indexes.len() == 2
    ));
    assert!(matches!(
        command("trust log https://pkgs.example.org/simple"),
        TrustCommand::Log(log) if log.index == index
    ));
}

#[test]
fn pages_of_commands_below_a_command() {
    for (line, expected) in [
        ("trust", "Usage: tufpip trust <command> [options]"),
        ("trust --help", "Usage: tufpip trust <command> [options]"),
        ("trust --help add", "Usage: tufpip trust <command> [options]"),
        ("trust -v", "Usage: tufpip trust <command> [options]"),
        ("help trust", "Usage: tufpip trust <command> [options]"),
        ("help trust add", "Usage: tufpip trust add [OPTIONS] <index_url>"),
        ("trust add --help", "Usage: tufpip trust add [OPTIONS] <index_url>"),
        ("help -v install anything", "Usage: tufpip install"),
        ("help why-trust", "--disable-repository-security"),
    ] {
        let Command::Help { text } = run(line).unwrap().command else { panic!("{line}") };
        assert!(text.contains(expected), "{line}: {text}");
    }
    for (line, expected) in [
        ("trust ad", "unknown command \"trust ad\" - maybe you meant \"trust add\""),
        ("help trust lst", "unknown command \"trust lst\" - maybe you meant \"trust list\""),
        ("trust cache", "unknown command \"trust cache\""),
        ("trsut add", "unknown command \"trsut\" - maybe you meant \"trust\""),
        ("trust --json list", "no such option: --json"),
    ] {
        let failure = run(line).unwrap_err();
        assert_eq!((failure.message.as_str(), failure.exit_code()), (expected, 2), "{line}");
    }
}

#[test]
fn what_is_configured_for_others_does_not_decide_about_trust() {
    let machine = Machine::new()
        .variable("PIP_ROOT", "/mnt")
        .variable("PIP_YES", "1")
        .variable("PIP_TIMEOUT", "3")
        .file("etc/pip.conf", "[trust]\ntofu = true\nretries = 7");
    let settings = machine.run("trust remove https://pkgs.example.org/simple").unwrap();
    let Command::Trust(TrustCommand::Remove(remove)) = settings.command else { panic!() };
    assert!(!remove.yes);
    assert_eq!((settings.common.network.timeout.as_secs(), settings.common.network.retries), (3, 7));
    let failure = refusal(machine.run("trust add https://pkgs.example.org/simple"));
    assert!(failure.message.contains("needs a root"), "{failure}");
    let warnings = Machine::new().variable("TUFPIP_TOFU", "1").run("trust list").unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("TUFPIP_TOFU means nothing"), "{warnings:?}");
}

#[test]
fn an_index_to_trust() {
    let simple = "trust add https://pkgs.example.org/simple";
    let plain = add(&format!("{simple} --root 1.root.json"));
    assert_eq!(plain.index.as_str(), "https://pkgs.example.org/simple");
    assert_eq!(plain.root_source().unwrap(), RootSource::File { path: "1.root.json".into(), sha256: None });
    assert!(plain.metadata_url.is_none() && plain.layout.is_none() && plain.mirrors.is_empty() && !plain.yes);

    let sha256 = DIGITS.to_lowercase();
    let full = add(&format!(
        "{simple} --root https://keys.example.org/root.json --root-sha256 {DIGITS} --layout static-1 -y \
         --metadata-url https://pkgs.example.org/tuf --mirror https://m1.example.org/ --mirror https://m2.example.org/a \
         --rewrite https://files.example.org/=https://proxy.example.org/files/?a=b"
    ));
    let url = Url::parse("https://keys.example.org/root.json").unwrap();
    assert_eq!(full.root_source().unwrap(), RootSource::Url { url, sha256: sha256.clone() });
    assert_eq!(full.metadata_url.unwrap().as_str(), "https://pkgs.example.org/tuf/");
    assert_eq!(full.layout.as_deref(), Some("static-1"));
    let mirrors: Vec<&str> = full.mirrors.iter().map(Url::as_str).collect();
    assert_eq!(mirrors, ["https://m1.example.org/", "https://m2.example.org/a/"]);
    let rewrite = ("https://files.example.org/".to_owned(), "https://proxy.example.org/files/?a=b".to_owned());
    assert_eq!(full.rewrites, [rewrite]);
    assert!(full.yes);

    assert_eq!(add(&format!("{simple} --tofu")).root_source().unwrap(), RootSource::FirstUse);
    let file = add(&format!("{simple} --root file:///keys/root.json --root-sha256 {sha256}"));
    assert_eq!(file.root_source().unwrap(), RootSource::File { path: "/keys/root.json".into(), sha256: Some(sha256) });

    let machine = Machine::new().file("home/simple/x", "").file("home/root.json", "");
    let settings = machine.run("trust add ~/simple --root ~/root.json").unwrap();
    let Command::Trust(TrustCommand::Add(add)) = settings.command else { panic!() };
    let home = machine.directory.path().join("home");
    assert_eq!(add.index, Url::from_directory_path(home.join("simple")).unwrap());
    assert_eq!(add.root_source().unwrap(), RootSource::File { path: home.join("root.json"), sha256: None });
}

#[test]
fn mistakes_about_trust() {
    let simple = "trust add https://pkgs.example.org/simple";
    for (line, part) in [
        (simple.to_owned(), "`trust add` needs a root"),
        (format!("{simple} --root-sha256 {DIGITS}"), "`trust add` needs a root"),
        (format!("{simple} --root https://keys.example.org/r"), "--root with a URL needs --root-sha256"),
        (format!("{simple} --root r --root-sha256 abc"), "expected 64 hexadecimal digits, found 'abc'"),
        (format!("{simple} --root r --root-sha256 {}", DIGITS.replace('0', "g")), "expected 64 hexadecimal digits"),
        (format!("{simple} --tofu --root r"), "--tofu and --root cannot be combined"),
        (format!("{simple} --tofu --root-sha256 {DIGITS}"), "--tofu and --root-sha256 cannot be combined"),
        (format!("{simple} --root r --mirror nonsense"), "option --mirror: expected an http or https URL"),
        (format!("{simple} --root r --metadata-url ftp://x"), "option --metadata-url: expected an http or https URL"),
        (format!("{simple} --root r --rewrite a=b"), "option --rewrite: expected URL=URL, found 'a=b'"),
        (format!("{simple} --root r --rewrite https://a.example.org/"), "option --rewrite: expected URL=URL"),
        ("trust add nonsense --root r".to_owned(), "please provide a scheme"),
        ("trust add --root r".to_owned(), "`trust add` needs <index_url>"),
        ("trust log".to_owned(), "`trust log` needs <index_url>"),
        (format!("{simple} https://b.example.org --root r"), "unexpected argument 'https://b.example.org'"),
        ("install a --allow-unsigned=:all:".to_owned(), "expected the name of a project, found ':all:'"),
    ] {
        let failure = refusal(run(&line));
        assert!(failure.message.contains(part), "{line}: {failure}");
        assert_eq!(failure.exit_code(), 2, "{line}");
    }
    let secret = run(&format!("{simple} --root r --mirror ftp://me:secret@x")).unwrap_err().to_string();
    assert!(secret.contains("ftp://****@x"), "{secret}");
    let because = refusal(run(&format!("{simple} --root https://keys.example.org/r"))).to_string();
    assert!(because.contains("proves nothing by itself"), "{because}");
    let machine = Machine::new().variable("PIP_CERT", "/cert.pem");
    assert_eq!(set_by(&machine.run("trust log").unwrap_err()), None);
    let machine = machine.variable("PIP_RETRIES", "many");
    assert_eq!(set_by(&machine.run(&format!("{simple} --tofu")).unwrap_err()), Some("PIP_RETRIES"));
    assert!(run("why-trust").unwrap_err().message.contains("at least one package name"));
}
