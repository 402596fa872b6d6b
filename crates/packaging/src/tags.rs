//! Compatibility tags (PEP 425): which wheels an interpreter accepts, and in which order.
//!
//! Tags are made from facts that the probe reports once; nothing here looks at the running machine.

mod platform;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::wheel_filename::WheelFilename;
use platform::{expand_platform, platform_tags};

/// Inputs for computing an interpreter's tags; the probe reports them as JSON. The interpreter probe gives it as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagInputs {
    /// `sys.implementation.name`, for instance `cpython`.
    pub implementation: String,
    /// Major and minor version of the language.
    pub version: (u32, u32),
    /// The build variable `py_version_nodot`, for instance `311`, where it is set.
    #[serde(default)]
    pub version_nodot: Option<String>,
    /// Bytes of a pointer: 4 or 8.
    pub pointer_size: u8,
    /// Whether extension modules of debug builds are loaded.
    #[serde(default)]
    pub debug: bool,
    /// Whether this is a free-threaded build (`Py_GIL_DISABLED`).
    #[serde(default)]
    pub free_threaded: bool,
    /// Whether the build uses pymalloc; relevant only before Python 3.8.
    #[serde(default)]
    pub pymalloc: bool,
    /// Whether characters have four bytes; relevant only before Python 3.3.
    #[serde(default)]
    pub wide_unicode: bool,
    /// The build variable `EXT_SUFFIX`, for instance `.cpython-311-x86_64-linux-gnu.so`.
    #[serde(default)]
    pub extension_suffix: Option<String>,
    /// `sysconfig.get_platform()`, for instance `linux-x86_64`.
    pub platform: String,
    /// `platform.system()`, for instance `Linux`.
    pub system: String,
    /// Version of glibc the interpreter runs on.
    #[serde(default)]
    pub glibc: Option<(u32, u32)>,
    /// Version of musl the interpreter is linked against.
    #[serde(default)]
    pub musl: Option<(u32, u32)>,
    /// The header of the interpreter's executable, on Linux.
    #[serde(default)]
    pub elf: Option<ElfHeader>,
    /// Tags which the distributor's `_manylinux` module refuses, for instance `manylinux_2_17_x86_64` (PEP 600).
    #[serde(default)]
    pub manylinux_refused: Vec<String>,
    /// The version of macOS or iOS, or the API level of Android and 0.
    #[serde(default)]
    pub os_version: Option<(u32, u32)>,
    /// The processor macOS reports, or the multiarch name of iOS.
    #[serde(default)]
    pub os_architecture: Option<String>,
    /// The build variable `PYEMSCRIPTEN_PLATFORM_VERSION`.
    #[serde(default)]
    pub pyemscripten: Option<String>,
}

/// The fields of an ELF header that distinguish ABIs of 32-bit processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElfHeader {
    /// 32 or 64.
    pub bits: u8,
    /// Whether numbers are stored with the low byte first.
    pub little_endian: bool,
    /// `e_machine`.
    pub machine: u16,
    /// `e_flags`.
    pub flags: u32,
}

/// Another Python to choose distributions for than the environment's; what is missing is as in the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetPython {
    /// Platform tags (`--platform`); empty for the platform of the interpreter.
    pub platforms: Vec<String>,
    /// One to three numbers (`--python-version`).
    pub python_version: Option<Vec<u32>>,
    /// The short name of an implementation, for instance `cp` (`--implementation`).
    pub implementation: Option<String>,
    /// ABI tags (`--abi`); empty for those of the interpreter.
    pub abis: Vec<String>,
}

impl TargetPython {
    /// Whether anything is different from the environment.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }
}

/// One compatibility tag. Prints as in a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag<'tags> {
    /// The Python tag, for instance `cp311`.
    pub python: &'tags str,
    /// The ABI tag, for instance `abi3`.
    pub abi: &'tags str,
    /// The platform tag, for instance `any`.
    pub platform: &'tags str,
}

/// The tags of an interpreter, best first.
#[derive(Clone, Debug, Default)]
pub struct Tags {
    order: Vec<[u32; 3]>,
    parts: [TagTexts; 3],
    ranks: FxHashMap<[u32; 3], u32>,
}

/// The different texts that stand in one of the three parts of a tag, each with a small number.
#[derive(Clone, Debug, Default)]
struct TagTexts {
    texts: Vec<Box<str>>,
    numbers: FxHashMap<Box<str>, u32>,
}

impl Tags {
    /// The tags of the interpreter itself, as `packaging.tags.sys_tags()` lists them.
    pub fn for_interpreter(inputs: &TagInputs) -> Self {
        let platforms = platform_tags(inputs);
        let mut tags = Self::default();
        let name = inputs.short_name();
        let own = format!("{name}{}", inputs.version_nodot());
        let version = [inputs.version.0, inputs.version.1];
        let compatible = match name {
            "cp" => {
                tags.add_cpython(&version, inputs.cpython_abis(&version), &platforms);
                Some(own.as_str())
            }
            _ => {
                tags.add_generic(&own, inputs.generic_abis(), &platforms);
                (name == "pp").then_some("pp3")
            }
        };
        tags.add_compatible(&version, compatible, &platforms);
        tags.number();
        tags
    }

