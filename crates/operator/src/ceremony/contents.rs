//! The content of a file besides its keys, thresholds, version and expiry, piece by piece, so that no change
//! stays hidden from key holders.

use std::collections::BTreeMap;

use repository::ceremony::OfflineMetadataFile;
use serde_json::{Map, Value};

/// The label of the pieces that give the priority of delegated roles.
const ORDER: &str = "the order of the roles, the first of which is believed";

/// The pieces of a file by label. The label of a target is its path.
#[derive(Default)]
pub struct FileStatements {
    /// Everything but the files.
    pub rules: BTreeMap<String, String>,
    /// The targets that it signs.
    pub targets: BTreeMap<String, String>,
}

impl FileStatements {
    /// The pieces of a file.
    pub fn of(file: &OfflineMetadataFile) -> Self {
        let whole: Value = serde_json::from_slice(&file.to_bytes()).unwrap_or_default();
        let Some(Value::Object(mut signed)) = whole.get("signed").cloned() else { return Self::default() };
        let mut contents = Self::default();
        // These are described elsewhere.
        for name in ["_type", "version", "expires", "keys"] {
            signed.remove(name);
        }
        if let Some(Value::Object(targets)) = signed.remove("targets") {
            contents.targets = targets.into_iter().map(|(path, target)| (path, target.to_string())).collect();
        }
        if let Some(Value::Object(roles)) = signed.remove("roles") {
            for (role, keys) in roles {
                contents.role(&role, keys);
            }
        }
        if let Some(Value::Object(delegations)) = signed.remove("delegations") {
            contents.delegations(delegations);
        }
        contents.fields("", signed);
        contents
    }

    fn delegations(&mut self, mut delegations: Map<String, Value>) {
        delegations.remove("keys");
        if let Some(Value::Array(roles)) = delegations.remove("roles") {
            let name = |role: &Value| role.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let names: Vec<String> = roles.iter().map(name).collect();
            if names.len() > 1 {
                self.rules.insert(ORDER.to_owned(), names.join(", "));
            }
            for role in roles {
                self.role(&name(&role), role);
            }
        }
        if let Some(bins) = delegations.remove("succinct_roles") {
            self.role("bins", bins);
        }
        self.fields("delegations, ", delegations);
    }

    /// The permissions of a role; its keys and threshold are described elsewhere.
    fn role(&mut self, name: &str, role: Value) {
        let Value::Object(mut fields) = role else { return };
        for known in ["keyids", "threshold", "name"] {
            fields.remove(known);
        }
        if fields.get("path_hash_prefixes").is_some_and(is_everything) {
            fields.remove("path_hash_prefixes");
            fields.insert("paths".to_owned(), Value::from("all"));
        }
        self.fields(&format!("{name}, "), fields);
    }

    fn fields(&mut self, before: &str, fields: Map<String, Value>) {
        let pieces = fields.into_iter().map(|(name, value)| (format!("{before}{name}"), value.to_string()));
        self.rules.extend(pieces);
    }

    /// The differences from the previous pieces, as text.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let mut lines = changed(&before.rules, &self.rules);
        lines.extend(changed(&before.targets, &self.targets));
        lines
    }
}

/// Whether the prefixes are all first digits of a hash, which means every path.
fn is_everything(prefixes: &Value) -> bool {
    let prefixes = prefixes.as_array().into_iter().flatten().filter_map(Value::as_str);
    let digits: std::collections::BTreeSet<&str> = prefixes.filter(|prefix| prefix.len() == 1).collect();
    digits.len() == 16
}

fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in after {
        match before.get(name) {
            None => lines.push(format!("  {name} is new: {value}")),
            Some(before) if before != value => lines.push(format!("  {name} is {value}, instead of {before}")),
            Some(_) => {}
        }
    }
    lines.extend(before.keys().filter(|name| !after.contains_key(*name)).map(|name| format!("  {name} is gone")));
    lines
}
