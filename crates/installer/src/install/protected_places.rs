//! What no package may change, whatever it is called and wherever it is installed: what is trusted, cached and configured,
//! the interpreter, and the program itself. Placing and removing ask the same places (threats.md §1, rule 7).

use std::path::{Path, PathBuf};

use wheel::{ProtectedPlace, ProtectedPlaces, Rule};

use crate::context::Context;
use crate::error::{Code, Failure};
use crate::options::CommonOptions;
use crate::python::{Interpreter, SchemePaths};

/// The project that this program is distributed as, and the program's name.
const OWN_PROJECT: &str = "tufpip";
/// Where shells look for completions, below a prefix.
const COMPLETIONS: [&str; 6] = [
    "share/bash-completion/completions/tufpip",
    "share/bash-completion/completions/tufpip.bash",
    "share/zsh/site-functions/_tufpip",
    "share/fish/vendor_completions.d/tufpip.fish",
    "share/fish/completions/tufpip.fish",
    "etc/bash_completion.d/tufpip",
];

/// Looks for the places on disk. `destination` is where an installation goes, if there is one.
pub fn find(
    options: &CommonOptions,
    context: &Context,
    interpreter: &Interpreter,
    destination: Option<&SchemePaths>,
) -> ProtectedPlaces {
    let mut places = options.protected.clone();
    let mut add = |what, path: PathBuf| {
        // Options may name relative paths.
        let path = std::path::absolute(&path).unwrap_or(path);
        places.push(ProtectedPlace { path, what, owner: None });
    };
    let schemes = [Some(&interpreter.paths), interpreter.user_paths.as_ref(), destination];
    let schemes: Vec<&SchemePaths> = schemes.into_iter().flatten().collect();

    let remembered = options.trust.store.as_ref().map(|store| crate::trust::memory_of(store));
    let key = crate::local_key::path(&options.trust);
    for store in options.trust.store.iter().chain(&remembered).chain(&key).chain(&options.trust.anchors) {
        with_directories(store, |path| add("what tufpip trusts and remembers", path));
    }
    for cache in options.network.cache_dir.iter().map(PathBuf::as_path).chain([context.cache.path()]) {
        let holds = |path: &Path| holds_any(path, interpreter, &schemes);
        match holds(cache) {
            // Whoever keeps an environment in the cache may install there, beside what is cached.
            true => directories_in(cache).filter(|path| !holds(path)).for_each(|path| add("the cache of tufpip", path)),
            false => with_directories(cache, |path| add("the cache of tufpip", path)),
        }
    }
    add("the Python interpreter", interpreter.executable.clone());
    let prefixes = [&interpreter.prefix, &interpreter.base_prefix].into_iter();
    for prefix in prefixes.chain(schemes.iter().map(|scheme| &scheme.data)) {
        for name in ["pip.conf", "pip.ini"] {
            add("the configuration of pip", prefix.join(name));
        }
    }

    let mut add_own = |path| {
        places.push(ProtectedPlace { path, what: "the program tufpip", owner: Some(OWN_PROJECT) });
    };
    std::env::current_exe().into_iter().for_each(&mut add_own);
    for scheme in schemes {
        add_own(scheme.scripts.join(OWN_PROJECT));
        for completion in COMPLETIONS {
            add_own(scheme.data.join(completion));
        }
    }
    ProtectedPlaces::find(places)
}

/// Refuses to install into a directory that is part of a protected place.
///
/// # Errors
/// When it is.
pub fn refuse_library(places: &ProtectedPlaces, library: &Path) -> Result<(), Failure> {
    let Some(what) = places.holding(library) else { return Ok(()) };
    let message = format!("{} is {what}: no package is installed there", library.display());
    Err(Failure::new(Code::from(Rule::Placement), message).hint("choose another directory"))
}

/// A directory and those in it, each of which may have been mounted elsewhere, too.
fn with_directories(directory: &Path, mut add: impl FnMut(PathBuf)) {
    directories_in(directory).for_each(&mut add);
    add(directory.to_owned());
}

fn directories_in(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

/// Whether the environment or a directory of the installation lies in a directory.
fn holds_any(directory: &Path, interpreter: &Interpreter, schemes: &[&SchemePaths]) -> bool {
    let Ok(directory) = directory.canonicalize() else { return false };
    let of_scheme = |scheme: &SchemePaths| [scheme.purelib.clone(), scheme.platlib.clone(), scheme.scripts.clone()];
    let mut inside = schemes.iter().flat_map(|scheme| of_scheme(scheme)).chain([interpreter.prefix.clone()]);
    inside.any(|path| {
        let existing = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
        existing.is_some_and(|existing| existing.starts_with(&directory))
    })
}
