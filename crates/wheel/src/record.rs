//! RECORD: the list of a distribution's files with their hashes and sizes, read and written.
//!
//! Implements the "Recording installed projects" specification (PEP 376, PEP 627) with the CSV dialect that Python's
//! `csv` module writes by default, which is what pip's RECORD files are in: CRLF line ends, quotes only where needed.

use std::io::Write as _;

/// One line of RECORD.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordRow {
    /// Path with `/`. In a wheel relative to the root of the archive; of an installed distribution relative to the directory
    /// that holds the `.dist-info`, possibly with `..`, or absolute.
    pub path: String,
    /// Algorithm and value, for instance `sha256` and an URL-safe base64 text without padding.
    pub hash: Option<(String, String)>,
    /// Length in bytes.
    pub size: Option<u64>,
}

/// Why a RECORD cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is not text, or not separable into rows.
    #[error("RECORD is not UTF-8 text in rows")]
    NotText,
    /// A row does not have the form `path,hash,size`.
    #[error("row {line} of RECORD {problem}")]
    Row {
        /// Number of the row, from 1; empty lines do not count.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Reads a RECORD strictly: every row must be `path[,hash[,size]]` with a well-formed hash and size.
pub fn parse_record(contents: &[u8]) -> Result<Vec<RecordRow>, RecordError> {
    let mut rows = Vec::new();
    for_each_row(contents, |line, fields| {
        let bad = |problem| RecordError::Row { line, problem };
        let path = fields.get(0).unwrap_or_default();
        if path.is_empty() {
            return Err(bad("has no path"));
        }
        if fields.iter().skip(3).any(|field| !field.is_empty()) {
            return Err(bad("has more than three fields"));
        }
        let hash = match fields.get(1).unwrap_or_default() {
            "" => None,
            text => match text.split_once('=') {
                Some((algorithm, value)) if !algorithm.is_empty() && !value.is_empty() => {
                    Some((algorithm.to_owned(), value.to_owned()))
                }
                _ => return Err(bad("has a hash that is not `algorithm=value`")),
            },
        };
        let size = match fields.get(2).unwrap_or_default() {
            "" => None,
            // `parse` would take a leading `+`.
            text if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(text.parse().map_err(|_| bad("has a size that is too large"))?)
            }
            _ => return Err(bad("has a size that is not a number")),
        };
        rows.push(RecordRow { path: path.to_owned(), hash, size });
        Ok(())
    })?;
    Ok(rows)
}

/// Reads only the paths of an installed RECORD, whatever stands in the other fields: enough to uninstall what other tools
/// have installed.
pub fn parse_record_paths(contents: &[u8]) -> Result<Vec<String>, RecordError> {
    let mut paths = Vec::new();
    for_each_row(contents, |_, fields| {
        paths.extend(fields.get(0).filter(|path| !path.is_empty()).map(str::to_owned));
        Ok(())
    })?;
    Ok(paths)
}

/// Writes rows the way pip does: sorted by path, CRLF line ends, quotes only where needed, empty fields for what is unknown.
pub fn write_record(rows: &[RecordRow]) -> Vec<u8> {
    let mut sorted: Vec<&RecordRow> = rows.iter().collect();
    sorted.sort();
    let mut text = Vec::new();
    for row in sorted {
        write_field(&mut text, &row.path);
        text.push(b',');
        if let Some((algorithm, value)) = &row.hash {
            write_field(&mut text, &format!("{algorithm}={value}"));
        }
        text.push(b',');
        if let Some(size) = row.size {
            // Writing to memory cannot fail.
            let _ = write!(text, "{size}");
        }
        text.extend_from_slice(b"\r\n");
    }
    text
}

fn write_field(text: &mut Vec<u8>, field: &str) {
    if field.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        text.push(b'"');
        text.extend_from_slice(field.replace('"', "\"\"").as_bytes());
        text.push(b'"');
    } else {
        text.extend_from_slice(field.as_bytes());
    }
}

fn for_each_row(
    contents: &[u8],
    mut take: impl FnMut(usize, &csv::StringRecord) -> Result<(), RecordError>,
) -> Result<(), RecordError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(contents);
    let mut fields = csv::StringRecord::new();
    let mut line = 0;
    while reader.read_record(&mut fields).map_err(|_| RecordError::NotText)? {
        line += 1;
        take(line, &fields)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, hash: Option<(&str, &str)>, size: Option<u64>) -> RecordRow {
        RecordRow {
            path: path.to_owned(),
            hash: hash.map(|(algorithm, value)| (algorithm.to_owned(), value.to_owned())),
            size,
        }
    }

    #[test]
    fn reads_rows_of_every_shape() {
        let text =
            b"a.py,sha256=AbC_-,10\n\"b, \"\"c\"\".py\",sha256=x,1\r\n\r\nd-1.dist-info/RECORD,,\n/abs/path,,\nshort\n";
        let expected = vec![
            row("a.py", Some(("sha256", "AbC_-")), Some(10)),
            row("b, \"c\".py", Some(("sha256", "x")), Some(1)),
            row("d-1.dist-info/RECORD", None, None),
            row("/abs/path", None, None),
            row("short", None, None),
        ];
        assert_eq!(parse_record(text), Ok(expected));
    }

    #[test]
    fn refuses_malformed_rows() {
        for text in ["a,sha256,1", "a,=x,1", "a,sha256=,1", "a,,-1", "a,,+1", "a,,99999999999999999999", ",,", "a,,,b"]
        {
            assert!(matches!(parse_record(text.as_bytes()), Err(RecordError::Row { line: 1, .. })), "{text}");
        }
        assert_eq!(parse_record(b"a\xff,,"), Err(RecordError::NotText));
    }

    #[test]
    fn paths_are_read_from_what_the_strict_reader_refuses() {
        assert_eq!(parse_record_paths(b"a,junk,junk,junk\n,,\nb"), Ok(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn writes_what_pip_writes() {
        let rows = [
            row("b,c.py", Some(("sha256", "x")), Some(1)),
            row("a\"b.py", None, None),
            row("../../bin/tool", Some(("sha256", "y")), Some(2)),
        ];
        let text = b"../../bin/tool,sha256=y,2\r\n\"a\"\"b.py\",,\r\n\"b,c.py\",sha256=x,1\r\n";
        assert_eq!(write_record(&rows), text);
        assert_eq!(parse_record(text).map(|rows| rows.len()), Ok(3));
    }
}
