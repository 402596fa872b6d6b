//! The only place that draws: result lines, warnings, verbosity, colour, progress bars, questions and the log file.
//!
//! It is the last line of defence against foreign text: for any input it prints no control characters but the
//! line breaks of multi-line texts, and its own colours. Messages, in contrast to the requested result,
//! contain no passwords either.

pub mod question;
pub mod settings;

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use self::settings::{Color, ProgressBar as ProgressChoice, TerminalSettings};
use crate::messages::{self, Message};
use installer::error::{Code, Failure};
use installer::event::{Event, Progress, Reporter};
use installer::text::count_noun;

/// The output of a command.
pub struct Terminal {
    settings: TerminalSettings,
    color: bool,
    bars: Mutex<Bars>,
    log: Option<Mutex<std::fs::File>>,
}

/// The progress bars on the screen.
struct Bars {
    style: BarStyle,
    screen: MultiProgress,
    total: Option<ProgressBar>,
    spinner: Option<ProgressBar>,
    files: HashMap<String, ProgressBar>,
    raw: HashMap<String, RawCount>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BarStyle {
    Off,
    Drawn,
    /// pip's `Progress N of TOTAL` lines on stdout, for programs.
    Raw,
    /// One JSON object a line on stderr, for programs.
    Json,
}

struct RawCount {
    done: u64,
    size: u64,
    last: std::time::Instant,
}

impl Terminal {
    /// A terminal for these settings.
    ///
    /// # Errors
    /// When the log file cannot be opened.
    pub fn new(settings: &TerminalSettings) -> Result<Self, Failure> {
        let log = match &settings.log {
            None => None,
            Some(path) => {
                let unusable = |error: std::io::Error| {
                    Failure::new(Code::Log, format!("Could not open the log file {}: {error}", path.display()))
                        .caused_by(error)
                };
                if let Some(directory) = path.parent() {
                    std::fs::create_dir_all(directory).map_err(unusable)?;
                }
                let file = std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(unusable)?;
                Some(Mutex::new(file))
            }
        };
        let style = bar_style(settings);
        let target = if style == BarStyle::Drawn {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = Bars {
            style,
            screen: MultiProgress::with_draw_target(target),
            total: None,
            spinner: None,
            files: HashMap::new(),
            raw: HashMap::new(),
        };
        Ok(Self { settings: settings.clone(), color: use_color(settings.color), bars: Mutex::new(bars), log })
    }

    /// What it was made with.
    pub fn settings(&self) -> &TerminalSettings {
        &self.settings
    }

    /// Whether lines of this level of `-v` are shown.
    pub fn is_verbose(&self, level: i8) -> bool {
        self.settings.verbosity >= level
    }

    /// Data: a line of the requested result. Always on stdout.
    pub fn data(&self, text: &str) {
        self.result(&printable::line(text), i8::MIN);
    }

    /// Data of several lines.
    pub fn data_lines(&self, text: &str) {
        self.result(&printable::lines(text), i8::MIN);
    }

    /// Data for programs: a JSON document.
    pub fn json(&self, document: &str) {
        self.result(&printable::json(document), i8::MIN);
    }

    /// A requested file, unchanged.
    #[cfg(feature = "repo")]
    pub fn file(&self, content: &str) {
        self.suspended(|| write_stdout(content));
    }

    /// A result line as pip prints it, on stdout; silent with `-q`.
    pub fn line(&self, text: &str) {
        if self.wants_details(0) {
            self.result(&printable::line(text), 0);
        }
    }

    /// A result as pip prints it that may have several lines, on stdout; silent with `-q`.
    pub fn lines(&self, text: &str) {
        if self.wants_details(0) {
            self.result(&printable::lines(text), 0);
        }
    }

    fn result(&self, shown: &str, level: i8) {
        self.log_line(shown);
        if self.settings.verbosity >= level {
            self.suspended(|| write_stdout(shown));
        }
    }

    /// A line that is good to know, on stderr; silent with `-q`.
    pub fn note(&self, text: &str) {
        self.verbose(0, || text.to_owned());
    }

    /// Something the user should know although all went well; may have several lines. On stderr; silent with `-qq`.
    pub fn warning(&self, text: &str) {
        self.labelled("WARNING", "33", -1, text);
    }

    /// A problem beside the task of the command, which was done; may have several lines. On stderr; silent with
    /// `-qqq`.
    pub fn error(&self, text: &str) {
        self.labelled("ERROR", "31", -2, text);
    }

    fn labelled(&self, label: &str, color: &str, level: i8, text: &str) {
        let text = format!("{label}: {}", printable::lines(&printable::redacted(text)));
        self.log_line(&text);
        if self.settings.verbosity >= level {
            let shown = self.painted(color, &text);
            self.suspended(|| write_stderr(&shown));
        }
    }

    /// A line that `level` times `-v` shows; always in the log.
    pub fn verbose(&self, level: i8, text: impl FnOnce() -> String) {
        if self.settings.verbosity < level && self.log.is_none() {
            return;
        }
        let text = printable::line(&printable::redacted(&text()));
        self.log_line(&text);
        if self.settings.verbosity >= level {
            self.suspended(|| write_stderr(&text));
        }
    }

    /// The failure that ends the command. On stderr; silent with `-qqq`.
    pub fn failure(&self, failure: &Failure) {
        let text = messages::of_failure(failure);
        self.log_line(&text);
        if self.settings.verbosity < -2 {
            return;
        }
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let shown = format!("{}\n{rest}", self.painted("31", first));
        self.suspended(|| write_stderr(shown.trim_end()));
    }

    /// Shows progress.
    pub fn progress(&self, progress: Progress<'_>) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        match bars.style {
            BarStyle::Off => {}
            BarStyle::Drawn => bars.draw(progress),
            BarStyle::Raw => bars.raw(progress),
            BarStyle::Json => bars.json(progress),
        }
    }

