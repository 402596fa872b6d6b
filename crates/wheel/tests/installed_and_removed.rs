//! Finding installed distributions of every layout, and removing exactly what belongs to them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::placing::{install, picture, site_packages, unpack};
use testkit::Command;
use wheel::{
    InstalledDistribution, InstalledKind, InstalledProblem, ProtectedPlaces, Removal, RemovalScope, Transaction,
    TransactionError, installed, problems,
};

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn find(directories: &[PathBuf], name: &str) -> InstalledDistribution {
    installed(directories).unwrap().into_iter().find(|distribution| distribution.name == name).unwrap()
}

fn remove(prefix: &Path, names: &[&str]) -> Vec<Removal> {
    let scope = RemovalScope {
        permitted: vec![prefix.to_path_buf()],
        scripts: prefix.join("bin"),
        libraries: vec![site_packages(prefix)],
    };
    let mut transaction = Transaction::begin(&site_packages(prefix), None, || ()).unwrap();
    let removals: Vec<Removal> = names
        .iter()
        .map(|name| Removal::of(&find(&[site_packages(prefix)], name), &scope, &ProtectedPlaces::default()).unwrap())
        .collect();
    for removal in &removals {
        transaction.remove(removal.clone());
    }
    transaction.commit(&ProtectedPlaces::default()).unwrap();
    removals
}

/// Installed by us, removed by pip and by us: the same tree must be left, but for directories that pip leaves empty.
#[test]
fn the_tree_equals_the_one_pip_leaves() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    let files = &[
        ("space/one/__init__.py", "1\n"),
        ("space/one/kept/data.txt", "1\n"),
        ("top.py", "1\n"),
        ("one-1.0.data/data/share/one/deep/file.txt", "1\n"),
        ("one-1.0.data/data/etc/one.cfg", "1\n"),
        ("one-1.0.data/scripts/script!", "#!python\n"),
        ("one-1.0.data/headers/one.h", "1\n"),
    ];
    let one = unpack(&cache, "one", "1.0", files, &[("one-tool", "top:main")]);
    let two = unpack(&cache, "two", "1.0", &[("space/two.py", "2\n"), ("two-1.0.data/data/etc/two.cfg", "")], &[]);
    let prefix = directory.path().join("environment");
    let prepare = || {
        let _ = fs::remove_dir_all(&prefix);
        let made = Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&prefix).try_run();
        if !made.is_ok_and(|outcome| outcome.succeeded()) || !site_packages(&prefix).is_dir() {
            return false;
        }
        install(&prefix, &[&one, &two]).unwrap();
        write(&site_packages(&prefix).join("space/one/kept/by_user.txt"), "mine");
        write(&site_packages(&prefix).join("__pycache__/top.cpython-311.pyc"), "compiled");
        write(&site_packages(&prefix).join("space/one/__pycache__/__init__.cpython-311.pyc"), "compiled");
        true
    };
    if !prepare() {
        println!("skipped: needs python3 of version 3.11 with venv");
        return;
    }
    let before = picture(&prefix);
    let location = "import pip, os; print(os.path.dirname(os.path.dirname(pip.__file__)))";
    let found = Command::new("python3").args(["-c", location]).run();
    if !found.succeeded() {
        println!("skipped: python3 has no pip");
        return;
    }
    let command = Command::new(prefix.join("bin/python")).args(["-m", "pip", "uninstall", "--yes", "one"]);
    command.env("PYTHONPATH", found.stdout.trim()).run().expect_code(0);
    let theirs = picture(&prefix);
    assert!(prepare());
    assert_eq!(picture(&prefix), before);
    remove(&prefix, &["one"]);
    let ours = picture(&prefix);
    for (name, text) in &theirs {
        let inside = format!("{name}/");
        if text.starts_with("directory")
            && theirs.keys().all(|other| !other.starts_with(&inside) || theirs[other].starts_with("directory"))
        {
            continue;
        }
        assert_eq!(Some(text), ours.get(name), "{name}");
    }
    assert!(ours.keys().all(|name| theirs.contains_key(name)));
    assert!(
        ours.contains_key("include/python3.11") && !ours.contains_key("share") && !ours.contains_key("include/site")
    );
    let mut left: BTreeMap<_, _> = picture(&prefix);
    left.retain(|name, _| name.contains("space") || name.contains("etc"));
    let names: Vec<_> = left.keys().filter(|name| left[*name].contains("mine") || name.contains("two")).collect();
    assert_eq!(names.len(), 3, "{left:?}");
}

#[test]
fn two_that_share_a_directory_take_it_along() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("environment");
    let one = unpack(&directory.path().join("cache"), "one", "1", &[("space/one.py", "")], &[]);
    let two = unpack(&directory.path().join("cache"), "two", "1", &[("space/two.py", "")], &[("two", "space.two:f")]);
    install(&prefix, &[&one, &two]).unwrap();
    write(&site_packages(&prefix).join("space/__pycache__/one.cpython-314.opt-2.pyc"), "");
    remove(&prefix, &["one", "two"]);
    assert!(fs::read_dir(site_packages(&prefix)).unwrap().next().is_none());
    assert!(fs::read_dir(prefix.join("bin")).unwrap().next().is_none());
}

