//! Targets and delegations of random shape.

use tuf::metadata::{
    DelegatedRole, DelegatedRoles, Delegations, HashPrefix, PathPattern, PathSet, RoleKeys, RoleName, SuccinctRoles,
    TargetFile, Targets,
};
use tuf::{HashAlgorithm, Hashes, UnixTime, json};

use super::repository::{DAY, Repository, public};

/// What is looked for.
pub const PATHS: [&str; 14] = [
    "a.txt",
    "A.txt",
    "b.txt",
    "dir/a.txt",
    "dir/b-1.0.tar.gz",
    "dir/sub/c.bin",
    "dir/sub/",
    "simple/größe/vnd.json",
    "simple/名前/vnd.json",
    "simple/😀/vnd.json",
    "[x].txt",
    "with space and %25.txt",
    "quote\"back\\slash",
    "/slash",
];

const PATTERNS: [&str; 22] = [
    "*",
    "*/*",
    "*/*/*",
    "?.txt",
    "*.txt",
    "[ab].txt",
    "[!a].txt",
    "[A-Z].*",
    "[[]x].txt",
    "[]x].txt",
    "[x].txt",
    "dir/*",
    "dir/?.txt",
    "d*/*.gz",
    "dir/*/*",
    "simple/*/vnd.json",
    "simple/?/*",
    "simple/[一-龥]*/*",
    "/*",
    "a.txt",
    "quote*slash",
    "*%*",
];

const NAMES: [&str; 12] =
    ["role", "Role", "größe", "a/b", "../up", "q?x#y", "sp ace", "名前", "%2F", "1.snapshot", "dot.", "😀"];

impl Repository {
    /// Fills targets and delegates, up to three levels deep.
    pub fn grow(&mut self) {
        self.fill("targets");
        self.delegate("targets", 3);
        if self.random.once_in(4) {
            self.delegate_once_more();
        }
    }

    /// Some of the paths; what a target says tells whose it is.
    fn fill(&mut self, role: &str) {
        let algorithms: [&[HashAlgorithm]; 4] = [
            &[HashAlgorithm::Sha256],
            &[HashAlgorithm::Sha512],
            &[HashAlgorithm::Sha256, HashAlgorithm::Sha512],
            &[HashAlgorithm::Blake2b256, HashAlgorithm::Sha384],
        ];
        for path in self.random.some_of(&PATHS, 5) {
            let content = format!("{role} {path}");
            let mut target = TargetFile::of(content.as_bytes());
            let algorithms: &[HashAlgorithm] = self.random.one_of::<&[_]>(&algorithms);
            target.hashes = Hashes::of(content.as_bytes(), algorithms);
            if self.random.once_in(4) {
                target.custom = Some(difficult_text());
            }
            self.targets.get_mut(role).unwrap().targets.insert(path.to_owned(), target);
        }
        if self.random.once_in(4) {
            self.targets.get_mut(role).unwrap().other.insert("x-\u{1}\"größe", difficult_text());
        }
    }

    fn delegate(&mut self, from: &str, levels: usize) {
        match self.random.below(5) {
            0 => self.delegate_to_bins(from),
            kind => self.delegate_to_roles(from, kind == 1),
        }
        let children: Vec<String> = match self.targets[from].delegations.as_ref().map(|delegations| &delegations.roles)
        {
            Some(DelegatedRoles::Listed(roles)) => roles.iter().map(|role| role.name.as_str().to_owned()).collect(),
            _ => return,
        };
        for child in children {
            if levels > 1 && self.random.once_in(2) {
                self.delegate(&child, levels - 1);
            }
        }
    }

    fn delegate_to_bins(&mut self, from: &str) {
        let (keys, threshold) = self.new_keys();
        let bit_length = 1 + self.random.below(5) as u8;
        let succinct = SuccinctRoles {
            keys: RoleKeys::new(&public(&keys), threshold as u64),
            bit_length,
            name_prefix: format!("bin {}", self.targets.len()),
        };
        for bin in succinct.bins() {
            self.add_role(bin.as_str(), &keys, threshold);
        }
        let delegations = Delegations::new(&public(&keys), DelegatedRoles::Succinct(succinct));
        self.targets.get_mut(from).unwrap().delegations = Some(delegations);
    }

