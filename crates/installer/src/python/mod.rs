//! The Python environment of a command: which one, its properties, where its files go.

mod discover;
pub mod environment;
pub mod installed;
mod interpreter;
mod manylinux;
mod probe;
mod scheme;
mod search_path;

pub use discover::{find, is_command_name};
pub use interpreter::{Interpreter, SchemePaths};
pub use scheme::{Destination, InstallScheme};
