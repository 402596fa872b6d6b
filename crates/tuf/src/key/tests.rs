//! Keys and signatures made by python-cryptography (`tests/data/keys/make.py`), and such as must never count.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::SigningKey;
use crate::json::parse;

/// `tests/data/keys/cases.json`
fn cases() -> serde_json::Value {
    serde_json::from_str(include_str!("../../tests/data/keys/cases.json")).unwrap()
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().expect("a string")
}

fn key(key_type: &str, scheme: &str, public: &str) -> Key {
    let json = serde_json::json!({"keytype": key_type, "scheme": scheme, "keyval": {"public": public}}).to_string();
    Key::from_value(&parse(json.as_bytes()).unwrap()).unwrap()
}

fn ed25519(public: &str) -> Result<PublicKey, UnusableKey> {
    key("ed25519", "ed25519", public).decode()
}

fn ecdsa(public: &str) -> Result<PublicKey, UnusableKey> {
    key("ecdsa", "ecdsa-sha2-nistp256", public).decode()
}

fn rsa(public: &str) -> Result<PublicKey, UnusableKey> {
    key("rsa", "rsassa-pss-sha256", public).decode()
}

#[track_caller]
fn broken(result: Result<PublicKey, UnusableKey>, reason: &str) {
    match result {
        Err(UnusableKey::Broken(why)) => assert!(why.contains(reason), "{why} where {reason} was expected"),
        other => panic!("{other:?}"),
    }
}

/// All of `signatures` verify, in either case of hex; none of `other` does, nor any for another message.
fn check_signatures(public: &PublicKey, case: &serde_json::Value, message: &[u8]) {
    for (name, signature) in case["signatures"].as_object().unwrap() {
        let signature = text(signature);
        assert!(public.verifies(message, signature), "{name}");
        assert!(public.verifies(message, &signature.to_uppercase()), "{name}");
        assert!(!public.verifies(b"something else", signature), "{name}");
        assert!(!public.verifies(message, &signature[2..]), "{name} cut");
        assert!(!public.verifies(message, &signature[..signature.len() - 2]), "{name} cut");
        assert!(!public.verifies(message, &format!("{signature}00")), "{name} longer");
        assert!(!public.verifies(message, &format!("00{signature}")), "{name} longer");
    }
    for (name, signature) in case["other"].as_object().unwrap() {
        assert!(!public.verifies(message, text(signature)), "{name}");
    }
    for signature in ["", "0", "zz", "00", "-----", "é", " ", &"00".repeat(64), &"00".repeat(256), &"ff".repeat(256)] {
        assert!(!public.verifies(message, signature), "{signature}");
    }
}

/// One PEM in other clothes.
fn rewrapped(pem: &str) -> Vec<String> {
    let lines: Vec<&str> = pem.trim().lines().collect();
    let (first, body, last) = (lines[0], lines[1..lines.len() - 1].concat(), lines[lines.len() - 1]);
    let short: Vec<&str> = (0..body.len()).step_by(10).map(|at| &body[at..body.len().min(at + 10)]).collect();
    vec![
        pem.trim().to_owned(),
        format!("\n\n {pem}\n \n"),
        pem.replace('\n', "\r\n"),
        format!("{first}\n{body}\n{last}"),
        format!("{first}\n{}\n{last}\n", short.join("\n")),
    ]
}

#[test]
fn rsa_pss_with_any_salt() {
    let cases = cases();
    let message = text(&cases["message"]).as_bytes();
    for (size, case) in cases["rsa"].as_object().unwrap() {
        let public = rsa(text(&case["spki"])).unwrap_or_else(|error| panic!("{size}: {error}"));
        check_signatures(&public, case, message);
        let again = rsa(text(&case["pkcs1"])).unwrap();
        assert_eq!(public.material(), again.material());
        check_signatures(&again, case, message);
    }
}

#[test]
fn rsa_keys_that_are_not_sound() {
    let cases = cases();
    let broken_keys = cases["broken rsa"].as_object().unwrap();
    assert_eq!(broken_keys.len(), 10);
    for (name, pem) in broken_keys {
        let reason = match name.as_str() {
            "1024 bits" => "2048 to 8192 bits, found 1024",
            "2047 bits" => "2048 to 8192 bits, found 2047",
            _ => "broken or of a size not supported",
        };
        let why = rsa(text(pem)).expect_err(name).to_string();
        assert!(why.contains(reason), "{name}: {why}");
        // Refused for what they are, not because the file of cases is written badly.
        assert!(!why.contains("ASN.1") || name == "8193 bits", "{name}: {why}");
    }
    // A key of another kind.
    broken(rsa(text(&cases["ecdsa"]["spki"])), "broken");
}