    fn delegate_to_roles(&mut self, from: &str, by_prefixes: bool) {
        let number = 1 + self.random.below(4);
        let mut all_keys = Vec::new();
        let mut roles = Vec::new();
        for _ in 0..number {
            let (keys, threshold) = self.new_keys();
            let name = format!("{}{}", self.random.one_of(&NAMES), self.targets.len());
            self.add_role(&name, &keys, threshold);
            let paths = if by_prefixes { self.prefixes() } else { self.patterns() };
            let role_keys = RoleKeys::new(&public(&keys), threshold as u64);
            let mut role = DelegatedRole::new(name.as_str().into(), role_keys, paths);
            role.terminating = Some(self.random.once_in(4));
            all_keys.extend(public(&keys));
            roles.push(role);
        }
        let delegations = Delegations::new(&all_keys, DelegatedRoles::Listed(roles));
        self.targets.get_mut(from).unwrap().delegations = Some(delegations);
    }

    fn add_role(&mut self, name: &str, keys: &[std::sync::Arc<tuf::SigningKey>], threshold: usize) {
        let version = 2 + self.random.below(5) as u64;
        let expires = UnixTime(self.now.0 + 200 * DAY);
        self.targets.insert(name.to_owned(), Targets::new(version, expires));
        self.signers.insert(name.to_owned(), keys.to_vec());
        self.enough.insert(name.to_owned(), threshold);
        self.delegators.insert(name.to_owned(), 1);
        self.fill(name);
    }

    /// Some role delegates to one that others delegate to already, or to itself.
    fn delegate_once_more(&mut self) {
        let listed: Vec<String> = self.listing_roles();
        let known: Vec<(RoleKeys, String)> =
            self.listed_roles().into_iter().map(|role| (role.keys, role.name.as_str().to_owned())).collect();
        if listed.is_empty() || known.is_empty() {
            return;
        }
        let from = self.random.one_of(&listed).clone();
        let (mut role_keys, name) = self.random.one_of(&known).clone();
        let mut keys = public(&self.signers[&name]);
        if self.random.once_in(2) {
            // By other keys, which may not have signed.
            let (others, threshold) = self.new_keys();
            role_keys = RoleKeys::new(&public(&others), threshold as u64);
            keys = public(&others);
            if self.random.once_in(2) {
                let signers = self.signers.get_mut(&name).unwrap();
                signers.extend(others);
                let all = signers.len();
                self.enough.insert(name.clone(), all);
            }
        }
        let paths = self.patterns();
        let Some(Delegations { keys: known_keys, roles: DelegatedRoles::Listed(roles), .. }) =
            &mut self.targets.get_mut(&from).unwrap().delegations
        else {
            return;
        };
        if roles.iter().any(|role| role.name.as_str() == name) {
            return;
        }
        known_keys.extend(keys.into_iter().map(|key| (key.identifier(), key)));
        roles.insert(0, DelegatedRole::new(RoleName::from(name.as_str()), role_keys, paths));
        *self.delegators.get_mut(&name).unwrap() += 1;
    }

    /// Roles that delegate to others by name.
    pub fn listing_roles(&self) -> Vec<String> {
        let lists = |targets: &Targets| {
            matches!(&targets.delegations, Some(Delegations { roles: DelegatedRoles::Listed(_), .. }))
        };
        self.targets.iter().filter(|(_, targets)| lists(targets)).map(|(name, _)| name.clone()).collect()
    }

    fn listed_roles(&self) -> Vec<DelegatedRole> {
        let delegations = self.targets.values().filter_map(|targets| targets.delegations.as_ref());
        let roles = delegations.filter_map(|delegations| match &delegations.roles {
            DelegatedRoles::Listed(roles) => Some(roles.clone()),
            DelegatedRoles::Succinct(_) => None,
        });
        roles.flatten().collect()
    }

    fn patterns(&mut self) -> PathSet {
        let mut patterns = self.random.some_of(&PATTERNS, 3);
        if self.random.once_in(2) {
            patterns.extend(["*", "*/*", "*/*/*"]);
        }
        PathSet::Patterns(patterns.into_iter().map(PathPattern::new).collect())
    }

    fn prefixes(&mut self) -> PathSet {
        let digits: Vec<String> = (0..16).map(|digit| format!("{digit:x}")).collect();
        let mut prefixes = self.random.some_of(&digits, 2);
        prefixes.push(format!("{:04x}", self.random.below(1 << 16)));
        PathSet::HashPrefixes(prefixes.iter().filter_map(|prefix| HashPrefix::new(prefix)).collect())
    }
}

/// Text that is easy to get wrong in the canonical form.
fn difficult_text() -> json::Value<'static> {
    let mut object = json::Object::new();
    object.insert("\u{ffff}", "after the surrogates in UTF-16, before them in code points");
    object.insert("😀", "\u{0}\u{1f}\u{7f}\u{80}\u{2028}\"\\/\r\n\t");
    object.insert("e\u{301}", vec![json::Value::Null, true.into(), u64::MAX.into(), json::Value::Negative(i64::MIN)]);
    json::Value::Object(object)
}
