//! Requirements files as stories: what is written, what is wanted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tempfile::TempDir;
use testkit::Mutations;

use super::*;
use crate::error::{Code, Exit, Failure};

/// A directory with files, some of them on a server.
struct World {
    directory: TempDir,
    remote: BTreeMap<String, String>,
    process_environment: ProcessEnvironment,
}

impl World {
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let process_environment = ProcessEnvironment { variables: BTreeMap::new(), system: PathBuf::from("/nowhere") };
        Self { directory, remote: BTreeMap::new(), process_environment }
    }

    fn remote(mut self, url: &str, content: &str) -> Self {
        self.remote.insert(url.to_owned(), content.to_owned());
        self
    }

    fn path(&self, name: &str) -> String {
        if name.contains("://") { name.to_owned() } else { self.directory.path().join(name).display().to_string() }
    }

    fn read(&self, requirement_options: RequirementOptions) -> Result<RequirementSet, Failure> {
        let indexes = IndexOptions {
            indexes: vec![Url::parse("https://first.example.org/simple").unwrap()],
            ..IndexOptions::default()
        };
        let selection = SelectionOptions::default();
        let mut fetched = HashMap::new();
        loop {
            match read(&requirement_options, &indexes, &selection, &self.process_environment, &fetched)? {
                Reading::Complete(requirements) => return Ok(*requirements),
                Reading::Missing(missing) => {
                    for (url, _) in missing.files {
                        let content = self.remote.get(url.as_str());
                        let content = content.ok_or_else(|| Failure::new(Code::NetUnreachable, url.to_string()))?;
                        assert!(fetched.insert(url, content.clone().into_bytes()).is_none(), "asked for twice");
                    }
                }
            }
        }
    }

    fn requirements(&self, name: &str) -> Result<RequirementSet, Failure> {
        self.read(RequirementOptions { requirement_files: vec![self.path(name)], ..RequirementOptions::default() })
    }

    fn constraints(&self, name: &str) -> Result<RequirementSet, Failure> {
        self.read(RequirementOptions { constraint_files: vec![self.path(name)], ..RequirementOptions::default() })
    }
}

fn texts(requirement_options: &[InstallRequirement]) -> Vec<&str> {
    requirement_options.iter().map(|wish| wish.text.as_str()).collect()
}

fn one(content: &str) -> Result<RequirementSet, Failure> {
    World::new(&[("r.txt", content)]).requirements("r.txt")
}

#[test]
fn files_include_files_beside_them() {
    let world = World::new(&[
        ("r.txt", "a\n-r sub/s.txt\n-c c.txt\nd"),
        ("sub/s.txt", "b\n--requirement=t.txt"),
        ("sub/t.txt", "c"),
        ("c.txt", "a<2"),
    ]);
    let found = world.requirements("r.txt").unwrap();
    assert_eq!(texts(&found.requirements), ["a", "b", "c", "d"]);
    assert_eq!(texts(&found.constraints), ["a<2"]);
    assert_eq!(found.requirements[0].origin.to_string(), format!("-r {} (line 1)", world.path("r.txt")));
    assert_eq!(found.requirements[2].origin.to_string(), format!("-r {} (line 1)", world.path("sub/t.txt")));
    assert_eq!(found.constraints[0].origin.to_string(), format!("-c {} (line 1)", world.path("c.txt")));
    assert!(found.warnings.is_empty());
}

#[test]
fn a_constraint_file_may_include_requirements() {
    let world = World::new(&[("c.txt", "a<2\n-r r.txt"), ("r.txt", "b\n-c d.txt"), ("d.txt", "c==1")]);
    let found = world.constraints("c.txt").unwrap();
    assert_eq!(texts(&found.constraints), ["a<2", "c==1"]);
    assert_eq!(texts(&found.requirements), ["b"]);
    assert!(!found.requirements[0].user_supplied);
}

#[test]
fn loops_name_both_files() {
    let world = World::new(&[("a.txt", "-r b.txt"), ("b.txt", "-r c.txt"), ("c.txt", "-r b.txt")]);
    let message = world.requirements("a.txt").unwrap_err().message;
    let [a, b, c] = ["a.txt", "b.txt", "c.txt"].map(|name| world.path(name));
    assert_eq!(message, format!("{b} recursively references itself in {c} and again in {a}"));
    let world = World::new(&[("a.txt", "-r ./x/../a.txt")]);
    let a = world.path("a.txt");
    assert_eq!(world.requirements("a.txt").unwrap_err().message, format!("{a} recursively references itself in {a}"));
    // Twice is no loop.
    let world = World::new(&[("a.txt", "-r b.txt\n-r b.txt"), ("b.txt", "x")]);
    assert_eq!(texts(&world.requirements("a.txt").unwrap().requirements), ["x", "x"]);
}