#[test]
fn ecdsa_with_low_and_high_s() {
    let cases = cases();
    let message = text(&cases["message"]).as_bytes();
    let case = &cases["ecdsa"];
    let public = ecdsa(text(&case["spki"])).unwrap();
    check_signatures(&public, case, message);
    let old = key("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", text(&case["spki"])).decode().unwrap();
    assert_eq!(old.material(), public.material());
    let point = ecdsa(text(&case["point"])).unwrap();
    assert_eq!(point.material(), public.material());
    check_signatures(&point, case, message);
}

#[test]
fn ecdsa_keys_that_are_not_sound() {
    let cases = cases();
    let point = text(&cases["ecdsa"]["point"]);
    // Another last digit: no longer on the curve.
    let last = if point.ends_with('0') { '1' } else { '0' };
    broken(ecdsa(&format!("{}{last}", &point[..129])), "P-256");
    broken(ecdsa(&format!("05{}", &point[2..])), "P-256");
    broken(ecdsa(text(&cases["ecdsa"]["compressed"])), "P-256");
    broken(ecdsa("00"), "P-256");
    broken(ecdsa(&"00".repeat(65)), "P-256");
    broken(ecdsa(text(&cases["ecdsa"]["p384"])), "P-256");
    broken(ecdsa(text(&cases["rsa"]["2048"]["spki"])), "P-256");
    // The same in a SubjectPublicKeyInfo: its last byte is that of the point.
    let pem = text(&cases["ecdsa"]["spki"]);
    let end = pem.find("\n-----END").unwrap();
    let changed = |with: &str| format!("{}{with}{}", &pem[..end - 4], &pem[end..]);
    let off_the_curve = ["AAAA", "AAAB", "////"].iter().filter(|with| ecdsa(&changed(with)).is_err()).count();
    assert!(off_the_curve >= 1);
}

#[test]
fn pem_in_other_clothes_is_the_same_key() {
    let cases = cases();
    let (rsa_pem, ecdsa_pem) = (text(&cases["rsa"]["2048"]["spki"]), text(&cases["ecdsa"]["spki"]));
    for pem in rewrapped(rsa_pem) {
        assert_eq!(rsa(&pem).expect(&pem).material(), rsa(rsa_pem).unwrap().material());
    }
    for pem in rewrapped(ecdsa_pem) {
        assert_eq!(ecdsa(&pem).expect(&pem).material(), ecdsa(ecdsa_pem).unwrap().material());
    }
}

#[test]
fn what_is_no_pem() {
    let cases = cases();
    let pem = text(&cases["rsa"]["2048"]["spki"]);
    for text in [
        String::new(),
        "-----BEGIN ".to_owned(),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----".to_owned(),
        "-----BEGIN -----\n-----END -----".to_owned(),
        pem.replace("PUBLIC", "PRIVATE"),
        pem.replace("END PUBLIC", "END RSA PUBLIC"),
        pem.replace("PUBLIC", "RSA PUBLIC"),
        pem.replace("PUBLIC", "ÄÖ"),
        pem.replacen('M', "é", 1),
        pem.replacen('M', "-", 1),
        format!("{pem}{pem}"),
        format!("{pem}rest"),
        format!("before{pem}"),
        pem.replace("-----\nM", "-----\nProc-Type: 4,ENCRYPTED\n\nM"),
        pem.replace("\n-----END", "AAAA\n-----END"),
    ] {
        assert!(matches!(rsa(&text), Err(UnusableKey::Broken(_))), "{text}");
        assert!(matches!(ecdsa(&text), Err(UnusableKey::Broken(_))), "{text}");
    }
}

#[test]
fn ed25519_hex_in_either_case() {
    let signer = SigningKey::ed25519(&[5; 32]);
    let signature = signer.sign(b"m").signature;
    let public = signer.public().decode().unwrap();
    let hex = hex::encode(&public.material()[b"ed25519:".len()..]);
    let upper = ed25519(&hex.to_uppercase()).unwrap();
    assert_eq!(upper.material(), public.material());
    assert!(upper.verifies(b"m", &signature.to_uppercase()));
    for text in ["", "00", &hex[1..], &format!("{hex}00"), &format!(" {}", &hex[1..]), &hex.replace(|_| true, "g")] {
        broken(ed25519(text), "64 hex digits");
    }
}

/// With these anyone can make signatures; the first eight are all points of small order, the others write some of
/// them in a second way.
#[test]
fn ed25519_keys_of_small_order() {
    for point in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        broken(ed25519(point), "small order");
    }
    for start in ["ed", "ee"] {
        for end in ["7f", "ff"] {
            broken(ed25519(&format!("{start}{}{end}", "ff".repeat(30))), "");
        }
    }
    for point in [format!("01{}80", "00".repeat(30)), format!("ec{}ff", "ff".repeat(30))] {
        broken(ed25519(&point), "");
    }
}

