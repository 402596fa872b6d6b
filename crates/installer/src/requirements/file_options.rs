//! The options that may stand in a line of a requirements file.

use crate::optparse::{OptionDefinition, OptionSet};

/// Every option: identifier, long names, letter, whether a value follows. `-r`, `-c` and `-e` stand alone there as everywhere.
const OPTIONS: &[(&str, &[&str], Option<char>, bool)] = &[
    ("index_url", &["index-url", "pypi-url"], Some('i'), true),
    ("extra_index_url", &["extra-index-url"], None, true),
    ("no_index", &["no-index"], None, false),
    ("constraint", &["constraint"], Some('c'), true),
    ("requirement", &["requirement"], Some('r'), true),
    ("editable", &["editable"], Some('e'), true),
    ("find_links", &["find-links"], Some('f'), true),
    ("pre", &["pre"], None, false),
    ("all_releases", &["all-releases"], None, true),
    ("only_final", &["only-final"], None, true),
    ("no_binary", &["no-binary"], None, true),
    ("only_binary", &["only-binary"], None, true),
    ("prefer_binary", &["prefer-binary"], None, false),
    ("require_hashes", &["require-hashes"], None, false),
    ("no_require_hashes", &["no-require-hashes"], None, false),
    ("trusted_host", &["trusted-host"], None, true),
    ("use_feature", &["use-feature"], None, true),
    ("hash", &["hash"], None, true),
    ("config_settings", &["config-settings"], Some('C'), true),
];

/// The options of a line.
pub fn option_set() -> OptionSet {
    let definition = |(id, long, short, takes_value): &(&str, &[&str], Option<char>, bool)| OptionDefinition {
        id: (*id).to_owned(),
        long: long.iter().map(|name| (*name).to_owned()).collect(),
        short: *short,
        takes_value: *takes_value,
    };
    OptionSet { options: OPTIONS.iter().map(definition).collect(), removed: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirements_file_has_no_say_about_signatures() {
        for name in ["require-signed", "allow-unsigned", "offline", "allow-expired", "disable-repository-security"] {
            let error = crate::optparse::parse(&option_set(), &[format!("--{name}")]).unwrap_err();
            assert_eq!(error.message, format!("no such option: --{name}"));
        }
    }
}
