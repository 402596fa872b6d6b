//! Where the probe says that things are installed, against pip.

use serde_json::{Value, json};

use super::on_all;

/// The paths of the probe with the name of a distribution added to the headers, as installing does it.
fn with_distribution(paths: &Value, replace: (&str, &str)) -> Value {
    let path = |key: &str| paths[key].as_str().unwrap().replacen(replace.0, replace.1, 1);
    json!({
        "purelib": path("purelib"), "platlib": path("platlib"), "scripts": path("scripts"), "data": path("data"),
        "headers": path("headers") + "/Dist_Name",
    })
}

#[test]
fn schemes_are_those_of_pip() {
    on_all(|answers| {
        let (probe, reference) = (&answers.probe, &answers.reference);
        assert_eq!(with_distribution(&probe["paths"], ("", "")), reference["plain"]);
        assert_eq!(with_distribution(&probe["user_paths"], ("", "")), reference["user"]);
        // Before 23.1 pip put what goes into a prefix where Debian wants local packages.
        let pip: packaging::Version = reference["pip"].as_str().unwrap().parse().unwrap();
        if probe["paths"]["scheme"] != "posix_local" || pip >= "23.1".parse().unwrap() {
            assert_eq!(with_distribution(&probe["prefix_paths"], ("{prefix}", "/a prefix")), reference["prefix"]);
        }
        assert_eq!(with_distribution(&probe["home_paths"], ("{home}", "/a home")), reference["home"]);
        let below_root = with_distribution(&probe["paths"], ("/", "/a root/"));
        assert_eq!(below_root, reference["root"]);
    });
}

#[test]
fn the_environment_is_that_of_pip() {
    on_all(|answers| {
        let (probe, reference) = (&answers.probe, &answers.reference);
        assert_eq!(probe["markers"], reference["environment"]);
        serde_json::from_value::<packaging::MarkerEnvironment>(probe["markers"].clone()).unwrap();
        assert_eq!(probe["user_site"], reference["user_site"]);
        assert_eq!(probe["user_site_enabled"], reference["user_site_enabled"]);
        assert_eq!(probe["system_site_packages"], json!(!reference["no_global"].as_bool().unwrap()));
        assert_eq!(probe["existing"], reference["path"]);
    });
}
