//! Signing what others publish: a chosen part of an index (`repo mirror`), or all of one that cannot be changed
//! (`repo add-metadata-to`).
//!
//! | module | is responsible for |
//! |---|---|
//! | `lock_file` | what lock files want |
//! | `machine` | the machines that are mirrored for |
//! | `closure` | which files the requirements lead to |
//! | `project_list` | which projects an index has |
//! | `present` | what this index has already |
//! | `comparison` | what has to change, and what must not |
//! | `follower` | comparing, bringing and staging, project by project |
//! | `bringing` | files that are copied or linked |
//! | `news` | what is said of it |

mod bringing;
mod closure;
mod comparison;
mod follower;
mod lock_file;
mod machine;
mod news;
mod present;
mod project_list;

pub use bringing::{Bring, Carrier};
pub use closure::{Closure, MirrorOptions, Release, collect};
pub use comparison::{Listing, Rules};
pub use follower::{Followed, follow, stage};
pub use machine::Machine;
pub use news::{News, SHOWN};
pub use present::Present;
pub use project_list::project_list;
