//! JSON that is read means one thing: written in either form and read again, it is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuf::json::parse;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = parse(bytes) else { return };
    let canonical = value.canonical();

    let written = value.to_json();
    let again = parse(&written).expect("what was written can be read");
    assert_eq!(again, value);
    assert_eq!(again.canonical(), canonical);
    assert_eq!(again.to_json(), written);

    // The canonical form is JSON unless control characters stand in it as they are.
    let has_control_characters = canonical.iter().any(|byte| *byte < b' ');
    match parse(&canonical) {
        Ok(again) => assert_eq!(again, value),
        Err(error) => assert!(has_control_characters, "{error}"),
    }
    assert_eq!(value.clone().into_owned(), value);
});
