//! The program as its users meet it: run as a process, against an index on 127.0.0.1, in a virtual environment of its own.

mod bad_input;
mod bytecode;
mod choosing;
pub mod foreign_text;
mod golden;
mod hashes;
mod index_kinds;
mod install_warnings;
mod killed;
mod places;
mod records;
mod together;
mod trust_commands;
mod upgrading;
mod warm_cache;
