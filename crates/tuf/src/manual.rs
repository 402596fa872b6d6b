//! How to drive the client, how to sign, and what it all protects from. Text only.

pub mod choices;
pub mod driving;
pub mod signing;
pub mod threats;
