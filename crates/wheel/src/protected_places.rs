//! Places outside of packages that no package may change, whatever scheme, link or mount leads there: what is trusted,
//! what is cached, what is configured, and the program itself (threats.md §1, rule 7).
//!
//! A place is known by the identity (device and inode) of the directories that exist on the way to it, so that no
//! spelling, link or second mount of them makes it another place. What does not exist yet is known by its name in the
//! last directory that does.

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// Links that are followed on the way to one place.
const MOST_LINKS: usize = 40;

/// A file or directory that no package may change, with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedPlace {
    /// Where it is; it need not exist.
    pub path: PathBuf,
    /// What it is, for messages: `the trust store`.
    pub what: &'static str,
    /// The project that may bring it nevertheless. Then a distribution whose RECORD lists what is there may replace and
    /// remove it, too.
    pub owner: Option<&'static str>,
}

/// Device and inode.
pub(crate) type FileIdentity = (u64, u64);

/// Protected places as the disk has them now.
#[derive(Debug, Default)]
pub struct ProtectedPlaces {
    places: Vec<ProtectedPlace>,
    /// By the identity of a directory: the names that lead from it to a place; none when it is the place.
    below: HashMap<FileIdentity, Vec<(usize, Vec<OsString>)>>,
    /// What leads to a place that exists, and the place itself: taking it away would take the place away, too.
    ways: HashMap<FileIdentity, usize>,
}

/// Which protected places a directory is in, or leads to by names that the disk does not have yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach<'p> {
    inside: Option<usize>,
    ahead: Vec<(usize, &'p [OsString])>,
}

impl ProtectedPlaces {
    /// Looks for the places on disk. Paths that are not absolute are left out.
    pub fn find(places: Vec<ProtectedPlace>) -> ProtectedPlaces {
        let mut found = ProtectedPlaces { places, below: HashMap::new(), ways: HashMap::new() };
        for number in 0..found.places.len() {
            found.follow(number);
        }
        found
    }

    /// What a directory is part of that no package may change, if it is.
    pub fn holding(&self, directory: &Path) -> Option<&'static str> {
        let directory = crate::protected::resolve(directory).ok()?;
        self.place(self.reach(&directory).inside?).map(|place| place.what)
    }

    /// The place with a number.
    pub(crate) fn place(&self, number: usize) -> Option<&ProtectedPlace> {
        self.places.get(number)
    }

    /// What an absolute path without links reaches.
    pub(crate) fn reach(&self, path: &Path) -> Reach<'_> {
        let mut current = PathBuf::from("/");
        let mut reach = self.enter(&Reach::default(), OsStr::new(""), identity_of(&current));
        for component in path.components() {
            let Component::Normal(name) = component else { continue };
            current.push(name);
            reach = self.enter(&reach, name, identity_of(&current));
        }
        reach
    }

    /// What a directory in another one reaches; `identity` if it exists.
    pub(crate) fn enter<'p>(&'p self, from: &Reach<'p>, name: &OsStr, identity: Option<FileIdentity>) -> Reach<'p> {
        let mut reach = Reach { inside: from.inside, ahead: Vec::new() };
        let by_name = from.ahead.iter().filter(|(_, names)| names.first().is_some_and(|first| is_same(first, name)));
        let by_name = by_name.map(|(place, names)| (*place, names.get(1..).unwrap_or_default()));
        let here = identity.and_then(|identity| self.below.get(&identity)).into_iter().flatten();
        for (place, names) in by_name.chain(here.map(|(place, names)| (*place, names.as_slice()))) {
            if names.is_empty() {
                reach.inside = reach.inside.or(Some(place));
            } else {
                reach.ahead.push((place, names));
            }
        }
        reach
    }

    /// The place that something is, or leads to. Taken away, it would be gone.
    pub(crate) fn taken_with(&self, metadata: &Metadata) -> Option<usize> {
        self.ways.get(&identity(metadata)).copied()
    }

    /// Notes the directories and links on the way to a place.
    fn follow(&mut self, number: usize) {
        let Some(path) = self.places.get(number).map(|place| place.path.clone()).filter(|path| path.is_absolute())
        else {
            return;
        };
        let mut left: VecDeque<OsString> = names(&path);
        let mut current = PathBuf::from("/");
        let mut directories = Vec::new();
        let mut links = 0;
        while let Some(name) = left.pop_front() {
            if name == ".." {
                current.pop();
                continue;
            }
            let next = current.join(&name);
            let Ok(metadata) = next.symlink_metadata() else {
                left.push_front(name);
                return self.add_below(&current, number, left.into());
            };
            if metadata.is_symlink() {
                links += 1;
                self.add_ways(&[identity(&metadata)], number);
                let Ok(target) = fs::read_link(&next) else { return };
                if links > MOST_LINKS {
                    return;
                }
                if target.is_absolute() {
                    current = PathBuf::from("/");
                }
                for name in names(&target).into_iter().rev() {
                    left.push_front(name);
                }
            } else if metadata.is_dir() {
                directories.push(identity(&metadata));
                current = next;
            } else {
                self.add_ways(&[identity(&metadata)], number);
                left.push_front(name);
                self.add_below(&current, number, left.into());
                return self.add_ways(&directories, number);
            }
        }
        self.add_below(&current, number, Vec::new());
        self.add_ways(&directories, number);
    }

    fn add_below(&mut self, directory: &Path, number: usize, names: Vec<OsString>) {
        if let Some(identity) = identity_of(directory) {
            self.below.entry(identity).or_default().push((number, names));
        }
    }

    fn add_ways(&mut self, directories: &[FileIdentity], number: usize) {
        let has_owner = |number: usize| self.places.get(number).is_some_and(|place| place.owner.is_some());
        for identity in directories {
            // What leads to several places is protected like the one that nobody owns.
            let known = self.ways.get(identity).copied().filter(|known| !has_owner(*known));
            self.ways.insert(*identity, known.unwrap_or(number));
        }
    }
}

