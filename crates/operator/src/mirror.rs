//! Signs what others publish: a chosen part of an index (`repo mirror`), or a whole index that cannot be changed
//! (`repo add-metadata-to`).
//!
//! | module | is responsible for |
//! |---|---|
//! | `lock_file` | reading lock files |
//! | `machine` | the machines for which files are mirrored |
//! | `closure` | which files the requirements lead to |
//! | `project_list` | which projects an index has |
//! | `current_index` | what this index has already |
//! | `comparison` | what must change, and what must not |
//! | `follower` | comparing, importing and staging, project by project |
//! | `import` | files that are copied or linked |
//! | `report` | the summary of what changes |

mod closure;
mod comparison;
mod current_index;
mod follower;
mod import;
mod lock_file;
mod machine;
mod project_list;
mod report;

pub use closure::{ChosenReleases, Closure, MirrorOptions, collect};
pub use comparison::{MirrorRules, UpstreamFile};
pub use current_index::CurrentIndex;
pub use follower::{UpstreamProject, follow, stage};
pub use import::{ImportMode, Importer};
pub use machine::Machine;
pub use project_list::project_list;
pub use report::{MirrorReport, SHOWN};
