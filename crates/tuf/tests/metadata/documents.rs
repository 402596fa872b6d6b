//! One file of each kind in which every field stands, unknown ones at every level included.

pub const ROOT: &str = r#"{"signatures": [
  {"keyid": "k1", "sig": "00", "note": [1]},
  {"keyid": "k2", "sig": ""}],
 "signed": {"_type": "root", "spec_version": "1.0", "version": 7, "expires": "2030-01-31T00:00:00Z",
  "consistent_snapshot": false, "x-first": {"b": null, "a": [true, -5]},
  "keys": {
   "k1": {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "ab", "x": 1}, "keyid_hash_algorithms": ["sha256"]},
   "k2": {"keytype": "new", "scheme": "newer", "keyval": {}}},
  "roles": {
   "root": {"keyids": ["k1", "k2"], "threshold": 2, "x-expiry-period": 365},
   "timestamp": {"keyids": ["k1"], "threshold": 1},
   "snapshot": {"keyids": ["not-there"], "threshold": 1},
   "targets": {"keyids": [], "threshold": 4294967295},
   "mirrors": {"keyids": ["k2"], "threshold": 0}}}}"#;

pub const TIMESTAMP: &str = r#"{"signed": {"_type": "timestamp", "spec_version": "1.0.31", "version": 9223372036854775807,
  "expires": "1999-12-31T23:59:59Z", "x-other": "\u00e4\n\"\\",
  "meta": {"snapshot.json": {"version": 3, "length": 0, "hashes": {"sha256": "AB", "md9": "?"}, "x-other": {}}}},
 "signatures": [], "beside": 1}"#;

pub const SNAPSHOT: &str = r#"{"signatures": [], "signed": {"_type": "snapshot", "spec_version": "1.5.0", "version": 1,
  "expires": "2030-01-31T00:00:00Z", "x-other": 0,
  "meta": {"targets.json": {"version": 1}, "../a b/\u00df.json": {"version": 2, "length": 18446744073709551615, "x": []},
   "": {"version": 3}, "no suffix": {"version": 4, "hashes": {"sha512": "0"}}}}}"#;

pub const TARGETS: &str = r#"{"signatures": [], "signed": {"_type": "targets", "spec_version": "1.0.0", "version": 1,
  "expires": "2030-01-31T00:00:00Z", "x-other": 0,
  "targets": {"a/b.whl": {"length": 5, "hashes": {"sha256": "00"}, "custom": null, "x-other": [[]]},
   "": {"length": 0, "hashes": {"blake2b": "11"}, "custom": {"yanked": true}}},
  "delegations": {"x-other": 1,
   "keys": {"k1": {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": "ab"}}},
   "roles": [
    {"name": "first", "keyids": ["k1"], "threshold": 1, "terminating": true, "paths": ["a/*", "?"], "x-other": 2},
    {"name": "../second", "keyids": ["k1"], "threshold": 1, "terminating": false, "path_hash_prefixes": ["0", "ff"]},
    {"name": "third", "keyids": ["k1"], "threshold": 1, "paths": []},
    {"name": "fourth", "keyids": [], "threshold": 1, "path_hash_prefixes": []}]}}}"#;

pub const SUCCINCT: &str = r#"{"signatures": [], "signed": {"_type": "targets", "spec_version": "1.0.0", "version": 1,
  "expires": "2030-01-31T00:00:00Z", "targets": {},
  "delegations": {"keys": {},
   "succinct_roles": {"keyids": ["k1"], "threshold": 1, "bit_length": 14, "name_prefix": "bins", "x-other": 3}}}}"#;
