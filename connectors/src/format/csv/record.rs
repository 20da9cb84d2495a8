//! Taking a CSV record apart.

use crate::error::DecodeError;

/// A field of a record.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    /// Its text, without quotes and escapes.
    pub text: &'a [u8],
    /// Whether it stood in quotes.
    pub quoted: bool,
}

/// The fields of one record; reused for the next, so that no record allocates.
#[derive(Default)]
pub(super) struct Fields {
    spans: Vec<Span>,
    /// Texts of fields that could not be left where they were.
    rewritten: Vec<u8>,
}

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    /// Whether the text is in `rewritten` instead of the record.
    rewritten: bool,
    quoted: bool,
}

impl Fields {
    /// Takes `record` apart; it has no line end.
    pub(super) fn split(
        &mut self,
        record: &[u8],
        delimiter: u8,
        quote: Option<u8>,
        escape: Option<u8>,
    ) -> Result<(), DecodeError> {
        self.spans.clear();
        self.rewritten.clear();
        let mut at = 0;
        loop {
            let quoted = quote.filter(|quote| record.get(at) == Some(quote));
            let end = match (quoted, escape) {
                (Some(quote), _) => self.quoted(record, at + 1, quote, escape)?,
                (None, Some(escape)) => self.escaped(record, at, delimiter, escape),
                (None, None) => self.plain(record, at, delimiter),
            };
            match record.get(end) {
                None => return Ok(()),
                Some(byte) if *byte == delimiter => at = end + 1,
                Some(_) => {
                    return Err(DecodeError::at(end, "something follows a closing quote"));
                }
            }
        }
    }

    /// Number of fields.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The field at a position of `record`, the record that was taken apart last.
    pub(super) fn get<'a>(&'a self, position: usize, record: &'a [u8]) -> Option<Field<'a>> {
        let span = self.spans.get(position)?;
        let from = if span.rewritten { &self.rewritten } else { record };
        Some(Field { text: &from[span.start..span.end], quoted: span.quoted })
    }

    fn plain(&mut self, record: &[u8], start: usize, delimiter: u8) -> usize {
        let rest = &record[start..];
        let end = start + memchr::memchr(delimiter, rest).unwrap_or(rest.len());
        self.spans.push(Span { start, end, rewritten: false, quoted: false });
        end
    }

    fn escaped(&mut self, record: &[u8], mut at: usize, delimiter: u8, escape: u8) -> usize {
        let start = self.rewritten.len();
        while let Some(byte) = record.get(at)
            && *byte != delimiter
        {
            // A lone escape at the record's end stands for itself.
            if *byte == escape && at + 1 < record.len() {
                at += 1;
            }
            self.rewritten.push(record[at]);
            at += 1;
        }
        let end = self.rewritten.len();
        self.spans.push(Span { start, end, rewritten: true, quoted: false });
        at
    }

    /// Reads a field whose opening quote is before `start`; returns the position behind its
    /// closing quote.
    fn quoted(
        &mut self,
        record: &[u8],
        start: usize,
        quote: u8,
        escape: Option<u8>,
    ) -> Result<usize, DecodeError> {
        let begin = self.rewritten.len();
        let mut at = start;
        loop {
            let Some(byte) = record.get(at) else {
                return Err(DecodeError::at(start - 1, "a field lacks its closing quote"));
            };
            let next = record.get(at + 1);
            match next {
                Some(next) if Some(*byte) == escape && *byte != quote => {
                    self.rewritten.push(*next);
                    at += 2;
                }
                Some(next) if *byte == quote && *next == quote => {
                    self.rewritten.push(quote);
                    at += 2;
                }
                _ if *byte == quote => break,
                _ => {
                    self.rewritten.push(*byte);
                    at += 1;
                }
            }
        }
        let span = Span { start: begin, end: self.rewritten.len(), rewritten: true, quoted: true };
        self.spans.push(span);
        Ok(at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields with bars between them.
    fn fields(record: &str, escape: Option<u8>) -> Option<String> {
        let mut fields = Fields::default();
        fields.split(record.as_bytes(), b',', Some(b'"'), escape).ok()?;
        let texts = (0..fields.len()).filter_map(|i| fields.get(i, record.as_bytes()));
        let texts: Vec<_> = texts.map(|field| String::from_utf8_lossy(field.text)).collect();
        Some(texts.join("|"))
    }

    #[test]
    fn records_are_taken_apart() {
        for (record, expected) in [
            ("a,b", "a|b"),
            ("", ""),
            (",", "|"),
            ("\"a,b\",c", "a,b|c"),
            ("\"a\"\"b\",\"x\ny\"", "a\"b|x\ny"),
            ("a\"b,c", "a\"b|c"),
        ] {
            assert_eq!(fields(record, None).as_deref(), Some(expected));
        }
        assert_eq!(fields("a\\,b,\"c\\\"d\"", Some(b'\\')).as_deref(), Some("a,b|c\"d"));
        assert_eq!(fields("\"abc", None), None);
        assert_eq!(fields("\"a\"b,c", None), None);
    }
}
