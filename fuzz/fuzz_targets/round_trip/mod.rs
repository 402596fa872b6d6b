//! What holds of any metadata that is read.

use std::fmt::Debug;

use tuf::json::parse;
use tuf::metadata::{Metadata, Signed};

/// Reads a file. What is written of it is read as the same, and what is signed are the bytes that were signed: no field
/// is lost, changed or made up.
pub fn round_trip<T: Signed + PartialEq + Debug>(bytes: &[u8]) -> Option<Metadata<T>> {
    let metadata = Metadata::<T>::from_bytes(bytes).ok()?;
    let written = metadata.to_bytes();
    let again = Metadata::<T>::from_bytes(&written).expect("what was written can be read");
    assert_eq!(again, metadata);
    assert_eq!(again.to_bytes(), written);

    let file = parse(bytes).expect("metadata is JSON");
    let signed = file.as_object().and_then(|file| file.get("signed")).expect("metadata has something signed");
    assert_eq!(metadata.signing_bytes(), signed.canonical());
    assert_eq!(metadata.signed.version(), again.signed.version());
    Some(metadata)
}
