//! `root.json` from anywhere, as data and as the root that a client starts from: its keys are decoded, its signatures
//! verified.
#![no_main]

mod round_trip;

use libfuzzer_sys::fuzz_target;
use tuf::metadata::Root;
use tuf::{Client, Limits, Mode, UnixTime};

fuzz_target!(|bytes: &[u8]| {
    let root = round_trip::round_trip::<Root>(bytes);
    let client = Client::new(bytes, UnixTime(0), Mode::Online, Limits::default());
    if let Ok(client) = client {
        let root = root.expect("a trusted root is a root");
        assert_eq!(client.root(), &root.signed);
        assert!(!root.signatures.is_empty(), "somebody signed it");
    }
});
