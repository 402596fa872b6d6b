//! The client with a store and a network that answer anything: `crates/tuf/tests/client/any_answer.rs` says what must hold.
#![no_main]

#[path = "../../crates/tuf/tests/client/any_answer.rs"]
mod any_answer;
#[path = "../../crates/tuf/tests/client/any_order.rs"]
mod any_order;
#[path = "../../crates/tuf/tests/client/histories.rs"]
mod histories;
#[allow(dead_code, unused_imports)]
#[path = "../../crates/tuf/tests/client/simulator/mod.rs"]
mod simulator;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    any_answer::play(bytes);
});
