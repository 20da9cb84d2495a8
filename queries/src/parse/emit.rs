//! `EMIT {ON WINDOW CLOSE | ON UPDATE | EVERY interval} [ALLOW LATENESS interval]` behind a query.
//!
//! The clause becomes settings of the query, a place that sqlparser has for another dialect; see the
//! table in [`crate::dialect`].

use datafusion_sql::sqlparser::ast::{Expr, Ident, Query, Setting, Value};

use super::cursor::Cursor;
use super::tokens::keyword;
use super::{Parsed, span};
use crate::calls::{EMIT, LATENESS};
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::codes;

/// Reads the clause, if it comes next, into the query.
pub(super) fn clause(cursor: &mut Cursor, query: &mut Query) -> Parsed<()> {
    let mut settings = Vec::new();
    let start = cursor.here().start;
    if cursor.eat(&["EMIT"]) {
        let value = emission(cursor)?;
        settings.push(setting(EMIT, value, cursor.since(start)));
    }
    let start = cursor.here().start;
    if cursor.eat(&["ALLOW"]) {
        cursor.expect("LATENESS")?;
        let value = interval(cursor, "ALLOW LATENESS INTERVAL '1' MINUTE")?;
        settings.push(setting(LATENESS, value, cursor.since(start)));
    }
    if !settings.is_empty() {
        query.settings = Some(settings);
    }
    Ok(())
}

fn emission(cursor: &mut Cursor) -> Parsed<Expr> {
    if cursor.eat(&["ON", "WINDOW", "CLOSE"]) {
        return Ok(text("close"));
    }
    if cursor.eat(&["ON", "UPDATE"]) {
        return Ok(text("update"));
    }
    if cursor.eat(&["EVERY"]) {
        return interval(cursor, "EMIT EVERY INTERVAL '5' SECOND");
    }
    let hint = match keyword(cursor.peek()).as_str() {
        "CHANGES" => "EMIT CHANGES of ksqlDB is EMIT ON UPDATE",
        "FINAL" => "EMIT FINAL of ksqlDB is EMIT ON WINDOW CLOSE, the default",
        "AFTER" => "results after the watermark are the default: EMIT ON WINDOW CLOSE",
        "PERIODIC" => "write EMIT EVERY INTERVAL '5' SECOND",
        _ => "write EMIT ON WINDOW CLOSE, EMIT ON UPDATE or EMIT EVERY INTERVAL '5' SECOND",
    };
    let mut diagnostic = cursor.unexpected("ON WINDOW CLOSE, ON UPDATE or EVERY");
    diagnostic.code = codes::BAD_EMIT;
    Err(diagnostic.hint(hint).into())
}

/// An interval of time longer than nothing.
fn interval(cursor: &mut Cursor, example: &str) -> Parsed<Expr> {
    let read = cursor.expr()?;
    if crate::calls::milliseconds(&read.node).is_some_and(|ms| ms > 0) {
        return Ok(read.node);
    }
    let message = "this must be an interval of days to milliseconds, longer than nothing";
    let diagnostic = Diagnostic::error(codes::BAD_EMIT, message).at(read.span);
    Err(diagnostic.hint(format!("write {example}")).into())
}

fn text(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).into())
}

fn setting(key: &str, value: Expr, place: Span) -> Setting {
    let mut key = Ident::new(key);
    key.span = span::to_sql(&place);
    Setting { key, value }
}
