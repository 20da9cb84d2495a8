//! The statements of a text: it is cut at `;` before anything is parsed, so that a mistake in one
//! statement does not hide those in the next.

use crate::codes;
use crate::diagnostic::{Diagnostic, Span};

/// The statements of a text, without the `;`, and without blanks and comments around them. A quote
/// or comment that is never closed takes the rest of the text with it, and is the error.
pub(super) fn statements(text: &str) -> (Vec<Span>, Option<Diagnostic>) {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
    let mut statements = Vec::new();
    // The statement that is being read: from its first to behind its last byte that counts.
    let mut current: Option<Span> = None;
    while let Some(piece) = scanner.next_piece() {
        let span = match piece {
            Piece::Blank => continue,
            Piece::End => {
                statements.extend(current.take());
                continue;
            }
            Piece::Unclosed { start, what } => {
                // What is before it cannot be judged: it is in the middle of a statement.
                return (statements, Some(unclosed(text, start, what)));
            }
            Piece::Code(span) => span,
        };
        current = Some(current.map_or(span.start, |c| c.start)..span.end);
    }
    statements.extend(current);
    (statements, None)
}

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A part of the text.
enum Piece {
    /// White space or a comment.
    Blank,
    /// A `;`.
    End,
    /// Anything else.
    Code(Span),
    /// The start of something that is not closed.
    Unclosed { start: usize, what: &'static str },
}

/// Cuts a text into pieces. All signs that matter are ASCII, so bytes are enough.
struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn next_piece(&mut self) -> Option<Piece> {
        let start = self.at;
        let first = *self.text.get(start)?;
        let second = self.text.get(start + 1).copied().unwrap_or(0);
        self.at += 1;
        Some(match (first, second) {
            (b';', _) => Piece::End,
            (b'-', b'-') => {
                self.skip_past(b"\n");
                Piece::Blank
            }
            (b'/', b'*') => {
                self.at += 1;
                // A hint belongs to its statement, also behind its last word.
                let is_hint = self.text.get(self.at) == Some(&b'+');
                match self.skip_past(b"*/") {
                    true if is_hint => Piece::Code(start..self.at),
                    true => Piece::Blank,
                    false => unclosed_piece(start, "comment"),
                }
            }
            // A doubled quote inside ends one string here and begins the next: the cuts are the
            // same.
            (b'\'', _) => self.quoted(start, "string"),
            (b'"', _) => self.quoted(start, "string in double quotes"),
            (b'`', _) => self.quoted(start, "name in backquotes"),
            // A byte order mark, as some editors put it in front.
            _ if start == 0 && self.text.starts_with(BYTE_ORDER_MARK.as_bytes()) => {
                self.at = BYTE_ORDER_MARK.len();
                Piece::Blank
            }
            _ if first.is_ascii_whitespace() => Piece::Blank,
            _ => Piece::Code(start..self.at),
        })
    }

    fn quoted(&mut self, start: usize, what: &'static str) -> Piece {
        let quote = [self.text[start]];
        if self.skip_past(&quote) {
            Piece::Code(start..self.at)
        } else {
            unclosed_piece(start, what)
        }
    }

    /// Goes behind the next `end`; false, and to the end of the text, if there is none.
    fn skip_past(&mut self, end: &[u8]) -> bool {
        match self.text[self.at..].windows(end.len()).position(|window| window == end) {
            Some(found) => {
                self.at += found + end.len();
                true
            }
            None => {
                self.at = self.text.len();
                false
            }
        }
    }
}

fn unclosed_piece(start: usize, what: &'static str) -> Piece {
    Piece::Unclosed { start, what }
}

fn unclosed(text: &str, start: usize, what: &str) -> Diagnostic {
    // The rest of its line is enough to see it.
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let hint = match what {
        "string" => "close it with `'`; a quote inside a string is written twice: 'it''s'",
        "comment" => "close it with `*/`",
        "name in backquotes" => "close it with a backquote",
        _ => "strings stand in single quotes, names in backquotes",
    };
    Diagnostic::error(codes::UNTERMINATED, format!("a {what} is not closed"))
        .at(start..line_end)
        .label("it starts here")
        .hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        let (spans, error) = statements(text);
        assert_eq!(error, None);
        spans.into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn statements_end_at_semicolons_outside_of_quotes_and_comments() {
        assert_eq!(cut("SELECT 1; SELECT 2"), ["SELECT 1", "SELECT 2"]);
        assert_eq!(cut("SELECT ';' ; `a;b`"), ["SELECT ';'", "`a;b`"]);
        assert_eq!(cut("a /* ; */ b; -- c;\nd"), ["a /* ; */ b", "d"]);
        assert_eq!(cut("'it''s;'; x"), ["'it''s;'", "x"]);
        assert_eq!(cut(" ;; -- nothing\n /* */ ;"), Vec::<&str>::new());
        assert_eq!(cut("größe; 'ü'"), ["größe", "'ü'"]);
    }

    #[test]
    fn what_is_not_closed_is_the_error_and_earlier_statements_stay() {
        let (spans, error) = statements("SELECT 1; SELECT 'a\n; SELECT 2");
        assert_eq!(spans.len(), 1);
        assert_eq!(spans[0], 0..8);
        assert_eq!(error.expect("an error").span, Some(17..19));
    }
}