impl Reach<'_> {
    /// Whether no protected place is near.
    pub(crate) fn is_nothing(&self) -> bool {
        self.inside.is_none() && self.ahead.is_empty()
    }

    /// The place that a file of this name would change.
    pub(crate) fn file(&self, name: &OsStr) -> Option<usize> {
        let named = |(place, names): &(usize, &[OsString])| names.first().filter(|n| is_same(n, name)).map(|_| *place);
        self.inside.or_else(|| self.ahead.iter().find_map(named))
    }
}

/// Device and inode of what a path leads to.
pub(crate) fn identity_of(path: &Path) -> Option<FileIdentity> {
    fs::metadata(path).ok().as_ref().map(identity)
}

/// Device and inode of what metadata is about.
pub(crate) fn identity(metadata: &Metadata) -> FileIdentity {
    (metadata.dev(), metadata.ino())
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_os_string()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

/// Some file systems do not tell upper from lower case, and a name that does not exist cannot be asked for.
fn is_same(one: &OsStr, other: &OsStr) -> bool {
    one.eq_ignore_ascii_case(other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(path: &Path) -> ProtectedPlaces {
        ProtectedPlaces::find(vec![ProtectedPlace { path: path.to_path_buf(), what: "it", owner: None }])
    }

    fn changes(places: &ProtectedPlaces, path: &Path) -> bool {
        let parent = crate::protected::resolve(path.parent().unwrap()).unwrap();
        places.reach(&parent).file(path.file_name().unwrap()).is_some()
    }

    fn is_way(places: &ProtectedPlaces, path: &Path) -> bool {
        places.taken_with(&path.symlink_metadata().unwrap()).is_some()
    }

    #[test]
    fn a_directory_is_protected_with_all_that_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("share/store");
        for exists in [false, true] {
            if exists {
                fs::create_dir_all(place.join("deep/er")).unwrap();
            }
            let places = found(&place);
            for inside in ["share/store/a", "share/store/deep/er/a"] {
                assert!(changes(&places, &root.path().join(inside)), "{inside}");
            }
            for outside in ["share/a", "share/stores/a", "a", "share/sub/store"] {
                assert!(!changes(&places, &root.path().join(outside)), "{outside}");
            }
        }
        // What does not exist yet has any spelling, and is no file.
        let missing = found(&root.path().join("share/missing"));
        for inside in ["share/missing", "share/MISSING/a"] {
            assert!(changes(&missing, &root.path().join(inside)), "{inside}");
        }
        let places = found(&place);
        assert!(places.holding(&place.join("new/inner")).is_some() && places.holding(root.path()).is_none());
        for way in ["", "share", "share/store"] {
            assert!(is_way(&places, &root.path().join(way)), "{way}");
        }
        assert!(!is_way(&places, &place.join("deep")));
    }

    #[test]
    fn links_do_not_make_another_place_of_it() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("real/inner")).unwrap();
        fs::write(at("real/file"), "").unwrap();
        symlink("real", at("linked")).unwrap();
        symlink("../linked/file", at("real/alias")).unwrap();
        symlink("gone/away", at("dangling")).unwrap();
        let places = found(&at("linked/alias"));
        assert!(changes(&places, &at("real/file")) && changes(&places, &at("linked/file")));
        for way in ["linked", "real/alias", "real", "real/file"] {
            assert!(is_way(&places, &at(way)), "{way}");
        }
        assert!(!changes(&places, &at("real/other")) && !is_way(&places, &at("real/inner")));
        let places = found(&at("dangling/file"));
        assert!(changes(&places, &at("gone/away/file")) && is_way(&places, &at("dangling")));
        symlink("round", at("round")).unwrap();
        found(&at("round/x"));
    }
}