#[test]
fn endless_inclusion_ends() {
    let doubling: Vec<(String, String)> =
        (0..40).map(|n| (format!("{n}.txt"), format!("-r {0}.txt\n-r {0}.txt", n + 1))).collect();
    let files: Vec<(&str, &str)> = doubling.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    assert!(World::new(&files).requirements("0.txt").is_err());
}

#[test]
fn options_change_where_and_what() {
    for (content, indexes, no_index) in [
        ("-i https://second.example.org/", vec!["https://second.example.org/"], false),
        (
            "--extra-index-url https://x.example.org/",
            vec!["https://first.example.org/simple", "https://x.example.org/"],
            false,
        ),
        (
            "--extra-index-url https://x.example.org/\n--index-url=https://second.example.org/",
            vec!["https://second.example.org/"],
            false,
        ),
        ("--no-index\n-i https://second.example.org/", vec![], true),
        ("--pypi-url https://second.example.org/ --no-index", vec![], true),
    ] {
        let found = one(content).unwrap();
        let urls: Vec<&str> = found.indexes.indexes.iter().map(Url::as_str).collect();
        assert_eq!((urls, found.indexes.no_index), (indexes, no_index), "{content}");
    }
    let found =
        one("--pre --prefer-binary --trusted-host h:1\n--no-binary a,b\n--only-binary=:all:\n--use-feature x").unwrap();
    assert!(found.selection.releases.all_releases.all && found.selection.prefer_binary);
    assert!(found.selection.formats.is_only_binary());
    assert_eq!(found.trusted_hosts, ["h:1"]);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert!(one("-i nonsense").unwrap_err().message.contains("please provide a scheme"));
}

#[test]
fn links_are_found_beside_the_file() {
    let world = World::new(&[("r.txt", "-f wheels\n-f nowhere\n-f https://h.example.org/"), ("wheels/x", "")]);
    let found = world.requirements("r.txt").unwrap();
    assert_eq!(found.indexes.find_links, [world.path("wheels").as_str(), "nowhere", "https://h.example.org/"]);
}

#[test]
fn hashes_switch_their_mode_on() {
    let hex = "AB".repeat(32);
    for (content, settings, required) in [
        (format!("a==1 --hash=sha256:{hex} --hash sha512:{hex}{hex}"), None, Ok(true)),
        (format!("a==1 \\\n    --hash=sha256:{hex}  # why\nb"), None, Ok(true)),
        (format!("a==1 --hash=sha256:{hex}"), Some(false), Ok(false)),
        ("a".to_owned(), None, Ok(false)),
        ("a\n--require-hashes".to_owned(), None, Ok(true)),
        ("a".to_owned(), Some(true), Ok(true)),
        ("--no-require-hashes".to_owned(), Some(true), Err("mutually exclusive")),
        (format!("a --hash=md5:{hex}"), None, Err("Allowed hash algorithms for --hash are sha256, sha384, sha512.")),
        ("a --hash=sha256".to_owned(), None, Err("Arguments to --hash must be a hash name")),
    ] {
        let world = World::new(&[("r.txt", &content)]);
        let files = vec![world.path("r.txt")];
        let requirement_options =
            RequirementOptions { requirement_files: files, require_hashes: settings, ..RequirementOptions::default() };
        match (world.read(requirement_options), required) {
            (Ok(found), Ok(required)) => {
                assert_eq!(found.require_hashes, required, "{content}");
                for wish in found.requirements.iter().filter(|wish| !wish.hashes.is_empty()) {
                    assert_eq!(wish.hashes[0], (HashAlgorithm::Sha256, hex.to_lowercase()));
                }
            }
            (Err(failure), Err(part)) => assert!(failure.message.contains(part), "{content}: {}", failure.message),
            (found, _) => panic!("{content}: {found:?}"),
        }
    }
}

