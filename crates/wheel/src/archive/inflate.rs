//! Contents of an entry: inflated up to the declared size and not a byte further, checksum compared.

use flate2::{Decompress, FlushDecompress, Status};

use crate::archive::{ArchiveEntry, Method, WheelArchive, source};
use crate::error::{Refusal, Rule, WheelError};

/// Entries up to this size, compressed and not, are taken as a whole: much faster than as a stream. Above it, the cost of
/// touching fresh memory eats the advantage.
const WHOLE_LIMIT: u64 = 16 << 20;
/// Length of the parts that longer entries are read and handed on in.
const PART_LENGTH: usize = 256 << 10;

/// A gzip header without name or time, and the length of what follows the data: checksum and size.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
const GZIP_TRAILER_LENGTH: usize = 8;

/// Buffers and tables for inflating one entry after the other; each thread has its own.
pub(crate) struct Inflater {
    whole: libdeflater::Decompressor,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// What contents are handed to, part by part. Entries below 16 MiB come in one part that is already checked.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), WheelError> + 'a;

/// Fills a buffer with compressed bytes from an offset into the data of the entry.
type Read<'a> = dyn Fn(u64, &mut [u8]) -> Result<(), WheelError> + 'a;

impl Inflater {
    pub fn new() -> Inflater {
        Inflater { whole: libdeflater::Decompressor::new(), input: Vec::new(), output: Vec::new() }
    }

    /// Hands the contents of `entry` to `sink`. An error after the first part means that the parts were not the contents.
    pub fn each_part(
        &mut self,
        archive: &WheelArchive,
        entry: &ArchiveEntry,
        sink: &mut Sink,
    ) -> Result<(), WheelError> {
        let filename = archive.filename();
        let read =
            |offset, bytes: &mut [u8]| source::read_into(&archive.file, entry.data_offset + offset, bytes, filename);
        self.each_part_of(entry, &read, sink, filename)
    }

    /// The contents of `entry` from its compressed data.
    pub fn contents(&mut self, entry: &ArchiveEntry, compressed: &[u8], filename: &str) -> Result<Vec<u8>, WheelError> {
        let read = |offset: u64, bytes: &mut [u8]| {
            let start = offset as usize;
            match compressed.get(start..).and_then(|rest| rest.get(..bytes.len())) {
                Some(part) => bytes.copy_from_slice(part),
                None => return Err(bad(entry, "compressed data is cut short", filename)),
            }
            Ok(())
        };
        let mut contents = Vec::new();
        let mut sink = |part: &[u8]| {
            contents.extend_from_slice(part);
            Ok(())
        };
        self.each_part_of(entry, &read, &mut sink, filename)?;
        Ok(contents)
    }

    fn each_part_of(
        &mut self,
        entry: &ArchiveEntry,
        read: &Read,
        sink: &mut Sink,
        filename: &str,
    ) -> Result<(), WheelError> {
        if entry.size.max(entry.compressed_size) <= WHOLE_LIMIT {
            let contents = match entry.method {
                Method::Stored => Some(self.copy_whole(entry, read, filename)?),
                Method::Deflated => self.inflate_whole(entry, read, filename)?,
            };
            if let Some(contents) = contents {
                return sink(contents);
            }
        }
        match entry.method {
            Method::Stored => copy_stream(entry, read, sink, filename),
            Method::Deflated => inflate_stream(entry, read, sink, filename),
        }
    }

    fn copy_whole(&mut self, entry: &ArchiveEntry, read: &Read, filename: &str) -> Result<&[u8], WheelError> {
        let contents = front(&mut self.output, entry.size as usize);
        read(0, contents)?;
        check_crc(entry, crc32fast::hash(contents), filename)?;
        Ok(contents)
    }

