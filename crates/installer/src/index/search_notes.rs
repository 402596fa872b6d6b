//! Notes taken while projects are searched, for the message about a project that was not found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use packaging::PackageName;

/// Why a project was not found, or which sources were not searched.
#[derive(Clone, Default)]
pub struct SearchNotes {
    /// Sentences about the signed indexes and the map that decided.
    pub sentences: Vec<String>,
    /// The places that were not asked, without secrets.
    pub not_asked: BTreeSet<String>,
}

/// The notes of all projects.
#[derive(Default)]
pub(super) struct SearchNotebook(Mutex<BTreeMap<PackageName, SearchNotes>>);

impl SearchNotebook {
    /// What was noticed of a project.
    pub fn of(&self, project: &PackageName) -> SearchNotes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(project).cloned().unwrap_or_default()
    }

    /// Forgets what was noticed of a project.
    pub fn forget(&self, project: &PackageName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(project);
    }

    /// Adds a sentence, and places that were not asked.
    pub fn add(&self, project: &PackageName, sentence: String, not_asked: Vec<String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let notes = all.entry(project.clone()).or_default();
        // A mapping and the search after it may ask the same index.
        if !notes.sentences.contains(&sentence) {
            notes.sentences.push(sentence);
        }
        notes.not_asked.extend(not_asked);
    }

    /// Adds that places were not asked, and why; nothing if there are none.
    pub fn add_not_asked(&self, project: &PackageName, reason: &str, places: Vec<String>) {
        if !places.is_empty() {
            let were = if places.len() == 1 { "was" } else { "were" };
            self.add(project, format!("{reason}, so {} {were} not asked for it", places.join(", ")), places);
        }
    }
}
