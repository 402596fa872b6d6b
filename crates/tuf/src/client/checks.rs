//! Every check of the client workflow (TUF 5), as functions of bytes and what is trusted already.
//!
//! Nothing here has state or sends requests. Every result is verified; [`Client`](crate::Client) decides what to
//! check next. There are no checks outside this file.

use std::collections::BTreeMap;
use std::ops::Deref;

use crate::error::{Check, Error};
use crate::json::Value;
use crate::metadata::threshold::{self, SignedBy};
use crate::metadata::{
    DelegatedRoles, Delegations, Envelope, FileMeta, PathSet, RoleKeys, RoleName, Root, Signed, Snapshot, Targets,
    Timestamp, TopLevelRole,
};
use crate::verifier::{Mismatch, Size, Verifier};
use crate::{Key, KeyId, UnixTime};

/// What expiry dates are compared with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// The time of the epoch.
    pub(super) now: UnixTime,
    /// [`Limits::expired_for`](crate::Limits::expired_for)
    pub(super) expired_for: u64,
}

/// Who must have signed a file.
#[derive(Clone, Copy)]
pub(super) struct Signers<'a> {
    pub(super) keys: &'a BTreeMap<KeyId, Key>,
    pub(super) role: &'a RoleKeys,
}

impl<'a> Signers<'a> {
    /// Those that a root names for a top-level role.
    pub(super) fn of_root(root: &'a Root, role: TopLevelRole) -> Self {
        Signers { keys: &root.keys, role: root.role(role) }
    }
}

/// Metadata that enough keys signed, and which.
#[derive(Clone, Debug)]
pub(super) struct Verified<T> {
    pub(super) content: T,
    pub(super) signed_by: SignedBy,
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.content
    }
}

/// The root that everything starts from: it is signed by itself (TUF 5.2). Its expiry does not matter yet.
pub(super) fn trusted_root(bytes: &[u8]) -> Result<Verified<Root>, Error> {
    root_signed_by_itself(bytes, None).map_err(Error::of_trusted_root)
}

/// The successor of a trusted root (TUF 5.3.4, 5.3.5). Its expiry does not matter unless it is the last one.
pub(super) fn next_root(bytes: &[u8], trusted: &Root) -> Result<Verified<Root>, Error> {
    let root = root_signed_by_itself(bytes, Some(trusted))?;
    let next = trusted.version.saturating_add(1);
    if root.version != next {
        let error = Error::new(Check::RootVersion, TopLevelRole::Root, format!("version {next}"), root.version);
        return Err(error.with_version(next));
    }
    Ok(root)
}

fn root_signed_by_itself(bytes: &[u8], before: Option<&Root>) -> Result<Verified<Root>, Error> {
    let envelope = open::<Root>(bytes, &RoleName::from(TopLevelRole::Root))?;
    if let Some(before) = before {
        let signers = Signers::of_root(before, TopLevelRole::Root);
        signatures(&envelope, &TopLevelRole::Root.into(), signers, &format!("root {}", before.version))?;
    }
    let root: Root = interpret(&envelope.signed, &TopLevelRole::Root.into())?;
    let signers = Signers::of_root(&root, TopLevelRole::Root);
    let signed_by = signatures(&envelope, &TopLevelRole::Root.into(), signers, "this root itself")
        .map_err(|error| error.with_version(root.version))?;
    Ok(Verified { content: root, signed_by })
}

/// A timestamp signed by the root's keys (TUF 5.4.2). Whether it is newer and still valid is checked separately,
/// because an expired or outdated one from the store is still a base to compare with.
pub(super) fn timestamp(bytes: &[u8], root: &Root) -> Result<Verified<Timestamp>, Error> {
    top_level(bytes, root)
}

/// Whether a timestamp takes the place of the trusted one: not when it has the same version, whatever else is in it.
pub(super) fn is_newer(timestamp: &Timestamp, trusted: &Timestamp) -> Result<bool, Error> {
    // TUF 5.4.3.1
    if timestamp.version < trusted.version {
        let expected = format!("at least version {}", trusted.version);
        return Err(Error::new(Check::TimestampRollback, TopLevelRole::Timestamp, expected, timestamp.version)
            .with_version(timestamp.version));
    }
    if timestamp.version == trusted.version {
        return Ok(false);
    }
    // TUF 5.4.3.2
    let (named, before) = (timestamp.snapshot.version, trusted.snapshot.version);
    if named < before {
        let expected = format!("snapshot {before} or later, which version {} names", trusted.version);
        return Err(Error::new(
            Check::SnapshotRollback,
            TopLevelRole::Timestamp,
            expected,
            format!("snapshot {named}"),
        )
        .with_version(timestamp.version));
    }
    Ok(true)
}

