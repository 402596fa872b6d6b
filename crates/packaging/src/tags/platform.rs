//! Platform tags: what a machine can run, newest first (PEP 513, 571, 599, 600, 656, 730, 738).

use crate::tags::TagInputs;

/// The platform tags of the machine that `inputs` describe, best first.
pub(crate) fn platform_tags(inputs: &TagInputs) -> Vec<String> {
    let own = normalized(&inputs.platform);
    match (inputs.system.as_str(), inputs.os_version, inputs.os_architecture.as_deref()) {
        ("Darwin", Some(version), Some(architecture)) => {
            mac_platforms(version, mac_architecture(architecture, inputs.pointer_size))
        }
        ("iOS", Some(version), Some(multiarch)) => ios_platforms(version, multiarch),
        ("Android", Some((level, _)), _) => {
            android_platforms(level, inputs.platform.rsplit('-').next().unwrap_or_default())
        }
        ("Linux", _, _) => linux_platforms(inputs, own),
        ("Emscripten", _, _) => {
            let versioned = inputs.pyemscripten.as_ref().filter(|version| !version.is_empty());
            versioned.map(|version| format!("pyemscripten_{version}_wasm32")).into_iter().chain([own]).collect()
        }
        _ => vec![own],
    }
}

/// A platform requested by name together with the older ones it includes, as pip understands `--platform`.
pub(crate) fn expand_platform(platform: &str) -> Vec<String> {
    let (prefix, suffix) = platform.split_once('_').unwrap_or((platform, ""));
    let renamed = |tags: Vec<String>, own: &str, prefix: &str| -> Vec<String> {
        tags.into_iter().map(|tag| format!("{prefix}{}", tag.strip_prefix(own).unwrap_or(&tag))).collect()
    };
    let expanded = if platform.starts_with("macosx") {
        apple_parts(platform).map(|(name, version, rest)| renamed(mac_platforms(version, rest), "macosx", name))
    } else if platform.starts_with("ios") {
        apple_parts(platform).map(|(name, version, rest)| renamed(ios_platforms(version, rest), "ios", name))
    } else if prefix == "android" {
        let level = suffix.split_once('_').filter(|(level, abi)| is_digits(level) && !abi.is_empty());
        level.and_then(|(level, abi)| Some(android_platforms(level.parse().ok().filter(|level| *level < 10_000)?, abi)))
    } else if prefix == "manylinux2014" && matches!(suffix, "i686" | "x86_64") {
        Some(["manylinux2014", "manylinux2010", "manylinux1"].map(|name| format!("{name}_{suffix}")).to_vec())
    } else if prefix == "manylinux2010" {
        let separator = if platform.contains('_') { "_" } else { "" };
        Some(vec![platform.to_owned(), format!("manylinux1{separator}{suffix}")])
    } else {
        None
    };
    expanded.unwrap_or_else(|| vec![platform.to_owned()])
}

/// A name as it stands in tags: no dots, dashes or spaces.
pub(crate) fn normalized(text: &str) -> String {
    text.replace(['.', '-', ' '], "_")
}

fn linux_platforms(inputs: &TagInputs, platform: String) -> Vec<String> {
    let Some(machine) = platform.strip_prefix("linux_") else { return vec![platform] };
    let architectures: &[&str] = match (machine, inputs.pointer_size) {
        ("x86_64", 4) => &["i686"],
        ("aarch64", 4) | ("armv8l", _) => &["armv8l", "armv7l"],
        _ => &[machine],
    };
    let mut tags: Vec<String> = architectures.iter().map(|architecture| format!("linux_{architecture}")).collect();
    if is_manylinux_abi(inputs, architectures) {
        add_manylinux(&mut tags, inputs, architectures);
    }
    if let Some((major, minor)) = inputs.musl {
        for architecture in architectures {
            // A version that large is no version; the program must not fill the memory with tags.
            tags.extend((0..=minor.min(1_000)).rev().map(|minor| format!("musllinux_{major}_{minor}_{architecture}")));
        }
    }
    tags
}

/// Whether the executable has the ABI that manylinux wheels for its processor are built for.
fn is_manylinux_abi(inputs: &TagInputs, architectures: &[&str]) -> bool {
    // Values of ELF headers: EM_386, EM_ARM, EABI version 5 and its hard-float flag.
    const EM_386: u16 = 3;
    const EM_ARM: u16 = 40;
    const ABI_MASK: u32 = 0xff00_0000;
    const ABI_VERSION_5: u32 = 0x0500_0000;
    const HARD_FLOAT: u32 = 0x0000_0400;
    let elf32 = inputs.elf.filter(|elf| elf.bits == 32 && elf.little_endian);
    if architectures.contains(&"armv7l") {
        return elf32.is_some_and(|elf| {
            elf.machine == EM_ARM && elf.flags & ABI_MASK == ABI_VERSION_5 && elf.flags & HARD_FLOAT != 0
        });
    }
    if architectures.contains(&"i686") {
        return elf32.is_some_and(|elf| elf.machine == EM_386);
    }
    let allowed = ["x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"];
    architectures.iter().any(|architecture| allowed.contains(architecture))
}

