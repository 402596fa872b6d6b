//! Stories of installing from a signed index, at the command line: what works, and one file for each attack.
//!
//! Every attack ends with the honest repository back and the same command working.

mod a01_file_replaced;
mod a02_file_not_signed;
mod a03_page_altered;
mod a04_forged_metadata;
mod a05_endless_data;
mod a06_slow_retrieval;
mod a07_freeze;
mod a08_freeze_of_one_role;
mod a09_rollback;
mod a10_rollback_of_root;
mod a11_fast_forward;
mod a12_mix_and_match;
mod a13_malicious_mirror;
mod a14_extraneous_dependencies;
mod a15_wrong_software;
mod a16_timestamp_key_stolen;
mod a17_snapshot_key_stolen;
mod a18_online_keys_stolen;
mod a19_root_below_threshold;
mod a20_honest_rotations;
mod a21_first_use;
mod a22_downgrade;
mod a23_malformed_metadata;
mod a24_local_store;
mod a25_clock;
mod around_the_signatures;
mod cache;
mod claims;
mod honest;
mod interpreter;
mod journal;
mod other_projects;
mod protected_places;
mod remote_text;
mod store_broken;
mod store_shared;
mod terminal;
