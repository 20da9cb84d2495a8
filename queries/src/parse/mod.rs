//! SQL text to statements, with every mistake of the text found at once.
//!
//! The way of a text: `split.rs` cuts it at `;` — `tokens.rs` cuts a statement into words and finds
//! what is wrong with them whatever they mean — `statements.rs` and `create_table.rs` read the
//! statements themselves (`inspect.rs` those that only ask, `like.rs` and `hint.rs` what their names
//! say), with `cursor.rs` over sqlparser's parser for queries and expressions — `syntax.rs` says in words that help what was not understood. Places are bytes of the whole text
//! from the first step on (`span.rs`).

mod create_table;
mod cursor;
mod data_type;
mod emit;
mod hint;
mod inspect;
pub(crate) mod json;
mod like;
pub(crate) mod prefix;
mod span;
mod split;
mod statements;
mod syntax;
mod tokens;

use datafusion_sql::sqlparser::tokenizer::Token;

pub(crate) use self::create_table::unknown_columns;
use self::cursor::Cursor;
pub use self::span::{byte, bytes, span_of};
use self::statements::Parsing;
use crate::codes;
use crate::diagnostic::{self, Diagnostic, SourceText};
use crate::dialect::MillstreamDialect;
use crate::statement::{SpannedStatement, SqlType};

/// The largest text that is read.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// A result, or the diagnostic why there is none.
pub(crate) type Parsed<T> = Result<T, Box<Diagnostic>>;

/// Reads a SQL text: the statements that were understood, in their order, and what is wrong with
/// the text, ordered by place. `env` gives the values of the variables in `${NAME}`.
///
/// If a diagnostic is an error, statements are missing or not to be relied on: planning the rest
/// finds tables missing that are there. Call it inside [`with_big_stack`].
pub fn parse(
    source: &SourceText,
    env: &dyn Fn(&str) -> Option<String>,
) -> (Vec<SpannedStatement>, Vec<Diagnostic>) {
    let bytes = source.text.len();
    if bytes > MAX_TEXT_BYTES {
        let message = format!("the SQL text has {bytes} bytes, more than {MAX_TEXT_BYTES}");
        return (Vec::new(), vec![Diagnostic::error(codes::TEXT_TOO_LARGE, message)]);
    }
    let (pieces, unclosed) = split::statements(&source.text);
    let mut parsing = Parsing::new(&source.text, env);
    for piece in pieces {
        parsing.statement(piece);
    }
    // A statement set cannot be judged if the rest of the text was not read.
    let (statements, mut diagnostics) = parsing.finish(unclosed.is_none());
    diagnostics.extend(unclosed);
    diagnostic::sort(&mut diagnostics);
    (statements, diagnostics)
}

/// Runs `f` on a thread with a stack of 64 MiB, enough for what [`parse`] lets through: parsing,
/// planning and dropping deep trees is recursive. Panics of `f` go on in the caller.
pub fn with_big_stack<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    const STACK_BYTES: usize = 64 << 20;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("sql".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, f)
            .expect("64 MiB of address space for a stack are always there");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Reads a type from text, for example `ROW<a INT>`. Spans are bytes of this text.
///
/// # Errors
/// If it is not a type, or more than one.
pub fn type_from_text(text: &str) -> Parsed<SqlType> {
    let dialect = MillstreamDialect::new(text.len());
    let words = tokens::tokenize(text, &(0..text.len()), &dialect)?;
    let mut cursor = Cursor::new(&words.tokens, &dialect);
    let data_type = cursor.sql_type()?;
    cursor.expect_end()?;
    Ok(data_type.node)
}

/// A word as messages show it: quoted, and not too long.
fn shown(token: &Token) -> String {
    const MOST_CHARS: usize = 40;
    if *token == Token::EOF {
        return "the end of the text".to_owned();
    }
    let text = token.to_string();
    if text.chars().count() > MOST_CHARS {
        let start: String = text.chars().take(MOST_CHARS).collect();
        format!("`{start}…`")
    } else {
        format!("`{text}`")
    }
}
