//! Turns the events and failures of the libraries into lines for users. The words of progress stand in `terminal`; warnings,
//! details and what is waited for bring theirs. Phrases that scripts search for are pip's.

use installer::error::Failure;
use installer::event::{BrokenRequirement, Event, Verified};
use installer::python::environment::shown_path;
use installer::text::count_noun;

/// A message made of an event.
pub enum Message {
    /// The requested JSON document; always printed, on standard output.
    Json(String),
    /// A result line as pip prints it, on standard output.
    Line(String),
    /// Something good to know, on standard error.
    Note(String),
    /// Something the user should know although all goes well.
    Warning(String),
    /// A problem beside the task of the command, which was done.
    Error(String),
    /// A detail of this level.
    Detail(i8, String),
}

/// The messages for an event. Progress has none: it is drawn.
pub fn of_event(event: &Event<'_>) -> Vec<Message> {
    use Message::{Detail, Error, Json, Line, Note, Warning};
    let one = match event {
        Event::Progress(_) => return Vec::new(),
        Event::Verified(verified) => return of_verified(verified),
        Event::Replacing { project, installed, version } => {
            return vec![
                Line(format!("  Attempting uninstall: {project}")),
                Line(format!("    Found existing installation: {installed} {version}")),
                Line(format!("    Uninstalling {installed}-{version}:")),
                Line(format!("      Successfully uninstalled {installed}-{version}")),
            ];
        }
        Event::Warning { text, .. } => Warning(text.clone()),
        Event::Detail { level, text } => Detail(*level, text.clone()),
        Event::Waiting { text } => Note(text.clone()),
        Event::RequirementIgnored { requirement, marker, environment } => {
            Line(format!("Ignoring {requirement}: markers '{marker}' don't match {environment}"))
        }
        Event::RequirementSatisfied { requirement, location, required_by, version } => {
            let location = location.map(|location| format!(" in {}", shown_path(location))).unwrap_or_default();
            let from = if required_by.is_empty() { String::new() } else { format!(" (from {required_by})") };
            Line(format!("Requirement already satisfied: {requirement}{location}{from} ({version})"))
        }
        Event::SameVersionInstalled { project } => Line(format!(
            "{project} is already installed with the same version as the provided wheel. \
             Use --force-reinstall to force an installation of the wheel."
        )),
        Event::WouldInstall { distributions } => Line(format!("Would install {}", distributions.join(" "))),
        Event::UserSchemeChosen => {
            Line("Defaulting to user installation because normal site-packages is not writeable".to_owned())
        }
        Event::Installing { projects } => Line(format!("Installing collected packages: {}", projects.join(", "))),
        Event::NotRemovable { installed } => {
            Line(format!("    Can't uninstall '{installed}'. No files were found to uninstall."))
        }
        Event::EnvironmentChanged => Note("The environment was changed by another process; planning again".to_owned()),
        Event::CacheChanged { path } => {
            Note(format!("{} was changed after it was unpacked; unpacking again", path.display()))
        }
        Event::InterruptedChangeUndone { library } => {
            Note(format!("An interrupted change of {} was undone", library.display()))
        }
        Event::Installed { distributions } => Line(format!("Successfully installed {}", distributions.join(" "))),
        Event::KeptUnchecked { count } => {
            let verb = if *count == 1 { "was" } else { "were" };
            Note(format!("Unchecked  {} {verb} not looked at", count_noun(*count, "installed package")))
        }
        Event::AllowUnsignedUnused { project, is_signed } => {
            let reason = if *is_signed { "a signed index has it" } else { "it was not needed" };
            Note(format!("--allow-unsigned {project} had no effect: {reason}"))
        }
        Event::Conflicts { broken } => Error(of_conflicts(broken)),
        Event::Report { text } => Json((*text).to_owned()),
    };
    vec![one]
}

/// The failure that ends a command: pip's message, labelled facts, advice, and the code.
pub fn of_failure(failure: &Failure) -> String {
    // The last line of defence: some of the texts are foreign, and some have URLs in them.
    let safe = |text: &str| printable::lines(&printable::redacted(text));
    let mut shown = vec![format!("ERROR: {}", safe(&failure.message))];
    for (label, text) in &failure.details {
        let mut label = *label;
        for line in safe(text).lines() {
            shown.push(format!("  {label:<9} {line}"));
            label = "";
        }
    }
    shown.extend(failure.hints.iter().map(|hint| format!("  {:<9} {}", "help", safe(hint))));
    shown.push(format!("  {:<9} {}", "code", failure.code));
    shown.join("\n")
}

/// Hashes of an unsigned index prove the transfer and nothing else: such files do not count as verified.
fn of_verified(verified: &Verified) -> Vec<Message> {
    let Verified { signed, by_user, by_index, by_nobody } = verified;
    let mut lines: Vec<String> = signed
        .iter()
        .map(|(snapshot, count)| format!("Verified   {} against {snapshot}", count_noun(*count, "file")))
        .collect();
    if *by_user > 0 {
        lines.push(format!("Verified   {} by the hashes you gave", count_noun(*by_user, "file")));
    }
    if *by_index > 0 {
        let hashes = if *by_index == 1 { "its hash" } else { "their hashes" };
        lines.push(format!("Unverified {}: only an unsigned index gave {hashes}", count_noun(*by_index, "file")));
    }
    if !by_nobody.is_empty() {
        let names = by_nobody.join(" ");
        lines.push(format!("Unverified {}, no hash at all: {names}", count_noun(by_nobody.len(), "file")));
    }
    lines.into_iter().map(Message::Note).collect()
}

fn of_conflicts(broken: &[BrokenRequirement]) -> String {
    let mut lines = vec![
        "tufpip's dependency resolver does not currently take into account all the packages that are installed. This \
         behaviour is the source of the following dependency conflicts."
            .to_owned(),
    ];
    lines.extend(broken.iter().map(|broken| {
        let BrokenRequirement { name, version, dependency, requirement, found } = broken;
        let requirement = printable::line(requirement);
        match found {
            None => format!("{name} {version} requires {requirement}, which is not installed."),
            Some(found) => format!(
                "{name} {version} requires {requirement}, but you have {dependency} {found} which is incompatible."
            ),
        }
    }));
    lines.join("\n")
}
