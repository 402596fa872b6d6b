//! The body of an answer: its encoding, its pace, and the part of a file that it is.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::write::MultiGzDecoder;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_RANGE, HeaderMap};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::{NetworkCause, RemoteFailure};

/// A body slower than this on average is given up.
const MINIMUM_BYTES_PER_SECOND: u64 = 1 << 10;

/// A body of more bytes waits for its turn, so that many large ones do not fill the memory together.
pub(crate) const LARGE: u64 = 4 << 20;

/// Bytes that are decoded at once: gzip makes at most a thousand times as many of them.
const PIECE: usize = 4 << 10;

/// Reads and decodes a body; stops as soon as it is longer than `limit`, before or after decoding. A large one comes
/// with its turn, which ends when that is dropped.
pub(crate) async fn read(
    url: &Url,
    response: &mut Response,
    limit: u64,
    mut pace: Pace,
    large_bodies: &Arc<Semaphore>,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), RemoteFailure> {
    let fail = |cause| RemoteFailure::new(url, cause);
    let announced = response.content_length().unwrap_or(0);
    if announced > limit {
        return Err(fail(NetworkCause::TooLarge { limit }));
    }
    let mut decoder = Decoder::new(response.headers(), announced, limit).map_err(fail)?;
    let mut received = 0;
    let mut turn = None;
    while let Some(chunk) = response.chunk().await.map_err(|error| RemoteFailure::from_reqwest(url, &error))? {
        received += chunk.len() as u64;
        if received > limit {
            return Err(fail(NetworkCause::TooLarge { limit }));
        }
        for piece in chunk.chunks(PIECE) {
            if turn.is_none() && decoder.length() + PIECE as u64 > LARGE {
                // The semaphore is never closed.
                turn = Arc::clone(large_bodies).acquire_owned().await.ok();
                pace.restart();
            }
            decoder.write(piece).map_err(fail)?;
        }
        pace.advance(chunk.len()).map_err(fail)?;
    }
    Ok((decoder.finish().map_err(fail)?, turn))
}

/// Aborts a body that arrives too slowly: each byte resets the connection's timeout.
pub(crate) struct Pace {
    window: Duration,
    start: Instant,
    bytes: u64,
}

impl Pace {
    /// Measures over twice the time a server may be silent.
    pub fn new(timeout: Duration) -> Self {
        Self { window: timeout.saturating_mul(2), start: Instant::now(), bytes: 0 }
    }

    /// Begins to measure again after a time in which nothing was asked for.
    pub fn restart(&mut self) {
        (self.start, self.bytes) = (Instant::now(), 0);
    }

    /// Counts bytes that came.
    pub fn advance(&mut self, bytes: usize) -> Result<(), NetworkCause> {
        self.bytes += bytes as u64;
        if self.start.elapsed() >= self.window {
            if self.bytes < self.window.as_secs().max(1) * MINIMUM_BYTES_PER_SECOND {
                return Err(NetworkCause::TooSlow("the server sends less than 1 KiB per second".to_owned()));
            }
            self.restart();
        }
        Ok(())
    }
}

/// A body on its way into memory.
enum Decoder {
    Identity(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

/// A buffer with a size limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: u64,
    exceeded: bool,
}

impl Decoder {
    fn new(headers: &HeaderMap, announced: u64, limit: u64) -> Result<Self, NetworkCause> {
        // What is announced need not come.
        let bytes = Vec::with_capacity(usize::try_from(announced.min(LARGE)).unwrap_or(0));
        let bounded = Bounded { bytes, limit, exceeded: false };
        let encoding =
            headers.get(CONTENT_ENCODING).map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase());
        match encoding.as_deref() {
            None | Some("" | "identity") => Ok(Self::Identity(bounded)),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(bounded)))),
            Some(other) => {
                let other = printable::line(other);
                Err(NetworkCause::Protocol(format!("its Content-Encoding is '{other}', which was not asked for")))
            }
        }
    }

    /// Bytes in memory.
    fn length(&self) -> u64 {
        match self {
            Self::Identity(bounded) => bounded.bytes.len() as u64,
            Self::Gzip(decoder) => decoder.get_ref().bytes.len() as u64,
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), NetworkCause> {
        let (written, bounded) = match self {
            Self::Identity(bounded) => (bounded.write_all(chunk), &*bounded),
            Self::Gzip(decoder) => (decoder.write_all(chunk), decoder.get_ref()),
        };
        written.map_err(|error| bounded.cause(&error))
    }

    fn finish(self) -> Result<Vec<u8>, NetworkCause> {
        match self {
            Self::Identity(bounded) => Ok(bounded.bytes),
            Self::Gzip(mut decoder) => match decoder.try_finish() {
                Ok(()) => {
                    decoder.finish().map(|bounded| bounded.bytes).map_err(|error| NetworkCause::Body(error.to_string()))
                }
                Err(error) => Err(decoder.get_ref().cause(&error)),
            },
        }
    }
}

impl Bounded {
    fn cause(&self, error: &std::io::Error) -> NetworkCause {
        if self.exceeded {
            return NetworkCause::TooLarge { limit: self.limit };
        }
        NetworkCause::Body(format!("it is not whole as gzip ({error})"))
    }
}

impl Write for Bounded {
    fn write(&mut self, chunk: &[u8]) -> std::io::Result<usize> {
        if (self.bytes.len() + chunk.len()) as u64 > self.limit {
            self.exceeded = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// `Content-Range: bytes 100-199/200`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContentRange {
    /// Position of the first byte.
    pub first: u64,
    /// How many bytes.
    pub length: u64,
    /// Length of the whole file.
    pub total: u64,
}

impl ContentRange {
    /// `None` when it is invalid; an unknown total (`*`) counts as invalid.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let (range, total) =
            headers.get(CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last, total): (u64, u64, u64) =
            (first.trim().parse().ok()?, last.trim().parse().ok()?, total.trim().parse().ok()?);
        (first <= last && last < total).then(|| Self { first, length: last - first + 1, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ranges_that_make_sense_are_read() {
        let of = |text: &str| {
            ContentRange::of(&HeaderMap::from_iter([(CONTENT_RANGE, text.parse().unwrap())]))
                .map(|range| (range.first, range.length, range.total))
        };
        assert_eq!(of("bytes 100-199/200"), Some((100, 100, 200)));
        for text in
            ["bytes 100-99/200", "bytes 100-200/200", "bytes 0-9/*", "bytes */200", "items 0-1/2", "bytes -1-2/3", ""]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