    fn suspended(&self, write: impl FnOnce()) {
        let screen = {
            let bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
            (bars.style == BarStyle::Drawn).then(|| bars.screen.clone())
        };
        match screen {
            Some(screen) => screen.suspend(write),
            None => write(),
        }
    }

    fn painted(&self, color: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn log_line(&self, text: &str) {
        if let Some(log) = &self.log {
            let mut file = log.lock().unwrap_or_else(PoisonError::into_inner);
            let stamp = jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
            for line in text.lines() {
                // A full disk must not turn a log line into a failed install.
                let _ = writeln!(file, "{stamp} {line}");
            }
        }
    }
}

impl Reporter for Terminal {
    fn report(&self, event: Event<'_>) {
        if let Event::Progress(progress) = event {
            return self.progress(progress);
        }
        for message in messages::of_event(&event) {
            match message {
                Message::Json(text) => self.json(&text),
                Message::Line(_) if !self.wants_details(0) => {}
                Message::Line(text) => self.line(&printable::redacted(&text)),
                Message::Note(text) => self.note(&text),
                Message::Warning(text) => self.warning(&text),
                Message::Error(text) => self.error(&text),
                Message::Detail(level, text) => self.verbose(level, || text),
            }
        }
    }

    fn wants_details(&self, level: i8) -> bool {
        self.settings.verbosity >= level || self.log.is_some()
    }

    fn wants_whole_lists(&self) -> bool {
        self.is_verbose(1)
    }
}

impl Bars {
    fn draw(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Resolving { projects, metadata } => {
                let spinner = self.spinner.get_or_insert_with(|| spinner(&self.screen));
                spinner.set_message(format!(
                    "Resolving  {}, {} read",
                    count_noun(projects, "project"),
                    count_noun(metadata, "version")
                ));
            }
            Progress::Resolved | Progress::Placed => {
                if let Some(spinner) = self.spinner.take() {
                    spinner.finish_and_clear();
                }
                if let Some(total) = self.total.take() {
                    total.finish_and_clear();
                }
            }
            Progress::DownloadPlanned { files, bytes } => {
                let bar = self.screen.insert(0, ProgressBar::new(bytes));
                bar.set_style(style(
                    "  {msg:<24!} {bar:28} {bytes:>10}/{total_bytes:<10} {binary_bytes_per_sec:>12}  {eta:>4}",
                ));
                bar.set_message(format!("Downloading {}", count_noun(files, "file")));
                self.total = Some(bar);
            }
            Progress::DownloadStarted { name, size } => {
                let bar = self.screen.add(ProgressBar::new(size.unwrap_or(0)));
                bar.set_style(style("    {msg:<22!} {bar:28} {bytes:>10}/{total_bytes:<10}"));
                bar.set_message(printable::line(name.split('-').next().unwrap_or(name)));
                self.files.insert(name.to_owned(), bar);
            }
            Progress::DownloadAdvanced { name, bytes } => {
                if let Some(bar) = self.files.get(name) {
                    bar.inc(bytes);
                }
                if let Some(total) = &self.total {
                    total.inc(bytes);
                }
            }
            Progress::DownloadFinished { name } => {
                if let Some(bar) = self.files.remove(name) {
                    bar.finish_and_clear();
                }
            }
            Progress::Counted { what, done, total } => {
                let bar = self.total.get_or_insert_with(|| {
                    let bar = self.screen.insert(0, ProgressBar::new(0));
                    bar.set_style(style("  {msg:<24!} {bar:28} {pos:>10}/{len:<10}  {eta:>4}"));
                    bar
                });
                bar.set_message(what);
                bar.set_length(total as u64);
                bar.set_position(done as u64);
                if done >= total
                    && let Some(bar) = self.total.take()
                {
                    bar.finish_and_clear();
                }
            }
            Progress::Placing { packages } => {
                if let Some(total) = self.total.take() {
                    total.finish_and_clear();
                }
                let spinner = self.spinner.get_or_insert_with(|| spinner(&self.screen));
                spinner.set_message(format!("Installing {packages} packages"));
            }
        }
    }