/// A snapshot from the store as a base to compare with: signed by the root's keys. May be outdated or expired.
pub(super) fn stored_snapshot(bytes: &[u8], root: &Root) -> Result<Verified<Snapshot>, Error> {
    top_level(bytes, root)
}

/// Whether a snapshot from the store is the one that the timestamp names, and still valid.
pub(super) fn is_named(
    snapshot: &Verified<Snapshot>,
    bytes: &[u8],
    named: &FileMeta,
    clock: Clock,
) -> Result<(), Error> {
    let role = RoleName::from(TopLevelRole::Snapshot);
    version(snapshot, &role, named)?;
    length_and_hashes(bytes, &role, named)?;
    unexpired(snapshot, &role, clock)
}

/// The snapshot that the timestamp names (TUF 5.5.2 to 5.5.6).
pub(super) fn snapshot(
    bytes: &[u8],
    root: &Root,
    named: &FileMeta,
    trusted: Option<&Snapshot>,
    clock: Clock,
) -> Result<Verified<Snapshot>, Error> {
    let role = RoleName::from(TopLevelRole::Snapshot);
    // Before anything of it is interpreted.
    length_and_hashes(bytes, &role, named)?;
    let snapshot: Verified<Snapshot> = top_level(bytes, root)?;
    version(&snapshot, &role, named)?;
    if let Some(trusted) = trusted {
        nothing_rolled_back(&snapshot, trusted)?;
    }
    unexpired(&snapshot, &role, clock)?;
    Ok(snapshot)
}

/// Top-level targets or those of a delegated role, as the snapshot lists them (TUF 5.6.2 to 5.6.5).
pub(super) fn targets(
    bytes: &[u8],
    role: &RoleName,
    signers: Signers<'_>,
    delegator: &str,
    listed: &FileMeta,
    clock: Clock,
) -> Result<Verified<Targets>, Error> {
    length_and_hashes(bytes, role, listed)?;
    let envelope = open::<Targets>(bytes, role)?;
    let signed_by =
        signatures(&envelope, role, signers, delegator).map_err(|error| error.with_version(listed.version))?;
    drop(envelope.canonical); // As large as the file.
    let targets = Verified { content: interpret(&envelope.signed, role)?, signed_by };
    version(&targets, role, listed)?;
    unexpired(&targets, role, clock)?;
    Ok(targets)
}

/// Whether the file of a hashed bin may be that of another bin: nothing in it belongs to this one, and no hash of it is
/// listed.
///
/// TUF does not ask for this. But all bins of a delegation have the same keys and often the same version, and a
/// snapshot of thousands of them gives no hashes: then the file of one can be served as that of another, to make the
/// repository seem to prove that the target does not exist.
pub(super) fn may_be_another_bin(
    targets: &Targets,
    role: &RoleName,
    delegations: &Delegations,
    listed: &FileMeta,
) -> bool {
    if listed.hashes.is_some() || targets.delegations.is_some() {
        return false;
    }
    let mut paths = targets.targets.keys();
    match &delegations.roles {
        DelegatedRoles::Succinct(bins) => paths.all(|path| bins.bin(path) != *role),
        DelegatedRoles::Listed(roles) => {
            let bin = roles.iter().find(|listed| listed.name == *role);
            bin.is_some_and(|bin| matches!(bin.paths, PathSet::HashPrefixes(_)) && paths.all(|path| !bin.matches(path)))
        }
    }
}

/// TUF 5.3.10, 5.4.4, 5.5.6, 5.6.5: usable until the second it expires at, and not at that second; or until the user's
/// tolerance ends, which does not exist for roots.
pub(super) fn unexpired<T: Signed>(signed: &Verified<T>, role: &RoleName, clock: Clock) -> Result<(), Error> {
    let Clock { now, expired_for } = clock;
    let expired_for = if T::TYPE == TopLevelRole::Root { 0 } else { expired_for };
    if signed.expires().0 <= now.0.saturating_sub_unsigned(expired_for) {
        let expected = match expired_for {
            0 => format!("an expiry date after the time of the update, {now}"),
            _ => format!("an expiry date less than {expired_for} seconds before the time of the update, {now}"),
        };
        return Err(Error::new(Check::Expiry, role.clone(), expected, signed.expires()).with_version(signed.version()));
    }
    Ok(())
}

fn top_level<T: Signed>(bytes: &[u8], root: &Root) -> Result<Verified<T>, Error> {
    let role = RoleName::from(T::TYPE);
    let envelope = open::<T>(bytes, &role)?;
    let signers = Signers::of_root(root, T::TYPE);
    let signed_by = signatures(&envelope, &role, signers, &format!("root {}", root.version))?;
    drop(envelope.canonical); // As large as the file.
    Ok(Verified { content: interpret(&envelope.signed, &role)?, signed_by })
}

