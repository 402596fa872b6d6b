//! Limits of the client.

/// Limits on foreign input and on its age All sizes in bytes, of decoded content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// New roots in one refresh: 1024.
    pub root_rotations: u32,
    /// A root file: 512 KiB.
    pub root_size: u64,
    /// The timestamp file: 16 KiB.
    pub timestamp_size: u64,
    /// The snapshot file, if the timestamp signs no length: 8 MiB.
    pub snapshot_size: u64,
    /// A targets file, if the snapshot signs no length: 16 MiB.
    pub targets_size: u64,
    /// Any metadata file, whatever length is signed: 32 MiB. In memory a file takes up to six times its size while it
    /// is read.
    pub metadata_size: u64,
    /// Delegated roles visited in one look-up, the top-level one not counted: 32.
    pub delegations_visited: usize,
    /// Timestamp, snapshot, targets and delegated roles may have expired less than this number of seconds before the
    /// time of the update: 0, none may. Never the root. An attacker who withholds updates gains that much time, so it
    /// takes an explicit request of the user; [`Client::expired`](crate::Client::expired) lists what was used only
    /// because of it.
    pub expired_for: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            root_rotations: 1024,
            root_size: 512 << 10,
            timestamp_size: 16 << 10,
            snapshot_size: 8 << 20,
            targets_size: 16 << 20,
            metadata_size: 32 << 20,
            delegations_visited: 32,
            expired_for: 0,
        }
    }
}
