//! How records lie in a file: what a connector must know to cut it into chunks.

use memchr::{memchr, memrchr};

/// How the records of a format lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A record a line.
    Lines,
    /// A record a line, except that newlines between quotes belong to a value.
    QuotedLines {
        /// The quote character; doubled, it stands for itself.
        quote: u8,
        /// A character that makes the next one lose its meaning.
        escape: Option<u8>,
    },
    /// The file is one whole, such as Parquet.
    WholeFile,
}

impl Framing {
    /// Length of the first record of `chunk` with its newline; `None` if its end is not there.
    ///
    /// `chunk` starts at a record. Whole files have no end within a chunk.
    pub fn record_end(self, chunk: &[u8]) -> Option<usize> {
        match self {
            Framing::Lines => memchr(b'\n', chunk).map(|newline| newline + 1),
            Framing::QuotedLines { quote, escape } => quoted_end(chunk, quote, escape),
            Framing::WholeFile => None,
        }
    }

    /// Length of the complete records at the start of `chunk`, which starts at a record.
    pub fn complete(self, chunk: &[u8]) -> usize {
        match self {
            Framing::Lines => memrchr(b'\n', chunk).map_or(0, |newline| newline + 1),
            Framing::QuotedLines { .. } => {
                let mut end = 0;
                while let Some(length) = self.record_end(&chunk[end..]) {
                    end += length;
                }
                end
            }
            Framing::WholeFile => 0,
        }
    }

    /// Whether a file can be read from any newline on: true where a newline always ends a record.
    pub fn can_start_at_newline(self) -> bool {
        self == Framing::Lines
    }
}

/// End of the first record where quotes protect newlines. A doubled quote closes and opens again,
/// which comes to the same.
fn quoted_end(chunk: &[u8], quote: u8, escape: Option<u8>) -> Option<usize> {
    let mut quoted = false;
    let mut at = 0;
    while at < chunk.len() {
        let byte = chunk[at];
        if Some(byte) == escape && byte != quote {
            at += 1;
        } else if byte == quote {
            quoted = !quoted;
        } else if byte == b'\n' && !quoted {
            return Some(at + 1);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Framing = Framing::QuotedLines { quote: b'"', escape: Some(b'\\') };

    #[test]
    fn lines_end_at_newlines() {
        assert_eq!(Framing::Lines.record_end(b"a\nb\nc"), Some(2));
        assert_eq!(Framing::Lines.complete(b"a\nb\nc"), 4);
        assert_eq!(Framing::Lines.complete(b"abc"), 0);
    }

    #[test]
    fn quoted_newlines_do_not_end_a_record() {
        assert_eq!(CSV.record_end(b"a,\"x\ny\"\nb"), Some(8));
        assert_eq!(CSV.record_end(b"a,\"x\"\"\ny\"\nb"), Some(10));
        assert_eq!(CSV.record_end(b"a,\"x\\\"\ny\"\nb"), Some(10));
        assert_eq!(CSV.complete(b"a\n\"b\n"), 2);
    }
}
