//! Source distributions byte by byte: honest ones of every tool, and those that mean two things.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use testkit::Mutations;

use super::*;

const PKG_INFO: &[u8] = b"Metadata-Version: 2.2\nName: app\nVersion: 1.0\n";

/// An archive in the making: each method adds a member or a header.
#[derive(Clone, Default)]
struct Archive(Vec<u8>);

impl Archive {
    /// With PKG-INFO in its place.
    fn new() -> Self {
        Self::default().file("app-1.0/PKG-INFO", PKG_INFO)
    }

    fn file(self, name: &str, content: &[u8]) -> Self {
        self.member(b'0', name, "", content)
    }

    fn link(self, flag: u8, name: &str, target: &str) -> Self {
        self.member(flag, name, target, b"")
    }

    fn member(self, flag: u8, name: &str, target: &str, content: &[u8]) -> Self {
        self.spoiled(flag, name, target, content, |_| ())
    }

    /// A member whose header is changed before its checksum is made.
    fn spoiled(mut self, flag: u8, name: &str, target: &str, content: &[u8], spoil: fn(&mut [u8; 512])) -> Self {
        let mut header = [0; 512];
        let mut put = |offset: usize, text: &[u8]| header[offset..offset + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(100, b"0000644\0");
        put(124, format!("{:011o}\0", content.len()).as_bytes());
        put(136, b"00000000000\0");
        put(156, &[flag]);
        put(157, target.as_bytes());
        put(257, b"ustar\x0000");
        spoil(&mut header);
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend(header);
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn pax(self, records: &[(&str, &str)]) -> Self {
        self.member(b'x', "app-1.0/PaxHeaders/x", "", &pax(records))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.clone();
        bytes.extend([0; 1024]);
        bytes
    }
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut content = Vec::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let length = (1..).find(|length: &usize| length.to_string().len() + rest.len() == *length).unwrap();
        content.extend(format!("{length}{rest}").bytes());
    }
    content
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read_as(filename: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let limits = ArchiveLimits {
        unpacked_size: 4 << 20,
        ratio_free_size: 1 << 20,
        ratio: 50,
        entries: 100,
        ..ArchiveLimits::default()
    };
    read_metadata(&file, &SourceDistributionFilename::guess(filename).unwrap(), &limits)
}

fn read(archive: &Archive) -> Result<Vec<u8>, String> {
    read_as("app-1.0.tar.gz", &gzip(&archive.bytes()))
}

#[track_caller]
fn accepts(archive: Archive) {
    assert_eq!(read(&archive).as_deref(), Ok(PKG_INFO));
}

#[track_caller]
fn refuses(cases: Vec<(&str, Archive)>) {
    let verdicts: Vec<_> = cases.iter().map(|(piece, archive)| (*piece, read(archive))).collect();
    let wrong: Vec<_> = verdicts
        .into_iter()
        .filter(|(piece, verdict)| !verdict.as_ref().is_err_and(|problem| problem.contains(piece)))
        .map(|(piece, verdict)| format!("{piece}: {verdict:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_tools_write() {
    accepts(Archive::new());
    accepts(Archive::default().member(b'5', "app-1.0/", "", b"").file("app-1.0/PKG-INFO", PKG_INFO));
    accepts(Archive::default().member(b'5', "./app-1.0/", "", b"").file("./app-1.0/PKG-INFO", PKG_INFO));
    accepts(Archive::new().member(0, "app-1.0/old", "", b"x").member(0, "app-1.0/directory/", "", b""));
    // Python's tarfile: times with fractions; git: the commit for the whole archive.
    accepts(Archive::default().pax(&[("mtime", "1.5"), ("comment", "a=b")]).file("app-1.0/PKG-INFO", PKG_INFO));
    let git = pax(&[("comment", "0123456789abcdef0123456789abcdef01234567")]);
    accepts(Archive::default().member(b'g', "pax_global_header", "", &git).file("app-1.0/PKG-INFO", PKG_INFO));
    let long = format!("app-1.0/{}", "directory/".repeat(30));
    accepts(Archive::new().pax(&[("path", &format!("{long}ü"))]).file("app-1.0/cut off", b"x"));
    let gnu = format!("{long}file\0");
    accepts(Archive::new().member(b'L', "././@LongLink", "", gnu.as_bytes()).file("app-1.0/cut off", b"x"));
    accepts(Archive::new().spoiled(b'0', "file", "", b"x", |header| header[345..352].copy_from_slice(b"app-1.0")));
    let large = vec![b'x'; 100_000];
    accepts(Archive::new().file("app-1.0/large", &large).file("app-1.0/after", b"x"));
}

#[test]
fn links_within() {
    accepts(
        Archive::new()
            .file("app-1.0/a/file", b"x")
            .link(b'2', "app-1.0/a/link", "../a/file")
            .link(b'2', "app-1.0/b", "a")
            .link(b'1', "app-1.0/hard", "app-1.0/a/file")
            .link(b'1', "app-1.0/harder", "app-1.0/hard"),
    );
}

#[test]
fn several_gzip_members_are_one_archive() {
    let bytes = Archive::new().bytes();
    let (first, second) = bytes.split_at(700);
    assert_eq!(read_as("app-1.0.tar.gz", &[gzip(first), gzip(second)].concat()).as_deref(), Ok(PKG_INFO));
}

#[test]
fn older_spellings_of_the_directory() {
    let archive = Archive::default().file("My.App-1.0.0/PKG-INFO", PKG_INFO);
    assert!(read_as("my_app-1.0.tar.gz", &gzip(&archive.bytes())).is_ok());
}

#[test]
fn names_that_lead_elsewhere() {
    refuses(vec![
        ("leads elsewhere", Archive::new().file("/etc/passwd", b"x")),
        ("leads elsewhere", Archive::new().file("app-1.0/../evil", b"x")),
        ("leads elsewhere", Archive::new().file("../app-1.0_evil", b"x")),
        ("leads elsewhere", Archive::new().file("app-1.0//evil", b"x")),
        ("leads elsewhere", Archive::new().file("app-1.0/./evil", b"x")),
        ("leads elsewhere", Archive::new().file("app-1.0/..\\evil", b"x")),
        ("leads elsewhere", Archive::new().file("app-1.0/\u{1b}[2J", b"x")),
        ("leads elsewhere", Archive::new().file("app-1.0/file/", b"x")),
        ("leads elsewhere", Archive::new().member(b'5', "..", "", b"")),
        ("leads elsewhere", Archive::new().pax(&[("path", "../evil")]).file("app-1.0/x", b"x")),
        ("leads elsewhere", Archive::new().member(b'L', "././@LongLink", "", b"/evil\0").file("app-1.0/x", b"x")),
        ("outside of app-1.0", Archive::new().file("app-1.0-evil/x", b"x")),
        ("outside of app-1.0", Archive::new().file("setup.py", b"x")),
        ("expected everything in app-1.0", Archive::default().file("other-1.0/PKG-INFO", PKG_INFO)),
        ("expected everything in app-1.0", Archive::default().file("app-1.1/PKG-INFO", PKG_INFO)),
        ("expected everything in app-1.0", Archive::default().file("PKG-INFO", PKG_INFO)),
        (
            "more than 1024 bytes",
            Archive::new().pax(&[("path", &format!("app-1.0/{}", "x".repeat(1100)))]).file("x", b""),
        ),
    ]);
}

#[test]
fn links_that_lead_elsewhere() {
    let out = "leads out of the archive";
    refuses(vec![
        (out, Archive::new().link(b'2', "app-1.0/link", "/etc/passwd")),
        (out, Archive::new().link(b'2', "app-1.0/link", "../evil")),
        (out, Archive::new().link(b'2', "app-1.0/a/link", "../../evil")),
        (out, Archive::new().link(b'2', "app-1.0/link", "a/../../evil")),
        (out, Archive::new().link(b'2', "app-1.0/link", "..\\evil")),
        (out, Archive::new().link(b'2', "app-1.0/link", "")),
        (out, Archive::new().pax(&[("linkpath", "/etc/passwd")]).link(b'2', "app-1.0/link", "x")),
        (out, Archive::new().member(b'K', "././@LongLink", "", b"/etc/passwd\0").link(b'2', "app-1.0/link", "x")),
        // The second would start from where the first leads.
        (out, Archive::new().link(b'2', "app-1.0/a/b/up", "../..").link(b'2', "app-1.0/evil", "a/b/up/../x")),
        ("hard link", Archive::new().link(b'1', "app-1.0/link", "/etc/passwd")),
        ("hard link", Archive::new().link(b'1', "app-1.0/link", "app-1.0/../../x")),
        ("hard link", Archive::new().link(b'1', "app-1.0/link", "app-1.0/missing")),
        ("hard link", Archive::new().link(b'2', "app-1.0/a", "PKG-INFO").link(b'1', "app-1.0/link", "app-1.0/a")),
        ("no directory", Archive::new().link(b'2', "app-1.0/a", "b").file("app-1.0/a/x", b"x")),
        ("no directory", Archive::new().file("app-1.0/a/x", b"x").link(b'2', "app-1.0/a", "b")),
        ("no directory", Archive::new().file("app-1.0/a", b"x").file("app-1.0/a/b/x", b"x")),
    ]);
}

#[test]
fn what_is_neither_file_nor_link() {
    for flag in [b'3', b'4', b'6', b'S', b'V', b'X', b'D', b'M', 0xff] {
        refuses(vec![("neither a file", Archive::new().member(flag, "app-1.0/x", "", b""))]);
    }
}

#[test]
fn names_twice() {
    let again = |name: &str| Archive::new().file(name, b"Metadata-Version: 2.2\nName: evil\nVersion: 6\n");
    refuses(vec![
        ("twice", again("app-1.0/PKG-INFO")),
        ("twice", again("./app-1.0/PKG-INFO")),
        ("twice", Archive::new().link(b'2', "app-1.0/PKG-INFO", "other")),
        ("twice", Archive::new().file("app-1.0/a", b"1").member(b'5', "app-1.0/a", "", b"")),
        ("no PKG-INFO", Archive::default().file("app-1.0/other", b"x")),
        ("no PKG-INFO", Archive::default().file("app-1.0/egg/PKG-INFO", PKG_INFO)),
        ("no PKG-INFO", Archive::default().file("app-1.0/x", PKG_INFO).link(b'2', "app-1.0/PKG-INFO", "x")),
        ("no PKG-INFO", Archive::default().file("app-1.0/x", PKG_INFO).link(b'1', "app-1.0/PKG-INFO", "app-1.0/x")),
        ("no PKG-INFO", Archive::default()),
    ]);
}

/// Headers that make one program read a member where another skips it.
#[test]
fn headers_that_are_read_in_different_ways() {
    let hidden = Archive::default().file("app-1.0/hidden", b"evil").0;
    let many = "size".to_owned();
    refuses(vec![
        ("two sizes", Archive::new().pax(&[("size", "0")]).file("app-1.0/x", &hidden)),
        ("two sizes", Archive::new().pax(&[(&many, "1024")]).file("app-1.0/x", b"").file("app-1.0/hidden", b"evil")),
        ("unusable 'size'", Archive::new().pax(&[("size", "-1")]).file("app-1.0/x", b"")),
        ("'size' for all", Archive::new().member(b'g', "g", "", &pax(&[("size", "1024")])).file("app-1.0/x", b"")),
        ("'path' for all", Archive::new().member(b'g', "g", "", &pax(&[("path", "x")])).file("app-1.0/x", b"")),
        ("two headers", Archive::new().pax(&[("path", "app-1.0/a")]).pax(&[("mtime", "1")]).file("app-1.0/x", b"")),
        (
            "two headers",
            Archive::new()
                .pax(&[("path", "app-1.0/a")])
                .member(b'L', "././@LongLink", "", b"app-1.0/b\0")
                .file("app-1.0/x", b""),
        ),
        (
            "two headers",
            Archive::new()
                .member(b'L', "././@LongLink", "", b"app-1.0/a\0")
                .member(b'L', "././@LongLink", "", b"app-1.0/b\0")
                .file("app-1.0/x", b""),
        ),
        ("'path' twice", Archive::new().pax(&[("path", "app-1.0/a"), ("path", "app-1.0/b")]).file("app-1.0/x", b"")),
        ("unusable 'path'", Archive::new().pax(&[("path", "app-1.0/a\0b")]).file("app-1.0/x", b"")),
        ("unusable 'path'", Archive::new().pax(&[("path", "")]).file("app-1.0/x", b"")),
        ("'GNU.sparse.name'", Archive::new().pax(&[("GNU.sparse.name", "../evil")]).file("app-1.0/x", b"")),
        ("'hdrcharset'", Archive::new().pax(&[("hdrcharset", "BINARY")]).file("app-1.0/x", b"")),
        ("damaged pax", Archive::new().member(b'x', "x", "", b"99 path=a\n").file("app-1.0/x", b"")),
        ("damaged pax", Archive::new().member(b'x', "x", "", b"+9 path=a\n").file("app-1.0/x", b"")),
        ("damaged pax", Archive::new().member(b'x', "x", "", b"10 path=a\n\n11 path=bb\n").file("app-1.0/x", b"")),
        ("damaged pax", Archive::new().member(b'x', "x", "", b"0 ").file("app-1.0/x", b"")),
        ("zero byte", Archive::new().member(b'L', "././@LongLink", "", b"app-1.0/a\0b\0").file("app-1.0/x", b"")),
        ("belongs to no file", Archive::new().pax(&[("path", "app-1.0/a")])),
        ("longer than 1048576", Archive::new().member(b'x', "x", "", &vec![b'x'; (1 << 20) + 1])),
        ("with content", Archive::new().member(b'5', "app-1.0/d/", "", &hidden)),
        ("with content", Archive::new().member(b'2', "app-1.0/l", "PKG-INFO", &hidden)),
        (
            "octal",
            Archive::new().spoiled(b'0', "app-1.0/x", "", b"", |header| header[124..128].copy_from_slice(b"0o10")),
        ),
        ("octal", Archive::new().spoiled(b'0', "app-1.0/x", "", b"", |header| header[124] = 0x80)),
        (
            "octal",
            Archive::new().spoiled(b'0', "app-1.0/x", "", b"", |header| header[126..128].copy_from_slice(b"\x001")),
        ),
        (
            "old format",
            Archive::new().spoiled(b'0', "app-1.0/x", "", b"", |header| {
                header[257..265].copy_from_slice(b"ustar  \0");
                header[345] = b'y';
            }),
        ),
        ("UTF-8", Archive::new().spoiled(b'0', "app-1.0/x", "", b"", |header| header[8] = 0xff)),
    ]);
}

#[test]
fn damaged_and_cut_off() {
    let whole = Archive::new().bytes();
    let mut other = whole.clone();
    other[3] ^= 1;
    let mut spoiled = gzip(&whole);
    let checksum = spoiled.len() - 6;
    spoiled[checksum] ^= 1;
    let after = [whole.clone(), Archive::default().file("app-1.0/evil", b"x").bytes()].concat();
    let zip = testkit::zip(&[testkit::Entry::new("setup.py", "evil")]);
    let in_comment = [&gzip(&whole)[..], &zip].concat();
    for (piece, bytes) in [
        ("checksum", gzip(&other)),
        ("cut off", gzip(&whole[..100])),
        ("cut off", gzip(&whole[..530])),
        ("cut off", gzip(&whole[..1024])),
        ("cannot be read", spoiled),
        ("cut off", gzip(&whole)[..40].to_vec()),
        ("data after the end", gzip(&after)),
        ("cannot be read", [gzip(&whole), b"bytes behind the end".to_vec()].concat()),
        ("zip archive as well", in_comment),
        ("cannot be read", whole.clone()),
        ("cut off", Vec::new()),
    ] {
        let problem = read_as("app-1.0.tar.gz", &bytes).unwrap_err();
        assert!(problem.contains(piece), "{piece}: {problem}");
    }
}

#[test]
fn bombs() {
    let zeros = vec![0; 8 << 20];
    assert!(read(&Archive::new().file("app-1.0/x", &zeros)).unwrap_err().contains("too much"));
    assert!(read(&Archive::default().file("app-1.0/PKG-INFO", &zeros)).unwrap_err().contains("too much"));
    let many = (0..200).fold(Archive::new(), |archive, number| archive.file(&format!("app-1.0/{number}"), b""));
    assert!(read(&many).unwrap_err().contains("more than 100 files"));
    // A header alone can promise everything.
    let promise = Archive::new().spoiled(b'0', "app-1.0/x", "", b"", |header| header[124..135].fill(b'7'));
    assert!(read(&promise).unwrap_err().contains("cut off"));
}

#[test]
fn no_prefix_of_an_archive_is_an_archive_and_no_changed_byte_panics() {
    let archive = Archive::new().pax(&[("path", "app-1.0/name")]).file("app-1.0/x", b"x").link(b'2', "app-1.0/l", "x");
    let bytes = archive.bytes();
    for length in (0..bytes.len() - 1024).step_by(7) {
        assert!(read_as("app-1.0.tar.gz", &gzip(&bytes[..length])).is_err(), "{length}");
    }
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] = changed[place].wrapping_add(97);
        let _ = read_as("app-1.0.tar.gz", &gzip(&changed));
    }
}

/// Damage that a checksum would show is made with the right checksum as well.
#[test]
fn damaged_archives_stay_in_their_directory() {
    let original = Archive::new()
        .pax(&[("path", "app-1.0/a/name"), ("mtime", "1.5")])
        .file("app-1.0/cut off", b"x")
        .file("app-1.0/x", b"x")
        .member(b'L', "././@LongLink", "", b"app-1.0/long\0")
        .file("app-1.0/y", b"content")
        .link(b'2', "app-1.0/a/l", "../x")
        .link(b'1', "app-1.0/h", "app-1.0/x")
        .bytes();
    let words: [&[u8]; 16] = [
        b"/",
        b"../",
        b"..",
        b"/../",
        b"\0",
        b"app-1.0/PKG-INFO\0",
        b"app-1.0/a\0",
        b"app-1.0\0",
        b"\\",
        b"0",
        b"1",
        b"2",
        b"5",
        b"x",
        b"L",
        b"16 path=../evil\n",
    ];
    let mut accepted = 0;
    for bytes in Mutations::of(original, 1_000).words(words) {
        let mut bytes = bytes.to_vec();
        if bytes.len() % 2 == 0 {
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        for header in bytes.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar") {
            header[148..156].copy_from_slice(b"        ");
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let Ok(metadata) = read_as("app-1.0.tar.gz", &gzip(&bytes)) else { continue };
        accepted += 1;
        let mut tar = Tar::new(&bytes[..]);
        let mut found = Vec::new();
        while let Some(member) = tar.next_member().unwrap() {
            let path = member.path.strip_prefix("./").unwrap_or(&member.path).trim_end_matches('/');
            let inside = |path: &str| path == "app-1.0" || path.starts_with("app-1.0/");
            let is_plain = |path: &str| path.split('/').all(|part| !matches!(part, "" | "." | ".."));
            assert!(inside(path) && is_plain(path), "{member:?}");
            match &member.kind {
                Kind::File if path == "app-1.0/PKG-INFO" => found.push(tar.read_content(1 << 20).unwrap()),
                Kind::HardLink(target) => assert!(inside(target) && is_plain(target), "{member:?}"),
                Kind::SymbolicLink(target) => {
                    let mut depth = path.split('/').count() - 1;
                    for part in target.split('/') {
                        depth = if part == ".." { depth - 1 } else { depth + 1 };
                        assert!(depth > 0 && !target.starts_with('/'), "{member:?}");
                    }
                }
                Kind::File | Kind::Directory => {}
            }
        }
        assert_eq!(found, [metadata]);
    }
    assert!(accepted > 100, "only {accepted}");
}

#[test]
fn damaged_compression_is_refused_or_changes_nothing() {
    let archive = Archive::new().file("app-1.0/x", &b"content ".repeat(40));
    let original = gzip(&archive.bytes());
    let mut accepted = 0;
    for bytes in Mutations::of(original, 1_000) {
        if let Ok(metadata) = read_as("app-1.0.tar.gz", &bytes) {
            assert_eq!(metadata, PKG_INFO);
            accepted += 1;
        }
    }
    println!("{accepted} accepted");
}
