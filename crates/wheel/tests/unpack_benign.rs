//! Honest wheels with the oddities of real ones are unpacked byte for byte; METADATA is found without the rest.

use super::archive_maker::{Bench, Entry, FILENAME, Wheel, Zip64, extra, zip64_end};
use wheel::{EntryPoint, MetadataLocation, MetadataSearch, RecordPolicy, unpack};

/// Unpacks and compares every file with what went in.
fn assert_unpacks(name: &str, wheel: &Wheel) -> wheel::Manifest {
    let bench = Bench::new();
    let manifest = bench.unpack(&wheel.filename, &wheel.bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    for file in &manifest.files {
        let entry = wheel.entries.iter().find(|entry| entry.name == file.path.as_bytes()).unwrap();
        let contents = std::fs::read(bench.output().join(&file.path)).unwrap();
        assert!(contents == entry.contents, "{name}: {}", file.path);
        assert_eq!(file.size, contents.len() as u64);
    }
    assert!(manifest.files.is_sorted_by(|left, right| left.path < right.path));
    manifest
}

#[test]
fn oddities_of_real_wheels() {
    type Case = (&'static str, fn(&mut Wheel));
    let cases: &[Case] = &[
        ("plain", |_| {}),
        ("RECORD without rows", |wheel| wheel.record = Some(|_| String::new())),
        ("stored", |wheel| wheel.entries[0].method = 0),
        ("empty files", |wheel| {
            wheel.file("h_x/py.typed", b"").method = 0;
            wheel.file("h_x/empty.py", b"");
        }),
        ("directory entries", |wheel| {
            wheel.entries.insert(0, Entry::directory("h_x/"));
            wheel.entries.push(Entry::directory("h_x/empty/"));
            wheel.entries.push(Entry { method: 8, attributes: 0, ..Entry::directory("h_x/deflated/") });
        }),
        ("data descriptor", |wheel| wheel.entries[0].descriptor(true, false)),
        ("data descriptor without signature", |wheel| wheel.entries[0].descriptor(false, false)),
        ("wide data descriptor", |wheel| wheel.entries[0].descriptor(true, true)),
        ("wide data descriptor without signature", |wheel| wheel.entries[3].descriptor(false, true)),
        ("descriptor, but sizes in the header too", |wheel| {
            wheel.entries[0].descriptor(true, false);
            wheel.entries[0].local = super::archive_maker::Local::default();
        }),
        ("another version needed", |wheel| wheel.entries[0].local.version = 25),
        ("extra fields that differ", |wheel| {
            wheel.entries[0].extra = extra(0x5455, &[1; 5]);
            wheel.entries[0].local.extra = extra(0x5455, &[1; 9]);
            wheel.entries[1].local.extra = extra(0xcafe, b"");
        }),
        ("long extra field", |wheel| wheel.entries[0].local.extra = extra(0xd935, &[0; 4000])),
        ("padding in an extra field", |wheel| wheel.entries[0].local.extra = vec![0; 3]),
        ("second name that is the same", |wheel| {
            wheel.entries[0].extra = extra(0x7075, b"\x01\0\0\0\0h_x/__init__.py");
        }),
        ("compressor's flags", |wheel| wheel.entries[0].flags = 0b110),
        ("UTF-8 flag with ASCII name", |wheel| wheel.entries[0].flags = 1 << 11),
        ("names in UTF-8", |wheel| wheel.add("h_x/naïve, \"quoted\".txt", b"x")),
        ("archive comment", |wheel| wheel.comment = b"made by hand".to_vec()),
        ("no mode", |wheel| wheel.entries[0].attributes = 0),
        ("directory in another order", |wheel| wheel.reversed = true),
        ("zip64 end record", |wheel| wheel.zip64 = Some(zip64_end)),
        ("zip64 end record, saturated", |wheel| {
            wheel.zip64 = Some(zip64_end);
            wheel.count = Some(0xffff);
            wheel.directory_offset = Some(u32::MAX);
            wheel.directory_size = Some(u32::MAX);
        }),
        ("zip64 local header", |wheel| {
            let entry = &mut wheel.entries[0];
            entry.local.size = Some(u32::MAX);
            entry.local.compressed_size = Some(u32::MAX);
            let sizes = [entry.contents.len() as u64, entry.packed().len() as u64].map(u64::to_le_bytes);
            entry.local.extra = extra(1, &sizes.concat());
        }),
        ("stale zip64 offset from a rewritten archive", |wheel| {
            let stale = extra(1, &(5u64 << 30).to_le_bytes());
            wheel.entries[0].local.extra = stale.clone();
            wheel.entries[0].extra = stale;
        }),
        ("large entry", |wheel| wheel.add("h_x/large", &b"0123456789abcdef".repeat(1 << 20 | 1))),
        ("large stored entry", |wheel| wheel.file("h_x/large", &vec![7; 17 << 20]).method = 0),
        ("deflated data that contains its own checksum and size", |wheel| wheel.entries.push(with_own_trailer())),
        ("RECORD with CRLF", |wheel| wheel.record = Some(|text| text.replace('\n', "\r\n"))),
        ("RECORD without its own row", |wheel| {
            wheel.record = Some(|text| text.replace("h_x-1.0.dist-info/RECORD,,\n", ""));
        }),
        ("RECORD with padded hashes", |wheel| {
            wheel.record = Some(|text| text.replacen(",700\n", "=,700\n", 1));
        }),
        ("RECORD with a row twice", |wheel| {
            wheel.record = Some(|text| text.lines().next().unwrap().to_owned() + "\n" + &text);
        }),
        ("newer minor Wheel-Version", |wheel| wheel.text("WHEEL", "Wheel-Version: 1.9\nRoot-Is-Purelib: TRUE\n")),
        ("other spellings of name and version", |wheel| {
            wheel.filename = "H.X-1-py3-none-any.whl".to_owned();
            wheel.text("METADATA", "Metadata-Version: 2.1\r\nName: H__x\r\nVersion: 1.0.0\r\n\r\nName: other\r\n");
        }),
        ("data directory", |wheel| {
            wheel.file("h_x-1.0.data/scripts/tool", b"#!python\n");
            wheel.file("h_x-1.0.data/data/share/h_x/x", b"");
            wheel.file("h_x-1.0.data/headers/x.h", b"");
            wheel.file("h_x-1.0.data/platlib/other.so", b"");
        }),
        ("nested dist-info", |wheel| wheel.add("h_x/_vendor/pip-1.0.dist-info/RECORD", b"")),
        ("names that only differ in case", |wheel| {
            if cfg!(target_os = "linux") {
                wheel.file("h_x/Table.py", b"1");
                wheel.file("h_x/table.py", b"2");
            }
        }),
    ];
    for (name, change) in cases {
        let mut wheel = Wheel::new();
        change(&mut wheel);
        assert_unpacks(name, &wheel);
    }
}

/// An entry whose contents have the checksum and the length they begin with, and whose compressed data shows them as they
/// are: what a gzip trailer looks like.
fn with_own_trailer() -> Entry {
    const CRC: u32 = 0x1234_5678;
    const LENGTH: u32 = 12;
    let contents = |patch: u32| [CRC.to_le_bytes(), LENGTH.to_le_bytes(), patch.to_le_bytes()].concat();
    let crc = |patch: u32| crc32fast::hash(&contents(patch));
    // CRC-32 is affine: find the bits of the patch that change it from what it is to what it shall be.
    let mut wanted = CRC ^ crc(0);
    let mut rows: Vec<(u32, u32)> = (0..32).map(|bit| (crc(1 << bit) ^ crc(0), 1 << bit)).collect();
    let mut patch = 0;
    for bit in 0..32 {
        let pivot = rows.iter().position(|(change, _)| change >> bit & 1 == 1).unwrap();
        let (change, bits) = rows.swap_remove(pivot);
        if wanted >> bit & 1 == 1 {
            (wanted, patch) = (wanted ^ change, patch ^ bits);
        }
        for row in rows.iter_mut().filter(|row| row.0 >> bit & 1 == 1) {
            *row = (row.0 ^ change, row.1 ^ bits);
        }
    }
    let mut entry = Entry::new("h_x/own", &contents(patch));
    assert_eq!(entry.crc(), CRC);
    let stored_block = [&[1, LENGTH as u8, 0, !LENGTH as u8, 0xff][..], &entry.contents].concat();
    entry.data = Some(stored_block);
    entry
}

#[test]
fn the_manifest_says_what_the_wheel_says() {
    let mut wheel = Wheel::new();
    let text = "# comment\n[console_scripts]\nb = h_x.cli : main.run [extra]\na-b.c=h_x:main\na-b.c=h_x:main\n\n[other]\na = b\n    odd line\n\
                [gui_scripts]\r\ng = h_x:gui\r\n";
    wheel.text("entry_points.txt", text);
    wheel.file("h_x-1.0.data/scripts/tool", b"#!python\n").attributes = 0o104_755 << 16;
    wheel.file("h_x/no_kind.sh", b"").attributes = 0o755 << 16;
    // The slash alone makes a directory.
    for (name, mode) in [("h_x/e/", 0o100_644), ("h_x/f/", 0o120_777), ("h_x/g/", 0), ("h_x/h/", 0o140_644)] {
        wheel.entries.push(Entry { attributes: mode << 16, ..Entry::directory(name) });
    }
    let manifest = assert_unpacks("manifest", &wheel);
    let entry_point = |name: &str, module: &str, object: &str| EntryPoint {
        name: name.to_owned(),
        module: module.to_owned(),
        object: object.to_owned(),
    };
    assert_eq!(manifest.dist_info, "h_x-1.0.dist-info");
    assert_eq!(manifest.data.as_deref(), Some("h_x-1.0.data"));
    assert_eq!((manifest.wheel_version, manifest.root_is_purelib), ((1, 0), true));
    assert_eq!(
        manifest.console_scripts,
        [entry_point("b", "h_x.cli", "main.run"), entry_point("a-b.c", "h_x", "main")]
    );
    assert_eq!(manifest.gui_scripts, [entry_point("g", "h_x", "gui")]);
    let executable: Vec<&str> =
        manifest.files.iter().filter(|file| file.executable).map(|file| file.path.as_str()).collect();
    assert_eq!(executable, ["h_x-1.0.data/scripts/tool"]);
}

#[cfg(unix)]
#[test]
fn modes_are_reduced() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut wheel = Wheel::new();
    wheel.file("h_x/setuid", b"").attributes = 0o106_777 << 16;
    wheel.file("h_x/open", b"").attributes = 0o100_666 << 16;
    wheel.file("h_x/none", b"").attributes = 0o100_000 << 16;
    let bench = Bench::new();
    bench.unpack(FILENAME, &wheel.bytes()).unwrap();
    let mode = |name: &str| bench.output().join(name).metadata().unwrap().permissions().mode() & 0o7777;
    // The user's umask may take more away.
    assert_eq!((mode("h_x/setuid") & !0o755, mode("h_x/open") & !0o644, mode("h_x") & !0o755), (0, 0, 0));
    assert_eq!((mode("h_x/setuid") & 0o700, mode("h_x/none") & 0o700), (0o700, 0o600));
}

#[test]
fn what_installers_write_is_left_out() {
    let mut wheel = Wheel::new();
    for name in ["INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s"] {
        wheel.text(name, "forged");
    }
    let manifest = assert_unpacks("forged", &wheel);
    assert_eq!(manifest.files.len(), 4);
}

#[test]
fn stronger_hashes_are_checked_too() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let mut wheel = Wheel::new();
    wheel.record = Some(|text| {
        let contents = Wheel::new().entries[0].contents.clone();
        let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha512::digest(contents));
        let rest: String = text.lines().skip(1).map(|line| line.to_owned() + "\n").collect();
        format!("h_x/__init__.py,sha512={hash},\n{rest}")
    });
    assert_unpacks("sha512", &wheel);
    wheel.entries[0].contents.push(b'\n');
    assert!(Bench::new().unpack(FILENAME, &wheel.bytes()).is_err());
}

