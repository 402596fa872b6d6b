//! What is on offer: project pages, directories of links, the metadata of single files, and what the resolver is told of it.

mod choice;
mod direct;
mod explanation;
mod finder;
mod listed;
mod metadata;
mod notes;
mod pages;
mod sources;

pub use choice::{Choice, Offer, parse_time};
pub use finder::{Finder, Found};
pub use listed::Listed;
pub use metadata::{MetadataReader, download_request};
pub use pages::Pages;
pub use sources::{Sources, parse_filename};
