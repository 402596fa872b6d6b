//! `root.json` (spec 4.3).

use super::fields::{Field, ObjectFields};
use super::header::Header;
use super::role::{read_keys, write_keys};
use super::{FormatError, RoleKeys, SPEC_VERSION, Signed, TopLevelRole};
use crate::format_error::JsonPath;
use crate::json::{Object, Value};
use crate::{Key, KeyId, UnixTime};
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

/// Which keys sign for the top-level roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// `spec_version`
    pub spec_version: String,
    /// 1 to 2^63 - 1.
    pub version: u64,
    /// When it stops being usable.
    pub expires: UnixTime,
    /// Whether file names carry versions and hashes; [`Root::consistent_snapshot`] says what missing means.
    pub consistent_snapshot: Option<bool>,
    /// By their names.
    pub keys: BTreeMap<KeyId, Key>,
    /// All four.
    pub roles: BTreeMap<TopLevelRole, RoleKeys>,
    /// Roles of other names, as they are.
    pub other_roles: Object<'static>,
    /// Unknown fields.
    pub other: Object<'static>,
}

impl Root {
    /// Version 1 with consistent snapshots and no keys at all.
    pub fn new(expires: UnixTime) -> Self {
        Root {
            spec_version: SPEC_VERSION.to_owned(),
            version: 1,
            expires,
            consistent_snapshot: Some(true),
            keys: BTreeMap::new(),
            roles: TopLevelRole::ALL.map(|role| (role, RoleKeys::new(&[], 1))).into(),
            other_roles: Object::new(),
            other: Object::new(),
        }
    }
    /// Gives a role these keys, of which `threshold` must sign; keys that no role uses any more leave.
    pub fn set_role(&mut self, role: TopLevelRole, keys: &[Key], threshold: u64) {
        let earlier = self.roles.remove(&role);
        let other = earlier.map(|earlier| earlier.other).unwrap_or_default();
        self.roles.insert(role, RoleKeys { other, ..RoleKeys::new(keys, threshold) });
        self.keys.extend(keys.iter().map(|key| (key.identifier(), key.clone())));

        let top_level = self.roles.values().flat_map(|role| &role.key_ids).map(|key_id| key_id.0.as_str());
        let used: HashSet<&str> =
            top_level.chain(self.other_roles.iter().flat_map(|(_, role)| key_ids(role))).collect();
        self.keys.retain(|key_id, _| used.contains(key_id.0.as_str()));
    }
    /// Keys and threshold of a role. One removed from `roles` by hand has no keys: nothing can be signed for it.
    pub fn role(&self, role: TopLevelRole) -> &RoleKeys {
        static NOBODY: LazyLock<RoleKeys> = LazyLock::new(|| RoleKeys::new(&[], u64::MAX));
        self.roles.get(&role).unwrap_or(&NOBODY)
    }
    /// Whether file names carry versions and hashes; missing means not.
    pub fn consistent_snapshot(&self) -> bool {
        self.consistent_snapshot.unwrap_or(false)
    }
}

impl Signed for Root {
    const TYPE: TopLevelRole = TopLevelRole::Root;

    fn from_value(signed: &Value<'_>) -> Result<Self, FormatError> {
        let signed = Field { value: signed, place: JsonPath::top("signed") };
        let mut fields = signed.fields()?;
        let Header { spec_version, version, expires } = Header::read(Self::TYPE, &mut fields)?;
        let consistent_snapshot = fields.optional("consistent_snapshot").map(|field| field.boolean()).transpose()?;
        let keys = read_keys(&fields.required("keys")?)?;
        let roles = fields.required("roles")?;
        let mut role_fields = roles.fields()?;
        let roles = TopLevelRole::ALL.map(|role| Ok((role, read_role(role, &mut role_fields)?)));
        let roles = roles.into_iter().collect::<Result<_, FormatError>>()?;
        let other_roles = role_fields.rest();
        let other = fields.rest();
        Ok(Root { spec_version, version, expires, consistent_snapshot, keys, roles, other_roles, other })
    }

    fn to_value(&self) -> Value<'static> {
        let mut signed = Header::write(Self::TYPE, &self.spec_version, self.version, self.expires, &self.other);
        if let Some(consistent_snapshot) = self.consistent_snapshot {
            signed.insert("consistent_snapshot", Value::Bool(consistent_snapshot));
        }
        signed.insert("keys", write_keys(&self.keys));
        let mut roles = self.other_roles.clone();
        for (role, keys) in &self.roles {
            let mut object = keys.other.clone();
            keys.put(&mut object);
            roles.insert(role.name(), Value::Object(object));
        }
        signed.insert("roles", Value::Object(roles));
        Value::Object(signed)
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn expires(&self) -> UnixTime {
        self.expires
    }
}

fn read_role(role: TopLevelRole, roles: &mut ObjectFields<'_, '_>) -> Result<RoleKeys, FormatError> {
    let field = roles.required(role.name())?;
    let mut fields = field.fields()?;
    let keys = RoleKeys::take(&mut fields)?;
    Ok(RoleKeys { other: fields.rest(), ..keys })
}

/// Key ids of a role this crate knows nothing else of.
fn key_ids<'a>(role: &'a Value<'_>) -> impl Iterator<Item = &'a str> {
    let list = match role.as_object().and_then(|role| role.get("keyids")) {
        Some(Value::Array(list)) => list.as_slice(),
        _ => &[],
    };
    list.iter().filter_map(|key_id| key_id.as_str())
}
