//! Turns configured values into option tokens that precede the user's own. Later entries act on earlier ones as in pip:
//! a list in `[install]` replaces the one in `[global]`, options on the command line add to it; package selections add
//! up everywhere.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, Command};

use super::configuration::{ConfigurationEntry, REQUIRE_SIGNED};
use crate::arguments::COMMAND_LINE_ONLY;
use crate::cli::ACCUMULATING_OPTIONS;
use crate::cli::tokens::{OptionToken, find_long, full_name, takes_value};
use installer::error::{Code, Failure};

/// An option that was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredOption {
    /// The option as it would have been typed.
    pub token: OptionToken,
    /// The file or the variable.
    pub origin: String,
}

/// Turns entries, weakest first, into words for the command; sentences to warn with are added to `warnings`.
///
/// # Errors
/// A switch has a value that is no truth value.
pub fn option_tokens<'a>(
    entries: impl Iterator<Item = &'a ConfigurationEntry>,
    definition: &Command,
    warnings: &mut Vec<String>,
) -> Result<Vec<ConfiguredOption>, Failure> {
    let mut slots: BTreeMap<String, Vec<ConfiguredOption>> = BTreeMap::new();
    let mut order = Vec::new();
    for entry in entries {
        // Options of other commands may stand in [global] and in the environment.
        let Some(option) = find_long(definition, &entry.key) else { continue };
        let name = option.get_long().unwrap_or_default();
        // The cache of pip is not used by this program.
        if name == "cache-dir" && !entry.origin.starts_with("TUFPIP_") {
            continue;
        }
        if COMMAND_LINE_ONLY.contains(&name) {
            warnings.push(format!(
                "{name} in {} is ignored: --{name} can only be given on the command line.",
                entry.origin
            ));
            continue;
        }
        let found = configured(entry, option, definition, warnings)?;
        let slot = slot_of(name, definition);
        if ACCUMULATING_OPTIONS.contains(&name) || name == REQUIRE_SIGNED {
            // The order among --no-binary and --only-binary counts, so each stays a step of its own; and no entry
            // replaces an earlier one that requires signatures.
            let slot = format!("{slot} {}", order.len());
            order.push(slot.clone());
            slots.insert(slot, found);
        } else {
            if slots.insert(slot.clone(), found).is_none() {
                order.push(slot);
            }
        }
    }
    if slots.contains_key("no-cache-dir") {
        slots.remove("cache-dir");
    }
    Ok(order.into_iter().filter_map(|slot| slots.remove(&slot)).flatten().collect())
}

/// The name under which later entries replace earlier ones.
fn slot_of(name: &str, definition: &Command) -> String {
    let pair = pair_of(name, definition);
    pair.map_or(name, |(positive, _)| positive).to_owned()
}

/// The two options that replace each other of which this is one, when the command has both.
fn pair_of<'a>(name: &str, definition: &'a Command) -> Option<(&'a str, &'a str)> {
    let negatives = definition.get_arguments().filter(|option| is_negative(option)).filter_map(Arg::get_long);
    let mut pairs = negatives.filter_map(|negative| {
        let positive = match negative.strip_prefix("exclude-") {
            Some(what) => find_long(definition, &format!("include-{what}")),
            None => find_long(definition, negative.strip_prefix("no-")?),
        };
        Some((positive?.get_long()?, negative))
    });
    pairs.find(|(positive, negative)| *positive == name || *negative == name)
}

/// Whether an option says no. In configuration pip asks such options for the opposite.
fn is_negative(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetFalse)
}

fn configured(
    entry: &ConfigurationEntry,
    option: &Arg,
    definition: &Command,
    warnings: &mut Vec<String>,
) -> Result<Vec<ConfiguredOption>, Failure> {
    let name = option.get_long().unwrap_or_default();
    let token = |option: &Arg, value: Option<String>| ConfiguredOption {
        token: OptionToken { id: option.get_id().to_string(), name: full_name(option), value },
        origin: entry.origin.clone(),
    };
    if name == "no-cache-dir" {
        // pip switches the cache off for every valid truth value, whether true or false.
        parse_boolean(&entry.value).ok_or_else(|| not_a_boolean(entry))?;
        return Ok(vec![token(option, None)]);
    }
    Ok(match option.get_action() {
        ArgAction::Count => {
            let count = parse_boolean(&entry.value).map(usize::from).or_else(|| entry.value.trim().parse().ok());
            // More than three have no further effect.
            let count = count.ok_or_else(|| not_a_count(entry))?.min(9);
            vec![token(option, None); count]
        }
        ArgAction::Append if ACCUMULATING_OPTIONS.contains(&name) => vec![token(option, Some(entry.value.clone()))],
        ArgAction::Append => {
            entry.value.split_whitespace().map(|value| token(option, Some(value.to_owned()))).collect()
        }
        _ if takes_value(option) => vec![token(option, Some(entry.value.clone()))],
        _ => {
            let value = parse_boolean(&entry.value).ok_or_else(|| not_a_boolean(entry))?;
            let pair = pair_of(name, definition);
            let negative = is_negative(option);
            if negative && value {
                warnings.push(format!(
                    "{name} in {} has no effect: as in pip, a false value switches this option on.",
                    entry.origin
                ));
            }
            let positive = pair.map(|(positive, _)| positive).or(Some(name).filter(|_| !negative));
            let chosen = if value { positive } else { pair.map(|(_, no)| no).or(Some(name).filter(|_| negative)) };
            chosen.and_then(|name| find_long(definition, name)).map(|option| token(option, None)).into_iter().collect()
        }
    })
}

/// Python's old `strtobool`.
pub(super) fn parse_boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn not_a_boolean(entry: &ConfigurationEntry) -> Failure {
    Failure::new(
        Code::UsageConfiguration,
        format!(
            "{} is not a valid value for {} option, please specify a boolean value like yes/no, true/false or 1/0 \
             instead.",
            entry.value, entry.key
        ),
    )
    .detail("set by", entry.origin.clone())
}

fn not_a_count(entry: &ConfigurationEntry) -> Failure {
    Failure::new(
        Code::UsageConfiguration,
        format!(
            "{} is not a valid value for {} option, please instead specify either a non-negative integer or a boolean \
             value like yes/no or false/true which is equivalent to 1/0.",
            entry.value, entry.key
        ),
    )
    .detail("set by", entry.origin.clone())
}
