//! Stories of signed indexes at the command line, beside the attacks: layouts, snapshots that change meanwhile, signed and
//! unsigned sources together, policies, and what reports say.

mod epochs;
mod layouts;
mod mixing;
mod policy;
mod report;
mod without_memory;
