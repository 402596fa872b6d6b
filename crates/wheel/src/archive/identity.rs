//! Whether a wheel's contents match the name and version in its file name.

use std::str::FromStr as _;

use packaging::{PackageName, Version, WheelFilename};

/// Whether `name` is the project of the file name, spelled in any way that normalizes to it.
pub(crate) fn is_name(filename: &WheelFilename, name: &str) -> bool {
    PackageName::from_str(name).is_ok_and(|name| name == filename.name)
}

/// Whether `version` equals the version of the file name by PEP 440; `_` may stand for `-`, as in file names.
pub(crate) fn is_version(filename: &WheelFilename, version: &str) -> bool {
    Version::from_str(version)
        .or_else(|_| Version::from_str(&version.replace('_', "-")))
        .is_ok_and(|version| version == filename.version)
}

/// Whether `stem` is `name-version`; either may contain further `-`.
pub(crate) fn is_stem(filename: &WheelFilename, stem: &str) -> bool {
    stem.match_indices('-').any(|(position, _)| match (stem.get(..position), stem.get(position + 1..)) {
        (Some(name), Some(version)) => is_name(filename, name) && is_version(filename, version),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_distribution_agree() {
        let filename: WheelFilename = "Foo_Bar.baz-1.0.post1+cu.1-2b-py3-none-any.whl".parse().unwrap();
        for stem in ["foo_bar_baz-1.0.post1+cu.1", "Foo-Bar.baz-1.0-1+cu_1", "foo__bar_baz-1.post1+CU_1"] {
            assert!(is_stem(&filename, stem), "{stem}");
        }
        for stem in
            ["foo_bar_baz-1.0.post1", "foo_bar-1.0.post1+cu.1", "foo_bar_baz", "foo_bar_baz-1.0.post2+cu.1", "-"]
        {
            assert!(!is_stem(&filename, stem), "{stem}");
        }
    }
}
