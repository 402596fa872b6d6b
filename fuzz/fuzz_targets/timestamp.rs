//! `timestamp.json` from anywhere.
#![no_main]

mod round_trip;

use libfuzzer_sys::fuzz_target;
use tuf::metadata::Timestamp;

fuzz_target!(|bytes: &[u8]| {
    round_trip::round_trip::<Timestamp>(bytes);
});