    /// `None` if only a stream can tell whether the compressed data ends where the entry does.
    ///
    /// libdeflate does not say how much of its input it used. A gzip trailer right behind the data does: it is only found
    /// where the compressed data ended, so bytes in between fail its checksum, which is the check of the contents as well.
    /// The trick is sound as long as the trailer's eight bytes do not stand in the data too.
    fn inflate_whole(
        &mut self,
        entry: &ArchiveEntry,
        read: &Read,
        filename: &str,
    ) -> Result<Option<&[u8]>, WheelError> {
        let header_length = GZIP_HEADER.len();
        let data_end = header_length + entry.compressed_size as usize;
        let input = front(&mut self.input, data_end + GZIP_TRAILER_LENGTH);
        let (header, rest) = input.split_at_mut(header_length);
        let (data, trailer) = rest.split_at_mut(entry.compressed_size as usize);
        header.copy_from_slice(&GZIP_HEADER);
        read(0, data)?;
        let (crc, size) = trailer.split_at_mut(4);
        crc.copy_from_slice(&entry.crc.to_le_bytes());
        size.copy_from_slice(&(entry.size as u32).to_le_bytes());

        let trailer = u64::from(entry.crc) | entry.size << 32;
        let rest = input.get(header_length..).unwrap_or_default();
        if memchr::memmem::find(rest, &trailer.to_le_bytes()) != Some(entry.compressed_size as usize) {
            return Ok(None);
        }
        let output = front(&mut self.output, entry.size as usize);
        match self.whole.gzip_decompress(input, output) {
            Ok(length) if length == output.len() => Ok(Some(output)),
            Ok(_) => Err(bad(entry, "contents are shorter than declared", filename)),
            Err(libdeflater::DecompressionError::InsufficientSpace) => {
                Err(bad(entry, "contents are longer than declared", filename))
            }
            Err(libdeflater::DecompressionError::BadData) => {
                Err(bad(entry, "contents are damaged or do not match their checksum", filename))
            }
        }
    }
}

/// The first `length` bytes of a buffer that only grows, so that its memory is touched once.
fn front(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    buffer.get_mut(..length).unwrap_or_default()
}

fn part_length(rest: u64) -> usize {
    rest.min(PART_LENGTH as u64) as usize
}

fn copy_stream(entry: &ArchiveEntry, read: &Read, sink: &mut Sink, filename: &str) -> Result<(), WheelError> {
    let mut part = vec![0; PART_LENGTH];
    let mut crc = crc32fast::Hasher::new();
    let mut offset = 0;
    while offset < entry.size {
        let part = front(&mut part, part_length(entry.size - offset));
        read(offset, part)?;
        crc.update(part);
        sink(part)?;
        offset += part.len() as u64;
    }
    check_crc(entry, crc.finalize(), filename)
}

fn inflate_stream(entry: &ArchiveEntry, read: &Read, sink: &mut Sink, filename: &str) -> Result<(), WheelError> {
    let mut stream = Decompress::new(false);
    let mut crc = crc32fast::Hasher::new();
    let (mut input, mut output) = (vec![0; PART_LENGTH], vec![0; PART_LENGTH]);
    let mut offset = 0;
    loop {
        // Each part is used up before the next one is read.
        let length = part_length(entry.compressed_size - offset);
        let part = front(&mut input, length);
        read(offset, part)?;
        offset += length as u64;
        let mut rest: &[u8] = part;
        loop {
            let (used, made) = (stream.total_in(), stream.total_out());
            let status = stream
                .decompress(rest, &mut output, FlushDecompress::None)
                .map_err(|_| bad(entry, "contents are damaged", filename))?;
            let (used, made) = ((stream.total_in() - used) as usize, (stream.total_out() - made) as usize);
            rest = rest.get(used..).unwrap_or_default();
            if stream.total_out() > entry.size {
                return Err(bad(entry, "contents are longer than declared", filename));
            }
            let contents = output.get(..made).unwrap_or_default();
            crc.update(contents);
            if made > 0 {
                sink(contents)?;
            }
            if matches!(status, Status::StreamEnd) {
                if !rest.is_empty() || offset != entry.compressed_size {
                    return Err(bad(entry, "bytes after the end of the compressed data", filename));
                }
                if stream.total_out() != entry.size {
                    return Err(bad(entry, "contents are shorter than declared", filename));
                }
                return check_crc(entry, crc.finalize(), filename);
            }
            if used == 0 && made == 0 {
                break;
            }
        }
        if !rest.is_empty() || offset == entry.compressed_size {
            return Err(bad(entry, "compressed data is cut short", filename));
        }
    }
}

fn check_crc(entry: &ArchiveEntry, crc: u32, filename: &str) -> Result<(), WheelError> {
    if crc == entry.crc { Ok(()) } else { Err(bad(entry, "contents do not match their checksum", filename)) }
}

fn bad(entry: &ArchiveEntry, problem: &str, filename: &str) -> WheelError {
    Refusal::entry(filename, Rule::Contents, problem, entry.path.as_str())
}
