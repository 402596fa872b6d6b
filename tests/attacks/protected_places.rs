//! A package that reaches for what the user trusts, caches or configures, or for the program itself: by any option that says
//! where it goes, by links, and by being uninstalled. And an index whose trusted root disappears all the same.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use testkit::{Command, Environment, Index, Outcome, Wheel, tree};

use crate::scene::{Scene, SignedScene, expect_clean, text, tufpip};

const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef01234567";

/// An index with one wheel `evil` that has this file in its `.data`.
fn evil(path: &str) -> Scene {
    let scene = Scene::new(Index::new().add(Wheel::new("evil", "1.0").data(path, "evil").build()));
    write(&scene.environment.trust_store().join(HASH).join("trust.json"), "honest");
    write(&scene.environment.home().join(".config/pip/pip.conf"), "");
    scene
}

/// The user's key, as an earlier command left it.
fn give_key(environment: &Environment) {
    let key = environment.data().join("tufpip/local-key");
    write(&key, "0123456789abcdef0123456789abcdef");
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

fn write(path: &Path, contents: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

/// The command must be refused with `what`, and the user's files must stay as they are. What is cached does not count.
#[track_caller]
fn refused(scene: &Scene, command: Command, what: &str) {
    give_key(&scene.environment);
    let before = (tree(&scene.environment.home()), tree(&scene.environment.work()));
    scene.refuses_command(command, 10, &["wheel.placement", what]);
    assert_eq!((tree(&scene.environment.home()), tree(&scene.environment.work())), before);
}

const TRUST: &str = "what tufpip trusts and remembers";
const CACHE: &str = "the cache of tufpip";
const CONFIGURATION: &str = "the configuration of pip";

#[test]
fn no_prefix_leads_to_what_is_trusted_cached_or_configured() {
    let store = format!("share/tufpip/tuf-repositories/{HASH}");
    for (path, what) in [
        (format!("home/.local/{store}/trust.json"), TRUST),
        (format!("home/.local/{store}/new.json"), TRUST),
        ("home/.local/share/tufpip/tuf-repositories/new/trust.json".to_owned(), TRUST),
        ("home/.local/share/tufpip/tuf-repositories/map.json".to_owned(), TRUST),
        ("home/.local/share/tufpip/tuf-remembered/x".to_owned(), TRUST),
        ("home/.local/share/tufpip/key".to_owned(), TRUST),
        ("cache/tufpip/wheels/x".to_owned(), CACHE),
        ("home/.config/pip/pip.conf".to_owned(), CONFIGURATION),
        ("home/.pip/pip.conf".to_owned(), CONFIGURATION),
        ("work/named.ini".to_owned(), CONFIGURATION),
        ("home/.netrc".to_owned(), "the passwords in the netrc file"),
        ("venv/pip.conf".to_owned(), CONFIGURATION),
        ("pip.conf".to_owned(), CONFIGURATION),
    ] {
        let scene = evil(&format!("data/{path}"));
        let root = scene.environment.home().parent().unwrap().to_owned();
        let named = scene.environment.work().join("named.ini");
        let prefix = scene.tufpip(&["install", "evil", "--prefix"]).arg(&root).env("PIP_CONFIG_FILE", named);
        refused(&scene, prefix, what);
    }
}

#[test]
fn neither_a_link_nor_a_root_nor_another_cache_leads_there() {
    let scene = evil("data/share/tufpip/tuf-repositories/map.json");
    let (home, work) = (scene.environment.home(), scene.environment.work());
    symlink(home.join(".local"), work.join("linked")).unwrap();
    refused(&scene, scene.tufpip(&["install", "evil", "--prefix", "linked"]), TRUST);
    let root = scene.tufpip(&["install", "evil", "--prefix", "/.local", "--root"]).arg(&home);
    refused(&scene, root, TRUST);
    // The user's data is elsewhere, and reached by two links.
    fs::rename(home.join(".local/share"), work.join("data")).unwrap();
    symlink("moved", home.join(".local/share")).unwrap();
    symlink(work.join("data"), home.join(".local/moved")).unwrap();
    let scene = Scene { server: evil("data/data/tufpip/tuf-repositories/map.json").server, ..scene };
    refused(&scene, scene.tufpip(&["install", "evil", "--prefix"]).arg(&work), TRUST);

    let scene = evil("data/cache/tufpip/pages/x");
    let root = scene.environment.home().parent().unwrap().to_owned();
    refused(&scene, scene.tufpip(&["install", "--cache-dir", "../mine", "evil", "--prefix"]).arg(&root), CACHE);
    let scene = evil("data/mine/wheels/x");
    refused(&scene, scene.tufpip(&["install", "--cache-dir", "../mine", "evil", "--prefix", ".."]), CACHE);
}

#[test]
fn a_target_directory_does_not_replace_what_is_trusted() {
    let wheel = |name: &str, file: &str| Wheel::new(name, "1.0").file(file, "").build();
    let wheels = Index::new().add(wheel("one", "tufpip/__init__.py")).add(wheel("two", "share/a.py"));
    let scene = Scene::new(wheels.add(wheel("three", "a.py")));
    let share = scene.environment.data();
    write(&share.join(format!("tufpip/tuf-repositories/{HASH}/trust.json")), "honest");
    let local = share.parent().unwrap();
    let into = |project, target: &Path| scene.tufpip(&["install", project, "--upgrade", "--target"]).arg(target);
    refused(&scene, into("one", &share), TRUST);
    refused(&scene, into("two", local), TRUST);
    refused(&scene, into("three", &share.join("tufpip/tuf-repositories/new/deep")), TRUST);
    // What is beside it may be replaced.
    write(&local.join("a.py"), "old");
    into("three", local).run().expect_code(0);
    assert_eq!(fs::read_to_string(local.join("a.py")).unwrap(), "");
}

#[test]
fn a_package_does_not_configure_the_environment() {
    for name in ["pip.conf", "pip.ini", "PIP.CONF"] {
        let scene = evil(&format!("data/{name}"));
        refused(&scene, scene.tufpip(&["install", "evil"]), CONFIGURATION);
    }
}

#[test]
fn a_package_does_not_take_the_place_of_the_program() {
    let own = |version: &str| Wheel::new("tufpip", version).script("tufpip", format!("#!/bin/sh\n# {version}\n"));
    let completion = "data/share/bash-completion/completions/tufpip";
    let evil = |name: &str| Wheel::new(name, "1.0");
    let scene = Scene::new(
        Index::new()
            .add(own("1.0").data(completion, "complete").build())
            .add(own("2.0").data(completion, "complete 2").build())
            .add(evil("script").script("tufpip", "#!/bin/sh\n").build())
            .add(evil("entry-point").console_script("tufpip = evil:main").build())
            .add(evil("completion").data(completion, "evil").build()),
    );
    for installed in [None, Some("tufpip==1.0")] {
        installed.map(|wanted| scene.installs(&[wanted]));
        for name in ["script", "entry-point", "completion"] {
            scene.refuses(&[name], 10, &["wheel.placement", "the program tufpip"]);
        }
    }
    scene.installs(&["--upgrade", "tufpip"]);
    scene.installs(&["--ignore-installed", "tufpip"]);
    scene.expect_installed(&["tufpip-2.0"]);
    scene.tufpip(&["uninstall", "-y", "tufpip"]).run().expect_code(0);
    assert!(!scene.environment.scripts().join("tufpip").exists());
}

/// The interpreter whose own packages are changed with `--user`; `None` where that is switched off.
fn user_install(environment: &Environment, scene: &Scene, project: &str) -> Option<Outcome> {
    let arguments = ["install", "--user", "--break-system-packages", "--ignore-installed", project, "--python"];
    let python = &environment.interpreter().executable;
    let outcome = scene.tufpip(&arguments).arg(python).run();
    if outcome.stderr.contains("User site-packages are disabled") {
        eprintln!("skipped: {} has no user site-packages", python.display());
        return None;
    }
    Some(outcome)
}

#[test]
fn the_users_own_packages_do_not_touch_what_the_user_trusts() {
    let honest = Wheel::new("honest", "1.0").data("data/share/honest/x", "x").build();
    let evil = Wheel::new("evil", "1.0").data(&format!("data/share/tufpip/tuf-repositories/{HASH}/trust.json"), "evil");
    let server = Index::new().add(honest).add(evil.build()).serve();
    let scene = Scene { environment: Environment::without_venv(), server };
    let environment = &scene.environment;
    let anchor = environment.trust_store().join(HASH).join("trust.json");
    write(&anchor, "honest");
    give_key(environment);
    let before = tree(&environment.home());
    let Some(outcome) = user_install(environment, &scene, "evil") else { return };
    outcome.expect_code(10).expect_stderr(&["wheel.placement"]);
    assert_eq!(tree(&environment.home()), before);
    user_install(environment, &scene, "honest").unwrap().expect_code(0);
    assert!(environment.data().join("honest/x").is_file());

    // Another installer has let it through: what it lists is not its own.
    let library = format!(".local/lib/python{}/site-packages", environment.interpreter().minor_version());
    let record = environment.home().join(library).join("honest-1.0.dist-info/RECORD");
    let rows = format!("../../../share/tufpip/tuf-repositories/{HASH}/trust.json,,\r\n../../../share,,\r\n");
    fs::write(&record, fs::read_to_string(&record).unwrap() + &rows).unwrap();
    fs::rename(environment.data(), environment.data().with_file_name("moved")).unwrap();
    symlink("moved", environment.data()).unwrap();
    // The interpreter is asked again.
    let arguments = ["uninstall", "-y", "--cache-dir", "../fresh", "--break-system-packages", "honest", "--python"];
    let uninstall = scene.tufpip(&arguments);
    uninstall.arg(&environment.interpreter().executable).run().expect_code(0);
    assert!(!record.exists() && !environment.data().join("honest").exists());
    assert_eq!(fs::read_to_string(&anchor).unwrap(), "honest");
    expect_clean(environment);
}

#[test]
fn an_environment_in_the_cache_directory_is_not_part_of_the_cache() {
    let scene = Scene::new(Index::new().add(Wheel::new("app", "1.0").build()));
    let root = scene.environment.home().parent().unwrap().to_owned();
    scene.tufpip(&["install", "app", "--cache-dir"]).arg(&root).run().expect_code(0);
    scene.expect_installed(&["app-1.0"]);
}

#[test]
fn an_index_that_lost_its_trusted_root_is_not_an_unsigned_one() {
    let scene = SignedScene::signed();
    scene.installs(&["library==1.0"]);
    fs::remove_dir_all(scene.stored("")).unwrap();
    scene.server.forget_requests();
    let url = scene.server.index_url();
    scene.refuses(&["app"], 1, &["trust.missing", "was trusted on this machine", &url, "tufpip trust remove"]);
    scene.refuses(&["--no-index", "--find-links", &url, "app"], 1, &["trust.missing"]);
    // The whole store is gone.
    fs::remove_dir_all(scene.environment.trust_store()).unwrap();
    scene.refuses(&["app"], 1, &["trust.missing"]);
    assert_eq!(scene.server.log(), Vec::<String>::new());
    scene
        .tufpip(&["trust", "list"])
        .run()
        .expect_code(1)
        .expect_stderr(&["trust.missing", "was trusted on this machine"]);

    // Trusting it again heals, and so does saying that it is not trusted any more.
    let root = scene.environment.write("root.json", scene.server.root());
    let add = ["trust", "add", &url, "--root", text(&root), "--layout", "static-1"];
    scene.tufpip(&add).run().expect_code(0);
    scene.installs(&["app"]);
    fs::remove_dir_all(scene.stored("")).unwrap();
    scene.refuses(&["app"], 1, &["trust.missing"]);
    tufpip(&scene.environment).args(["trust", "remove", "-y", &url]).run().expect_code(0);
    tufpip(&scene.environment).args(["trust", "list"]).run().expect_code(0);
    assert_eq!(tree(&scene.environment.trust_memory()), Vec::<String>::new());
}