    /// The tags of `target`, as pip understands its options. Without options these are the tags pip installs by; they
    /// differ from `for_interpreter` only on implementations other than CPython.
    pub fn for_target(inputs: &TagInputs, target: &TargetPython) -> Self {
        let platforms = match target.platforms.as_slice() {
            [] => platform_tags(inputs),
            given => expand_platforms(given),
        };
        let nodot = target.python_version.as_deref().map(version_without_dots);
        let version = nodot.as_deref().and_then(version_from_digits);
        let version = version.unwrap_or_else(|| vec![inputs.version.0, inputs.version.1]);
        let name = target.implementation.as_deref().unwrap_or(inputs.short_name());
        let interpreter = format!("{name}{}", nodot.unwrap_or_else(|| inputs.version_nodot()));
        let abis = (!target.abis.is_empty()).then(|| target.abis.clone());
        let mut tags = Self::default();
        if name == "cp" {
            let abis = abis.unwrap_or_else(|| inputs.cpython_abis(&version));
            tags.add_cpython(&version, abis, &platforms);
        } else {
            tags.add_generic(&interpreter, abis.unwrap_or_else(|| inputs.generic_abis()), &platforms);
        }
        tags.add_compatible(&version, Some(&interpreter), &platforms);
        tags.number();
        tags
    }

    /// The rank of a wheel, 0 is best; `None` if it is incompatible.
    pub fn rank(&self, wheel: &WheelFilename) -> Option<u32> {
        let mut parts = wheel.tags().splitn(3, '-');
        let (python, abi, platform) = (parts.next()?, parts.next()?, parts.next()?);
        let [pythons, abis, platforms] = &self.parts;
        // The ABI first: by it most files for other interpreters fall out.
        let abis = abis.known(abi)?;
        let platforms = platforms.known(platform)?;
        let pythons = pythons.known(python)?;
        let mut best: Option<u32> = None;
        for &python in &pythons {
            for &abi in &abis {
                for &platform in &platforms {
                    if let Some(&rank) = self.ranks.get(&[python, abi, platform]) {
                        best = Some(best.map_or(rank, |best| best.min(rank)));
                    }
                }
            }
        }
        best
    }

    /// All tags, best first.
    pub fn iter(&self) -> impl Iterator<Item = Tag<'_>> {
        let [pythons, abis, platforms] = &self.parts;
        self.order.iter().map(|&[python, abi, platform]| Tag {
            python: pythons.text(python),
            abi: abis.text(abi),
            platform: platforms.text(platform),
        })
    }

    /// How many tags there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is no tag at all.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn add(&mut self, python: &str, abi: &str, platform: &str) {
        let [pythons, abis, platforms] = &mut self.parts;
        self.order.push([pythons.number(python), abis.number(abi), platforms.number(platform)]);
    }

    fn add_all(&mut self, python: &str, abi: &str, platforms: &[String]) {
        for platform in platforms {
            self.add(python, abi, platform);
        }
    }

    fn add_cpython(&mut self, version: &[u32], mut abis: Vec<String>, platforms: &[String]) {
        let interpreter = format!("cp{}", version_without_dots(version));
        let free_threaded = abis.first().is_some_and(|abi| is_free_threaded(abi));
        // These are listed below, each in its own place.
        for stable in ["abi3", "abi3t", "none"] {
            if (free_threaded || stable != "abi3t")
                && let Some(position) = abis.iter().position(|abi| abi == stable)
            {
                abis.remove(position);
            }
        }
        for abi in &abis {
            self.add_all(&interpreter, abi, platforms);
        }
        // PEP 384 and, without a GIL, PEP 803.
        let stable = if free_threaded { "abi3t" } else { "abi3" };
        let minor = version.get(1).copied().filter(|_| version >= [3, 2].as_slice());
        if minor.is_some() {
            self.add_all(&interpreter, stable, platforms);
        }
        self.add_all(&interpreter, "none", platforms);
        if let (Some(&major), Some(minor)) = (version.first(), minor) {
            for older in (2..minor).rev() {
                self.add_all(&format!("cp{major}{older}"), stable, platforms);
            }
        }
    }

    fn add_generic(&mut self, interpreter: &str, mut abis: Vec<String>, platforms: &[String]) {
        if !abis.iter().any(|abi| abi == "none") {
            abis.push("none".to_owned());
        }
        for abi in &abis {
            self.add_all(interpreter, abi, platforms);
        }
    }

    fn add_compatible(&mut self, version: &[u32], interpreter: Option<&str>, platforms: &[String]) {
        let pythons = older_pythons(version);
        for python in &pythons {
            self.add_all(python, "none", platforms);
        }
        for python in interpreter.into_iter().chain(pythons.iter().map(String::as_str)) {
            self.add(python, "none", "any");
        }
    }

    /// Gives each tag its rank: of a tag that occurs twice the last place counts, as in pip.
    fn number(&mut self) {
        self.ranks = self.order.iter().copied().zip(0..).collect();
    }
}

