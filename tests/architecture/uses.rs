//! Which top-level module of a crate uses which, and where: read from the sources as tokens, so that comments and texts do not
//! count, and paths within expressions and macros do. What is compiled for tests only is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A file of a crate and the modules that it is, outermost first; none for the root.
pub struct Source {
    pub path: PathBuf,
    module: Vec<String>,
    tokens: Vec<TokenTree>,
}

impl Source {
    /// The top-level module that the file belongs to; the root's is `main` or `lib`.
    pub fn owner(&self) -> &str {
        self.module.first().map_or_else(|| self.path.file_stem().unwrap().to_str().unwrap(), String::as_str)
    }

    /// Every token, those within brackets too, in order.
    pub fn flat(&self) -> Vec<TokenTree> {
        let mut flat = Vec::new();
        flatten(&self.tokens, &mut flat);
        flat
    }
}

/// A module uses another one.
pub struct Use {
    pub from: String,
    pub to: String,
    /// What of it, as far as the path goes.
    pub item: Vec<String>,
    pub file: PathBuf,
    pub line: usize,
}

/// The files of the crate whose root is `main.rs` or `lib.rs` in this directory, as the compiler finds them.
pub fn sources(directory: &Path) -> Vec<Source> {
    let root = ["main.rs", "lib.rs"].map(|name| directory.join(name)).into_iter().find(|path| path.exists());
    let root = root.unwrap_or_else(|| panic!("no crate in {}", directory.display()));
    let mut found = Vec::new();
    let mut waiting = vec![(root, Vec::new())];
    while let Some((path, module)) = waiting.pop() {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let stream: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tokens = shipped(stream);
        waiting.extend(declared(&tokens, &module).into_iter().map(|module| (file_of(directory, &module), module)));
        found.push(Source { path, module, tokens });
    }
    found
}

/// Every use of one top-level module by another.
pub fn uses(directory: &Path) -> Vec<Use> {
    let sources = sources(directory);
    let modules: BTreeSet<&str> = sources.iter().map(Source::owner).collect();
    let root = sources.iter().find(|source| source.module.is_empty()).unwrap();
    let mut found = Vec::new();
    for source in &sources {
        let mut names = Vec::new();
        named(&source.tokens, &source.module, &mut names);
        for (mut path, line) in names {
            // What is no module is defined or passed on by the root.
            let is_module = path.first().is_some_and(|name| modules.contains(name.as_str()));
            let to = if is_module { path.remove(0) } else { root.owner().to_owned() };
            if to != source.owner() {
                let (from, file) = (source.owner().to_owned(), source.path.clone());
                found.push(Use { from, to, item: path, file, line });
            }
        }
    }
    found
}

/// The shortest way from one module to another, both included.
pub fn way(uses: &[Use], from: &str, to: &str) -> Option<Vec<String>> {
    let mut came_from = BTreeMap::from([(from.to_owned(), None)]);
    let mut waiting = std::collections::VecDeque::from([from.to_owned()]);
    while let Some(module) = waiting.pop_front() {
        if module == to {
            let mut way = vec![module];
            while let Some(Some(before)) = came_from.get(way.last().unwrap()) {
                way.push(String::clone(before));
            }
            way.reverse();
            return Some(way);
        }
        for next in uses.iter().filter(|used| used.from == module).map(|used| &used.to) {
            if !came_from.contains_key(next) {
                came_from.insert(next.clone(), Some(module.clone()));
                waiting.push_back(next.clone());
            }
        }
    }
    None
}

/// The tokens without items, statements and members below `#[cfg(test)]`.
fn shipped(stream: TokenStream) -> Vec<TokenTree> {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut kept = Vec::new();
    let mut next = 0;
    while let Some(token) = tokens.get(next) {
        if is_punct(token, '#') && tokens.get(next + 1).is_some_and(is_cfg_test) {
            next = end_of_item(&tokens, next + 2);
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let inner = shipped(group.stream()).into_iter().collect();
                let mut copy = proc_macro2::Group::new(group.delimiter(), inner);
                copy.set_span(group.span());
                TokenTree::Group(copy)
            }
            other => other.clone(),
        });
        next += 1;
    }
    kept
}

