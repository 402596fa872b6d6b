//! What no package may change: the files that say how this program and pip work, and the program's own data.

use std::path::PathBuf;

use wheel::ProtectedPlace;

use super::configuration::possible_files;
use super::resolve_settings::default_cache;
use super::trust::data_directory;
use installer::process_environment::ProcessEnvironment;

/// The places that follow from the process alone. Those of an environment are added where one is known.
pub(super) fn protected_places(process_environment: &ProcessEnvironment) -> Vec<ProtectedPlace> {
    let mut places = Vec::new();
    let mut add = |what, paths: Vec<PathBuf>| {
        let absolute = paths.into_iter().filter_map(|path| std::path::absolute(path).ok());
        places.extend(absolute.map(|path| ProtectedPlace { path, what, owner: None }));
    };
    add("what tufpip trusts and remembers", data_directory().into_iter().collect());
    add("the cache of tufpip", default_cache().into_iter().collect());
    add("the configuration of pip", possible_files(process_environment));
    let netrc = process_environment.variable("NETRC").map(|path| process_environment.expand(path));
    let home = process_environment.home();
    let in_home = [".netrc", "_netrc"].into_iter().filter_map(|name| Some(home.as_ref()?.join(name)));
    add("the passwords in the netrc file", netrc.into_iter().chain(in_home).collect());
    places
}