#[test]
fn unpacks_into_an_empty_directory() {
    let bench = Bench::new();
    let archive = bench.open(FILENAME, &Wheel::new().bytes(), &wheel::ArchiveLimits::default()).unwrap();
    std::fs::create_dir(bench.output()).unwrap();
    assert!(unpack(&archive, &bench.output(), RecordPolicy::Enforce).is_ok());
    assert!(
        archive.paths().eq(Wheel::new()
            .entries
            .iter()
            .map(|entry| String::from_utf8_lossy(&entry.name).into_owned())
            .chain(["h_x-1.0.dist-info/RECORD".to_owned()]))
    );
    assert_eq!(archive.metadata().unwrap(), Wheel::new().entries[2].contents);
    assert_eq!(archive.read("missing", 1).unwrap(), None);
    assert!(archive.read("h_x/data/table.csv", 699).is_err());
}

/// Asks for more until METADATA is found, as a client with range requests does.
fn fetch_metadata(bytes: &[u8], first: usize) -> (Vec<u8>, usize) {
    let name = FILENAME.parse().unwrap();
    let mut start = bytes.len().saturating_sub(first);
    for requests in 1..5 {
        match MetadataLocation::find(&name, &bytes[start..], bytes.len() as u64).unwrap() {
            MetadataSearch::NeedMore { from } => {
                assert!((from as usize) < start);
                start = from as usize;
            }
            MetadataSearch::Found(location) => {
                let range = location.range();
                let metadata = location.extract(&bytes[range.start as usize..range.end as usize]).unwrap();
                assert!(location.extract(&bytes[range.start as usize..range.end as usize - 1]).is_err());
                return (metadata, requests);
            }
        }
    }
    panic!("asks for ever");
}