fn is_cfg_test(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.delimiter() == Delimiter::Bracket && group.stream().to_string().replace(' ', "") == "cfg(test)"
}

/// What follows the item that begins here: it ends with `;`, with a block, or as a member with `,`.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(start) {
        let before = tokens.get(index - 1);
        let is_arrow = before.is_some_and(|before| is_punct(before, '-') || is_punct(before, '='));
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return index + 1,
            token if is_punct(token, ';') => return index + 1,
            token if is_punct(token, ',') && depth == 0 => return index + 1,
            token if is_punct(token, '<') => depth += 1,
            token if is_punct(token, '>') && !is_arrow => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The modules that have files of their own: `mod name;`, also within `mod name { … }`.
fn declared(tokens: &[TokenTree], module: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for window in tokens.windows(3) {
        let [keyword, TokenTree::Ident(name), end] = window else { continue };
        if !is_ident(keyword, "mod") {
            continue;
        }
        let inner = [module, &[name.to_string()]].concat();
        match end {
            TokenTree::Group(group) => {
                found.extend(declared(&group.stream().into_iter().collect::<Vec<_>>(), &inner));
            }
            token if is_punct(token, ';') => found.push(inner),
            _ => {}
        }
    }
    found
}

fn file_of(directory: &Path, module: &[String]) -> PathBuf {
    let path = module.iter().fold(directory.to_owned(), |path, name| path.join(name));
    let beside = path.with_extension("rs");
    if beside.exists() { beside } else { path.join("mod.rs") }
}

/// A path from the root of the crate on, and the line of its first name.
type Named = (Vec<String>, usize);

/// Each path that begins at the root of the crate: `crate::name`, `crate::{name, …}`, and as many `super::` as lead there.
fn named(tokens: &[TokenTree], module: &[String], found: &mut Vec<Named>) {
    let mut next = 0;
    while let Some(token) = tokens.get(next) {
        next += 1;
        // An inline module is one further from the root.
        if let (true, Some(TokenTree::Ident(name)), Some(TokenTree::Group(group))) =
            (is_ident(token, "mod"), tokens.get(next), tokens.get(next + 1))
        {
            let inner = [module, &[name.to_string()]].concat();
            named(&group.stream().into_iter().collect::<Vec<_>>(), &inner, found);
            next += 2;
            continue;
        }
        if let TokenTree::Group(group) = token {
            named(&group.stream().into_iter().collect::<Vec<_>>(), module, found);
            continue;
        }
        let mut ups = match token {
            token if is_ident(token, "crate") => module.len(),
            token if is_ident(token, "super") => 1,
            _ => continue,
        };
        while is_separator(tokens, next) && tokens.get(next + 2).is_some_and(|token| is_ident(token, "super")) {
            ups += 1;
            next += 3;
        }
        if ups >= module.len() && is_separator(tokens, next) {
            found.extend(paths(tokens.get(next + 2..).unwrap_or_default()));
            next += 3;
        }
    }
}

/// The path that begins here, or all paths of a use tree.
fn paths(tokens: &[TokenTree]) -> Vec<Named> {
    match tokens.first() {
        Some(TokenTree::Group(group)) => {
            let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
            tokens.split(|token| is_punct(token, ',')).flat_map(paths).collect()
        }
        Some(name) => {
            let line = name.span().start().line;
            let rest = if is_separator(tokens, 1) { paths(tokens.get(3..).unwrap_or_default()) } else { Vec::new() };
            let rest = if rest.is_empty() { vec![(Vec::new(), line)] } else { rest };
            rest.into_iter().map(|(path, _)| ([vec![name.to_string()], path].concat(), line)).collect()
        }
        None => Vec::new(),
    }
}

fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at..at + 2), Some([first, second]) if is_punct(first, ':') && is_punct(second, ':'))
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

fn flatten(tokens: &[TokenTree], flat: &mut Vec<TokenTree>) {
    for token in tokens {
        flat.push(token.clone());
        if let TokenTree::Group(group) = token {
            flatten(&group.stream().into_iter().collect::<Vec<_>>(), flat);
        }
    }
}