#[test]
fn what_has_no_effect_is_said() {
    for (content, part) in [
        ("--hash=sha256:00", "has --hash but no requirement, and will be ignored."),
        ("a --pre", "--pre has no effect here (line 1 of"),
        ("a -i https://x.example.org/", "--index-url has no effect here"),
        ("a -e b", "--editable has no effect here"),
    ] {
        let found = one(content).unwrap();
        assert!(found.warnings.iter().any(|warning| warning.contains(part)), "{content}: {:?}", found.warnings);
        assert_eq!(found.indexes.indexes.len(), 1);
    }
}

#[test]
fn a_wrong_line_is_shown_with_a_mark() {
    let failure = one("a\n  é==1 --hash=sha256:00 --bogus # x").unwrap_err();
    assert_eq!(failure.message, "Invalid requirement: é==1 --hash=sha256:00 --bogus\nno such option: --bogus");
    let line = &failure.details.iter().find(|(label, _)| *label == "line").unwrap().1;
    assert_eq!(line, &format!("é==1 --hash=sha256:00 --bogus\n{}^", " ".repeat(22)));
    for (content, part) in [
        ("-r", "-r option requires 1 argument"),
        ("--find-links 'x", "Could not split options: --find-links 'x"),
        ("--target x", "no such option: --target"),
        ("-e .", "`-e .` is not supported yet"),
        ("a b", "Invalid requirement: 'a b'"),
        ("-r missing.txt", "Could not open requirements file: [Errno 2] No such file or directory: '"),
        ("-c missing.txt", "Could not open constraint file: [Errno 2] No such file or directory: '"),
    ] {
        let message = one(content).unwrap_err().message;
        assert!(message.contains(part), "{content}: {message}");
    }
}

#[test]
fn constraints_are_named_and_plain() {
    for (content, message) in [
        ("a[x]", "Constraints cannot have extras"),
        ("https://pkgs.example.org/a.zip", "Unnamed requirements are not allowed as constraints"),
        ("-e a", "Editable requirements are not allowed as constraints"),
    ] {
        let failure = World::new(&[("c.txt", content)]).constraints("c.txt").unwrap_err();
        assert_eq!(failure.message, message, "{content}");
    }
    let found = World::new(&[("c.txt", "a @ https://pkgs.example.org/a.zip\nb==1")]).constraints("c.txt").unwrap();
    assert_eq!(found.constraints.len(), 2);
}

#[test]
fn variables_are_expanded() {
    let mut world = World::new(&[("r.txt", "-i https://${USER_1}:${UNSET}@h.example.org/")]);
    world.process_environment.variables.insert("USER_1".to_owned(), "me".to_owned());
    let found = world.requirements("r.txt").unwrap();
    assert_eq!(found.indexes.indexes[0].as_str(), "https://me:$%7BUNSET%7D@h.example.org/");
}

#[test]
fn files_on_servers() {
    let base = "https://h.example.org/d/r.txt";
    let world = World::new(&[]).remote(base, "a\n-r s/t.txt").remote("https://h.example.org/d/s/t.txt", "b");
    let found = world.requirements(base).unwrap();
    assert_eq!(texts(&found.requirements), ["a", "b"]);
    assert_eq!(found.requirements[1].origin.to_string(), "-r https://h.example.org/d/s/t.txt (line 1)");
    for content in [
        "-i https://evil.example.org",
        "--no-index",
        "-f https://evil.example.org/",
        "-f /tmp",
        "--no-require-hashes",
        "--pre",
        "--prefer-binary",
        "--use-feature x",
        "--all-releases :all:",
        "--only-final :all:",
        "--no-binary :all:",
        "a --no-binary a",
        "a --config-settings x=y",
        "-e .",
        "-e git+https://evil.example.org/a",
        "file:///etc/passwd",
        "FILE:a-1.0-py3-none-any.whl",
        "a @ file:///tmp/a-1.0-py3-none-any.whl",
        "a @ a-1.0-py3-none-any.whl",
        "a[x] @ file:a-1.0-py3-none-any.whl ; python_version > '3'",
        "./a-1.0-py3-none-any.whl",
        "/",
        ".",
        "a-1.0-py3-none-any.whl",
        "a-1.0.tar.gz[x] --hash=sha256:00",
        "-r ftp://h.example.org/x.txt",
        "--extra-index-url https://evil.example.org",
        "--trusted-host evil.example.org",
        "-r https://evil.example.org/x.txt",
        "-r http://h.example.org/x.txt",
        "-r file:///etc/passwd",
    ] {
        let failure = World::new(&[]).remote(base, &format!("b\n{content}")).requirements(base).unwrap_err();
        assert_eq!(failure.code.exit(), Exit::Policy, "{content}");
        let place = failure.details.iter().find(|(label, _)| *label == "where").map(|(_, place)| place.as_str());
        assert_eq!(place, Some(format!("line 2 of {base}").as_str()), "{content}");
    }
    // A file of this machine may name a server.
    let world = World::new(&[("r.txt", &format!("-r {base}"))]).remote(base, "a");
    assert_eq!(texts(&world.requirements("r.txt").unwrap().requirements), ["a"]);
    let failure = World::new(&[])
        .remote("https://u:secret@h.example.org/r", "x y")
        .requirements("https://u:secret@h.example.org/r");
    assert!(!failure.unwrap_err().to_string().contains("secret"));
}

