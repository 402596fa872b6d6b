//! What the variables of environment markers stand for on one machine and Python.

use pep440_rs::Version;
use serde::{Deserialize, Deserializer, Serialize};

/// The values of the marker variables, `extra` apart.
///
/// <https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers>
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MarkerEnvironment {
    implementation_name: String,
    implementation_version: VersionText,
    os_name: String,
    platform_machine: String,
    platform_python_implementation: String,
    platform_release: String,
    platform_system: String,
    platform_version: String,
    python_full_version: VersionText,
    python_version: VersionText,
    sys_platform: String,
}

/// A version as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct VersionText(String);

impl<'de> Deserialize<'de> for VersionText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<Version>().map_err(serde::de::Error::custom)?;
        Ok(Self(text))
    }
}

impl From<&Version> for VersionText {
    fn from(version: &Version) -> Self {
        Self(version.to_string())
    }
}

/// The values.
impl MarkerEnvironment {
    /// `sys.implementation.name`, for instance `cpython`.
    pub fn implementation_name(&self) -> &str {
        &self.implementation_name
    }

    /// The version of the implementation, for instance `3.11.7`.
    pub fn implementation_version(&self) -> &str {
        &self.implementation_version.0
    }

    /// `os.name`, for instance `posix`.
    pub fn os_name(&self) -> &str {
        &self.os_name
    }

    /// `platform.machine()`, for instance `x86_64`.
    pub fn platform_machine(&self) -> &str {
        &self.platform_machine
    }

    /// `platform.python_implementation()`, for instance `CPython`.
    pub fn platform_python_implementation(&self) -> &str {
        &self.platform_python_implementation
    }

    /// `platform.release()`, for instance `6.1.0-13-amd64`.
    pub fn platform_release(&self) -> &str {
        &self.platform_release
    }

    /// `platform.system()`, for instance `Linux`.
    pub fn platform_system(&self) -> &str {
        &self.platform_system
    }

    /// `platform.version()`, a description of the kernel.
    pub fn platform_version(&self) -> &str {
        &self.platform_version
    }

    /// `platform.python_version()`, for instance `3.11.7`.
    pub fn python_full_version(&self) -> &str {
        &self.python_full_version.0
    }

    /// The first two numbers of Python's version, for instance `3.11`.
    pub fn python_version(&self) -> &str {
        &self.python_version.0
    }

    /// `sys.platform`, for instance `linux`.
    pub fn sys_platform(&self) -> &str {
        &self.sys_platform
    }
}

/// Another machine or Python.
impl MarkerEnvironment {
    /// With another `implementation_name`.
    #[must_use]
    pub fn with_implementation_name(self, name: impl Into<String>) -> Self {
        Self { implementation_name: name.into(), ..self }
    }

    /// With another `implementation_version`.
    #[must_use]
    pub fn with_implementation_version(self, version: Version) -> Self {
        Self { implementation_version: (&version).into(), ..self }
    }

    /// With another `os_name`.
    #[must_use]
    pub fn with_os_name(self, name: impl Into<String>) -> Self {
        Self { os_name: name.into(), ..self }
    }

    /// With another `platform_machine`.
    #[must_use]
    pub fn with_platform_machine(self, machine: impl Into<String>) -> Self {
        Self { platform_machine: machine.into(), ..self }
    }

    /// With another `platform_python_implementation`.
    #[must_use]
    pub fn with_platform_python_implementation(self, name: impl Into<String>) -> Self {
        Self { platform_python_implementation: name.into(), ..self }
    }

    /// With another `platform_release`.
    #[must_use]
    pub fn with_platform_release(self, release: impl Into<String>) -> Self {
        Self { platform_release: release.into(), ..self }
    }

    /// With another `platform_system`.
    #[must_use]
    pub fn with_platform_system(self, system: impl Into<String>) -> Self {
        Self { platform_system: system.into(), ..self }
    }

    /// With another `platform_version`.
    #[must_use]
    pub fn with_platform_version(self, version: impl Into<String>) -> Self {
        Self { platform_version: version.into(), ..self }
    }

    /// With another `python_full_version`.
    #[must_use]
    pub fn with_python_full_version(self, version: Version) -> Self {
        Self { python_full_version: (&version).into(), ..self }
    }

    /// With another `python_version`.
    #[must_use]
    pub fn with_python_version(self, version: Version) -> Self {
        Self { python_version: (&version).into(), ..self }
    }

    /// With another `sys_platform`.
    #[must_use]
    pub fn with_sys_platform(self, platform: impl Into<String>) -> Self {
        Self { sys_platform: platform.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_must_be_versions() {
        let read = |version: &str| {
            let json = serde_json::json!({
                "implementation_name": "", "implementation_version": version, "os_name": "", "platform_machine": "",
                "platform_python_implementation": "", "platform_release": "", "platform_system": "",
                "platform_version": "", "python_full_version": "3.11.7", "python_version": "3.11", "sys_platform": "",
            });
            serde_json::from_value::<MarkerEnvironment>(json.clone()).inspect(|environment| {
                assert_eq!(serde_json::to_value(environment).unwrap(), json, "versions stay as they were written");
            })
        };
        assert_eq!(read("v3.11.0").unwrap().implementation_version(), "v3.11.0");
        assert!(read("3.11+").is_err());
        let other = read("1").unwrap().with_python_version(Version::new([3, 13])).with_os_name("nt");
        assert_eq!((other.python_version(), other.os_name()), ("3.13", "nt"));
    }
}