#[test]
fn metadata_is_found_from_the_end() {
    let mut wheel = Wheel::new();
    wheel.file(
        "h_x/random",
        &(0..100_000u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect::<Vec<_>>(),
    );
    wheel.entries[2].descriptor(true, false);
    for zip64 in [None, Some(zip64_end as Zip64)] {
        wheel.zip64 = zip64;
        let bytes = wheel.bytes();
        for first in [0, 5, 21, 22, 30, 42, 60, 98, 100, 200, 10_000, bytes.len(), bytes.len() + 1] {
            let (metadata, requests) = fetch_metadata(&bytes, first);
            assert_eq!(metadata, wheel.entries[2].contents);
            assert!(requests == 1 || first < 1000, "{first}: {requests}");
        }
    }
}

/// An inner archive does no harm where the length of its entry stands in front of it, and neither does a carriage return in
/// a text that decides nothing.
#[test]
fn local_headers_and_carriage_returns_where_they_hide_nothing() {
    let mut wheel = Wheel::new();
    let inner = wheel.file("h_x/inner.zip", b"PK\x03\x04 and more");
    inner.method = 0;
    inner.descriptor(true, false);
    inner.local.size = None;
    inner.local.compressed_size = None;
    let plain = wheel.file("h_x/plain", b"no archive");
    plain.method = 0;
    plain.descriptor(true, false);
    wheel.file("h_x/deflated.zip", b"PK\x03\x04 and more").descriptor(true, false);
    wheel.text(
        "METADATA",
        "Metadata-Version: 2.1\nName: h-x\nVersion: 1.0\nSummary: a\rb\n\nText\rwith\r\r\nreturns: 1\n",
    );
    assert_unpacks("headers-inside", &wheel);
}
