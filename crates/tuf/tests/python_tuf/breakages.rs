//! What can be wrong with a repository, one thing at a time, and what the client says to it.

mod delegations;
mod every_role;
mod honest;
mod rollbacks;
mod roots;

use tuf::Check;

use super::repository::Repository;

/// One way to break a repository, or not to.
pub struct Breakage {
    pub name: String,
    pub expected: Expected,
    pub history: History,
    /// Given the name of a delegated role that look-ups come to.
    pub apply: Apply,
}

type Apply = Box<dyn Fn(&mut Repository, &str)>;

/// What comes of it.
#[derive(Clone, Copy)]
pub enum Expected {
    /// The update is made.
    Accepted,
    /// The update is refused by one of these checks.
    Refused(&'static [Check]),
    /// The update is made, but look-ups that come to the delegated role are refused by one of these checks.
    LookUpsRefused(&'static [Check]),
    /// The two clients disagree, and mean to. Ours refuses the update by this check, or accepts it.
    Differs(Option<Check>, &'static str),
}

/// Whether the client has seen an honest state before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum History {
    Needed,
    Unwanted,
    Either,
}

/// Collects them.
struct List(Vec<Breakage>);

impl List {
    fn add(
        &mut self,
        name: impl Into<String>,
        history: History,
        expected: Expected,
        apply: impl Fn(&mut Repository, &str) + 'static,
    ) {
        self.0.push(Breakage { name: name.into(), expected, history, apply: Box::new(apply) });
    }
}

pub fn all() -> Vec<Breakage> {
    let mut list = List(Vec::new());
    honest::add(&mut list);
    for place in ["root", "timestamp", "snapshot", "targets", "delegated"] {
        every_role::of_all(&mut list, place);
        if place != "root" {
            every_role::of_all_but_root(&mut list, place);
        }
        if place != "root" && place != "timestamp" {
            every_role::of_described(&mut list, place);
        }
    }
    rollbacks::add(&mut list);
    roots::add(&mut list);
    delegations::add(&mut list);
    list.0
}