/// y from 2^255-19 on is y from 0 on, written otherwise.
#[test]
fn ed25519_points_have_one_text() {
    let mut second_texts = 0;
    for low in 0xed..=0xffu8 {
        let text = format!("{low:02x}{}7f", "ff".repeat(30));
        match ed25519(&text) {
            Err(UnusableKey::Broken(why)) => second_texts += usize::from(why.contains("canonical form")),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(second_texts >= 5, "{second_texts}");
}

/// S and S + L satisfy the same equation; only S below L is a signature (RFC 8032, 5.1.7).
#[test]
fn ed25519_signatures_cannot_be_changed() {
    let signer = SigningKey::ed25519(&[9; 32]);
    let public = signer.public().decode().unwrap();
    let signature = signer.sign(b"m").signature;
    assert!(public.verifies(b"m", &signature));
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut bytes = hex::decode(&signature).unwrap();
    let mut carry = 0;
    for (byte, addend) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(addend) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert!(!public.verifies(b"m", &hex::encode(&bytes)));
    for place in 0..64 {
        let mut bytes = hex::decode(&signature).unwrap();
        bytes[place] ^= 1;
        assert!(!public.verifies(b"m", &hex::encode(&bytes)), "byte {place}");
    }
    for text in ["", "0", &signature[1..], &signature[2..], &format!("{signature}00"), &format!("{signature} ")] {
        assert!(!public.verifies(b"m", text), "{text}");
    }
}

#[test]
fn unknown_keys_are_kept_and_not_used() {
    for (key_type, scheme) in [
        ("ed25519", "ed25519ph"),
        ("ED25519", "ed25519"),
        ("rsa", "rsa-pkcs1v15-sha256"),
        ("rsa", "ed25519"),
        ("ecdsa", "ecdsa-sha2-nistp384"),
        ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp256"),
        ("", ""),
    ] {
        let unsupported = UnusableKey::Unsupported { key_type: key_type.to_owned(), scheme: scheme.to_owned() };
        assert_eq!(key(key_type, scheme, "00").decode().unwrap_err(), unsupported);
    }
    let long = key(&"\u{1b}".repeat(100_000), "x", "").decode().unwrap_err().to_string();
    assert!(long.len() < 500 && !long.contains('\u{1b}'), "{long}");
}

#[test]
fn key_objects() {
    let json =
        br#"{"keyid_hash_algorithms":["sha256"],"keytype":"x","keyval":{"public":"p","more":1},"scheme":"y","z":null}"#;
    let value = parse(json).unwrap();
    let key = Key::from_value(&value).unwrap();
    assert_eq!((key.key_type(), key.scheme()), ("x", "y"));
    assert_eq!(key.to_value(), value);
    let hashes = Hashes::of(&value.canonical(), &[HashAlgorithm::Sha256]);
    assert_eq!(Some(key.identifier().0), hashes.get(HashAlgorithm::Sha256));
    for (json, place, found) in [
        ("[]", "", "an array"),
        ("{}", "keytype", "nothing"),
        (r#"{"keytype":1,"scheme":"s","keyval":{}}"#, "keytype", "a number"),
        (r#"{"keytype":"","scheme":null,"keyval":{}}"#, "scheme", "null"),
        (r#"{"keytype":"","scheme":""}"#, "keyval", "nothing"),
        (r#"{"keytype":"","scheme":"","keyval":"k"}"#, "keyval", "a string"),
    ] {
        let error = Key::from_value(&parse(json.as_bytes()).unwrap()).unwrap_err();
        assert_eq!((error.place.as_str(), error.found.as_str(), error.unsupported), (place, found, false));
    }
    for keyval in ["{}", r#"{"public":1}"#, r#"{"private":"00"}"#] {
        let json = format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{keyval}}}"#);
        broken(Key::from_value(&parse(json.as_bytes()).unwrap()).unwrap().decode(), "found none");
    }
}

/// By their length, before anything is decoded.
#[test]
fn endless_keys_and_signatures_are_refused() {
    let long = "0".repeat(16 << 20);
    for decode in [ed25519, ecdsa, rsa] {
        broken(decode(&long), "at most 16384 bytes");
        broken(decode(&format!("-----BEGIN PUBLIC KEY-----\n{long}")), "at most 16384 bytes");
    }
    let cases = cases();
    for public in [
        SigningKey::ed25519(&[1; 32]).public().decode().unwrap(),
        ecdsa(text(&cases["ecdsa"]["spki"])).unwrap(),
        rsa(text(&cases["rsa"]["2048"]["spki"])).unwrap(),
    ] {
        assert!(!public.verifies(b"m", &long));
    }
}