impl TagInputs {
    /// The prefix of Python tags: `cp`, `pp`, … or the name of the implementation.
    pub fn short_name(&self) -> &str {
        match self.implementation.as_str() {
            "python" => "py",
            "cpython" => "cp",
            "pypy" => "pp",
            "ironpython" => "ip",
            "jython" => "jy",
            other => other,
        }
    }

    fn version_nodot(&self) -> String {
        match self.version_nodot.as_deref() {
            Some(version) if !version.is_empty() => version.to_owned(),
            _ => version_without_dots(&[self.version.0, self.version.1]),
        }
    }

    fn cpython_abis(&self, version: &[u32]) -> Vec<String> {
        if version.len() < 2 {
            return Vec::new();
        }
        let flag = |set: bool, flag: &'static str| if set { flag } else { "" };
        let nodot = version_without_dots(version);
        let free_threaded = flag(version >= [3, 13].as_slice() && self.free_threaded, "t");
        let debug = flag(self.debug, "d");
        if version < [3, 8].as_slice() {
            let pymalloc = flag(self.pymalloc, "m");
            let unicode = flag(version < [3, 3].as_slice() && self.wide_unicode, "u");
            return vec![format!("cp{nodot}{free_threaded}{debug}{pymalloc}{unicode}")];
        }
        let release = format!("cp{nodot}{free_threaded}");
        // Debug builds load extension modules of release builds, too.
        if self.debug { vec![format!("{release}d"), release] } else { vec![release] }
    }

    /// The ABI in the suffix of extension modules, without the platform in it.
    fn generic_abis(&self) -> Vec<String> {
        let suffix = self.extension_suffix.as_deref().unwrap_or_default();
        let mut parts = suffix.split('.');
        let (Some(""), Some(name), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            return self.cpython_abis(&[self.version.0, self.version.1]);
        };
        let first = |count: usize| name.split('-').take(count).collect::<Vec<_>>().join("_");
        let abi = if let Some(version) = name.strip_prefix("cpython") {
            format!("cp{}", version.split('-').nth(1).unwrap_or_default())
        } else if name.starts_with("cp") {
            first(1)
        } else if name.starts_with("pypy") {
            first(2)
        } else if name.starts_with("graalpy") {
            first(3)
        } else if name.is_empty() {
            return Vec::new();
        } else {
            name.to_owned()
        };
        vec![platform::normalized(&abi)]
    }
}

impl std::fmt::Display for Tag<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

impl TagTexts {
    fn number(&mut self, text: &str) -> u32 {
        // Tags are compared without regard to case.
        let text = text.to_ascii_lowercase();
        if let Some(&number) = self.numbers.get(text.as_str()) {
            return number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.as_str().into());
        self.numbers.insert(text.into(), number);
        number
    }

    fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    /// The numbers of those of the tags in `part`, separated by dots, that are known, each once; `None` when there are
    /// none.
    ///
    /// There are never more than known tags, so that the combinations of a hostile file name stay few.
    fn known(&self, part: &str) -> Option<Vec<u32>> {
        let find = |text: &str| self.numbers.get(text).copied();
        let mut known = Vec::new();
        for text in part.split('.') {
            let number = if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                find(&text.to_ascii_lowercase())
            } else {
                find(text)
            };
            if let Some(number) = number.filter(|number| !known.contains(number)) {
                known.push(number);
            }
        }
        Some(known).filter(|known| !known.is_empty())
    }
}

fn expand_platforms(given: &[String]) -> Vec<String> {
    let mut expanded: Vec<String> = Vec::new();
    for platform in given {
        if !expanded.contains(platform) {
            let added = expand_platform(platform);
            let added: Vec<_> = added.into_iter().filter(|platform| !expanded.contains(platform)).collect();
            expanded.extend(added);
        }
    }
    expanded
}

/// `3.11.7` as `311`.
fn version_without_dots(version: &[u32]) -> String {
    version.iter().take(2).map(u32::to_string).collect()
}

/// `311` as 3 and 11.
fn version_from_digits(digits: &str) -> Option<Vec<u32>> {
    let (major, minor) = digits.split_at_checked(1)?;
    let mut version = vec![major.parse().ok()?];
    if !minor.is_empty() {
        version.push(minor.parse().ok()?);
    }
    Some(version)
}

/// `py311`, `py3`, `py310` … `py30`.
fn older_pythons(version: &[u32]) -> Vec<String> {
    let mut pythons = Vec::new();
    let Some(major) = version.first() else { return pythons };
    if let Some(minor) = version.get(1) {
        pythons.push(format!("py{major}{minor}"));
    }
    pythons.push(format!("py{major}"));
    for minor in (0..version.get(1).copied().unwrap_or(0)).rev() {
        pythons.push(format!("py{major}{minor}"));
    }
    pythons
}

/// Whether an ABI tag such as `cp313t` has the flag of free-threaded builds.
fn is_free_threaded(abi: &str) -> bool {
    abi.strip_prefix("cp").is_some_and(|rest| {
        let flags = rest.trim_start_matches(|character: char| character.is_ascii_digit());
        flags.len() < rest.len() && flags.contains('t')
    })
}
