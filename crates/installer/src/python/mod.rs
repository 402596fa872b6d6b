//! The Python environment of a command: which one, its properties, where its files go.

mod discover;
pub mod environment;
pub mod installed;
mod interpreter;
mod probe;
mod scheme;

pub use discover::find;
pub use interpreter::{Interpreter, SchemePaths};
pub use scheme::{Destination, InstallScheme};
