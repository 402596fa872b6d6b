//! The layouts that are known by name, as the descriptors an operator could have written.

/// Names, the first being the usual one, and the descriptor.
pub const PRESETS: &[(&[&str], &str)] = &[
    (&["static-1"], STATIC_1),
    (&["pep691"], PEP691),
    (&["warehouse-2024", "warehouse-rstuf-2024"], WAREHOUSE_2024),
    (&["warehouse-2022"], WAREHOUSE_2022),
    (&["pip-2021", "jku-2021"], PIP_2021),
];

/// A directory on any web server: hashed names for pages, every distribution a target as well.
const STATIC_1: &str = r#"{
    "v": 1,
    "pages": [{
        "type": "application/vnd.pypi.simple.v1+json",
        "target": "simple/{project}/vnd.pypi.simple.v1.json",
        "url": "{base}{dir}{hash}.{file}",
        "hash": "sha256"
    }],
    "base": "../",
    "dist_trust": "both",
    "dist_target": "dist/{project}/{filename}",
    "core_metadata_target": "{dist}.metadata"
}"#;

/// The names PEP 691 suggests ("TUF Support"), at the URLs pages have anyway.
const PEP691: &str = r#"{
    "v": 1,
    "pages": [{
        "type": "application/vnd.pypi.simple.v1+json",
        "target": "simple/{project}/vnd.pypi.simple.v1.json",
        "url": "{index}{project}/"
    }, {
        "type": "application/vnd.pypi.simple.v1+html",
        "target": "simple/{project}/vnd.pypi.simple.v1.html",
        "url": "{index}{project}/"
    }],
    "dist_trust": "page"
}"#;

/// warehouse's draft of 2024: only pages are targets.
const WAREHOUSE_2024: &str = r#"{
    "v": 1,
    "pages": [{
        "type": "text/html",
        "target": "{project}",
        "url": "{index}{project}/{hash}.{project}.html",
        "hash": "blake2b-256"
    }],
    "dist_trust": "page"
}"#;

/// warehouse's draft of 2022: pages, and distributions by where they are stored.
const WAREHOUSE_2022: &str = r#"{
    "v": 1,
    "pages": [{
        "type": "text/html",
        "target": "{project}/{project}.html",
        "url": "{index}{dir}{hash}.{file}",
        "hash": "blake2b-256"
    }],
    "dist_trust": "target",
    "dist_target": "{link:last4}",
    "core_metadata_target": "{dist}.metadata"
}"#;

/// The draft for pip of 2021, before indexes had metadata beside distributions.
const PIP_2021: &str = r#"{
    "v": 1,
    "pages": [{
        "type": "text/html",
        "target": "{project}/index.html",
        "url": "{index}{dir}{hash}.{file}",
        "hash": "sha256"
    }],
    "dist_trust": "target",
    "dist_target": "{link:last4}"
}"#;
