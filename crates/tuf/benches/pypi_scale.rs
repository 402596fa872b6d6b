//! What metadata of the size of PyPI's costs: 16,384 bins (PEP 458), succinct and listed one by one.
//!
//! `cargo bench -p tuf`. One thread, nothing but computing: what it measures is processor time as long as the machine has
//! nothing else to do.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "pypi_scale/repository.rs"]
mod repository;

use std::hint::black_box;

use divan::Bencher;
use tuf::metadata::{Metadata, Root, Signed, Snapshot, Targets, Timestamp};
use tuf::{Client, Event, LookUp, json};

use repository::{BINS, Form, Repository};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    for form in Form::ALL {
        let repository = Repository::of(form);
        for file in
            [Repository::ROOT, Repository::TIMESTAMP, Repository::SNAPSHOT, repository.bins_file(), repository.bin()]
        {
            eprintln!("{form:?} {file}: {} bytes", repository.served[file].len());
        }
    }
    eprintln!("indented {}: {} bytes", Repository::SNAPSHOT, Repository::of(Form::Succinct).indented_snapshot().len());
    divan::main();
}

// ---- one file --------------------------------------------------------------------------------------------------------

#[divan::bench(args = ["root", "timestamp", "snapshot", "snapshot indented", "bins", "bin"])]
fn json_parse(bencher: Bencher<'_, '_>, file: &str) {
    let bytes = file_of_kind(file);
    bencher.bench_local(|| drop(json::parse(&bytes).unwrap()));
}

#[divan::bench(args = ["root", "timestamp", "snapshot", "bins", "bin"])]
fn canonical_form(bencher: Bencher<'_, '_>, file: &str) {
    let bytes = file_of_kind(file);
    let value = json::parse(&bytes).unwrap();
    bencher.bench_local(|| value.canonical());
}

/// Parse, canonical form and reading the fields, without signatures.
#[divan::bench(args = ["root", "timestamp", "snapshot", "snapshot indented", "bins", "bin"])]
fn read(bencher: Bencher<'_, '_>, file: &str) {
    fn one<T: Signed>(bytes: &[u8]) {
        black_box(Metadata::<T>::from_bytes(bytes).unwrap());
    }
    let bytes = file_of_kind(file);
    let read = match file {
        "root" => one::<Root>,
        "timestamp" => one::<Timestamp>,
        "snapshot" | "snapshot indented" => one::<Snapshot>,
        _ => one::<Targets>,
    };
    bencher.bench_local(|| read(&bytes));
}

/// What the client does with a file that it was waiting for: all of the above and every check.
#[divan::bench(args = ["timestamp", "snapshot", "bins", "bin"])]
fn verify(bencher: Bencher<'_, '_>, file: &str) {
    let repository = Repository::of(Form::Listed);
    let name = match file {
        "timestamp" => Repository::TIMESTAMP,
        "snapshot" => Repository::SNAPSHOT,
        "bins" => repository.bins_file(),
        _ => repository.bin(),
    };
    bencher
        .with_inputs(|| {
            let mut client = repository.new_client();
            client.look_up(repository.target());
            let asked = repository.drive(&mut client, &repository.nothing_stored(), Some(name)).unwrap();
            (client, asked)
        })
        .bench_local_values(|(mut client, asked)| {
            client.fetched(asked, tuf::Fetched::Body(&repository.served[name]));
            client
        });
}

/// A root that vouches for itself.
#[divan::bench]
fn verify_root(bencher: Bencher<'_, '_>) {
    let repository = Repository::of(Form::Succinct);
    bencher.bench_local(|| repository.new_client());
}

/// A root whose key is too long to be one: its length tells, nothing of it is decoded.
#[divan::bench(args = [64, 1024, 16 * 1024, 256 * 1024])]
fn refuse_long_key(bencher: Bencher<'_, '_>, length: usize) {
    let root = String::from_utf8(Repository::of(Form::Succinct).served[Repository::ROOT].clone()).unwrap();
    let (before, key) = root.split_once("\"public\":\"").unwrap();
    let (_, after) = key.split_once('"').unwrap();
    let root = format!("{before}\"public\":\"{}\"{after}", "0".repeat(length));
    bencher.bench_local(|| assert!(Repository::client_of(root.as_bytes()).is_err()));
}

