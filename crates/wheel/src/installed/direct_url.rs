//! `direct_url.json`: where a distribution came from that was not taken from an index (PEP 610).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The contents of `direct_url.json`. The fields stand in the order of their names, as in pip's files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectUrl {
    /// Of an archive: its hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_info: Option<ArchiveInfo>,
    /// Of a local directory: whether it is editable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir_info: Option<DirInfo>,
    /// The project's directory inside the archive or repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdirectory: Option<String>,
    /// The URL, without credentials.
    pub url: String,
    /// Of a repository: which commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcs_info: Option<VcsInfo>,
}

/// `archive_info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveInfo {
    /// One hash as `algorithm=value`, for old readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Hashes in hexadecimal by algorithm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<BTreeMap<String, String>>,
}

/// `dir_info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirInfo {
    /// Whether the directory itself is imported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub editable: bool,
}

/// `vcs_info`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VcsInfo {
    /// The commit that was installed.
    pub commit_id: String,
    /// What the user asked for: a branch, a tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_revision: Option<String>,
    /// `git`, `hg`, `svn` or `bzr`.
    pub vcs: String,
}

impl DirectUrl {
    /// Reads the file.
    pub fn from_json(text: &[u8]) -> Result<DirectUrl, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// Writes the file the way pip does: one line, a space after each `:` and `,`, only ASCII.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = Vec::new();
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut text, PythonFormatter))?;
        let mut ascii = String::with_capacity(text.len());
        for character in String::from_utf8_lossy(&text).chars() {
            if character.is_ascii() {
                ascii.push(character);
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to memory cannot fail.
                    let _ = write!(ascii, "\\u{unit:04x}");
                }
            }
        }
        Ok(ascii)
    }

    /// The directory of an editable project.
    pub fn editable_path(&self) -> Option<PathBuf> {
        if !self.dir_info.as_ref()?.editable {
            return None;
        }
        let text = self.url.strip_prefix("file://")?;
        let text = text.strip_prefix("localhost").unwrap_or(text);
        Some(PathBuf::from(percent_decoded(text)))
    }
}

/// Separators as `json.dumps` writes them.
struct PythonFormatter;

impl serde_json::ser::Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escape.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| {
            digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
        });
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_as_pip_writes_it() {
        let hashes = BTreeMap::from([("sha256".to_owned(), "00ff".to_owned())]);
        let direct_url = DirectUrl {
            archive_info: Some(ArchiveInfo { hash: Some("sha256=00ff".to_owned()), hashes: Some(hashes) }),
            url: "https://pkgs.example.org/ä😀.whl".to_owned(),
            ..DirectUrl::default()
        };
        let text = r#"{"archive_info": {"hash": "sha256=00ff", "hashes": {"sha256": "00ff"}}, "url": "https://pkgs.example.org/\u00e4\ud83d\ude00.whl"}"#;
        assert_eq!(direct_url.to_json().unwrap(), text);
        assert_eq!(DirectUrl::from_json(text.as_bytes()).unwrap(), direct_url);
    }

    #[test]
    fn an_editable_project_is_found_by_its_url() {
        let text = br#"{"dir_info": {"editable": true}, "url": "file:///home/a%20b/%zz"}"#;
        assert_eq!(DirectUrl::from_json(text).unwrap().editable_path(), Some(PathBuf::from("/home/a b/%zz")));
        let text = br#"{"dir_info": {}, "url": "file:///home"}"#;
        assert_eq!(DirectUrl::from_json(text).unwrap().editable_path(), None);
    }
}
