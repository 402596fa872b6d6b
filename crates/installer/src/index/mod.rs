//! What indexes and find-links locations offer: project pages, the metadata of single files, and the facts for the
//! resolver.

mod candidate_evaluator;
mod direct;
mod explanation;
mod finder;
mod index_file;
mod metadata;
mod package_sources;
mod page_fetcher;
mod search_notes;

pub use candidate_evaluator::{CandidateEvaluator, InstallationCandidate, parse_time};
pub use finder::{ChosenFile, Finder};
pub use index_file::IndexFile;
pub use metadata::{MetadataReader, download_request};
pub use package_sources::{PackageSources, parse_filename};
pub use page_fetcher::PageFetcher;