fn file_of_kind(kind: &str) -> Vec<u8> {
    let repository = Repository::of(Form::Listed);
    match kind {
        "root" => repository.served[Repository::ROOT].clone(),
        "timestamp" => repository.served[Repository::TIMESTAMP].clone(),
        "snapshot" => repository.served[Repository::SNAPSHOT].clone(),
        "snapshot indented" => repository.indented_snapshot(),
        "bins" => repository.served[repository.bins_file()].clone(),
        "bin" => repository.served[repository.bin()].clone(),
        other => panic!("no such file: {other}"),
    }
}

// ---- refresh, from the trusted root to the top-level targets, freeing everything included ----------------------------

#[divan::bench(args = Form::ALL)]
fn refresh_nothing_changed(bencher: Bencher<'_, '_>, form: Form) {
    let repository = Repository::of(form);
    let stored = repository.everything_stored();
    bencher.bench_local(|| refresh(repository, &stored));
}

/// With the comparison of all entries of the new snapshot with those of the stored one.
#[divan::bench(args = Form::ALL)]
fn refresh_new_snapshot(bencher: Bencher<'_, '_>, form: Form) {
    let repository = Repository::of(form);
    let stored = repository.yesterday_stored();
    bencher.bench_local(|| refresh(repository, &stored));
}

#[divan::bench(args = Form::ALL)]
fn refresh_new_user(bencher: Bencher<'_, '_>, form: Form) {
    let repository = Repository::of(form);
    let stored = repository.nothing_stored();
    bencher.bench_local(|| refresh(repository, &stored));
}

fn refresh(repository: &Repository, stored: &repository::Store) {
    let mut client = repository.new_client();
    repository.drive(&mut client, stored, None);
    assert_eq!(client.poll_event(), Some(Event::Refreshed));
    assert_eq!(client.epoch().unwrap().snapshot().version, 2);
}

// ---- look-ups after the refresh --------------------------------------------------------------------------------------

/// Including the fetch of what it needs: `bins` in the one form, the bin in both.
#[divan::bench(args = Form::ALL)]
fn first_look_up(bencher: Bencher<'_, '_>, form: Form) {
    let repository = Repository::of(form);
    bencher.with_inputs(|| refreshed(repository)).bench_local_values(|mut client| {
        find(repository, &mut client, repository.target());
        client
    });
}

#[divan::bench(args = Form::ALL)]
fn thousand_look_ups_in_one_loaded_bin(bencher: Bencher<'_, '_>, form: Form) {
    let repository = Repository::of(form);
    let targets = repository.targets_of_bin();
    let mut client = refreshed(repository);
    find(repository, &mut client, repository.target());
    bencher.bench_local(|| {
        for target in targets.iter().cycle().take(1_000) {
            find(repository, &mut client, target);
        }
    });
}

#[divan::bench(args = Form::ALL)]
fn thousand_look_ups_in_a_thousand_loaded_bins(bencher: Bencher<'_, '_>, form: Form) {
    let repository = Repository::of(form);
    let targets = repository.targets_of_different_bins();
    assert_eq!(targets.len(), 1_000);
    let mut client = refreshed(repository);
    for target in targets {
        find(repository, &mut client, target);
    }
    bencher.bench_local(|| {
        for target in targets {
            find(repository, &mut client, target);
        }
    });
}

fn refreshed(repository: &Repository) -> Client {
    let mut client = repository.new_client();
    repository.drive(&mut client, &repository.everything_stored(), None);
    assert_eq!(client.poll_event(), Some(Event::Refreshed));
    assert_eq!(client.epoch().unwrap().snapshot().meta.len(), BINS + repository.form.other_roles());
    client
}

fn find(repository: &Repository, client: &mut Client, target: &str) {
    client.look_up(target);
    repository.drive(client, &repository.nothing_stored(), None);
    let found = client.poll_event();
    assert!(matches!(found, Some(Event::LookedUp { result: Ok(LookUp::Found(_)), .. })), "{found:?}");
}