    fn raw(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::DownloadStarted { name, size } => {
                let size = size.unwrap_or(0);
                write_stdout(&format!("Progress 0 of {size}"));
                self.raw.insert(name.to_owned(), RawCount { done: 0, size, last: std::time::Instant::now() });
            }
            Progress::DownloadAdvanced { name, bytes } => {
                if let Some(count) = self.raw.get_mut(name) {
                    count.done += bytes;
                    if count.last.elapsed() >= Duration::from_millis(250) || count.done == count.size {
                        count.last = std::time::Instant::now();
                        write_stdout(&format!("Progress {} of {}", count.done, count.size));
                    }
                }
            }
            Progress::DownloadFinished { name } => {
                self.raw.remove(name);
            }
            _ => {}
        }
    }

    fn json(&mut self, progress: Progress<'_>) {
        let event = match progress {
            Progress::DownloadPlanned { files, bytes } => {
                serde_json::json!({"event": "plan", "files": files, "bytes": bytes})
            }
            Progress::DownloadStarted { name, size } => {
                serde_json::json!({"event": "download", "name": name, "bytes": 0, "total": size})
            }
            Progress::DownloadFinished { name } => serde_json::json!({"event": "downloaded", "name": name}),
            Progress::Placing { packages } => serde_json::json!({"event": "install", "packages": packages}),
            Progress::Placed => serde_json::json!({"event": "done"}),
            Progress::DownloadAdvanced { name, bytes } => {
                let count = self.raw.entry(name.to_owned()).or_insert(RawCount {
                    done: 0,
                    size: 0,
                    last: std::time::Instant::now(),
                });
                count.done += bytes;
                if count.last.elapsed() < Duration::from_millis(250) {
                    return;
                }
                count.last = std::time::Instant::now();
                serde_json::json!({"event": "download", "name": name, "bytes": count.done})
            }
            Progress::Counted { what, done, total } if done == 0 || done == total => {
                serde_json::json!({"event": "count", "what": what, "done": done, "total": total})
            }
            Progress::Resolving { .. } | Progress::Resolved | Progress::Counted { .. } => return,
        };
        write_stderr(&printable::json(&event.to_string()));
    }
}

fn spinner(screen: &MultiProgress) -> ProgressBar {
    let spinner = screen.add(ProgressBar::new_spinner());
    spinner.set_style(style("  {spinner} {msg}"));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▌░")
}

fn write_stdout(text: &str) {
    // A reader that went away (a closed pipe) is no reason to fail.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn write_stderr(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn bar_style(settings: &TerminalSettings) -> BarStyle {
    if settings.verbosity < 0 {
        return BarStyle::Off;
    }
    match settings.progress_bar {
        ProgressChoice::Off => BarStyle::Off,
        ProgressChoice::Raw => BarStyle::Raw,
        ProgressChoice::Json => BarStyle::Json,
        ProgressChoice::On => BarStyle::Drawn,
        ProgressChoice::Auto => {
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            let ci = ["CI", "BUILD_BUILDID", "BUILD_ID", "PIP_IS_CI"].iter().any(|variable| is_set(variable));
            if std::io::stderr().is_terminal() && !dumb && !ci { BarStyle::Drawn } else { BarStyle::Off }
        }
    }
}

fn use_color(choice: Color) -> bool {
    match choice {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if is_set("NO_COLOR") => false,
        Color::Auto if is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE") => true,
        Color::Auto => {
            let plain = ["CLICOLOR", "TERM"]
                .iter()
                .zip(["0", "dumb"])
                .any(|(variable, value)| std::env::var_os(variable).is_some_and(|found| found == value));
            !plain && std::io::stderr().is_terminal()
        }
    }
}
