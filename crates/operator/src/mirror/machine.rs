//! A machine for which files are mirrored: which wheels it can use, and its environment markers (PEP 425, PEP 508).
//!
//! `--for 3.12/manylinux_2_28_x86_64`: the newest platform tag of the machine; older ones that it can use as well
//! follow from it.

use packaging::{ElfHeader, MarkerEnvironment, TagInputs, Version};

use installer::error::{Code, Failure};
use installer::python::Interpreter;

/// A CPython of some version, on some platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// As it was written.
    text: String,
    /// Major, minor, micro.
    version: (u32, u32, u32),
    free_threaded: bool,
    /// `None` for that of the interpreter.
    platform: Option<Platform>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Platform {
    system: System,
    /// As platform tags name the processor: `x86_64`, `aarch64`, `arm64`; of Windows the whole tag.
    architecture: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum System {
    Glibc(u32, u32),
    Musl(u32, u32),
    MacOs(u32, u32),
    Windows,
}

impl Machine {
    /// Reads `PYTHON[/PLATFORM]`, where PYTHON is a version such as `3.12`, `3.12.4` or, without a GIL, `3.13t`.
    ///
    /// # Errors
    /// A message with the expected form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (python, platform) = text.split_once('/').map_or((text, None), |(python, rest)| (python, Some(rest)));
        let (python, free_threaded) = python.strip_suffix('t').map_or((python, false), |python| (python, true));
        let parts: Option<Vec<u32>> =
            python.split('.').map(|part| part.parse().ok().filter(|part| *part < 1_000)).collect();
        let version = match parts.as_deref() {
            Some(&[major, minor]) => (major, minor, 0),
            Some(&[major, minor, micro]) => (major, minor, micro),
            _ => {
                return Err(format!("expected a version of Python such as 3.12, 3.12.4 or 3.13t, found '{python}'"));
            }
        };
        let platform = platform.map(Platform::parse).transpose()?;
        Ok(Self { text: text.to_owned(), version, free_threaded, platform })
    }

    /// As it was written.
    pub fn shown(&self) -> &str {
        &self.text
    }

    /// Replaces tags and markers of an interpreter by those of this machine.
    ///
    /// # Errors
    /// When the interpreter is no CPython and the platform is to be taken from it.
    pub fn apply_to(&self, interpreter: &mut Interpreter) -> Result<(), Failure> {
        let (major, minor, micro) = self.version;
        let facts = &interpreter.tag_facts;
        let platform = match &self.platform {
            Some(platform) => {
                interpreter.is_for_other_machine = true;
                platform.tag_inputs()
            }
            None if facts.implementation == "cpython" => facts.clone(),
            None => {
                let message = format!("'{}' names no platform, and {} is no CPython", self.text, facts.implementation);
                return Err(Failure::new(Code::Usage, message)
                    .hint("name the platform as well, such as 3.12/manylinux_2_28_x86_64"));
            }
        };
        interpreter.tag_facts = TagInputs {
            implementation: "cpython".to_owned(),
            version: (major, minor),
            version_nodot: Some(format!("{major}{minor}")),
            debug: false,
            free_threaded: self.free_threaded,
            extension_suffix: None,
            ..platform
        };
        interpreter.version = format!("{major}.{minor}.{micro}");
        interpreter.markers = self.markers(&interpreter.markers);
        Ok(())
    }

    fn markers(&self, own: &MarkerEnvironment) -> MarkerEnvironment {
        let (major, minor, micro) = self.version;
        let full = Version::new([major, minor, micro].map(u64::from));
        let markers = own
            .clone()
            .with_implementation_name("cpython")
            .with_platform_python_implementation("CPython")
            .with_implementation_version(full.clone())
            .with_python_full_version(full)
            .with_python_version(Version::new([major, minor].map(u64::from)));
        let Some(platform) = &self.platform else { return markers };
        let (os, system, name) = match platform.system {
            System::Glibc(..) | System::Musl(..) => ("posix", "Linux", "linux"),
            System::MacOs(..) => ("posix", "Darwin", "darwin"),
            System::Windows => ("nt", "Windows", "win32"),
        };
        markers
            .with_os_name(os)
            .with_platform_system(system)
            .with_sys_platform(name)
            .with_platform_machine(platform.machine())
            .with_platform_release("")
            .with_platform_version("")
    }
}

