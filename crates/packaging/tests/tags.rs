//! Tags of machines that are not at hand.

use packaging::{ElfHeader, TagInputs, Tags, TargetPython};

fn facts(platform: &str, system: &str) -> TagInputs {
    TagInputs {
        implementation: "cpython".into(),
        version: (3, 13),
        version_nodot: Some("313".into()),
        pointer_size: 8,
        debug: false,
        free_threaded: false,
        pymalloc: true,
        wide_unicode: true,
        extension_suffix: None,
        platform: platform.into(),
        system: system.into(),
        glibc: None,
        musl: None,
        elf: None,
        manylinux_refused: Vec::new(),
        os_version: None,
        os_architecture: None,
        pyemscripten: None,
    }
}

fn list(facts: &TagInputs) -> Vec<String> {
    Tags::for_interpreter(facts).iter().map(|tag| tag.to_string()).collect()
}

/// The platforms of the interpreter's own ABI, which come first.
fn platforms(facts: &TagInputs) -> Vec<String> {
    let tags = list(facts);
    tags.iter().map_while(|tag| tag.strip_prefix("cp313-cp313-")).map(str::to_owned).collect()
}

#[test]
fn windows_has_one_platform() {
    let tags = list(&facts("win-amd64", "Windows"));
    assert_eq!(
        tags[..4],
        ["cp313-cp313-win_amd64", "cp313-abi3-win_amd64", "cp313-none-win_amd64", "cp312-abi3-win_amd64"]
    );
    assert_eq!(tags.last().unwrap(), "py30-none-any");
}

