//! Delegations (spec 4.5, TAP 15).

use super::fields::Field;
use super::role::{read_keys, write_keys};
use super::{FormatError, PathPattern, RoleKeys, RoleName, SuccinctRoles, TopLevelRole};
use crate::format_error::quote;
use crate::json::{Object, Value};
use crate::{Key, KeyId};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};

/// Roles one file delegates to: four times the 16,384 bins of PEP 458. More of them fit into `succinct_roles`.
pub const MAX_DELEGATIONS: usize = 65_536;

/// All patterns of one file, in bytes: a look-up may have to try each at every place of its path, which takes two seconds
/// for a path of a kilobyte and the worst patterns. As many delegations as there may be have 32 bytes each.
const MAX_PATTERN_TEXT: usize = 2 << 20;

/// Keys and roles that a targets file delegates to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegations {
    /// By their names, which mean something only here.
    pub keys: BTreeMap<KeyId, Key>,
    /// The roles.
    pub roles: DelegatedRoles,
    /// Unknown fields.
    pub other: Object<'static>,
}

/// Either form of naming roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DelegatedRoles {
    /// `roles`: in order of priority, each name once.
    Listed(Vec<DelegatedRole>),
    /// `succinct_roles` (TAP 15).
    Succinct(SuccinctRoles),
}

/// One delegated role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegatedRole {
    /// Not one of the four top-level ones.
    pub name: RoleName,
    /// Who signs.
    pub keys: RoleKeys,
    /// Whether later roles are not asked for a path this one matches; [`DelegatedRole::is_terminating`] says what
    /// missing means.
    pub terminating: Option<bool>,
    /// Which target paths it may speak of.
    pub paths: PathSet,
    /// Unknown fields.
    pub other: Object<'static>,
}

/// Target paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathSet {
    /// `paths`
    Patterns(Vec<PathPattern>),
    /// `path_hash_prefixes`: prefixes of the hex SHA-256 of the path.
    HashPrefixes(Vec<HashPrefix>),
}

/// 1 to 64 lower-case hex digits (upper-case ones are refused).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashPrefix(String);

impl Delegations {
    /// To `2^bit_length` hashed bins with the same keys (TAP 15), named `PREFIX-` and the bin's number in hex, all equally long:
    /// `bins-00` to `bins-ff`. `None` unless `bit_length` is 1 to 32.
    pub fn succinct(keys: &[Key], threshold: u64, bit_length: u8, name_prefix: &str) -> Option<Self> {
        let roles = SuccinctRoles::new(RoleKeys::new(keys, threshold), bit_length, name_prefix)?;
        Some(Self::new(keys, DelegatedRoles::Succinct(roles)))
    }
    /// To one more role, which is asked after those before it; the role, to be changed. `None` if this delegates to bins.
    pub fn add(&mut self, name: &str, keys: &[Key], threshold: u64, paths: PathSet) -> Option<&mut DelegatedRole> {
        let DelegatedRoles::Listed(roles) = &mut self.roles else { return None };
        self.keys.extend(keys.iter().map(|key| (key.identifier(), key.clone())));
        roles.push(DelegatedRole::new(name.into(), RoleKeys::new(keys, threshold), paths));
        roles.last_mut()
    }
    /// To these roles. `keys` must have all that the roles name.
    pub fn new(keys: &[Key], roles: DelegatedRoles) -> Self {
        let keys = keys.iter().map(|key| (key.identifier(), key.clone())).collect();
        Delegations { keys, roles, other: Object::new() }
    }
    /// Who signs for a role that is delegated to here.
    pub fn role_keys(&self, role: &RoleName) -> Option<&RoleKeys> {
        match &self.roles {
            DelegatedRoles::Listed(roles) => {
                roles.iter().find(|listed| listed.name == *role).map(|listed| &listed.keys)
            }
            // Which role it is was computed from this very delegation.
            DelegatedRoles::Succinct(succinct) => Some(&succinct.keys),
        }
    }

    pub(super) fn read(field: &Field<'_, '_>) -> Result<Self, FormatError> {
        if let Value::Array(_) = field.value {
            // TAP 3.
            return Err(field.wrong("delegations to single roles, an object").unsupported());
        }
        let mut fields = field.fields()?;
        let keys = read_keys(&fields.required("keys")?)?;
        let roles = match (fields.optional("roles"), fields.optional("succinct_roles")) {
            (Some(roles), None) => DelegatedRoles::Listed(read_roles(&roles)?),
            (None, Some(succinct)) => DelegatedRoles::Succinct(SuccinctRoles::read(&succinct)?),
            (Some(_), Some(_)) => return Err(fields.because("roles or succinct_roles", "both")),
            (None, None) => return Err(fields.because("roles or succinct_roles", "neither")),
        };
        Ok(Delegations { keys, roles, other: fields.rest() })
    }

    pub(super) fn write(&self) -> Value<'static> {
        let mut object = self.other.clone();
        object.insert("keys", write_keys(&self.keys));
        match &self.roles {
            DelegatedRoles::Listed(roles) => {
                object.insert("roles", Value::Array(roles.iter().map(DelegatedRole::write).collect()))
            }
            DelegatedRoles::Succinct(succinct) => object.insert("succinct_roles", succinct.write()),
        };
        Value::Object(object)
    }
}