#[test]
fn lock_files_are_named() {
    for (name, refused) in
        [("pylock.toml", true), ("d/pylock.x.toml", true), ("pylock.toml[e]", true), ("pylock.txt", false)]
    {
        let failure = World::new(&[]).requirements(name).unwrap_err();
        assert_eq!(failure.code.name() == "usage.not-supported", refused, "{name}");
    }
}

#[test]
fn everything_in_its_order() {
    let world = World::new(&[("r.txt", "c"), ("pyproject.toml", "[dependency-groups]\ng = ['b; os_name == \"x\"']")]);
    let found = world
        .read(RequirementOptions {
            requirements: vec!["a[x]>1".to_owned()],
            requirement_files: vec![world.path("r.txt")],
            groups: vec![crate::options::DependencyGroup {
                path: world.path("pyproject.toml").into(),
                name: "g".to_owned(),
            }],
            ..RequirementOptions::default()
        })
        .unwrap();
    assert_eq!(texts(&found.requirements), ["a[x]>1", "b; os_name == \"x\"", "c"]);
    assert_eq!(found.requirements[0].extras().len(), 1);
    assert_eq!(found.requirements[1].marker.as_ref().unwrap().text, "os_name == \"x\"");
    assert_eq!(found.requirements[0].origin, RequirementOrigin::CommandLine);
}

#[test]
fn what_a_server_sends_makes_rules_stricter_only() {
    let base = "https://h.example.org/r.txt";
    let hash = format!("--hash=sha256:{}", "0".repeat(64));
    let content = format!("--require-hashes\n--only-binary x\na==1 {hash} --only-binary :all:\n-c c.txt");
    let mut world = World::new(&[]).remote(base, &content).remote("https://h.example.org/c.txt", "a<2");
    world.process_environment.variables.insert("TOKEN".to_owned(), "t".to_owned());
    let found = world.requirements(base).unwrap();
    assert!(found.require_hashes && found.selection.formats.only_binary.all && found.warnings.is_empty());
    assert!(found.requirements[0].is_remote && found.constraints[0].is_remote);
    let of_user = world
        .read(RequirementOptions {
            requirements: vec!["a==1".to_owned()],
            requirement_files: vec![base.to_owned()],
            ..RequirementOptions::default()
        })
        .unwrap();
    assert!(!of_user.requirements[0].is_remote);

    // What was said before is not taken back.
    for (before, line) in [
        ("--no-binary :all:", "--only-binary :all:"),
        ("--no-binary a,b", "--only-binary a"),
        ("--only-binary a", "--only-binary :none:"),
        ("--only-binary :all:", "--only-binary :none:"),
    ] {
        let world = World::new(&[("r.txt", &format!("{before}\n-r {base}"))]).remote(base, line);
        let failure = world.requirements("r.txt").unwrap_err();
        assert_eq!(failure.code, Code::RequirementsRemoteOption, "{before} {line}");
    }
    // Variables of this machine stay here.
    world.remote.insert(base.to_owned(), "a @ https://evil.example.org/${TOKEN}/a-1.0-py3-none-any.whl".to_owned());
    let found = world.requirements(base).unwrap();
    assert_eq!(found.user_urls().count(), 0);
    let RequirementSource::File { url, .. } = &found.requirements[0].source else { panic!("{found:?}") };
    assert_eq!(url.path(), "/$%7BTOKEN%7D/a-1.0-py3-none-any.whl");
}

