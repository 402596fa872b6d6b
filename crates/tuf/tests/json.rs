//! What JSON is refused, and what exactly is signed.

use std::time::{Duration, Instant};

use tuf::json::{Object, Value, parse};

#[track_caller]
fn refused(text: &str, reason: &str) {
    let error = parse(text.as_bytes()).expect_err(text).to_string();
    assert!(error.contains(reason), "{text} is refused with {error}");
}

fn canonical(text: &str) -> String {
    String::from_utf8(parse(text.as_bytes()).expect(text).canonical()).unwrap()
}

#[test]
fn canonical_form() {
    for (text, expected) in [
        ("null", "null"),
        (" [ true , false ] ", "[true,false]"),
        ("[]", "[]"),
        ("{}", "{}"),
        (r#"{"b":1,"a":[],"A":{"":""}}"#, r#"{"A":{"":""},"a":[],"b":1}"#),
        ("[0,9,10,123456789,18446744073709551615]", "[0,9,10,123456789,18446744073709551615]"),
        ("[-1,-9223372036854775808]", "[-1,-9223372036854775808]"),
        // Only `"` and `\` are escaped; control characters stand raw.
        (r#""\"\\\/\b\f\n\r\t\u0000\u001f\u007f""#, "\"\\\"\\\\/\u{8}\u{c}\n\r\t\0\u{1f}\u{7f}\""),
        // No normalisation: é in two characters stays two.
        ("\"e\\u0301\\u00e9\"", "\"e\u{301}\u{e9}\""),
        // Sorted by code point: U+FFFD comes before U+1F600, though not in UTF-16.
        (r#"{"\ud83d\ude00":1,"\ufffd":2,"z":3}"#, "{\"z\":3,\"\u{fffd}\":2,\"\u{1f600}\":1}"),
    ] {
        assert_eq!(canonical(text), expected);
    }
}

#[test]
fn ordinary_form_is_read_back() {
    let text = r#"{"a":[null,true,-5,18446744073709551615,"\"\\\n\r\t\u0000\u001f\u007fé😀"],"b":{}}"#;
    let value = parse(text.as_bytes()).unwrap();
    let written = value.to_json();
    assert!(written.iter().all(|byte| *byte >= b' '));
    assert_eq!(parse(&written).unwrap(), value);
    assert_eq!(value.clone().into_owned(), value);
    let foreign: serde_json::Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(foreign, serde_json::from_str::<serde_json::Value>(text).unwrap());
}

#[test]
fn strings_without_escapes_borrow() {
    let Value::Array(values) = parse(br#"["plain","esc\u0061ped"]"#).unwrap() else { panic!() };
    assert!(matches!(
        &values[..],
        [Value::String(std::borrow::Cow::Borrowed("plain")), Value::String(std::borrow::Cow::Owned(_))]
    ));
}

#[test]
fn only_integers_of_64_bits() {
    for number in [
        "1.0",
        "0.0",
        "-0",
        "-0.0",
        "1e2",
        "1E0",
        "18446744073709551616",
        "-9223372036854775809",
        "10000000000000000000000000000000",
    ] {
        refused(number, "expected an integer of 64 bits");
        refused(&format!("{{\"version\":{number}}}"), "expected an integer of 64 bits");
    }
    for text in ["1e999", "01", "+1", "0x1", "NaN", "Infinity", "-", "1.", ".5"] {
        refused(text, "at line 1");
    }
}

#[test]
fn a_name_once_in_an_object() {
    refused(r#"{"a":1,"a":1}"#, "\"a\" occurs twice in an object at line 1 column 13");
    refused(r#"{"a":1,"b":2,"\u0061":1}"#, "\"a\" occurs twice");
    refused(r#"[{"x":{"":1,"b":2,"":1}}]"#, "\"\" occurs twice");
    let long = "n".repeat(1000);
    let error = parse(format!("{{\"{long}\":1,\"{long}\":2}}").as_bytes()).unwrap_err().to_string();
    assert!(error.len() < 200, "{error}");
    // The same name elsewhere is another name.
    assert!(parse(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
}

#[test]
fn not_json() {
    refused("", "EOF");
    refused("\u{feff}{}", "byte order mark");
    refused("{} {}", "trailing characters");
    refused("{}\0", "trailing characters");
    refused("[1,]", "trailing comma");
    refused("{'a':1}", "key must be a string");
    refused("{1:1}", "key must be a string");
    refused("// comment\n{}", "line 1");
    refused("\"\n\"", "control character");
    for surrogate in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800x""#] {
        refused(surrogate, "at line 1");
        refused(&format!("{{{surrogate}:1}}"), "at line 1");
    }
    for bytes in
        [&b"\"\xff\""[..], b"\xfe\xff\0{\0}", b"\"\xc0\x80\"", b"\"\xed\xa0\x80\"", b"{}\xff", b"\"\xf4\x90\x80\x80\""]
    {
        let error = parse(bytes).unwrap_err().to_string();
        assert!(error.contains("not UTF-8"), "{error}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(canonical(&nested(127)), nested(127));
    refused(&nested(128), "recursion limit");
    let objects = "{\"a\":".repeat(128) + "1" + &"}".repeat(128);
    refused(&objects, "recursion limit");
}

/// Texts of 16 MiB, the largest targets file taken without a signed length.
#[test]
fn hostile_texts_end_soon() {
    const SIZE: usize = 16 << 20;
    let start = Instant::now();
    refused(&"[".repeat(SIZE), "recursion limit");
    refused(&"{\"a\":".repeat(SIZE / 5), "recursion limit");
    refused(&("[".to_owned() + &"0,".repeat(SIZE / 2) + "0]"), "at most 1000000 values");
    refused(&("[".to_owned() + &"[],".repeat(SIZE / 3) + "0]"), "at most 1000000 values");
    refused(&("[".to_owned() + &"{\"\":0},".repeat(SIZE / 7) + "0]"), "at most 1000000 values");
    refused(&"1".repeat(SIZE), "number");
    refused(&("0.".to_owned() + &"1".repeat(SIZE)), "number");
    refused(&("\"".to_owned() + &"a".repeat(SIZE)), "EOF");
    refused(&" ".repeat(SIZE), "EOF");
    let escapes = "\"".to_owned() + &"\\u0000".repeat(SIZE / 6) + "\"";
    assert_eq!(parse(escapes.as_bytes()).unwrap().as_str().unwrap().len(), SIZE / 6);
    let members = "{".to_owned() + &"\"a\":1,".repeat(SIZE / 32) + "\"a\":1}";
    refused(&members, "occurs twice");
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn objects_stay_sorted() {
    let mut object = Object::new();
    assert!(object.is_empty());
    for name in ["m", "z", "a", "é", "", "M"] {
        assert_eq!(object.insert(name, name), None);
    }
    assert_eq!(object.insert("z", 5), Some(Value::from("z")));
    assert_eq!(object.get("z"), Some(&Value::Unsigned(5)));
    assert_eq!(object.get("y"), None);
    assert_eq!(object.remove("a"), Some(Value::from("a")));
    assert_eq!(object.remove("a"), None);
    assert_eq!(object.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["", "M", "m", "z", "é"]);
    assert_eq!(object.len(), 5);
    let value = Value::from(object);
    assert_eq!(parse(&value.canonical()).unwrap(), value);
    assert_eq!(value.as_object().unwrap().get("M").and_then(Value::as_str), Some("M"));
}