impl DelegatedRole {
    /// Not terminating, without unknown fields.
    pub fn new(name: RoleName, keys: RoleKeys, paths: PathSet) -> Self {
        DelegatedRole { name, keys, terminating: Some(false), paths, other: Object::new() }
    }
    /// Whether later roles are not asked for a path this one matches; missing means not.
    pub fn is_terminating(&self) -> bool {
        self.terminating.unwrap_or(false)
    }
    /// Whether the role may speak of this path.
    pub fn matches(&self, path: &str) -> bool {
        match &self.paths {
            PathSet::Patterns(patterns) => patterns.iter().any(|pattern| pattern.matches(path)),
            PathSet::HashPrefixes(prefixes) => {
                let hash = path_hash(path);
                prefixes.iter().any(|prefix| hash.starts_with(prefix.as_str()))
            }
        }
    }

    fn read(field: &Field<'_, '_>) -> Result<Self, FormatError> {
        let mut fields = field.fields()?;
        for name in ["min_roles_in_agreement", "roleinfo"] {
            if let Some(field) = fields.optional(name) {
                // TAP 3: ignoring it would ignore who else must agree.
                return Err(field.wrong("a delegation to a single role").unsupported());
            }
        }
        let name = fields.required("name")?;
        if TopLevelRole::ALL.iter().any(|role| name.value.as_str() == Some(role.name())) {
            return Err(name.wrong("a name other than those of the top-level roles"));
        }
        let name = RoleName::from(name.non_empty_string()?);
        let keys = RoleKeys::take(&mut fields)?;
        let terminating = fields.optional("terminating").map(|field| field.boolean()).transpose()?;
        let paths = match (fields.optional("paths"), fields.optional("path_hash_prefixes")) {
            (Some(paths), None) => PathSet::Patterns(read_patterns(&paths)?),
            (None, Some(prefixes)) => PathSet::HashPrefixes(read_prefixes(&prefixes)?),
            (Some(_), Some(_)) => return Err(fields.because("paths or path_hash_prefixes", "both")),
            (None, None) => return Err(fields.because("paths or path_hash_prefixes", "neither")),
        };
        Ok(DelegatedRole { name, keys, terminating, paths, other: fields.rest() })
    }

    fn write(&self) -> Value<'static> {
        let mut object = self.other.clone();
        object.insert("name", Value::String(self.name.as_str().to_owned().into()));
        self.keys.put(&mut object);
        if let Some(terminating) = self.terminating {
            object.insert("terminating", Value::Bool(terminating));
        }
        let texts = |texts: Vec<&str>| texts.into_iter().map(|text| Value::String(text.to_owned().into())).collect();
        match &self.paths {
            PathSet::Patterns(patterns) => {
                object.insert("paths", Value::Array(texts(patterns.iter().map(PathPattern::as_str).collect())))
            }
            PathSet::HashPrefixes(prefixes) => {
                let prefixes = texts(prefixes.iter().map(HashPrefix::as_str).collect());
                object.insert("path_hash_prefixes", Value::Array(prefixes))
            }
        };
        Value::Object(object)
    }
}

impl HashPrefix {
    /// `None` unless 1 to 64 lower-case hex digits.
    pub fn new(digits: &str) -> Option<Self> {
        let valid = (1..=64).contains(&digits.len()) && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        valid.then(|| HashPrefix(digits.to_owned()))
    }
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What prefixes are prefixes of: hex SHA-256 of a target path.
pub(crate) fn path_hash(path: &str) -> String {
    hex::encode(Sha256::digest(path.as_bytes()))
}

fn read_roles(field: &Field<'_, '_>) -> Result<Vec<DelegatedRole>, FormatError> {
    let elements = field.elements(MAX_DELEGATIONS)?;
    let mut roles = Vec::with_capacity(elements.len());
    let mut names = HashSet::with_capacity(elements.len());
    let mut pattern_text = 0;
    for element in elements {
        let role = DelegatedRole::read(&element)?;
        if let PathSet::Patterns(patterns) = &role.paths {
            pattern_text += patterns.iter().map(|pattern| pattern.as_str().len()).sum::<usize>();
        }
        if pattern_text > MAX_PATTERN_TEXT {
            return Err(field.because(format!("patterns of at most {MAX_PATTERN_TEXT} bytes in all"), "more"));
        }
        if !names.insert(role.name.clone()) {
            return Err(element.because("no role twice", quote(role.name.as_str())));
        }
        roles.push(role);
    }
    Ok(roles)
}

fn read_patterns(field: &Field<'_, '_>) -> Result<Vec<PathPattern>, FormatError> {
    let patterns = field.elements(usize::MAX)?;
    patterns.map(|pattern| Ok(PathPattern::new(pattern.non_empty_string()?))).collect()
}

fn read_prefixes(field: &Field<'_, '_>) -> Result<Vec<HashPrefix>, FormatError> {
    let prefixes = field.elements(usize::MAX)?;
    let read = |prefix: Field<'_, '_>| {
        HashPrefix::new(prefix.string()?).ok_or_else(|| prefix.wrong("1 to 64 lower-case hex digits"))
    };
    prefixes.map(read).collect()
}