#[test]
fn nothing_outside_and_nothing_precious_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("environment");
    let site = site_packages(&prefix);
    let precious = ["bin/python3", "bin/activate", "pyvenv.cfg", "lib/python3.11/os.py"];
    for path in precious {
        write(&prefix.join(path), "precious");
    }
    let outside = directory.path().join("outside.txt");
    write(&outside, "precious");
    write(&directory.path().join("environment-sibling/file"), "precious");
    write(&site.join("victim-1.dist-info/RECORD"), "precious");
    let mut record = format!("{}\nown.py\n.\n..\n\"\"\n../site-packages\n", outside.display());
    for path in precious {
        record.push_str(&format!("../../../{path}\n"));
    }
    record.push_str("../../../../outside.txt\n../../../../environment-sibling/file\nvictim-1.dist-info/RECORD\n");
    write(&site.join("evil-1.dist-info/RECORD"), &record);
    write(
        &site.join("evil-1.dist-info/entry_points.txt"),
        "[console_scripts]\npython3 = a:b\n../../outside.txt = a:b\n",
    );
    write(&site.join("own.py"), "");
    let before = picture(directory.path());
    let removals = remove(&prefix, &["evil"]);
    let after = picture(directory.path());
    let gone: Vec<_> = before.keys().filter(|name| !after.contains_key(*name)).cloned().collect();
    let site = "environment/lib/python3.11/site-packages";
    let expected = ["evil-1.dist-info", "evil-1.dist-info/RECORD", "evil-1.dist-info/entry_points.txt", "own.py"];
    assert_eq!(gone, expected.map(|name| format!("{site}/{name}")));
    assert!(removals[0].refused.len() >= 6, "{removals:?}");
}

#[test]
fn older_layouts_are_found_and_removed() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("environment");
    let site = site_packages(&prefix);
    let project = directory.path().join("project");
    write(&site.join("flat-1.0-py3.11.egg-info/PKG-INFO"), "Metadata-Version: 1.0\nName: flat\nVersion: 1.0\n");
    write(
        &site.join("flat-1.0-py3.11.egg-info/installed-files.txt"),
        "../flat/__init__.py\n../../../../bin/flat\nPKG-INFO\n",
    );
    write(&site.join("flat/__init__.py"), "");
    write(&prefix.join("bin/flat"), "");
    write(&site.join("tops-1.0.egg-info/top_level.txt"), "tops\nspace\n../evil\n");
    write(&site.join("tops-1.0.egg-info/namespace_packages.txt"), "space\n");
    write(&site.join("tops/inner/a.py"), "");
    write(&site.join("space/b.py"), "");
    write(&site.join("plain-2.0.egg-info"), "Metadata-Version: 1.0\nName: plain\nVersion: 2.0\n");
    write(&project.join("linked.egg-info/PKG-INFO"), "Metadata-Version: 1.0\nName: linked\nVersion: 3.0\n");
    write(&site.join("linked.egg-link"), &format!("{}\n.", project.display()));
    write(&site.join("easy-install.pth"), &format!("/other\n{}\n", project.display()));
    write(&site.join("~roken-1.0.dist-info/METADATA"), "");
    let found = installed(&[site.clone(), directory.path().join("absent")]).unwrap();
    let names: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.version.as_deref())).collect();
    let expected = [
        ("flat", Some("1.0")),
        ("plain", Some("2.0")),
        ("tops", Some("1.0")),
        ("~roken", Some("1.0")),
        ("linked", None),
    ];
    assert_eq!(names, expected);
    assert!(found[3].normalized_name.is_none());
    assert_eq!(found[4].kind, InstalledKind::EggLink { link: site.join("linked.egg-link") });
    assert_eq!(found[4].editable_location(), Some(project.clone()));
    assert_eq!(found[4].metadata().unwrap().unwrap().unwrap().raw_version(), "3.0");
    let scope = RemovalScope {
        permitted: vec![prefix.clone()],
        scripts: prefix.join("bin"),
        libraries: vec![site_packages(&prefix)],
    };
    assert!(matches!(
        Removal::of(&found[1], &scope, &ProtectedPlaces::default()),
        Err(TransactionError::Distutils { .. })
    ));
    remove(&prefix, &["flat", "tops", "linked"]);
    let left: Vec<_> = fs::read_dir(&site).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(site.join("space/b.py").exists() && project.join("linked.egg-info/PKG-INFO").exists());
    assert!(!prefix.join("bin/flat").exists());
    assert_eq!(fs::read_to_string(site.join("easy-install.pth")).unwrap(), "/other\n");
}

#[test]
fn what_is_installed_tells_about_itself() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("environment");
    let one = unpack(&directory.path().join("cache"), "One.Two", "1.0", &[("one/a.py", "1234"), ("one/b.py", "")], &[]);
    install(&prefix, &[&one]).unwrap();
    let sites = [site_packages(&prefix)];
    let distribution = find(&sites, "One.Two");
    assert_eq!(distribution.normalized_name.as_ref().unwrap().to_string(), "one-two");
    assert_eq!((distribution.installer().as_str(), distribution.requested()), ("pip", true));
    assert_eq!(distribution.direct_url(), None);
    assert_eq!(problems(&distribution), []);
    fs::write(sites[0].join("one/a.py"), "12345").unwrap();
    fs::remove_file(sites[0].join("one/b.py")).unwrap();
    let expected = [
        InstalledProblem::WrongSize { path: sites[0].join("one/a.py"), expected: 4, found: 5 },
        InstalledProblem::Missing(sites[0].join("one/b.py")),
    ];
    assert_eq!(problems(&distribution), expected);
    fs::remove_file(distribution.info.join("RECORD")).unwrap();
    assert_eq!(problems(&distribution), [InstalledProblem::NoRecord]);
    let scope = RemovalScope {
        permitted: vec![prefix.clone()],
        scripts: prefix.join("bin"),
        libraries: vec![site_packages(&prefix)],
    };
    let error = Removal::of(&distribution, &scope, &ProtectedPlaces::default()).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot uninstall One.Two 1.0: the package's contents are unknown"),
        "{error}"
    );
}