impl Platform {
    fn parse(text: &str) -> Result<Self, String> {
        let unknown = || {
            format!(
                "expected a platform tag such as manylinux_2_28_x86_64, musllinux_1_2_aarch64, macosx_14_0_arm64 or win_amd64, \
                 found '{text}'"
            )
        };
        if matches!(text, "win32" | "win_amd64" | "win_arm64") {
            return Ok(Self { system: System::Windows, architecture: text.to_owned() });
        }
        let legacy = [("manylinux2014_", (2, 17)), ("manylinux2010_", (2, 12)), ("manylinux1_", (2, 5))];
        for (prefix, (major, minor)) in legacy {
            if let Some(architecture) = text.strip_prefix(prefix) {
                return Self::new(System::Glibc(major, minor), architecture).ok_or_else(unknown);
            }
        }
        let mut parts = text.splitn(4, '_');
        let name = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|part| part.parse().ok()).filter(|number: &u32| *number < 1_000);
        let (major, minor) = number().zip(number()).ok_or_else(unknown)?;
        let system = match name {
            "manylinux" => System::Glibc(major, minor),
            "musllinux" => System::Musl(major, minor),
            "macosx" => System::MacOs(major, minor),
            _ => return Err(unknown()),
        };
        Self::new(system, parts.next().unwrap_or_default()).ok_or_else(unknown)
    }

    fn new(system: System, architecture: &str) -> Option<Self> {
        let plausible = !architecture.is_empty()
            && architecture.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        plausible.then(|| Self { system, architecture: architecture.to_owned() })
    }

    /// `platform.machine()`
    fn machine(&self) -> &str {
        match (&self.system, self.architecture.as_str()) {
            (System::Windows, "win_amd64") => "AMD64",
            (System::Windows, "win_arm64") => "ARM64",
            (System::Windows, _) => "x86",
            (_, architecture) => architecture,
        }
    }

    fn tag_inputs(&self) -> TagInputs {
        let architecture = self.architecture.as_str();
        let is_linux = matches!(self.system, System::Glibc(..) | System::Musl(..));
        let pointer_size = if matches!(architecture, "i686" | "armv7l" | "win32") { 4 } else { 8 };
        // The header of an executable of this processor, where manylinux needs it.
        let elf = |machine, flags| ElfHeader { bits: 32, little_endian: true, machine, flags };
        let elf = match architecture {
            "i686" => Some(elf(3, 0)),
            "armv7l" => Some(elf(40, 0x0500_0400)),
            _ => None,
        };
        let (platform, system) = match self.system {
            System::Glibc(..) | System::Musl(..) => (format!("linux-{architecture}"), "Linux"),
            System::MacOs(major, minor) => (format!("macosx-{major}.{minor}-{architecture}"), "Darwin"),
            System::Windows => (architecture.replace('_', "-"), "Windows"),
        };
        TagInputs {
            implementation: "cpython".to_owned(),
            version: (0, 0),
            version_nodot: None,
            pointer_size,
            debug: false,
            free_threaded: false,
            pymalloc: true,
            wide_unicode: true,
            extension_suffix: None,
            platform,
            system: system.to_owned(),
            glibc: if let System::Glibc(major, minor) = self.system { Some((major, minor)) } else { None },
            musl: if let System::Musl(major, minor) = self.system { Some((major, minor)) } else { None },
            elf: elf.filter(|_| is_linux),
            manylinux_refused: Vec::new(),
            os_version: if let System::MacOs(major, minor) = self.system { Some((major, minor)) } else { None },
            os_architecture: matches!(self.system, System::MacOs(..)).then(|| architecture.to_owned()),
            pyemscripten: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use packaging::Tags;

    use super::*;

    fn tags(text: &str) -> Vec<String> {
        let machine = Machine::parse(text).unwrap();
        let (major, minor, _) = machine.version;
        let facts = TagInputs {
            version: (major, minor),
            version_nodot: Some(format!("{major}{minor}")),
            free_threaded: machine.free_threaded,
            ..machine.platform.unwrap().tag_inputs()
        };
        let tags = Tags::for_interpreter(&facts);
        tags.iter().map(|tag| format!("{}-{}-{}", tag.python, tag.abi, tag.platform)).collect()
    }

    #[test]
    fn a_machine_can_use_what_is_older_than_itself() {
        let linux = tags("3.12/manylinux_2_28_x86_64");
        for tag in [
            "cp312-cp312-manylinux_2_28_x86_64",
            "cp312-cp312-manylinux2014_x86_64",
            "cp38-abi3-manylinux_2_17_x86_64",
            "cp312-cp312-linux_x86_64",
            "py3-none-any",
        ] {
            assert!(linux.iter().any(|known| known == tag), "{tag}");
        }
        for tag in ["cp312-cp312-manylinux_2_31_x86_64", "cp311-cp311-manylinux2014_x86_64", "py3-none-win_amd64"] {
            assert!(!linux.iter().any(|known| known == tag), "{tag}");
        }
        assert!(tags("3.13t/musllinux_1_2_aarch64").contains(&"cp313-cp313t-musllinux_1_1_aarch64".to_owned()));
        assert!(tags("3.11/macosx_14_0_arm64").contains(&"cp311-cp311-macosx_11_0_arm64".to_owned()));
        assert!(tags("3.11/macosx_14_0_arm64").contains(&"cp311-cp311-macosx_10_9_universal2".to_owned()));
        assert!(tags("3.11/win_amd64").contains(&"cp311-cp311-win_amd64".to_owned()));
        assert!(tags("3.11/win32").contains(&"cp311-none-win32".to_owned()));
        assert!(tags("3.11/manylinux2014_i686").contains(&"cp311-cp311-manylinux_2_17_i686".to_owned()));
        assert!(tags("3.11/manylinux_2_31_armv7l").contains(&"cp311-cp311-manylinux_2_31_armv7l".to_owned()));
    }

    #[test]
    fn what_is_no_machine_is_said_to_be_none() {
        for text in
            ["", "3", "three", "3.12/", "3.12/linux", "3.12/manylinux_2_x86_64", "3.12/solaris_11_0_sparc", "3.1.2.3"]
        {
            assert!(Machine::parse(text).is_err(), "{text}");
        }
    }
}
