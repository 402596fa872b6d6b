//! A catalog survives being written down.

use resolve::{Candidate, CandidateId, Catalog, Metadata, Origin};

#[test]
fn a_catalog_survives_being_written_down() {
    let mut catalog = Catalog::new();
    let candidate = |version: &str, origin: Origin| Candidate {
        version: version.parse().unwrap(),
        origin,
        yanked: false,
        rejected: None,
    };
    let name: packaging::PackageName = "a".parse().unwrap();
    catalog.insert_project(name.clone(), vec![candidate("2.0", Origin::Index), candidate("1.0", Origin::Index)]);
    catalog.insert_installed(name.clone(), candidate("1.0", Origin::Installed));
    catalog.insert_direct(name.clone(), "https://pkgs.example.org/a".to_owned(), candidate("3.0", Origin::Index));
    let id = |origin| CandidateId { name: name.clone(), version: "1.0".parse().unwrap(), origin };
    let requires_dist = vec!["b>=1; python_version > '3'".parse().unwrap()];
    catalog.insert_metadata(id(Origin::Index), Ok(Metadata { requires_dist, provides_extras: Vec::new() }));
    catalog.insert_metadata(id(Origin::Installed), Err("broken".to_owned()));
    let text = serde_json::to_string(&catalog).unwrap();
    assert_eq!(serde_json::from_str::<Catalog>(&text).unwrap(), catalog);
}
