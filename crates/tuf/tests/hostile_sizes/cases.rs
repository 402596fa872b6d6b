//! The hostile files.

use std::fmt::Write as _;

use tuf::metadata::{
    DelegatedRole, DelegatedRoles, Delegations, Metadata, PathPattern, PathSet, RoleKeys, RoleName, Snapshot,
    TargetFile, Targets,
};
use tuf::{HashAlgorithm, Hashes, Key, KeyId, Signature, SigningKey, json};

use crate::stage::{EXPIRES, Stage, signed};

/// One file, or a few.
pub struct Case {
    pub name: &'static str,
    pub stage: fn() -> Stage,
    /// How what the client says begins: the check that refuses, mostly.
    pub expected: &'static str,
}

/// In bytes: as long as any metadata may be.
const LARGEST: usize = 32 << 20;
/// In bytes.
const TOO_LARGE: usize = 64 << 20;
/// Asymmetric cryptography takes a hundred times as long without optimisation.
const SIGNERS: usize = if cfg!(debug_assertions) { 24 } else { 512 };
/// In bytes; the time grows with the path.
const LONG_PATH: usize = if cfg!(debug_assertions) { 128 } else { 1_024 };

macro_rules! cases {
    ($($name:literal => $expected:literal, $stage:expr;)*) => {
        pub const CASES: &[Case] = &[$(Case { name: $name, stage: || $stage, expected: $expected }),*];
    };
}

