//! # What is refused, and where
//!
//! The attacker answers or alters every request. What else he needs is in brackets. Each line names the check that
//! refuses; the tests in `tests/client` play all of these.
//!
//! | attack | refused by |
//! |---|---|
//! | arbitrary file for a target | [`Verifier`](crate::Verifier): signed length and every known hash |
//! | target that nobody signed | [`LookUp::NotFound`](crate::LookUp::NotFound), which the repository's keys vouch for if there is no [`AbsenceDoubt`](crate::AbsenceDoubt) |
//! | metadata unsigned, signed by other keys, by too few, by one key several times, by one key under several names | [`Check::Signatures`](crate::Check::Signatures) |
//! | metadata of one role served as another's | [`Check::Type`](crate::Check::Type), [`Check::Signatures`](crate::Check::Signatures), [`Check::Version`](crate::Check::Version) |
//! | a root that only the old or only the new keys signed | [`Check::Signatures`](crate::Check::Signatures) |
//! | a root that leaves out a version, repeats one or goes back | [`Check::RootVersion`](crate::Check::RootVersion) |
//! | hiding a new root behind errors | [`Check::Reachable`](crate::Check::Reachable): only "no such file" ends the search |
//! | an endless chain of roots (revoked root keys) | [`Check::RootRotations`](crate::Check::RootRotations) |
//! | endless files | [`Check::Size`](crate::Check::Size), and [`Mismatch::TooLong`](crate::Mismatch::TooLong) for targets |
//! | an old timestamp again; one that names an old snapshot (timestamp key) | [`Check::TimestampRollback`](crate::Check::TimestampRollback), [`Check::SnapshotRollback`](crate::Check::SnapshotRollback), also when the stored one has expired |
//! | another timestamp of the same version | ignored, the stored one stays |
//! | an old version of a role in a new snapshot (snapshot key) | [`Check::RoleRollback`](crate::Check::RoleRollback), for every role |
//! | a role missing from a new snapshot (snapshot key) | [`Check::RoleRemoved`](crate::Check::RoleRemoved) |
//! | files of different snapshots mixed | [`Check::Version`](crate::Check::Version), [`Check::LengthAndHashes`](crate::Check::LengthAndHashes) |
//! | freezing: old but valid metadata for ever | [`Check::Expiry`](crate::Check::Expiry) for every role, by one clock reading; with [`Limits::expired_for`](crate::Limits::expired_for) so much later, but not for the root |
//! | versions moved far ahead (online keys), so that honest ones look like a rollback | a root that takes the keys away makes the client forget what they signed |
//! | threshold of 0, negative, a fraction, too big | [`Check::Format`](crate::Check::Format) |
//! | duplicate JSON members, floats, huge numbers, deep nesting, millions of values | [`Check::Format`](crate::Check::Format), before anything is interpreted |
//! | 100,000 signatures, keys or delegations, patterns that take long to try | [`Check::Format`](crate::Check::Format) |
//! | hundreds of signatures of slow kinds, or of a large file | bounded: the 513th is refused, and what hashes more than 512 MiB in all does not count |
//! | role names that are paths, or equal on some file systems | [`RoleName::encoded`](crate::metadata::RoleName::encoded), [`RoleName::file_stem`](crate::metadata::RoleName::file_stem) |
//! | delegated role below its threshold, expired, of another version or content, not in the snapshot | the same checks as for `targets`, and [`Check::InSnapshot`](crate::Check::InSnapshot) |
//! | a delegated role that satisfied another delegator's keys | judged again for each delegator |
//! | a target in a role that may not speak of its path; in the bin of another hash | not found: that role is not asked |
//! | the file of one bin served as that of another, so that its targets seem not to exist | the hashes in the snapshot; without them [`AbsenceDoubt::Bin`](crate::AbsenceDoubt::Bin), and the file is not stored |
//! | an unusable role, so that a later one answers in its place | the look-up ends with the error |
//! | cycles, thousands of delegations that all match | every role once, at most [`Limits::delegations_visited`](crate::Limits::delegations_visited), and the result says [`AbsenceDoubt::Truncated`](crate::AbsenceDoubt::Truncated) |
//! | patterns made to match slowly | matching is linear but for one star at a time |
//! | weak keys and signatures that can be altered | Ed25519 strictly; RSA from 2048 bits; only points on the curve |
//! | changed files in the local store | verified again in every run, from the root the program brings |
//!
//! ## What it cannot refuse
//!
//! Delegated roles with the same keys and the same version can be exchanged on the way if the snapshot gives no hashes:
//! nothing in a file says whose it is. So a target can be hidden, and a later delegation be asked in its place; only for hashed
//! bins is that noticed. Sign hashes, or with different keys, or delegate so that nothing comes after.
//!
//! Whoever holds enough keys of a role may sign what that role may sign. Within its validity, an old timestamp can be
//! replayed to a client that has never seen a newer one. And who can replace the root that the program starts from, or
//! turn its clock back, has replaced the program.