/// Parses a file and checks that it is of this kind of role, so that a snapshot is never taken for a timestamp.
fn open<'a, T: Signed>(bytes: &'a [u8], role: &RoleName) -> Result<Envelope<'a>, Error> {
    let envelope = Envelope::open(bytes).map_err(|error| Error::format(role.clone(), &error))?;
    let (expected, found) = (T::TYPE.name(), envelope.type_name());
    if found != expected {
        return Err(Error::new(Check::Type, role.clone(), format!("{expected} metadata"), found));
    }
    Ok(envelope)
}

fn interpret<T: Signed>(signed: &Value<'_>, role: &RoleName) -> Result<T, Error> {
    T::from_value(signed).map_err(|error| Error::format(role.clone(), &error))
}

fn signatures(
    envelope: &Envelope<'_>,
    role: &RoleName,
    signers: Signers<'_>,
    named_by: &str,
) -> Result<SignedBy, Error> {
    let verified = threshold::verify(&envelope.canonical, &envelope.signatures, signers.keys, signers.role);
    let shortfall = match verified {
        Ok(signed_by) => return Ok(signed_by),
        Err(shortfall) => shortfall,
    };
    let threshold = signers.role.threshold;
    let keys = signers.role.key_ids.len();
    let expected = format!("valid signatures of {threshold} of the {keys} keys that {named_by} names");
    // Only with keys of unknown kinds could there be enough.
    if shortfall.usable < threshold && !shortfall.unsupported.is_empty() {
        let found =
            format!("only {} keys of known kinds, besides {}", shortfall.usable, shortfall.unsupported.join(", "));
        return Err(Error::new(Check::SupportedKeys, role.clone(), expected, found));
    }
    let found = match shortfall.usable {
        usable if usable < threshold => format!("{}, and never enough: {usable} keys can be used", shortfall.signed),
        _ => shortfall.signed.to_string(),
    };
    Err(Error::new(Check::Signatures, role.clone(), expected, found))
}

fn length_and_hashes(bytes: &[u8], role: &RoleName, listed: &FileMeta) -> Result<(), Error> {
    let mismatch = |mismatch: Mismatch| {
        let error = match mismatch {
            Mismatch::NoKnownHash { listed } => {
                Error::new(Check::Supported, role.clone(), "a hash of a known algorithm", listed)
            }
            Mismatch::Hash { algorithm, expected, found } => {
                Error::new(Check::LengthAndHashes, role.clone(), format!("{algorithm} {expected}"), found)
            }
            other => Error::new(Check::LengthAndHashes, role.clone(), "the length that was signed", other),
        };
        error.with_version(listed.version)
    };
    let length = bytes.len() as u64;
    if let Some(expected) = listed.length
        && expected != length
    {
        let error = Error::new(Check::LengthAndHashes, role.clone(), format!("{expected} bytes"), length);
        return Err(error.with_version(listed.version));
    }
    if let Some(hashes) = &listed.hashes {
        let mut verifier = Verifier::new(Size::Exactly(length), hashes).map_err(mismatch)?;
        verifier.update(bytes).and_then(|()| verifier.finish()).map_err(mismatch)?;
    }
    Ok(())
}

/// TUF 5.5.4, 5.6.4: exactly the version that was signed for it, not a later one either.
fn version<T: Signed>(signed: &Verified<T>, role: &RoleName, listed: &FileMeta) -> Result<(), Error> {
    if signed.version() != listed.version {
        let expected = format!("version {}", listed.version);
        return Err(Error::new(Check::Version, role.clone(), expected, signed.version()).with_version(listed.version));
    }
    Ok(())
}

/// TUF 5.5.5: for every role, whether its file was ever fetched or not.
fn nothing_rolled_back(snapshot: &Snapshot, trusted: &Snapshot) -> Result<(), Error> {
    // Both are sorted: one pass over the new entries finds those of all old ones.
    let mut entries = snapshot.meta.iter();
    for (file, before) in &trusted.meta {
        let role = RoleName::from(TopLevelRole::Snapshot);
        let entry = entries.by_ref().find(|(name, _)| *name >= file);
        let Some((_, listed)) = entry.filter(|(name, _)| *name == file) else {
            let expected = format!("{file}, which version {} lists", trusted.version);
            return Err(Error::new(Check::RoleRemoved, role, expected, "no such entry").with_version(snapshot.version));
        };
        if listed.version < before.version {
            let expected = format!("{file} of version {} or later", before.version);
            return Err(Error::new(Check::RoleRollback, role, expected, listed.version).with_version(snapshot.version));
        }
    }
    Ok(())
}
