//! Bodies in encodings: gzip whole, cut short or as a bomb, and HTTP chunks.

use std::io::Write as _;

use flate2::{Compress, Compression, Crc, FlushCompress, GzBuilder};

/// `bytes` as one gzip member without a time stamp.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A gzip member that inflates to `mebibytes` MiB of zeros, made without compressing them all.
///
/// A full flush forgets the history and ends at a byte border, so the deflated form of 1 MiB can be repeated.
pub(crate) fn gzip_bomb(mebibytes: u32) -> Vec<u8> {
    const MEBIBYTE: usize = 1 << 20;
    let zeros = vec![0_u8; MEBIBYTE];
    let mut block = Vec::with_capacity(MEBIBYTE);
    Compress::new(Compression::best(), false).compress_vec(&zeros, &mut block, FlushCompress::Full).unwrap();
    let mut block_crc = Crc::new();
    block_crc.update(&zeros);

    let mut bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    let mut crc = Crc::new();
    for _ in 0..mebibytes {
        bomb.extend(&block);
        crc.combine(&block_crc);
    }
    // An empty final block, then CRC and length modulo 2^32.
    bomb.extend([0x03, 0x00]);
    bomb.extend(crc.sum().to_le_bytes());
    bomb.extend(crc.amount().to_le_bytes());
    bomb
}

/// `bytes` in chunks of at most 8192 bytes; without the last, empty chunk unless `ended`.
pub(crate) fn chunked(bytes: &[u8], ended: bool) -> Vec<u8> {
    let mut wire = Vec::new();
    for chunk in bytes.chunks(8192) {
        wire.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
        wire.extend(chunk);
        wire.extend(b"\r\n");
    }
    if ended {
        wire.extend(b"0\r\n\r\n");
    }
    wire
}
