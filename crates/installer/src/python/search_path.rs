//! Where an interpreter looks for packages, read anew by each command: directories come with the first package for the user,
//! and `.pth` files and PYTHONPATH change whenever somebody likes.
//!
//! Does what Python's `site` does, but for lines of `.pth` files that begin with "import": they are code, and are passed over.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Interpreter;

/// A place of `sys.path`, whether or not something is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchPathEntry {
    /// A directory or an archive.
    path: PathBuf,
    /// Whether `.pth` files in it add further places.
    site: bool,
}

impl Interpreter {
    /// Directories and archives in which installed distributions are looked for, in the order of `sys.path`.
    pub fn site_packages(&self) -> Vec<PathBuf> {
        existing_places(&self.search_path, &std::env::var_os("PYTHONPATH").unwrap_or_default())
    }
}

fn existing_places(entries: &[SearchPathEntry], python_path: &OsStr) -> Vec<PathBuf> {
    let mut known = HashSet::new();
    let mut places = Vec::new();
    let mut add = |path: PathBuf| {
        if path.exists() && known.insert(path.clone()) {
            places.push(path);
        }
    };
    for given in std::env::split_paths(python_path).filter(|given| !given.as_os_str().is_empty()) {
        add(absolute(&given));
    }
    for entry in entries {
        add(entry.path.clone());
        if entry.site {
            path_files(&entry.path).iter().for_each(|file| lines(&entry.path, file).into_iter().for_each(&mut add));
        }
    }
    places
}

/// The `.pth` files of a directory, in the order in which `site` reads them.
fn path_files(directory: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let is_read = |name: &OsString| name.as_bytes().ends_with(b".pth") && !name.as_bytes().starts_with(b".");
    let mut names: Vec<_> = names.filter(is_read).collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

/// The places that a `.pth` file names.
fn lines(directory: &Path, file: &Path) -> Vec<PathBuf> {
    // A pipe or a device would be waited for.
    let text = if file.is_file() { std::fs::read(file).unwrap_or_default() } else { Vec::new() };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
    let is_code = |line: &[u8]| line.starts_with(b"import ") || line.starts_with(b"import\t");
    let lines = lines.filter(|line| !line.starts_with(b"#") && !is_code(line)).map(<[u8]>::trim_ascii_end);
    let places = lines.filter(|line| !line.is_empty() && !line.contains(&0));
    places.map(|line| absolute(&directory.join(OsStr::from_bytes(line)))).collect()
}

/// As Python's `os.path.abspath`: `..` takes away the name before it, and links are not followed.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use testkit::Command;

    use super::*;

    fn write(path: &Path, bytes: impl AsRef<[u8]>) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn path_files_are_read_as_python_reads_them() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for name in ["a", "b", "site/inner", "site/späße", "site/with space", "given"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        symlink(root.join("a"), root.join("link")).unwrap();
        let site = root.join("site");
        write(&root.join("egg.zip"), "");
        write(&site.join("b.pth"), format!("{}\n../b\n", root.join("a").display()));
        write(
            &site.join("a.pth"),
            "# inner\n  \n\ninner\r\nmissing\nwith space \t\nspäße\n../../x\n../link\n../egg.zip\n./inner\n",
        );
        write(&site.join("empty.pth"), "");
        write(&site.join("not-a.txt"), "../b\n");
        std::fs::create_dir(site.join("directory.pth")).unwrap();
        let python = "import site, sys; sys.path[:] = []; site.addsitedir(sys.argv[1]); print('\\n'.join(sys.path))";
        let said = Command::new("python3").args(["-I", "-S", "-c", python]).arg(&site).run().expect_code(0).stdout;
        let entry = SearchPathEntry { path: site.clone(), site: true };
        let wanted: Vec<_> = said.lines().map(PathBuf::from).collect();
        assert_eq!(existing_places(std::slice::from_ref(&entry), OsStr::new("")), wanted);
        assert_eq!(wanted.len(), 8, "{wanted:?}");

        let given = [root.join("given"), PathBuf::new(), root.join("missing"), root.join("b")];
        let given = std::env::join_paths(given).unwrap();
        let places = existing_places(&[SearchPathEntry { path: root.join("a"), site: false }, entry], &given);
        assert_eq!(places[..3], [root.join("given"), root.join("b"), root.join("a")]);
        assert_eq!(places[3], site);
        assert_eq!(places.len(), 9);
    }

    #[test]
    fn code_in_path_files_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        std::fs::create_dir(root.join("import")).unwrap();
        std::fs::create_dir(root.join("imports")).unwrap();
        write(&root.join("a.pth"), b"\xef\xbb\xbfimport os\nimport\tos\nimports\nimport os; x\n\xff\xfe\nimports\0\n");
        write(&root.join(".hidden.pth"), "import\n");
        let places = existing_places(&[SearchPathEntry { path: root.to_owned(), site: true }], OsStr::new(""));
        assert_eq!(places, [root.to_owned(), root.join("imports")]);
    }
}
