//! Core metadata as text: headers and a body in the manner of RFC 822, as Python's `email` and `importlib.metadata`
//! read it.
//!
//! Nothing is validated here, so that what is installed can be shown and removed even when its metadata is not valid.

use serde_json::{Map, Value};

/// The headers of a metadata file in their order, and its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataFields {
    fields: Vec<(String, String)>,
    body: String,
}

/// The fields of the core metadata specification in the order in which pip reports them; true for those which may
/// repeat.
const REPORTED: [(&str, bool); 27] = [
    ("Metadata-Version", false),
    ("Name", false),
    ("Version", false),
    ("Dynamic", true),
    ("Platform", true),
    ("Supported-Platform", true),
    ("Summary", false),
    ("Description", false),
    ("Description-Content-Type", false),
    ("Keywords", false),
    ("Home-page", false),
    ("Download-URL", false),
    ("Author", false),
    ("Author-email", false),
    ("Maintainer", false),
    ("Maintainer-email", false),
    ("License", false),
    ("License-Expression", false),
    ("License-File", true),
    ("Classifier", true),
    ("Requires-Dist", true),
    ("Requires-Python", false),
    ("Requires-External", true),
    ("Project-URL", true),
    ("Provides-Extra", true),
    ("Provides-Dist", true),
    ("Obsoletes-Dist", true),
];

impl MetadataFields {
    /// Splits `content` into headers and body. Bytes that are no UTF-8 are replaced by U+FFFD.
    pub fn parse(content: &[u8]) -> Self {
        let text = String::from_utf8_lossy(content);
        // Python reads the file with universal line ends.
        let text = if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.into_owned() };
        Self::parse_lines(&text)
    }

    /// The first field that decides what is installed and has other values for a reader that ends no line at a lone
    /// carriage return; `self` was parsed from the same `content`.
    pub fn hidden_by_carriage_returns(&self, content: &[u8]) -> Option<&'static str> {
        const DECIDING: [&str; 6] =
            ["Metadata-Version", "Name", "Version", "Requires-Dist", "Requires-Python", "Provides-Extra"];
        let is_lone = |(at, byte): (usize, &u8)| *byte == b'\r' && content.get(at + 1) != Some(&b'\n');
        if !content.iter().enumerate().any(is_lone) {
            return None;
        }
        let other = Self::parse_lines(&String::from_utf8_lossy(content).replace("\r\n", "\n"));
        let differs = |name: &&str| !self.get_all(name).map(str::trim).eq(other.get_all(name).map(str::trim));
        DECIDING.into_iter().find(differs)
    }

    fn parse_lines(text: &str) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        // A continuation line after a line that is no header continues nothing.
        let mut continues = false;
        let mut rest = text;
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            if line.is_empty() {
                rest = after;
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut().filter(|_| continues) {
                    value.push('\n');
                    value.push_str(line);
                }
            } else if let Some((name, value)) = split_header(line) {
                continues = !name.is_empty();
                if continues {
                    fields.push((name.to_owned(), value.to_owned()));
                }
            } else if line.starts_with("From ") {
                continues = false;
            } else {
                break;
            }
            rest = after;
        }
        for (_, value) in &mut fields {
            *value = unfold(value);
        }
        Self { fields, body: rest.to_owned() }
    }

    /// All headers in order, names as written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of a field; names are compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// All values of a field in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The description: the body or, in old files without one, the header. Empty when there is none.
    pub fn description(&self) -> &str {
        if self.body.is_empty() { self.get("Description").unwrap_or_default() } else { &self.body }
    }

    /// The metadata as pip's installation report and `inspect` print it.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        for (name, repeats) in REPORTED {
            let Some(first) = self.get(name) else { continue };
            let value = if repeats {
                Value::from(self.get_all(name).collect::<Vec<_>>())
            } else if name == "Keywords" {
                Value::from(keywords(first))
            } else {
                Value::from(first)
            };
            object.insert(name.to_ascii_lowercase().replace('-', "_"), value);
        }
        if !self.body.is_empty() {
            object.insert("description".to_owned(), Value::from(self.body.as_str()));
        }
        Value::Object(object)
    }
}

/// The name and value of a header line. An empty name is allowed here; the caller drops such a line.
fn split_header(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    name.bytes().all(|byte| byte.is_ascii_graphic()).then_some((name, value))
}

/// The value of a header without the indentation of its continuation lines.
fn unfold(value: &str) -> String {
    let value = value.trim_start_matches([' ', '\t', '\n']);
    if !value.contains('\n') {
        return value.to_owned();
    }
    // As if the first line were indented by the eight columns that writers of metadata use.
    let first_indent = "        ";
    let mut margin: Option<&str> = None;
    for (index, line) in value.split('\n').enumerate() {
        let text = line.trim_start_matches([' ', '\t']);
        if text.is_empty() {
            continue;
        }
        let indent = if index == 0 { first_indent } else { line.get(..line.len() - text.len()).unwrap_or_default() };
        margin = Some(margin.map_or(indent, |margin| common_prefix(margin, indent)));
    }
    let margin = margin.unwrap_or_default();
    let lines = value.split('\n').enumerate().map(|(index, line)| {
        if line.trim_start_matches([' ', '\t']).is_empty() {
            String::new()
        } else if index == 0 {
            format!("{}{line}", first_indent.get(margin.len()..).unwrap_or_default())
        } else {
            line.strip_prefix(margin).unwrap_or(line).to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn common_prefix<'text>(left: &'text str, right: &str) -> &'text str {
    let length = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
    left.get(..length).unwrap_or_default()
}

/// Keywords are separated by commas or, in old metadata, by spaces.
fn keywords(value: &str) -> Vec<&str> {
    if value.contains(',') { value.split(',').map(str::trim).collect() } else { value.split_whitespace().collect() }
}