#[test]
fn who_named_a_file_on_a_server_is_known_when_it_is_fetched() {
    let world = World::new(&[("r.txt", "--trusted-host h\n\n-r http://h/x.txt")]);
    let options = RequirementOptions { requirement_files: vec![world.path("r.txt")], ..RequirementOptions::default() };
    let (indexes, selection) = (IndexOptions::default(), SelectionOptions::default());
    let reading = read(&options, &indexes, &selection, &world.process_environment, &HashMap::new()).unwrap();
    let Reading::Missing(missing) = reading else { panic!("{reading:?}") };
    let [(url, named_by)] = missing.files.as_slice() else { panic!("{missing:?}") };
    assert_eq!((url.as_str(), named_by), ("http://h/x.txt", &format!("line 3 of {}", world.path("r.txt"))));
    assert_eq!(missing.trusted_hosts, ["h"]);
}

/// A requirements file with all that one can say, and what damage to one may spell.
const EVERYTHING: &str = "# comment\n--only-binary=x\na[e]>=1,<2 ; python_version > '3.8' # why\nb==1.0 \\\n    --hash=sha256:\
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n-c c.txt\nd @ https://pkgs.example.org/d-1-py3-none-any.whl\n";
const WORDS: [&str; 34] = [
    "\n",
    "\r",
    "\n\n",
    "\\\n",
    "#",
    " #",
    ";",
    "@",
    "'",
    "\"",
    "${HOME}",
    "${",
    "\n-r ",
    "\n-c ",
    "\n-e .",
    "\n-i https://evil.example.org/\n",
    "\n--extra-index-url=https://evil.example.org/\n",
    "\n--no-index\n",
    "\n-f /\n",
    "\n--pre\n",
    "\n--trusted-host h\n",
    "\n--no-binary :all:\n",
    "\n--only-binary :none:\n",
    "\n--require-hashes\n",
    " --hash",
    "=",
    "file:///x.whl",
    "../",
    "./",
    "https://evil.example.org/",
    "git+",
    "\u{feff}",
    "# -*- coding: latin-1 -*-\n",
    "\u{2028}",
];

fn read_everything(world: &World, name: &str) -> (Result<RequirementSet, Failure>, bool) {
    let (found, again) = (world.requirements(name), world.requirements(name));
    // No order of a hash map, no state of a reader shows.
    let is_same = format!("{found:?}") == format!("{again:?}");
    (found, is_same)
}

#[test]
fn damaged_files_say_the_same_each_time() {
    let world = World::new(&[("c.txt", "a<1.5")]);
    let mut understood = 0;
    for bytes in Mutations::of(EVERYTHING, 600).words(WORDS) {
        std::fs::write(world.directory.path().join("r.txt"), &*bytes).unwrap();
        let (found, is_same) = read_everything(&world, "r.txt");
        assert!(is_same, "{found:?}");
        understood += u64::from(found.is_ok());
    }
    assert!(understood > 50, "only {understood}");
}

#[test]
fn damaged_files_of_a_server_ask_for_packages_only() {
    let base = "https://h.example.org/d/r.txt";
    let mut world = World::new(&[]).remote("https://h.example.org/d/c.txt", "a<1.5");
    let before = world.read(RequirementOptions::default()).unwrap();
    let mut understood = 0;
    for bytes in Mutations::of(EVERYTHING, 600).words(WORDS) {
        // Servers are not tested with texts that are none: that is for the file of this machine.
        world.remote.insert(base.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
        let (found, is_same) = read_everything(&world, base);
        assert!(is_same, "{found:?}");
        let Ok(found) = found else { continue };
        understood += 1;
        assert_eq!(format!("{:?}", found.indexes), format!("{:?}", before.indexes));
        assert!(found.trusted_hosts.is_empty(), "{found:?}");
        let formats = &found.selection.formats;
        assert!(formats.no_binary.named.is_empty() && !formats.no_binary.all, "{found:?}");
        assert_eq!(format!("{:?}", found.selection.releases), format!("{:?}", before.selection.releases));
        assert_eq!(found.user_urls().count(), 0);
        for asked in found.requirements.iter().chain(&found.constraints) {
            assert!(asked.is_remote, "{asked:?}");
            match &asked.source {
                RequirementSource::Specifier(requirement) => assert!(requirement.url.is_none(), "{asked:?}"),
                RequirementSource::File { url, .. } => assert!(matches!(url.scheme(), "http" | "https"), "{asked:?}"),
                RequirementSource::Directory { .. } => panic!("{asked:?}"),
            }
        }
    }
    assert!(understood > 50, "only {understood}");
}
