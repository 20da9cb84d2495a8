//! Places: from sqlparser's locations to bytes of the source text.
//!
//! sqlparser numbers lines and columns in characters. Before it sees the tokens of a statement we
//! give them locations of our own: the line is always 1 and the column is the byte's offset in the
//! whole source text plus 1. sqlparser only ever copies and compares locations, so every span in
//! the AST (and every "at Line: 1, Column: N" in its messages, and every span that DataFusion takes
//! over from it) can be turned into bytes without the text.

use datafusion_sql::sqlparser::ast::Spanned;
use datafusion_sql::sqlparser::tokenizer::{Location, Span as SqlSpan};

use crate::diagnostic::Span;

/// The bytes of anything in the AST that sqlparser knows the place of: an `Expr`, an `Ident`, a
/// `Query`, a `Function`, …
pub fn span_of(node: &impl Spanned) -> Option<Span> {
    bytes(node.span())
}

/// The bytes of a span that was taken from the AST (`ident.span`, `value.span`); nothing if it is
/// empty, which is sqlparser's way to say that it does not know.
pub fn bytes(span: SqlSpan) -> Option<Span> {
    let start = byte(span.start.line, span.start.column)?;
    let end = byte(span.end.line, span.end.column)?;
    Some(start..end.max(start))
}

/// The byte of a line and column as they stand in the AST, in DataFusion's own spans
/// (`datafusion_common::Location`) and in messages.
pub fn byte(line: u64, column: u64) -> Option<usize> {
    (line > 0 && column > 0).then_some(column as usize - 1)
}

/// A span that the AST can hold for these bytes.
pub fn to_sql(span: &Span) -> SqlSpan {
    SqlSpan::new(location(span.start), location(span.end))
}

/// A location that the AST can hold for this byte.
fn location(byte: usize) -> Location {
    Location::new(1, byte as u64 + 1)
}
