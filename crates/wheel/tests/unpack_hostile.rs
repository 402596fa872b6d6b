//! Hostile wheels are refused by the rule they break, and leave nothing on disk.

use super::archive_maker::{Bench, DIST_INFO, Entry, FILENAME, Wheel, deflate, extra, zip64_end};
use wheel::{ArchiveLimits, RecordPolicy, Rule, WheelArchive, unpack};

type Case = (&'static str, Rule, fn(&mut Wheel));

fn assert_refused(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (name, rule, spoil) in cases {
        let mut wheel = Wheel::new();
        spoil(&mut wheel);
        let bench = Bench::new();
        match bench.unpack(&wheel.filename, &wheel.bytes()) {
            Ok(_) => wrong.push(format!("{name}: accepted")),
            Err(error) => match error.refusal() {
                Some(refusal) if refusal.rule == *rule => {
                    let message = error.to_string();
                    assert!(message.starts_with(&format!("refused {}: ", wheel.filename)), "{message}");
                    assert!(
                        message.chars().all(|character| character == ' ' || character.is_ascii_graphic()),
                        "{message}"
                    );
                }
                _ => wrong.push(format!("{name}: {error} instead of {rule:?}")),
            },
        }
        if !bench.left().is_empty() {
            wrong.push(format!("{name}: left {:?}", bench.left()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn framing() {
    assert_refused(&[
        ("prefix", Rule::Framing, |wheel| wheel.before = b"#!/bin/sh\n".to_vec()),
        ("prefix, offsets as without it", Rule::Framing, |wheel| {
            wheel.before = b"MZ".to_vec();
            wheel.entries[0].offset = Some(0);
        }),
        ("trailing data", Rule::Framing, |wheel| wheel.after = b"x".to_vec()),
        ("trailing zero bytes", Rule::Framing, |wheel| wheel.after = vec![0; 22]),
        ("two archives", Rule::Framing, |wheel| wheel.before = Wheel::new().bytes()),
        ("archive in the comment", Rule::Framing, |wheel| wheel.comment = Wheel::new().bytes()),
        ("signature in the comment", Rule::Framing, |wheel| wheel.comment = b"PK\x05\x06 and so on".to_vec()),
        ("gap before the directory", Rule::Framing, |wheel| wheel.before_directory = b"gap".to_vec()),
        ("gap after the directory", Rule::Framing, |wheel| wheel.before_end = b"gap".to_vec()),
        ("digital signature record", Rule::Framing, |wheel| wheel.in_directory = b"PK\x05\x05\x02\0xx".to_vec()),
        ("gap between entries", Rule::Framing, |wheel| wheel.entries[0].after = b"gap".to_vec()),
        ("hidden local entry", Rule::Framing, |wheel| wheel.file("evil.py", b"evil").hidden = true),
        ("hidden first entry", Rule::Framing, |wheel| {
            wheel.entries.insert(0, Entry { hidden: true, ..Entry::new("evil.py", b"evil") });
        }),
        ("entry without local header", Rule::Framing, |wheel| wheel.file("evil.py", b"evil").phantom = true),
        ("two entries, one local header", Rule::Framing, |wheel| {
            wheel.entries[1].offset = Some(0);
        }),
        ("overlap", Rule::Framing, |wheel| wheel.entries[0].compressed_size = Some(200)),
        ("local header with another name", Rule::Framing, |wheel| {
            wheel.entries[0].local.name = Some(b"../evil/init.py".to_vec());
        }),
        ("local header of a directory", Rule::Framing, |wheel| {
            wheel.entries[0].local.name = Some(b"h_x/__init__.py/".to_vec());
        }),
        ("local header with another checksum", Rule::Framing, |wheel| wheel.entries[0].local.crc = Some(1)),
        ("local header with another size", Rule::Framing, |wheel| wheel.entries[0].local.size = Some(1)),
        ("local header with another compressed size", Rule::Framing, |wheel| {
            wheel.entries[0].local.compressed_size = Some(1);
        }),
        ("local header without sizes", Rule::Framing, |wheel| wheel.entries[0].local.size = Some(0)),
        ("local header with another method", Rule::Framing, |wheel| wheel.entries[0].local.method = Some(0)),
        ("local header with other flags", Rule::Framing, |wheel| wheel.entries[0].local.flags = Some(1 << 11)),
        ("local header with an encryption flag", Rule::Framing, |wheel| wheel.entries[0].local.flags = Some(1)),
        ("stored with two sizes", Rule::Framing, |wheel| {
            wheel.entries[0].method = 0;
            wheel.entries[0].size = Some(10);
            wheel.entries[0].local.size = Some(10);
        }),
        ("descriptor missing", Rule::Framing, |wheel| {
            wheel.entries[0].descriptor(true, false);
            wheel.entries[0].after.clear();
        }),
        ("descriptor with another checksum", Rule::Framing, |wheel| {
            wheel.entries[0].descriptor(true, false);
            wheel.entries[0].after[4] ^= 1;
        }),
        ("descriptor with another size", Rule::Framing, |wheel| {
            wheel.entries[0].descriptor(false, true);
            wheel.entries[0].after[12] ^= 1;
        }),
        ("descriptor without its flag", Rule::Framing, |wheel| {
            wheel.entries[0].descriptor(true, false);
            wheel.entries[0].flags = 0;
        }),
        ("descriptor and more", Rule::Framing, |wheel| {
            wheel.entries[0].descriptor(true, false);
            wheel.entries[0].after.extend(b"hide");
        }),
        ("descriptor of another form", Rule::Framing, |wheel| {
            wheel.entries[0].descriptor(false, false);
            wheel.entries[0].after.splice(0..0, *b"hide");
        }),
        ("entry with a comment", Rule::Framing, |wheel| wheel.entries[0].comment = b"hi".to_vec()),
        ("entry on another disk", Rule::Framing, |wheel| wheel.entries[0].disk = 1),
        ("archive on another disk", Rule::Framing, |wheel| wheel.disk = 1),
        ("count too small", Rule::Framing, |wheel| wheel.count = Some(2)),
        ("count too large", Rule::Framing, |wheel| wheel.count = Some(9)),
        ("two counts", Rule::Framing, |wheel| wheel.count_here = Some(1)),
        ("directory size", Rule::Framing, |wheel| wheel.directory_size = Some(46)),
        ("directory offset", Rule::Framing, |wheel| wheel.directory_offset = Some(0)),
        ("directory offset beyond the end", Rule::Framing, |wheel| wheel.directory_offset = Some(u32::MAX - 1)),
        ("second name that differs", Rule::Framing, |wheel| {
            wheel.entries[0].extra = extra(0x7075, b"\x01\0\0\0\0../evil.py");
        }),
        ("second name in the local header", Rule::Framing, |wheel| {
            wheel.entries[0].local.extra = extra(0x7075, b"\x01\0\0\0\0../evil.py");
        }),
        ("second name twice", Rule::Framing, |wheel| {
            let field = extra(0x7075, b"\x01\0\0\0\0h_x/__init__.py");
            wheel.entries[0].extra = [field.clone(), field].concat();
        }),
        ("extra field cut short", Rule::Framing, |wheel| wheel.entries[0].extra = b"\x01\x02\xff\0".to_vec()),
        ("not a zip file", Rule::Framing, |wheel| wheel.after = vec![b'x'; 70_000]),
    ]);
}

#[test]
fn zip64() {
    assert_refused(&[
        ("saturated without a field", Rule::Framing, |wheel| wheel.entries[0].size = Some(u32::MAX)),
        ("saturated, field too short", Rule::Framing, |wheel| {
            wheel.entries[0].size = Some(u32::MAX);
            wheel.entries[0].extra = extra(1, b"1234");
        }),
        ("field with another size", Rule::Framing, |wheel| wheel.entries[0].extra = extra(1, &5u64.to_le_bytes())),
        ("field with other sizes", Rule::Framing, |wheel| wheel.entries[0].extra = extra(1, &[7; 16])),
        ("local field with other sizes", Rule::Framing, |wheel| wheel.entries[0].local.extra = extra(1, &[7; 16])),
        ("field twice", Rule::Framing, |wheel| {
            let field = extra(1, &u64::MAX.to_le_bytes());
            wheel.entries[0].extra = [field.clone(), field].concat();
        }),
        ("field with an enormous size", Rule::Size, |wheel| {
            wheel.entries[0].size = Some(u32::MAX);
            wheel.entries[0].extra = extra(1, &(1u64 << 40).to_le_bytes());
        }),
        ("end record with another offset", Rule::Framing, |wheel| {
            wheel.zip64 = Some(|offset, size, count| zip64_end(offset - 1, size + 1, count));
        }),
        ("end record with another count", Rule::Framing, |wheel| {
            wheel.zip64 = Some(|offset, size, count| zip64_end(offset, size, count + 1));
        }),
        ("end record without locator", Rule::Framing, |wheel| {
            wheel.zip64 = Some(|offset, size, count| zip64_end(offset, size, count)[..56].to_vec());
        }),
        ("locator without end record", Rule::Framing, |wheel| {
            wheel.zip64 = Some(|offset, size, count| zip64_end(offset, size, count)[56..].to_vec());
        }),
        ("locator that points elsewhere", Rule::Framing, |wheel| {
            wheel.zip64 = Some(|offset, size, count| {
                let mut bytes = zip64_end(offset, size, count);
                bytes[64] ^= 1;
                bytes
            });
        }),
        ("end record with extensible data", Rule::Framing, |wheel| {
            wheel.zip64 = Some(|offset, size, count| {
                let mut bytes = zip64_end(offset, size, count);
                bytes[4] = 48;
                bytes.splice(56..56, *b"hide");
                bytes
            });
        }),
        ("entries beyond counting", Rule::Size, |wheel| {
            wheel.count = Some(0xffff);
            wheel.zip64 = Some(|offset, size, _| zip64_end(offset, size, u64::MAX));
        }),
    ]);
}

#[test]
fn compression_and_contents() {
    assert_refused(&[
        ("encrypted", Rule::Compression, |wheel| wheel.entries[0].flags = 1),
        ("strong encryption", Rule::Compression, |wheel| wheel.entries[0].flags = 1 << 6),
        ("masked headers", Rule::Compression, |wheel| wheel.entries[0].flags = 1 << 13),
        ("bzip2", Rule::Compression, |wheel| wheel.entries[0].method = 12),
        ("lzma", Rule::Compression, |wheel| wheel.entries[0].method = 14),
        ("zstd", Rule::Compression, |wheel| wheel.entries[0].method = 93),
        ("wrong checksum", Rule::Contents, |wheel| wheel.entries[0].crc = Some(7)),
        ("wrong checksum, stored", Rule::Contents, |wheel| {
            wheel.entries[0].method = 0;
            wheel.entries[0].crc = Some(7);
        }),
        ("wrong checksum in METADATA", Rule::Contents, |wheel| wheel.entries[2].crc = Some(7)),
        ("longer than declared", Rule::Contents, |wheel| wheel.entries[1].data = Some(deflate(&[b'a'; 1_000_000]))),
        ("shorter than declared", Rule::Contents, |wheel| wheel.entries[1].data = Some(deflate(b"short"))),
        ("not deflate", Rule::Contents, |wheel| wheel.entries[1].data = Some(b"\xff\xff\xff\xff".to_vec())),
        ("deflate cut short", Rule::Contents, |wheel| {
            let mut data = wheel.entries[1].packed();
            data.pop();
            wheel.entries[1].data = Some(data);
        }),
        ("bytes after the deflate stream", Rule::Contents, |wheel| {
            let data = [wheel.entries[1].packed(), b"hidden".to_vec()].concat();
            wheel.entries[1].data = Some(data);
        }),
        ("bytes after the deflate stream that look like its end", Rule::Contents, |wheel| {
            let entry = &mut wheel.entries[1];
            let mut data = entry.packed();
            data.extend(entry.crc().to_le_bytes());
            data.extend((entry.contents.len() as u32).to_le_bytes());
            data.extend(b"hidden");
            entry.data = Some(data);
        }),
        ("large entry cut short", Rule::Contents, |wheel| {
            let mut entry = Entry::new("h_x/large", &b"0123456789abcdef".repeat(1 << 20 | 1));
            let mut data = entry.packed();
            data.truncate(data.len() / 2);
            entry.data = Some(data);
            wheel.entries.push(entry);
        }),
        ("large entry longer than declared", Rule::Contents, |wheel| {
            let entry = wheel.file("h_x/large", &vec![b'a'; 17 << 20]);
            entry.data = Some(deflate(&vec![b'a'; 18 << 20]));
        }),
        ("large entry with a wrong checksum", Rule::Contents, |wheel| {
            wheel.file("h_x/large", &vec![b'a'; 17 << 20]).crc = Some(1);
        }),
        ("bomb of a hundred megabytes", Rule::Size, |wheel| wheel.entries[0].size = Some(100 << 20)),
        ("bomb of declared sizes", Rule::Size, |wheel| wheel.entries[0].size = Some(u32::MAX - 1)),
    ]);
}

#[test]
fn names() {
    assert_refused(&[
        ("parent", Rule::EntryName, |wheel| wheel.add("../evil.py", b"")),
        ("parent inside", Rule::EntryName, |wheel| wheel.add("h_x/../../evil.py", b"")),
        ("parent at the end", Rule::EntryName, |wheel| wheel.add("h_x/..", b"")),
        ("absolute", Rule::EntryName, |wheel| wheel.add("/evil.py", b"")),
        ("backslash", Rule::EntryName, |wheel| wheel.add("..\\evil.py", b"")),
        ("drive", Rule::EntryName, |wheel| wheel.add("C:/evil.py", b"")),
        ("stream", Rule::EntryName, |wheel| wheel.add("evil.py:x", b"")),
        ("empty", Rule::EntryName, |wheel| wheel.add("", b"")),
        ("only a slash", Rule::EntryName, |wheel| wheel.entries.push(Entry::directory("/"))),
        ("empty part", Rule::EntryName, |wheel| wheel.add("h_x//evil.py", b"")),
        ("dot", Rule::EntryName, |wheel| wheel.add("h_x/./evil.py", b"")),
        ("parent directory entry", Rule::EntryName, |wheel| wheel.entries.push(Entry::directory("../evil/"))),
        ("zero byte", Rule::EntryName, |wheel| wheel.add("evil.py\0.txt", b"")),
        ("escape character", Rule::EntryName, |wheel| wheel.add("h_x/\x1b[2Jevil", b"")),
        ("line break", Rule::EntryName, |wheel| wheel.add("h_x/a\nb", b"")),
        ("right to left", Rule::EntryName, |wheel| wheel.add("h_x/\u{202e}yp.exe", b"")),
        ("not UTF-8", Rule::EntryName, |wheel| wheel.file("h_x/?", b"").name = b"h_x/\xff".to_vec()),
        ("not marked as UTF-8", Rule::EntryName, |wheel| wheel.file("h_x/ü", b"").flags = 0),
        ("too long", Rule::EntryName, |wheel| wheel.add(&"abc/".repeat(300), b"")),
        ("part too long", Rule::EntryName, |wheel| wheel.add(&"a".repeat(300), b"")),
        ("too deep", Rule::EntryName, |wheel| wheel.add(&("a/".repeat(64) + "b"), b"")),
        ("twice", Rule::EntryName, |wheel| wheel.add("h_x/__init__.py", b"other")),
        ("twice, same contents", Rule::EntryName, |wheel| wheel.entries.push(wheel.entries[0].clone())),
        ("directory twice", Rule::EntryName, |wheel| {
            wheel.entries.extend([Entry::directory("h_x/"), Entry::directory("h_x/")]);
        }),
        ("file and directory", Rule::EntryName, |wheel| wheel.add("h_x", b"")),
        ("file and directory entry", Rule::EntryName, |wheel| {
            wheel.entries.push(Entry::directory("h_x/__init__.py/"));
        }),
        ("file below a file", Rule::EntryName, |wheel| wheel.add("h_x/__init__.py/x", b"")),
        ("RECORD in another case", Rule::EntryName, |wheel| wheel.add("h_x-1.0.dist-info/record", b"")),
        ("INSTALLER in another case", Rule::EntryName, |wheel| wheel.add("h_x-1.0.dist-info/Installer", b"")),
    ]);
}

#[test]
fn kinds_of_entries() {
    assert_refused(&[
        ("symbolic link", Rule::EntryKind, |wheel| wheel.file("h_x/l", b"/etc/passwd").attributes = 0o120_777 << 16),
        ("device", Rule::EntryKind, |wheel| wheel.file("h_x/d", b"").attributes = 0o060_644 << 16),
        ("character device", Rule::EntryKind, |wheel| wheel.file("h_x/d", b"").attributes = 0o020_644 << 16),
        ("pipe", Rule::EntryKind, |wheel| wheel.file("h_x/p", b"").attributes = 0o010_644 << 16),
        ("socket", Rule::EntryKind, |wheel| wheel.file("h_x/s", b"").attributes = 0o140_644 << 16),
        ("directory without slash", Rule::EntryKind, |wheel| wheel.file("h_x/d", b"").attributes = 0o040_755 << 16),
        ("directory with contents", Rule::EntryKind, |wheel| wheel.file("h_x/d/", b"contents").attributes = 0),
        ("link that ends in a slash", Rule::EntryKind, |wheel| {
            wheel.file("h_x/d/", b"/etc").attributes = 0o120_777 << 16;
        }),
    ]);
}

/// A reader from the front takes the header inside for the next entry.
#[test]
fn a_stored_entry_of_unknown_length_holds_no_local_header() {
    fn stored(wheel: &mut Wheel, contents: &[u8]) {
        let entry = wheel.file("h_x/inner", contents);
        entry.method = 0;
        entry.descriptor(true, false);
    }
    assert_refused(&[
        ("at its beginning", Rule::Framing, |wheel| stored(wheel, b"PK\x03\x04 and more")),
        ("across two parts", Rule::Framing, |wheel| {
            stored(wheel, &[&b"x".repeat((1 << 16) - 2)[..], b"PK\x03\x04"].concat());
        }),
        ("at its end", Rule::Framing, |wheel| stored(wheel, &[&b"x".repeat(70_000)[..], b"PK\x03\x04"].concat())),
    ]);
}

#[test]
fn dist_info() {
    assert_refused(&[
        ("none", Rule::DistInfo, |wheel| {
            wheel.record = None;
            wheel.entries.truncate(2);
        }),
        ("two", Rule::DistInfo, |wheel| wheel.add("pip-1.0.dist-info/METADATA", b"")),
        ("two of the same", Rule::DistInfo, |wheel| wheel.add("H_X-1.0.dist-info/entry_points.txt", b"")),
        ("second in another case", Rule::DistInfo, |wheel| wheel.add("pip-1.0.DIST-INFO/RECORD", b"")),
        ("of another project", Rule::DistInfo, |wheel| wheel.filename = "other-1.0-py3-none-any.whl".to_owned()),
        ("of another version", Rule::DistInfo, |wheel| wheel.filename = "h_x-1.1-py3-none-any.whl".to_owned()),
        ("no METADATA", Rule::Metadata, |wheel| drop(wheel.entries.remove(2))),
        ("METADATA of another project", Rule::Metadata, |wheel| wheel.text("METADATA", "Name: pip\nVersion: 1.0\n")),
        ("METADATA of another version", Rule::Metadata, |wheel| wheel.text("METADATA", "Name: h-x\nVersion: 1.0.1\n")),
        ("METADATA without a name", Rule::Metadata, |wheel| wheel.text("METADATA", "Version: 1.0\n\nName: h-x\n")),
        ("METADATA with two names", Rule::Metadata, |wheel| {
            wheel.text("METADATA", "Name: h-x\nName: pip\nVersion: 1.0\n");
        }),
        ("METADATA too long", Rule::Size, |wheel| wheel.entries[2].size = Some(17 << 20)),
        ("no WHEEL", Rule::WheelFile, |wheel| drop(wheel.entries.remove(3))),
        ("WHEEL of the future", Rule::WheelFile, |wheel| wheel.text("WHEEL", "Wheel-Version: 2.0\n")),
        ("WHEEL without version", Rule::WheelFile, |wheel| wheel.text("WHEEL", "Root-Is-Purelib: true\n")),
        ("WHEEL with a strange version", Rule::WheelFile, |wheel| wheel.text("WHEEL", "Wheel-Version: one\n")),
        ("WHEEL with two versions", Rule::WheelFile, |wheel| {
            wheel.text("WHEEL", "Wheel-Version: 1.0\nWheel-Version: 2.0\n");
        }),
        ("WHEEL not UTF-8", Rule::WheelFile, |wheel| wheel.entries[3].contents.push(0xff)),
    ]);
}

#[test]
fn record() {
    assert_refused(&[
        ("none", Rule::Record, |wheel| wheel.record = None),
        ("file not listed", Rule::Record, |wheel| {
            wheel.record = Some(|text| text.lines().skip(1).map(|line| line.to_owned() + "\n").collect());
        }),
        ("file not there", Rule::Record, |wheel| wheel.record = Some(|text| text + "gone.py,sha256=abc,1\n")),
        ("path that leaves", Rule::Record, |wheel| wheel.record = Some(|text| text + "../../etc/passwd,,\n")),
        ("absolute path", Rule::Record, |wheel| wheel.record = Some(|text| text + "/etc/passwd,,\n")),
        ("wrong hash", Rule::Record, |wheel| {
            wheel.record = Some(|text| text.replacen("sha256=", "sha256=AAAA", 1));
        }),
        ("wrong size", Rule::Record, |wheel| wheel.record = Some(|text| text.replacen(",700\n", ",701\n", 1))),
        ("hash missing", Rule::Record, |wheel| {
            wheel.record =
                Some(|text| text.lines().map(|line| line.split(',').next().unwrap().to_owned() + ",,\n").collect());
        }),
        ("md5", Rule::Record, |wheel| wheel.record = Some(|text| text.replacen("sha256=", "md5=", 1))),
        ("sha1", Rule::Record, |wheel| wheel.record = Some(|text| text.replacen("sha256=", "sha1=", 1))),
        ("two rows for one file", Rule::Record, |wheel| {
            wheel.record = Some(|text| text + "h_x/__init__.py,sha256=AAAA,1\n");
        }),
        ("not rows", Rule::Record, |wheel| wheel.record = Some(|text| text + "a,b,c,d,e\n")),
        ("path in another case", Rule::Record, |wheel| wheel.record = Some(|text| text.replacen("h_x/", "H_x/", 1))),
    ]);
}

#[test]
fn data_and_entry_points() {
    assert_refused(&[
        ("unknown scheme", Rule::Data, |wheel| wheel.add("h_x-1.0.data/stdlib/os.py", b"")),
        ("file without scheme", Rule::Data, |wheel| wheel.add("h_x-1.0.data/x", b"")),
        ("data of another project", Rule::Data, |wheel| wheel.add("pip-1.0.data/purelib/x.py", b"")),
        ("two data directories", Rule::Data, |wheel| {
            wheel.file("h_x-1.0.data/purelib/x.py", b"");
            wheel.file("H_x-1.0.data/purelib/y.py", b"");
        }),
        ("script python", Rule::Data, |wheel| wheel.add("h_x-1.0.data/scripts/python3", b"")),
        ("pyvenv.cfg", Rule::Data, |wheel| wheel.add("h_x-1.0.data/data/pyvenv.cfg", b"")),
        ("python by way of data", Rule::Data, |wheel| wheel.add("h_x-1.0.data/data/bin/python", b"")),
        ("RECORD of another distribution", Rule::Data, |wheel| {
            wheel.file("h_x-1.0.data/purelib/pip-1.0.dist-info/RECORD", b"");
        }),
        ("own METADATA again", Rule::Data, |wheel| {
            wheel.file("h_x-1.0.data/purelib/h_x-1.0.dist-info/METADATA", b"");
        }),
        ("two files for one destination", Rule::Data, |wheel| {
            wheel.file("h_x-1.0.data/purelib/h_x/__init__.py", b"");
        }),
        ("purelib and platlib", Rule::Data, |wheel| {
            wheel.file("h_x-1.0.data/purelib/a.py", b"1");
            wheel.file("h_x-1.0.data/platlib/a.py", b"2");
        }),
        ("entry point that leaves", Rule::EntryPoint, |wheel| {
            wheel.text("entry_points.txt", "[console_scripts]\n../../evil = h_x:main\n");
        }),
        ("entry point python", Rule::EntryPoint, |wheel| {
            wheel.text("entry_points.txt", "[gui_scripts]\npythonw = h_x:main\n");
        }),
        ("entry points without a section", Rule::EntryPoint, |wheel| {
            wheel.text("entry_points.txt", "x = h_x:main\n[console_scripts]\ny = h_x:main\n");
        }),
        ("entry points that are JSON", Rule::EntryPoint, |wheel| {
            wheel.text("entry_points.txt", "{\"console_scripts\": {}}\n");
        }),
        ("a section that is not closed", Rule::EntryPoint, |wheel| {
            wheel.text("entry_points.txt", "[other]\na = b\n[console_scripts\nx = h_x:main\n");
        }),
        ("a line that is no entry point", Rule::EntryPoint, |wheel| {
            wheel.text("entry_points.txt", "[other]\nnonsense\n");
        }),
        ("entry point with code", Rule::EntryPoint, |wheel| {
            wheel.text("entry_points.txt", "[console_scripts]\nx = h_x:main()\n");
        }),
        ("entry point twice", Rule::EntryPoint, |wheel| {
            wheel.text("entry_points.txt", "[console_scripts]\nx = h_x:a\n[gui_scripts]\nx = h_x:b\n");
        }),
        ("entry points not UTF-8", Rule::EntryPoint, |wheel| {
            wheel.file("h_x-1.0.dist-info/entry_points.txt", b"[console_scripts]\nx\xff = a:b\n");
        }),
    ]);
}

#[test]
fn limits_can_be_set() {
    let bytes = Wheel::new().bytes();
    for limits in [
        ArchiveLimits { entries: 4, ..ArchiveLimits::default() },
        ArchiveLimits { directory_size: 100, ..ArchiveLimits::default() },
        ArchiveLimits { unpacked_size: 800, ..ArchiveLimits::default() },
        ArchiveLimits { ratio_free_size: 0, ratio: 0, ..ArchiveLimits::default() },
    ] {
        let error = Bench::new().open(FILENAME, &bytes, &limits).unwrap_err();
        assert_eq!(error.refusal().unwrap().rule, Rule::Size);
    }
}

#[test]
fn what_is_no_regular_file_is_not_a_wheel() {
    let bench = Bench::new();
    let error = WheelArchive::open(bench.path(), &FILENAME.parse().unwrap(), &ArchiveLimits::default()).unwrap_err();
    assert_eq!(error.refusal().map(|refusal| refusal.rule), Some(Rule::Framing));
}

#[test]
fn a_directory_in_use_is_left_alone() {
    let bench = Bench::new();
    let archive = bench.open(FILENAME, &Wheel::new().bytes(), &ArchiveLimits::default()).unwrap();
    std::fs::create_dir(bench.output()).unwrap();
    std::fs::write(bench.output().join("mine"), "precious").unwrap();
    assert!(unpack(&archive, &bench.output(), RecordPolicy::Enforce).is_err());
    assert_eq!(bench.left(), ["sub/unpacked", "sub/unpacked/mine"]);
}

#[test]
fn an_empty_directory_stays_empty_after_a_failure() {
    let mut wheel = Wheel::new();
    wheel.entries[0].crc = Some(1);
    let bench = Bench::new();
    let archive = bench.open(FILENAME, &wheel.bytes(), &ArchiveLimits::default()).unwrap();
    std::fs::create_dir(bench.output()).unwrap();
    assert!(unpack(&archive, &bench.output(), RecordPolicy::Enforce).is_err());
    assert_eq!(bench.left(), ["sub/unpacked"]);
}

#[test]
fn record_is_the_one_rule_that_can_be_waived() {
    let mut wheel = Wheel::new();
    wheel.record = Some(|text| text.replacen("sha256=", "sha256=AAAA", 1));
    let bench = Bench::new();
    let archive = bench.open(FILENAME, &wheel.bytes(), &ArchiveLimits::default()).unwrap();
    let manifest = unpack(&archive, &bench.output(), RecordPolicy::Waive).unwrap();
    assert_eq!(manifest.dist_info, DIST_INFO);
    assert_eq!(manifest.files.len(), 4);
}

/// Python ends a line at a lone carriage return, others do not.
#[test]
fn a_carriage_return_hides_no_header() {
    assert_refused(&[
        ("a dependency", Rule::Metadata, |wheel| {
            wheel.text("METADATA", "Metadata-Version: 2.1\nName: h-x\nVersion: 1.0\rRequires-Dist: evil\n\nText.\n");
        }),
        ("a second name", Rule::Metadata, |wheel| {
            wheel.text("METADATA", "Metadata-Version: 2.1\nName: h-x\nVersion: 1.0\nSummary: a\rName: other\n\n");
        }),
        ("the end of the headers", Rule::Metadata, |wheel| {
            wheel.text("METADATA", "Metadata-Version: 2.1\nName: h-x\nVersion: 1.0\r\r\nRequires-Dist: good\n\n");
        }),
    ]);
}
