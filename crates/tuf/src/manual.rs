//! How to drive the client, and what it protects from. Text only.

pub mod choices;
pub mod driving;
pub mod threats;
