//! Text and URLs from outside, made fit to be shown: [`line()`] and its kin escape what steers a terminal, hides or reorders;
//! [`redacted`] and its kin keep passwords out of messages, files and comparisons.
//!
//! Every message, log line and file for people that quotes foreign text goes through this crate, so that there is one
//! answer to what is escaped. Nothing here judges whether a text is acceptable, and nothing here fails.
//!
//! | what | with |
//! |---|---|
//! | a text within a line | [`line()`] |
//! | a text of several lines | [`lines`] |
//! | a JSON document | [`json`] |
//! | a text that may be long | [`shortened`] |
//! | a text in quotes | [`quoted`] |
//! | a text that is refused because it may pretend to be another | [`ascii`] |
//! | a text that may have a URL or location in it | [`redacted`], then one of the above |
//! | a URL, to be shown | [`redacted_url`] |
//! | a URL, to be compared, sent or recorded | [`without_credentials`] |
//! | a URL, to be compared where user names make a difference | [`without_password`] |
#![warn(missing_docs)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a failed expectation fails a test"
    )
)]

mod credentials;
mod escape;

pub use credentials::redacted;
#[cfg(feature = "url")]
pub use credentials::{redacted_url, without_credentials, without_password};
pub use escape::{ascii, is_escaped, json, line, lines, quoted, shortened};
