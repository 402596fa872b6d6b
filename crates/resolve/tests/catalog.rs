//! A catalog survives being written down.

use resolve::{Candidate, CandidateId, CandidateMetadata, CandidateOrigin, Catalog};

#[test]
fn a_catalog_survives_being_written_down() {
    let mut catalog = Catalog::new();
    let candidate = |version: &str, origin: CandidateOrigin| Candidate {
        version: version.parse().unwrap(),
        origin,
        yanked: false,
        rejected: None,
    };
    let name: packaging::PackageName = "a".parse().unwrap();
    catalog.insert_project(
        name.clone(),
        vec![candidate("2.0", CandidateOrigin::Index), candidate("1.0", CandidateOrigin::Index)],
    );
    catalog.insert_installed(name.clone(), candidate("1.0", CandidateOrigin::Installed));
    catalog.insert_direct(
        name.clone(),
        "https://pkgs.example.org/a".to_owned(),
        candidate("3.0", CandidateOrigin::Index),
    );
    let id = |origin| CandidateId { name: name.clone(), version: "1.0".parse().unwrap(), origin };
    let requires_dist = vec!["b>=1; python_version > '3'".parse().unwrap()];
    catalog.insert_metadata(
        id(CandidateOrigin::Index),
        Ok(CandidateMetadata { requires_dist, provides_extras: Vec::new() }),
    );
    catalog.insert_metadata(id(CandidateOrigin::Installed), Err("broken".to_owned()));
    let text = serde_json::to_string(&catalog).unwrap();
    assert_eq!(serde_json::from_str::<Catalog>(&text).unwrap(), catalog);
}
