//! Stories of operators: making, publishing, checking and serving a signed index with `tufpip repo`.

mod ceremony;
mod content;
mod demo;
mod export_anchor;
mod hostile;
mod how_to;
mod interop;
mod keys;
mod mirror;
mod mistakes;
mod old_clients;
mod operator;
mod page;
mod published;
mod publishing;
mod reference;
mod serve;
mod serving;
mod sidecar;
mod upstream;
mod verify;
