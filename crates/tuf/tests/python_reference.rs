//! What python-tuf's foundations say to the same questions: securesystemslib's canonical form, hashlib's hashes.
//!
//! `TUFPIP_TEST_PYTHON` names an interpreter that has securesystemslib; without it these tests are skipped.

use std::fmt::Write as _;

use testkit::{Command, Outcome};
use tuf::json::{Object, Value, parse};
use tuf::{HashAlgorithm, Hashes, SigningKey};

/// What the script prints, given this input; `None` if there is no such interpreter.
fn python(module: &str, script: &str, input: &[u8]) -> Option<String> {
    let Some(python) = std::env::var_os("TUFPIP_TEST_PYTHON") else {
        eprintln!("skipped: TUFPIP_TEST_PYTHON names no interpreter");
        return None;
    };
    let probe = Command::new(&python).args(["-c", &format!("import {module}")]).try_run();
    if !probe.as_ref().is_ok_and(Outcome::succeeded) {
        eprintln!("skipped: {} has no {module}: {probe:?}", python.display());
        return None;
    }
    Some(Command::new(&python).args(["-X", "utf8", "-c", script]).input(input).run().expect_code(0).stdout)
}

/// A small generator (xorshift), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
    fn text(&mut self) -> String {
        (0..self.below(8)).map(|_| self.character()).collect()
    }
    fn character(&mut self) -> char {
        let number = match self.below(8) {
            0 => self.below(0x20) as u32,
            1 => u32::from(b'"'),
            2 => u32::from(b'\\'),
            3 | 4 => 0x20 + self.below(0x60) as u32,
            5 => 0x80 + self.below(0x700) as u32,
            6 => 0xe000 + self.below(0x2000) as u32,
            _ => 0x10000 + self.below(0x100000) as u32,
        };
        char::from_u32(number).unwrap_or('\u{fffd}')
    }
    fn value(&mut self, depth: u64) -> Value<'static> {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::Unsigned(self.next() >> self.below(64)),
            3 => Value::Negative(-1 - (self.next() >> (1 + self.below(63))) as i64),
            4 | 5 => Value::from(self.text()),
            6 => Value::Array((0..self.below(6)).map(|_| self.value(depth - 1)).collect()),
            _ => {
                let mut object = Object::new();
                for _ in 0..self.below(6) {
                    object.insert(self.text(), self.value(depth - 1));
                }
                Value::Object(object)
            }
        }
    }
}

#[test]
fn canonical_form_is_that_of_securesystemslib() {
    let mut random = Random(0x7475_6670_6970);
    let mut values: Vec<Value<'_>> = (0..600).map(|_| random.value(5)).collect();
    values.extend([Value::Unsigned(u64::MAX), Value::Negative(i64::MIN), Value::from(""), Object::new().into()]);
    values.push(SigningKey::ecdsa_p256(&[3; 32]).unwrap().public().to_value());
    let mut input = Vec::new();
    for value in &values {
        let json = value.to_json();
        assert_eq!(&parse(&json).unwrap(), value);
        input.extend(json);
        input.push(b'\n');
    }
    let script = "
import json, sys
from securesystemslib.formats import encode_canonical
for line in sys.stdin.buffer.read().decode().split('\\n')[:-1]:
    print(encode_canonical(json.loads(line)).encode().hex())
";
    let Some(answer) = python("securesystemslib.formats", script, &input) else { return };
    let theirs: Vec<&str> = answer.lines().collect();
    assert_eq!(theirs.len(), values.len());
    for (value, theirs) in values.iter().zip(theirs) {
        assert_eq!(hex::encode(value.canonical()), theirs, "{}", String::from_utf8_lossy(&value.to_json()));
    }
}

#[test]
fn hashes_are_those_of_hashlib() {
    let algorithms = [
        HashAlgorithm::Sha256,
        HashAlgorithm::Sha384,
        HashAlgorithm::Sha512,
        HashAlgorithm::Blake2b256,
        HashAlgorithm::Blake2b,
    ];
    // Byte n of every content is n modulo 251, which is no multiple of any block.
    let content = |length: usize| -> Vec<u8> { (0..length).map(|place| (place % 251) as u8).collect() };
    let mut ours = String::new();
    let lengths: Vec<usize> = (0..=300).chain([4095, 4096, 65_537, 1_000_003]).collect();
    for length in &lengths {
        let hashes = Hashes::of(&content(*length), &algorithms);
        write!(ours, "{length}").unwrap();
        for algorithm in algorithms {
            write!(ours, " {}", hashes.get(algorithm).unwrap()).unwrap();
        }
        ours.push('\n');
    }
    let script = "
import hashlib, sys
content = bytes(n % 251 for n in range(1_000_003))
for length in sys.stdin.read().split():
    part = content[:int(length)]
    hashes = [hashlib.sha256(part), hashlib.sha384(part), hashlib.sha512(part)]
    hashes += [hashlib.blake2b(part, digest_size=32), hashlib.blake2b(part)]
    print(length, *[made.hexdigest() for made in hashes])
";
    let input: String = lengths.iter().map(|length| format!("{length}\n")).collect();
    let Some(theirs) = python("hashlib", script, input.as_bytes()) else { return };
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.lines().count(), theirs.lines().count());
}

/// `ours` is the object and the signature; securesystemslib decides.
#[test]
fn signatures_are_good_for_securesystemslib() {
    let keys = [SigningKey::ed25519(&[11; 32]), SigningKey::ecdsa_p256(&[12; 32]).unwrap()];
    let mut input = Vec::new();
    for key in &keys {
        for message in ["", "message"] {
            let mut case = Object::new();
            case.insert("key", key.public().to_value());
            case.insert("keyid", key.key_id().0.as_str());
            case.insert("message", message);
            case.insert("signature", key.sign(message.as_bytes()).signature);
            input.extend(Value::from(case).to_json());
            input.push(b'\n');
        }
    }
    let script = "
import json, sys
from securesystemslib.signer import Key, Signature
for line in sys.stdin:
    case = json.loads(line)
    key = Key.from_dict(case['keyid'], case['key'])
    key.verify_signature(Signature(case['keyid'], case['signature']), case['message'].encode())
    print('good')
";
    let Some(answer) = python("cryptography, securesystemslib.signer", script, &input) else { return };
    assert_eq!(answer.trim(), ["good"; 4].join("\n"));
}
