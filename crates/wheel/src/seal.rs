//! Seals: whether the contents of a file were written by this user on this machine.
//!
//! A seal is an HMAC (RFC 2104) with SHA-256 at the end of the file, over what the file is and its contents. The key is
//! the caller's: this crate looks for none.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Bytes of a seal.
const LENGTH: usize = 32;

/// The secret that seals are made with.
#[derive(Clone, PartialEq, Eq)]
pub struct SealKey([u8; 32]);

impl fmt::Debug for SealKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealKey(..)")
    }
}

impl SealKey {
    /// The key with these bytes.
    pub fn new(bytes: [u8; 32]) -> SealKey {
        SealKey(bytes)
    }

    /// Appends the seal to the contents of a file. `what` says which file it is: the seal is of no use on another one.
    pub fn seal(&self, what: &[&[u8]], contents: &mut Vec<u8>) {
        if let Some(mac) = self.mac(what, contents) {
            contents.extend_from_slice(&mac.finalize().into_bytes());
        }
    }

    /// The contents of a sealed file; `None` when the seal is not of this key, this file and these contents.
    pub fn open<'s>(&self, what: &[&[u8]], sealed: &'s [u8]) -> Option<&'s [u8]> {
        let (contents, seal) = split(sealed)?;
        self.mac(what, contents)?.verify_slice(seal).ok().map(|()| contents)
    }

    fn mac(&self, what: &[&[u8]], contents: &[u8]) -> Option<Hmac<Sha256>> {
        // A key of any length will do.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for part in what {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.update(contents);
        Some(mac)
    }
}

/// Takes the place of a seal where there is no key.
pub(crate) fn leave_unsealed(contents: &mut Vec<u8>) {
    contents.extend_from_slice(&[0; LENGTH]);
}

/// The contents of a file, and its seal.
pub(crate) fn split(sealed: &[u8]) -> Option<(&[u8], &[u8])> {
    sealed.split_at_checked(sealed.len().checked_sub(LENGTH)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_holds_for_one_key_one_file_and_its_contents() {
        let key = SealKey::new([1; 32]);
        let mut sealed = b"contents".to_vec();
        key.seal(&[b"journal", b"/a"], &mut sealed);
        assert_eq!(key.open(&[b"journal", b"/a"], &sealed), Some(b"contents".as_slice()));
        assert_eq!(SealKey::new([2; 32]).open(&[b"journal", b"/a"], &sealed), None);
        assert_eq!(key.open(&[b"journal", b"/b"], &sealed), None);
        assert_eq!(key.open(&[b"journal/", b"a"], &sealed), None);
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(key.open(&[b"journal", b"/a"], &changed), None, "{position}");
            assert_eq!(key.open(&[b"journal", b"/a"], &sealed[..position]), None, "{position}");
        }
        let mut unsealed = b"contents".to_vec();
        leave_unsealed(&mut unsealed);
        assert_eq!(key.open(&[b"journal", b"/a"], &unsealed), None);
        assert!(!format!("{key:?}").contains('1'));
    }
}
