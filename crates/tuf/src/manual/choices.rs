//! # Where the specification leaves a choice
//!
//! * **Key ids are opaque** (TAP 12). They are looked up in the file that delegates and never recomputed; thresholds count
//!   keys by their decoded material, so one key under two names, or written in two ways, counts once. When enough have signed,
//!   the other signatures are not looked at.
//! * **Unknown kinds of keys** do not count and do not make a file unreadable. If a threshold is out of reach because of
//!   them, that is [`Check::SupportedKeys`](crate::Check::SupportedKeys).
//! * **Unknown hash algorithms** are ignored if a known one is listed too, and then all known ones must match. MD5 and
//!   SHA-1 are unknown.
//! * **Bins** (`succinct_roles`, TAP 15) are terminating, as in other clients; the TAP's text does not say so.
//! * **`terminating` and `consistent_snapshot`** are false where they are missing.
//! * **Delegations to several roles at once** (TAP 3) end the look-up with
//!   [`Check::Supported`](crate::Check::Supported): skipping one would mean asking fewer roles than the delegator wants.
//! * **A role reached through two others** is verified with the keys of each.
//! * **A stored snapshot** of the version that the timestamp names is used only if it also has the length and hashes that
//!   the timestamp gives; otherwise it serves to compare with, and the repository is asked.
//! * **Rotated keys** (TUF 5.3.11): when a new root takes a key away from timestamp or snapshot, both stored files are
//!   deleted and not compared with, before the new root is stored: a run that finds that root in the store cannot know
//!   that it is new. Nor can a run that starts from a newer root than the store has ever seen; if that root took only
//!   `snapshot` keys away, a stored timestamp that names a snapshot out of reach has to be deleted by hand.
//! * **A stored timestamp or snapshot that no longer verifies** is deleted, so that the version it claims keeps nothing from
//!   being stored.
//! * **A hashed bin without hashes in the snapshot and without a target of its own** may be another bin's file
//!   ([`AbsenceDoubt::Bin`](crate::AbsenceDoubt::Bin)): what it does not list may exist, it is not stored, and it is asked for each time.
//! * **More new roots than the limit** are an error, not the end of the search: the last one is not known to be the newest.
//!   What was verified is stored, so the next update goes on from there.
//! * **An early timestamp**, fetched together with the first new root, is asked for once more if a new root made its
//!   signatures worthless.
//! * **Dates** have exactly the form `YYYY-MM-DDTHH:MM:SSZ`; a file expires at its second, not after it.
//! * **Expired metadata by explicit wish** ([`Limits::expired_for`](crate::Limits::expired_for)), which the specification does
//!   not know: for a repository whose operator is away. All other checks stay as they are, and an expired root stays refused:
//!   nobody could say whether it still names the right keys.