cases! {
    "64 MiB as root" => "Size", Stage::serving("2.root.json", b"[".repeat(TOO_LARGE));
    "64 MiB as timestamp" => "Size", Stage::serving("timestamp.json", b"[".repeat(TOO_LARGE));
    "64 MiB as snapshot" => "Size", Stage::serving("1.snapshot.json", b"[".repeat(TOO_LARGE));
    "64 MiB as targets" => "Size", Stage::serving("1.targets.json", b"[".repeat(TOO_LARGE));
    "64 MiB of valid targets, their length signed" => "Size", targets_file(valid_targets(TOO_LARGE));

    "32 MiB of [" => "Format", targets_file(b"[".repeat(LARGEST));
    "32 MiB of {\"a\":" => "Format", targets_file(repeated(r#"{"a":"#, LARGEST));
    "32 MiB of 0,0,0" => "Format", targets_file(enclosed("[", "0,", "0]", LARGEST));
    "32 MiB of 1e9" => "Format", targets_file(enclosed("[", "1e9,", "0]", LARGEST));
    "32 MiB of digits" => "Format", targets_file(b"1".repeat(LARGEST));
    "32 MiB of \\u0000" => "Format", targets_file(enclosed("\"", r"\u0000", "\"", LARGEST));
    "32 MiB without an end of the string" => "Format", targets_file(enclosed("\"", "a", "", LARGEST));
    "32 MiB of white space" => "Format", targets_file(b" ".repeat(LARGEST));
    "32 MiB of random bytes" => "Format", targets_file(random(LARGEST));
    "32 MiB of one name again and again" => "Format", targets_file(enclosed("{", r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":0,"#, "\"\":0}", LARGEST));
    "1,000 levels" => "Format", targets_file(in_targets(&"[".repeat(1_000), &"]".repeat(1_000)));
    "1,000 levels, signed" => "Format", targets_file(in_targets(&r#"{"a":"#.repeat(1_000), &format!("0{}", "}".repeat(1_000))));
    "as many values as there may be" => "Format", targets_file(enclosed("[", r#"{"":0},"#, "0]", 2 * 499_000 * 7 / 2));
    "a million values in an unknown field" => "refreshed", targets_file(unknown_field(498_000));
    "names in reverse order" => "Format", targets_file(reversed_names(900_000));

    "32 MiB of valid targets" => "refreshed", targets_file(valid_targets(LARGEST - 300));
    "8 MiB of valid snapshot" => "refreshed", Stage::serving("1.snapshot.json", valid_snapshot(240_000));
    "100,000 hashes of one target" => "refreshed", targets_file(many_hashes(100_000));

    "100,000 signatures" => "Format", targets_file(many_signatures(100_000));
    "100,000 keys" => "Format", targets_file(many_keys(100_000));
    "100,000 delegations" => "Format", targets_file(many_roles(100_000));
    "100,000 key ids" => "Format", targets_file(many_key_ids(100_000));
    "65,536 delegations that match" => "InSnapshot", targets_file(many_roles(65_536)).looking_up("a");

    "100,000 patterns that match" => "InSnapshot", patterns(100_000, "*").looking_up("a");
    "30 MiB of patterns" => "Format", patterns(30, &"a".repeat(1 << 20));
    "150,000 patterns that nearly match" => "not found", patterns(150_000, "*aaaaaaaaaaab").looking_up(&"a".repeat(112));
    "patterns half as long as a long path" => "not found", half_as_long(LONG_PATH).looking_up(&"a".repeat(LONG_PATH));
    "patterns *a*a*a" => "not found", patterns(2, &format!("{}b", "*a".repeat(500_000))).looking_up(&"a".repeat(10_000));
    "patterns **********" => "not found", patterns(2, &format!("{}b", "*".repeat(1_000_000))).looking_up(&"a".repeat(10_000));

    "Ed25519 signatures of 32 MiB" => "Signatures", wrongly_signed(Kind::Ed25519, LARGEST - 600_000);
    "Ed25519 signatures of 512 KiB" => "Signatures", wrongly_signed(Kind::Ed25519, 512 << 10);
    "ECDSA signatures of 512 KiB" => "Signatures", wrongly_signed(Kind::Ecdsa, 512 << 10);
    "RSA-8192 signatures of 512 KiB" => "Signatures", wrongly_signed(Kind::Rsa, 512 << 10);
}

// ---- bytes -----------------------------------------------------------------------------------------------------------

fn repeated(text: &str, length: usize) -> Vec<u8> {
    text.repeat(length / text.len()).into_bytes()
}

fn enclosed(start: &str, middle: &str, end: &str, length: usize) -> Vec<u8> {
    let times = (length - start.len() - end.len()) / middle.len();
    format!("{start}{}{end}", middle.repeat(times)).into_bytes()
}

/// Not random: the same every time (xorshift).
fn random(length: usize) -> Vec<u8> {
    let mut state = 0x7475_6670_6970_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn reversed_names(count: usize) -> Vec<u8> {
    let mut text = String::from("{");
    for number in (0..count).rev() {
        write!(text, r#""{number:07}":0,"#).unwrap();
    }
    text.push_str(r#""":0}"#);
    text.into_bytes()
}

/// Not signed: it does not come to that.
fn in_targets(start: &str, end: &str) -> Vec<u8> {
    format!(r#"{{"signatures":[],"signed":{{"_type":"targets","spec_version":"1.0","x":{start}{end}}}}}"#).into_bytes()
}

// ---- files with good signatures --------------------------------------------------------------------------------------

fn targets_file(bytes: Vec<u8>) -> Stage {
    Stage::serving("1.targets.json", bytes).with_signed_length("targets", "1.targets.json")
}

fn plain_targets() -> Targets {
    Targets::new(1, EXPIRES)
}

fn valid_targets(length: usize) -> Vec<u8> {
    let mut targets = plain_targets();
    let file = TargetFile::of(b"");
    let entry = r#""":{"hashes":{"sha256":""},"length":0},"#.len() + 64 + 112;
    for number in 0..(length - 500) / entry {
        targets.targets.insert(format!("packages/{number:0103}"), file.clone());
    }
    signed(targets)
}

fn valid_snapshot(entries: usize) -> Vec<u8> {
    let mut snapshot = Snapshot::new(1, EXPIRES);
    for name in std::iter::once("targets".to_owned()).chain((0..entries).map(|number| format!("{number:06}"))) {
        snapshot.set_role(&RoleName::from(name.as_str()), tuf::metadata::FileMeta::unhashed(1));
    }
    signed(snapshot)
}

fn many_hashes(count: usize) -> Vec<u8> {
    let mut file = TargetFile::of(b"");
    file.hashes = (0..count).map(|number| (format!("{number:06}"), "00".to_owned())).collect::<Hashes>();
    file.hashes.insert(HashAlgorithm::Sha256.name(), "00");
    let mut targets = plain_targets();
    targets.targets.insert("a".to_owned(), file);
    signed(targets)
}

fn unknown_field(objects: usize) -> Vec<u8> {
    let mut targets = plain_targets();
    let text = enclosed("[", r#"{"":0},"#, "0]", 7 * objects);
    targets.other.insert("x", json::parse(&text).unwrap().into_owned());
    signed(targets)
}

fn many_signatures(count: usize) -> Vec<u8> {
    let mut file = Metadata::new(plain_targets());
    file.signatures = (0..count).map(|number| other_signature(&number.to_string(), "00".repeat(64))).collect();
    file.to_bytes()
}

fn many_keys(count: usize) -> Vec<u8> {
    let mut delegations = Delegations::new(&[], DelegatedRoles::Listed(Vec::new()));
    let key = Key::ed25519(&[0; 32]);
    delegations.keys = (0..count).map(|number| (KeyId(number.to_string()), key.clone())).collect();
    delegating(delegations)
}

fn many_roles(count: usize) -> Vec<u8> {
    let role = |number: usize| delegated(&number.to_string(), RoleKeys::new(&[], 1), vec![PathPattern::new("*")]);
    delegating(Delegations::new(&[], DelegatedRoles::Listed((0..count).map(role).collect())))
}

fn many_key_ids(count: usize) -> Vec<u8> {
    let mut keys = RoleKeys::new(&[], 1);
    keys.key_ids = (0..count).map(|number| KeyId(number.to_string())).collect();
    delegating(Delegations::new(&[], DelegatedRoles::Listed(vec![delegated("a", keys, Vec::new())])))
}

fn patterns(count: usize, pattern: &str) -> Stage {
    let role = delegated("a", RoleKeys::new(&[], 1), vec![PathPattern::new(pattern); count]);
    targets_file(delegating(Delegations::new(&[], DelegatedRoles::Listed(vec![role]))))
}

/// The worst for trying at each place of the path; as many of them as there may be.
fn half_as_long(path: usize) -> Stage {
    patterns((2 << 20) / (path / 2 + 3), &format!("*{}b*", "a".repeat(path / 2)))
}

fn delegated(name: &str, keys: RoleKeys, patterns: Vec<PathPattern>) -> DelegatedRole {
    DelegatedRole::new(name.into(), keys, PathSet::Patterns(patterns))
}

fn delegating(delegations: Delegations) -> Vec<u8> {
    let mut targets = plain_targets();
    targets.delegations = Some(delegations);
    signed(targets)
}

// ---- files with bad signatures ---------------------------------------------------------------------------------------

enum Kind {
    Ed25519,
    Ecdsa,
    Rsa,
}

/// A delegated role of as many keys as can be, all of which signed something else.
fn wrongly_signed(kind: Kind, length: usize) -> Stage {
    let signers: Vec<(Key, String)> = (0..SIGNERS).map(|number| signer(&kind, number)).collect();
    let keys: Vec<Key> = signers.iter().map(|(key, _)| key.clone()).collect();
    let role = delegated("a", RoleKeys::new(&keys, 1), vec![PathPattern::new("*")]);
    let delegations = Delegations::new(&keys, DelegatedRoles::Listed(vec![role]));

    let mut file = plain_targets();
    file.other.insert("x", "x".repeat(length));
    let mut file = Metadata::new(file);
    file.signatures = signers.into_iter().map(|(key, text)| other_signature(&key.identifier().0, text)).collect();

    let mut stage = Stage::serving("1.a.json", file.to_bytes()).with_signed_length("a", "1.a.json").looking_up("a");
    stage.files.insert("1.targets.json".to_owned(), delegating(delegations));
    stage
}

fn signer(kind: &Kind, number: usize) -> (Key, String) {
    let mut seed = [1; 32];
    seed[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
    let key = match kind {
        Kind::Ed25519 => SigningKey::ed25519(&seed),
        Kind::Ecdsa => SigningKey::ecdsa_p256(&seed).unwrap(),
        Kind::Rsa => return rsa_signer(number),
    };
    (key.public().clone(), key.sign(b"something else").signature)
}

/// A modulus that is no product of two primes is as much work; the exponent is the longest that is taken.
fn rsa_signer(number: usize) -> (Key, String) {
    let mut modulus = random(1_024);
    modulus[0] = 0xff;
    modulus[1..9].copy_from_slice(&(number as u64).to_be_bytes());
    modulus[1_023] |= 1;
    let integer = |bytes: &[u8]| [&[0x02, 0x82, (bytes.len() >> 8) as u8, bytes.len() as u8], bytes].concat();
    let short = |bytes: &[u8]| [&[0x02, bytes.len() as u8], bytes].concat();
    let content = [integer(&[&[0], modulus.as_slice()].concat()), short(&[0x01, 0xff, 0xff, 0xff, 0xff])].concat();
    let der = [&[0x30, 0x82, (content.len() >> 8) as u8, content.len() as u8], content.as_slice()].concat();
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", base64(&der));
    (Key::rsa_pss(&pem), "7f".repeat(1_024))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

fn other_signature(key_id: &str, signature: String) -> Signature {
    Signature { key_id: KeyId(key_id.to_owned()), signature, other: json::Object::new() }
}
