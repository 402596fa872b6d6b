//! What the user sees and is asked, as options and configuration say.

use std::path::PathBuf;

/// What the user sees and is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalSettings {
    /// Number of `-v` less the number of `-q`; `--debug` is 2.
    pub verbosity: i8,
    /// When to use colour.
    pub color: Color,
    /// How progress is shown.
    pub progress_bar: ProgressBar,
    /// A file that gets a verbose log appended.
    pub log: Option<PathBuf>,
    /// Never ask anything.
    pub no_input: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// When the terminal can, unless the environment says otherwise.
    Auto,
    /// In any case.
    Always,
    /// Never.
    Never,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ProgressBar {
    /// A bar on a terminal, unless quiet.
    Auto,
    /// A bar.
    On,
    /// Nothing.
    Off,
    /// `Progress N of TOTAL` lines.
    Raw,
    /// One JSON object a line.
    Json,
}