fn add_manylinux(tags: &mut Vec<String>, inputs: &TagInputs, architectures: &[&str]) {
    let Some((glibc_major, glibc_minor)) = inputs.glibc else { return };
    // PEP 600 starts at the glibc of manylinux2014, on x86 at that of manylinux1.
    let oldest = if architectures.iter().any(|name| matches!(*name, "x86_64" | "i686")) { 5 } else { 17 };
    for architecture in architectures {
        for major in (2..=glibc_major.min(100)).rev() {
            // The last minor version of a major version is not known before the next major version comes: 50 is a
            // guess.
            let newest = if major == glibc_major { glibc_minor.min(1_000) } else { 50 };
            let oldest = if major == 2 { oldest } else { 0 };
            for minor in (oldest..=newest).rev() {
                let tag = format!("manylinux_{major}_{minor}_{architecture}");
                if inputs.manylinux_refused.contains(&tag) {
                    continue;
                }
                tags.push(tag);
                let legacy = match (major, minor) {
                    (2, 17) => "manylinux2014",
                    (2, 12) => "manylinux2010",
                    (2, 5) => "manylinux1",
                    _ => continue,
                };
                tags.push(format!("{legacy}_{architecture}"));
            }
        }
    }
}

fn mac_architecture(processor: &str, pointer_size: u8) -> &str {
    match pointer_size {
        4 if processor.starts_with("ppc") => "ppc",
        4 => "i386",
        _ => processor,
    }
}

fn mac_platforms(version: (u32, u32), architecture: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut add = |major: u32, minor: u32, formats: Vec<&str>| {
        tags.extend(formats.into_iter().map(|format| format!("macosx_{major}_{minor}_{format}")));
    };
    if version.0 == 10 {
        for minor in (0..=version.1.min(1_000)).rev() {
            add(10, minor, mac_formats((10, minor), architecture));
        }
    }
    if version.0 >= 11 {
        // Since 11 a major version comes each year and binaries are tagged with minor version 0.
        for major in (11..=version.0.min(1_000)).rev() {
            add(major, 0, mac_formats((major, 0), architecture));
        }
        // Binaries from before run on x86_64; elsewhere only the universal ones can have such a tag.
        for minor in (4..=16).rev() {
            let formats =
                if architecture == "x86_64" { mac_formats((10, minor), architecture) } else { vec!["universal2"] };
            add(10, minor, formats);
        }
    }
    tags
}

/// The binary formats that a processor runs on a version of macOS.
fn mac_formats(version: (u32, u32), architecture: &str) -> Vec<&str> {
    match architecture {
        "x86_64" if version < (10, 4) => Vec::new(),
        "x86_64" => vec!["x86_64", "intel", "fat64", "fat3", "universal2", "universal"],
        "i386" if version < (10, 4) => Vec::new(),
        "i386" => vec!["i386", "intel", "fat3", "fat", "universal"],
        "ppc64" if !((10, 4)..=(10, 5)).contains(&version) => Vec::new(),
        "ppc64" => vec!["ppc64", "fat64", "universal"],
        "ppc" if version > (10, 6) => Vec::new(),
        "ppc" => vec!["ppc", "fat3", "fat", "universal"],
        "arm64" => vec!["arm64", "universal2"],
        "intel" => vec!["intel", "universal"],
        other => vec![other],
    }
}

fn ios_platforms((major, minor): (u32, u32), multiarch: &str) -> Vec<String> {
    // The first version known to run CPython.
    const OLDEST: u32 = 12;
    let multiarch = multiarch.replace('-', "_");
    let mut versions = Vec::new();
    if major >= OLDEST {
        versions.extend((0..=minor.min(1_000)).rev().map(|minor| (major, minor)));
        for older in (OLDEST..major.min(1_000)).rev() {
            versions.extend((0..=9).rev().map(|minor| (older, minor)));
        }
    }
    versions.into_iter().map(|(major, minor)| format!("ios_{major}_{minor}_{multiarch}")).collect()
}

fn android_platforms(level: u32, abi: &str) -> Vec<String> {
    // The first API level that runs CPython without large patches is 16.
    let abi = normalized(abi);
    (16..=level).rev().map(|level| format!("android_{level}_{abi}")).collect()
}

/// The parts of `macosx_10_9_x86_64` and its like. A prefix may be longer than the name of the system, as in pip.
fn apple_parts(platform: &str) -> Option<(&str, (u32, u32), &str)> {
    // The name is everything before the last two numbers that stand side by side and are followed by something.
    let fields: Vec<(usize, &str)> = platform
        .split('_')
        .scan(0, |start, field| {
            let position = *start;
            *start += field.len() + 1;
            Some((position, field))
        })
        .collect();
    fields.windows(3).rev().find_map(|window| {
        let [(major_start, major), (_, minor), (rest_start, _)] = window else { return None };
        let name = platform.get(..major_start.checked_sub(1)?)?;
        let rest = platform.get(*rest_start..)?;
        (is_digits(major) && is_digits(minor) && !name.is_empty() && !rest.is_empty())
            .then(|| Some((name, (major.parse().ok()?, minor.parse().ok()?), rest)))?
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
