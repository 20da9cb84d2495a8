//! Reading a chunk of a file line by line, for formats with a record a line.

use memchr::memchr;

use super::{Decoder, OnError};

/// How far [`Decoder::decode_lines`] came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinesRead {
    /// Lines read, blank and bad ones among them.
    pub lines: usize,
    /// Bytes of these lines: the whole chunk unless `on_error` stopped.
    pub bytes: usize,
}

/// Reads every line with [`Decoder::decode`].
pub(super) fn decode<D: Decoder + ?Sized>(
    decoder: &mut D,
    chunk: &[u8],
    on_error: &mut OnError<'_>,
) -> LinesRead {
    let mut read = LinesRead::default();
    while read.bytes < chunk.len() {
        let (line, length) = next_line(&chunk[read.bytes..]);
        let result = decoder.decode(line);
        read.bytes += length;
        read.lines += 1;
        if let Err(error) = result
            && on_error(read.lines - 1, error).is_break()
        {
            break;
        }
    }
    read
}

/// The first line of `chunk` without its line end, and its length with it.
pub(super) fn next_line(chunk: &[u8]) -> (&[u8], usize) {
    let (line, length) = match memchr(b'\n', chunk) {
        Some(newline) => (&chunk[..newline], newline + 1),
        None => (chunk, chunk.len()),
    };
    (line.strip_suffix(b"\r").unwrap_or(line), length)
}