#[test]
fn musl_has_no_manylinux() {
    let alpine = TagInputs { musl: Some((1, 2)), ..facts("linux-x86_64", "Linux") };
    let expected = ["linux_x86_64", "musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "musllinux_1_0_x86_64"];
    assert_eq!(platforms(&alpine), expected);
}

#[test]
fn glibc_tags_go_back_to_the_first_manylinux() {
    let linux = TagInputs {
        glibc: Some((2, 18)),
        manylinux_refused: vec!["manylinux_2_17_aarch64".into()],
        ..facts("linux-aarch64", "Linux")
    };
    assert_eq!(platforms(&linux), ["linux_aarch64", "manylinux_2_18_aarch64"]);
    let linux = TagInputs { glibc: Some((2, 6)), ..facts("linux-x86_64", "Linux") };
    assert_eq!(
        platforms(&linux),
        ["linux_x86_64", "manylinux_2_6_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64"]
    );
    let future = TagInputs { glibc: Some((3, 0)), ..facts("linux-riscv64", "Linux") };
    assert_eq!(platforms(&future)[..3], ["linux_riscv64", "manylinux_3_0_riscv64", "manylinux_2_50_riscv64"]);
    assert_eq!(platforms(&TagInputs { glibc: Some((2, 30)), ..facts("linux-mips", "Linux") }), ["linux_mips"]);
}

#[test]
fn processors_of_32_bits_need_the_right_executable() {
    let hard_float = ElfHeader { bits: 32, little_endian: true, machine: 40, flags: 0x0500_0400 };
    let arm =
        TagInputs { pointer_size: 4, glibc: Some((2, 17)), elf: Some(hard_float), ..facts("linux-armv7l", "Linux") };
    assert_eq!(platforms(&arm), ["linux_armv7l", "manylinux_2_17_armv7l", "manylinux2014_armv7l"]);
    let soft_float = ElfHeader { flags: 0x0500_0200, ..hard_float };
    assert_eq!(platforms(&TagInputs { elf: Some(soft_float), ..arm.clone() }), ["linux_armv7l"]);
    let on_64_bits = TagInputs { platform: "linux-aarch64".into(), ..arm };
    assert_eq!(platforms(&on_64_bits)[..3], ["linux_armv8l", "linux_armv7l", "manylinux_2_17_armv8l"]);
    let intel = ElfHeader { bits: 32, little_endian: true, machine: 3, flags: 0 };
    let intel = TagInputs { pointer_size: 4, glibc: Some((2, 5)), elf: Some(intel), ..facts("linux-x86_64", "Linux") };
    assert_eq!(platforms(&intel), ["linux_i686", "manylinux_2_5_i686", "manylinux1_i686"]);
}

#[test]
fn macs_run_what_was_built_for_older_ones() {
    let mac = TagInputs {
        os_version: Some((12, 3)),
        os_architecture: Some("arm64".into()),
        ..facts("macosx-11.0-arm64", "Darwin")
    };
    let tags = platforms(&mac);
    assert_eq!(
        tags[..5],
        [
            "macosx_12_0_arm64",
            "macosx_12_0_universal2",
            "macosx_11_0_arm64",
            "macosx_11_0_universal2",
            "macosx_10_16_universal2"
        ]
    );
    assert_eq!(tags.last().unwrap(), "macosx_10_4_universal2");
}

#[test]
fn free_threaded_builds_have_their_own_stable_abi() {
    let tags = list(&TagInputs { free_threaded: true, ..facts("win-amd64", "Windows") });
    assert_eq!(tags[..3], ["cp313-cp313t-win_amd64", "cp313-abi3t-win_amd64", "cp313-none-win_amd64"]);
    assert!(!tags.iter().any(|tag| tag.contains("-abi3-")));
    let tags = list(&TagInputs { debug: true, ..facts("win-amd64", "Windows") });
    assert_eq!(tags[..3], ["cp313-cp313d-win_amd64", "cp313-cp313-win_amd64", "cp313-abi3-win_amd64"]);
}

#[test]
fn pypy_tells_its_abi_by_the_suffix() {
    let pypy = TagInputs {
        implementation: "pypy".into(),
        version: (3, 10),
        version_nodot: Some("310".into()),
        extension_suffix: Some(".pypy310-pp73-x86_64-linux-gnu.so".into()),
        ..facts("win-amd64", "Windows")
    };
    let tags = list(&pypy);
    assert_eq!(tags[..3], ["pp310-pypy310_pp73-win_amd64", "pp310-none-win_amd64", "py310-none-win_amd64"]);
    assert!(tags.contains(&"pp3-none-any".to_owned()));
    let of_pip: Vec<_> = Tags::for_target(&pypy, &TargetPython::default()).iter().map(|tag| tag.to_string()).collect();
    assert!(of_pip.contains(&"pp310-none-any".to_owned()) && !of_pip.contains(&"pp3-none-any".to_owned()));
    for (suffix, abi) in [
        (".cpython-310-x86_64-linux-gnu.so", "cp310"),
        (".cp310-win_amd64.pyd", "cp310"),
        (".graalpy-38-native-x86_64-darwin.dylib", "graalpy_38_native"),
        (".pyston-23-x86_64-linux-gnu.so", "pyston_23_x86_64_linux_gnu"),
        (".pyd", "cp310"),
    ] {
        let other = TagInputs { implementation: "other".into(), extension_suffix: Some(suffix.into()), ..pypy.clone() };
        assert_eq!(list(&other)[0], format!("other310-{abi}-win_amd64"));
    }
}

#[test]
fn the_best_of_all_tags_of_a_wheel_counts() {
    let tags = Tags::for_interpreter(&TagInputs { glibc: Some((2, 36)), ..facts("linux-x86_64", "Linux") });
    let rank = |name: &str| tags.rank(&name.parse().unwrap());
    let newest = rank("foo-1-cp313-cp313-manylinux_2_36_x86_64.whl");
    assert_eq!(rank("foo-1-cp313-cp313-manylinux_2_17_x86_64.manylinux_2_36_x86_64.manylinux_9_9_x86_64.whl"), newest);
    assert!(newest < rank("foo-1-cp313-abi3-manylinux_2_36_x86_64.whl"));
    assert!(rank("foo-1-cp38-abi3-manylinux_2_36_x86_64.whl") < rank("foo-1-py2.py3-none-any.whl"));
    assert_eq!(rank("foo-1-PY3-None-ANY.whl"), rank("foo-1-py3-none-any.whl"));
    for unusable in
        ["cp314-cp314-any", "cp312-cp312-linux_x86_64", "py2-none-any", "cp313-cp313-win_amd64", "py3-none-linux"]
    {
        assert_eq!(rank(&format!("foo-1-{unusable}.whl")), None, "{unusable}");
    }
    // Combinations of hostile names stay few.
    let many = |part: &str| vec![part; 5_000].join(".");
    let hostile = format!("foo-1-{}-{}-{}.whl", many("cp313.x"), many("none.x"), many("linux_x86_64.x"));
    assert!(rank(&hostile).is_some());
}

#[test]
fn absurd_facts_make_no_endless_list() {
    let absurd = TagInputs {
        version: (3, 40),
        glibc: Some((u32::MAX, u32::MAX)),
        musl: Some((u32::MAX, u32::MAX)),
        ..facts("linux-x86_64", "Linux")
    };
    assert!(Tags::for_interpreter(&absurd).len() < 2_000_000);
    for platform in
        ["macosx_4294967295_1_x86_64", "ios_4294967295_1_x", "android_4294967295_x", "macosx_99999999999_1_x"]
    {
        let target = TargetPython { platforms: vec![platform.into()], ..TargetPython::default() };
        assert!(!Tags::for_target(&absurd, &target).is_empty());
    }
}
