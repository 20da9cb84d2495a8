//! The statements of the dialect, one after the other.

use datafusion_sql::sqlparser::ast::Query;
use datafusion_sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::hint::{self, Hint};
use super::tokens::{self, keyword};
use super::{Parsed, create_table, inspect};
use crate::codes;
use crate::diagnostic::{self, Diagnostic, Span};
use crate::dialect::MillstreamDialect;
use crate::interpolate;
use crate::statement::{CreateView, ExplainDetail, Insert, Spanned, SpannedStatement, Statement};
use crate::suggest;

/// The words that our statements begin with, for suggestions.
const STARTS: &[&str] = &[
    "CREATE", "INSERT", "SELECT", "WITH", "VALUES", "SET", "RESET", "EXPLAIN", "EXECUTE", "DROP",
    "SHOW", "DESCRIBE",
];

/// The words that Flink's other statements begin with.
const UNSUPPORTED: &[&str] = &[
    "ADD", "ALTER", "ANALYZE", "CALL", "CLEAR", "COMPILE", "DELETE", "EXIT", "HELP", "LOAD",
    "MERGE", "QUIT", "REMOVE", "STOP", "TRUNCATE", "UNLOAD", "UPDATE", "UPSERT", "USE", "BEGIN",
    "COMMIT", "ROLLBACK", "GRANT", "REVOKE", "COPY",
];

/// What CREATE can make in Flink, and we cannot.
const UNSUPPORTED_OBJECTS: &[&str] = &[
    "AGENT",
    "CATALOG",
    "CONNECTION",
    "DATABASE",
    "FUNCTION",
    "INDEX",
    "MATERIALIZED",
    "MODEL",
    "OR",
    "SCHEMA",
    "SOURCE",
    "STREAM",
    "SINK",
    "SYSTEM",
    "TYPE",
];

/// A text that is being read.
pub(super) struct Parsing<'a> {
    text: &'a str,
    env: &'a dyn Fn(&str) -> Option<String>,
    statements: Vec<SpannedStatement>,
    diagnostics: Vec<Diagnostic>,
    /// The statement set that was begun and not yet ended.
    open_set: Option<OpenSet>,
    /// Hints with options in the statement that is being read.
    hints: Vec<Hint>,
}

/// A statement set that was begun.
struct OpenSet {
    /// From its first word to the end of what was read of it.
    span: Span,
    /// The words that begin it.
    begin: Span,
    /// What is told of it, if it is to be explained and not to be run.
    explained: Option<Vec<ExplainDetail>>,
    inserts: Vec<Spanned<Insert>>,
}

/// What stands between two `;`.
enum Piece {
    Statement(Box<Statement>),
    /// `[EXPLAIN] EXECUTE STATEMENT SET BEGIN [insert]`
    BeginSet {
        begin: Span,
        explained: Option<Vec<ExplainDetail>>,
        first: Option<Spanned<Insert>>,
    },
    /// `END`
    EndSet,
}

impl<'a> Parsing<'a> {
    pub(super) fn new(text: &'a str, env: &'a dyn Fn(&str) -> Option<String>) -> Parsing<'a> {
        Parsing {
            text,
            env,
            statements: Vec::new(),
            diagnostics: Vec::new(),
            open_set: None,
            hints: Vec::new(),
        }
    }

    /// Reads the statement at `span`.
    pub(super) fn statement(&mut self, span: Span) {
        let dialect = MillstreamDialect::new(span.len());
        let words = match tokens::tokenize(self.text, &span, &dialect) {
            Ok(words) => words,
            Err(diagnostic) => return self.diagnostics.push(*diagnostic),
        };
        self.read_hints(&words.hints);
        if words.tokens.is_empty() {
            return self.diagnostics.extend(hint::misplaced(&self.hints));
        }
        let wrong = tokens::check(&words.tokens);
        if !wrong.is_empty() {
            // A set whose first statement is wrong is a set all the same.
            self.open_if_set(&words.tokens, &span, &dialect);
            return self.diagnostics.extend(wrong);
        }
        let mut cursor = Cursor::new(&words.tokens, &dialect);
        let piece = self.piece(&mut cursor, &span);
        if piece.is_ok() {
            self.diagnostics.extend(hint::misplaced(&self.hints));
        }
        match piece {
            Ok(Piece::Statement(node)) => self.push(Spanned { node: *node, span }),
            Ok(Piece::BeginSet { begin, explained, first }) => {
                let inserts = first.into_iter().collect();
                self.open_set = Some(OpenSet { span, begin, explained, inserts });
            }
            Ok(Piece::EndSet) => self.end_set(&span),
            Err(diagnostic) => {
                self.open_if_set(&words.tokens, &span, &dialect);
                self.diagnostics.push(*diagnostic);
            }
        }
    }

    /// What was read. A set that is still open is an error if the whole text was read.
    pub(super) fn finish(
        mut self,
        is_whole_text: bool,
    ) -> (Vec<SpannedStatement>, Vec<Diagnostic>) {
        if let Some(set) = self.open_set.take().filter(|_| is_whole_text) {
            self.diagnostics.push(
                Diagnostic::error(codes::SET_NOT_ENDED, "the statement set is not ended")
                    .at(set.begin)
                    .label("begins here")
                    .hint("add `END;` after its last INSERT"),
            );
        }
        (self.statements, self.diagnostics)
    }

    /// Reads the hints of a statement: each comment, and where the word before it ends.
    fn read_hints(&mut self, hints: &[(Span, usize)]) {
        self.hints.clear();
        for (comment, after) in hints {
            let found = &mut self.diagnostics;
            match Hint::read(self.text, comment, *after, self.env, found) {
                Ok(hint) => self.hints.extend(hint),
                Err(diagnostic) => self.diagnostics.push(*diagnostic),
            }
        }
    }

    /// Reads a query, with the hints in it.
    fn query(&mut self, cursor: &mut Cursor) -> Parsed<Box<Query>> {
        let mut query = cursor.query()?;
        hint::attach(&mut query, &mut self.hints);
        Ok(query)
    }

    fn push(&mut self, statement: SpannedStatement) {
        let Some(set) = &mut self.open_set else { return self.statements.push(statement) };
        match statement.node {
            Statement::Insert(insert) => {
                set.inserts.push(Spanned { node: insert, span: statement.span });
            }
            _ => {
                let message = "only INSERT can stand in a statement set";
                let diagnostic = Diagnostic::error(codes::NOT_AN_INSERT, message)
                    .at(first_line(self.text, statement.span))
                    .hint("move it before the set, or end the set before it with `END;`");
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// Opens a set whose first INSERT is wrong, so that the rest of it is understood.
    fn open_if_set(
        &mut self,
        words: &[datafusion_sql::sqlparser::tokenizer::TokenWithSpan],
        span: &Span,
        dialect: &MillstreamDialect,
    ) {
        let mut cursor = Cursor::new(words, dialect);
        let explained = inspect::explain(&mut cursor).ok().flatten();
        if self.open_set.is_none() && begins_set(&mut cursor) {
            let begin = cursor.since(span.start);
            let inserts = Vec::new();
            self.open_set = Some(OpenSet { span: span.clone(), begin, explained, inserts });
        }
    }

    fn end_set(&mut self, end: &Span) {
        let Some(set) = self.open_set.take() else {
            self.diagnostics.push(
                Diagnostic::error(codes::STRAY_END, "END without a statement set")
                    .at(end.clone())
                    .hint("a set begins with `EXECUTE STATEMENT SET BEGIN`"),
            );
            return;
        };
        let span = set.span.start..end.end;
        let mut statement = Spanned { node: Statement::StatementSet(set.inserts), span };
        if let Some(details) = set.explained {
            let span = statement.span.clone();
            let node = Statement::Explain { details, inner: Box::new(statement) };
            statement = Spanned { node, span };
        }
        self.statements.push(statement);
    }

    fn piece(&mut self, cursor: &mut Cursor, span: &Span) -> Parsed<Piece> {
        if cursor.next_are(&["END"]) && *cursor.peek_nth(1) == Token::EOF {
            return Ok(Piece::EndSet);
        }
        let explained = inspect::explain(cursor)?;
        if begins_set(cursor) {
            return self.begin_set(cursor, span, explained);
        }
        let start = cursor.here();
        let node = self.read(cursor)?;
        cursor.expect_end()?;
        let Some(details) = explained else { return Ok(Piece::Statement(Box::new(node))) };
        if !matches!(node, Statement::Insert(_) | Statement::Query(_)) {
            let diagnostic = Diagnostic::error(codes::BAD_EXPLAIN, "this has no plan to explain")
                .at(first_line(self.text, start.start..span.end))
                .hint("explain a query, an INSERT or a statement set");
            return Err(diagnostic.into());
        }
        let inner = Box::new(Spanned { node, span: start.start..span.end });
        Ok(Piece::Statement(Box::new(Statement::Explain { details, inner })))
    }

    fn begin_set(
        &mut self,
        cursor: &mut Cursor,
        span: &Span,
        explained: Option<Vec<ExplainDetail>>,
    ) -> Parsed<Piece> {
        let begin = cursor.since(span.start);
        if self.open_set.is_some() {
            let message = "a statement set inside of a statement set";
            return Err(Diagnostic::error(codes::NOT_AN_INSERT, message).at(begin).into());
        }
        let mut first = None;
        if !cursor.at_end() {
            let start = cursor.here().start;
            let Statement::Insert(node) = self.read(cursor)? else {
                let message = "only INSERT can stand in a statement set";
                let place = first_line(self.text, start..span.end);
                return Err(Diagnostic::error(codes::NOT_AN_INSERT, message).at(place).into());
            };
            cursor.expect_end()?;
            first = Some(Spanned { node, span: start..span.end });
        }
        Ok(Piece::BeginSet { begin, explained, first })
    }

    /// Reads one statement by its first word.
    fn read(&mut self, cursor: &mut Cursor) -> Parsed<Statement> {
        let first = keyword(cursor.peek());
        match first.as_str() {
            "SELECT" | "WITH" | "VALUES" => Ok(Statement::Query(self.query(cursor)?)),
            _ if *cursor.peek() == Token::LParen => Ok(Statement::Query(self.query(cursor)?)),
            "CREATE" => self.create(cursor),
            "INSERT" => Ok(Statement::Insert(self.insert(cursor)?)),
            "SET" => self.set(cursor),
            "RESET" => self.reset(cursor),
            "DROP" => inspect::drop(cursor).map(Statement::Drop),
            "SHOW" => inspect::show(cursor).map(Statement::Show),
            "DESCRIBE" | "DESC" => inspect::describe(cursor).map(Statement::Describe),
            // EXECUTE INSERT …, EXECUTE SELECT …: the same without the word.
            "EXECUTE" if cursor.next_are(&["EXECUTE", "INSERT"]) => {
                cursor.skip(1);
                Ok(Statement::Insert(self.insert(cursor)?))
            }
            "EXECUTE" if is_query_word(&keyword(cursor.peek_nth(1))) => {
                cursor.skip(1);
                Ok(Statement::Query(self.query(cursor)?))
            }
            "EXECUTE" => {
                cursor.skip(1);
                let hint = "a set of INSERTs is EXECUTE STATEMENT SET BEGIN …; END;";
                Err(cursor.unexpected("STATEMENT SET BEGIN").hint(hint).into())
            }
            _ => Err(unknown_statement(cursor, &first).into()),
        }
    }

    fn create(&mut self, cursor: &mut Cursor) -> Parsed<Statement> {
        let start = cursor.here().start;
        cursor.skip(1);
        // Everything that a job declares is temporary.
        let is_temporary = cursor.eat(&["TEMPORARY"]);
        if cursor.eat(&["TABLE"]) {
            let mut found = Vec::new();
            let table = create_table::parse(cursor, self.env, &mut found, is_temporary)?;
            self.diagnostics.append(&mut found);
            return Ok(Statement::CreateTable(table));
        }
        if cursor.eat(&["VIEW"]) {
            return self.create_view(cursor, is_temporary);
        }
        let object = keyword(cursor.peek());
        if UNSUPPORTED_OBJECTS.contains(&object.as_str()) {
            cursor.skip(1);
            let name = match object.as_str() {
                "OR" if cursor.next_are(&["ALTER"]) => "OR ALTER",
                "OR" => "OR REPLACE",
                "SYSTEM" => "SYSTEM FUNCTION",
                "MATERIALIZED" if keyword(cursor.peek()) == "VIEW" => "MATERIALIZED VIEW",
                "MATERIALIZED" => "MATERIALIZED TABLE",
                other => other,
            };
            let message = format!("CREATE {name} is not supported yet");
            let hint = match object.as_str() {
                "OR" => {
                    "leave it out: every run begins without tables; or write DROP … IF EXISTS before"
                }
                "SOURCE" | "STREAM" | "SINK" => {
                    "sources and sinks are both written CREATE TABLE … WITH ('connector' = …)"
                }
                "MATERIALIZED" => {
                    "write CREATE VIEW, and INSERT INTO table SELECT … FROM it to keep its rows"
                }
                _ => "a job has tables and views",
            };
            let diagnostic = Diagnostic::error(codes::STATEMENT_UNSUPPORTED, message)
                .at(cursor.since(start))
                .hint(hint);
            return Err(diagnostic.into());
        }
        let hint = suggest::did_you_mean(&object, ["TABLE", "VIEW", "TEMPORARY"]);
        let diagnostic = *cursor.unexpected("TABLE or VIEW");
        Err(Diagnostic { hint: None, ..diagnostic }.hint_if_any(hint).into())
    }

    fn create_view(&mut self, cursor: &mut Cursor, is_temporary: bool) -> Parsed<Statement> {
        let if_not_exists = if_not_exists(cursor)?;
        let name = cursor.table_name()?;
        let mut columns = Vec::new();
        if *cursor.peek() == Token::LParen {
            columns = cursor.name_list("the name of a column")?;
            self.diagnostics.extend(create_table::duplicates(columns.iter()));
        }
        let comment = create_table::comment(cursor)?;
        cursor.expect("AS")?;
        let start = cursor.here().start;
        let query = self.query(cursor)?;
        let query_span = cursor.since(start);
        Ok(Statement::CreateView(CreateView {
            name,
            if_not_exists,
            is_temporary,
            columns,
            comment,
            query,
            query_span,
        }))
    }

    /// `SET 'key' = 'value'`; neither needs quotes.
    fn set(&mut self, cursor: &mut Cursor) -> Parsed<Statement> {
        let word = cursor.here();
        cursor.skip(1);
        let malformed = |cursor: &Cursor, message: &str| {
            let at = if cursor.at_end() { word.clone() } else { cursor.here() };
            Diagnostic::error(codes::BAD_SET, message).at(at).hint("write SET 'key' = 'value'")
        };
        if cursor.next_are(&["TIME", "ZONE"]) || cursor.next_are(&["TIMEZONE"]) {
            let hint = "write SET 'table.local-time-zone' = 'Europe/Berlin'";
            return Err(malformed(cursor, "SET TIME ZONE does not exist").hint(hint).into());
        }
        let Some((key, _)) = self.bare_or_quoted(cursor, &[Token::Eq]) else {
            return Err(malformed(cursor, "SET needs a key and a value").into());
        };
        if !cursor.eat_sign(&Token::Eq) {
            return Err(malformed(cursor, "SET needs a `=` and a value").into());
        }
        let Some((value, is_string)) = self.bare_or_quoted(cursor, &[]) else {
            return Err(malformed(cursor, "SET needs a value").into());
        };
        let value = if is_string { interpolate::literal(value, self.env)? } else { value };
        Ok(Statement::Set { key, value })
    }

    /// `RESET`, `RESET 'key'`; the key needs no quotes.
    fn reset(&mut self, cursor: &mut Cursor) -> Parsed<Statement> {
        cursor.skip(1);
        if cursor.at_end() {
            return Ok(Statement::Reset(None));
        }
        let key = self.bare_or_quoted(cursor, &[]).map(|(key, _)| key);
        Ok(Statement::Reset(key))
    }

    /// `INSERT INTO table [(columns)] query`
    fn insert(&mut self, cursor: &mut Cursor) -> Parsed<Insert> {
        cursor.skip(1);
        if cursor.next_are(&["OVERWRITE"]) {
            let message = "INSERT OVERWRITE is not supported";
            let diagnostic = cursor.error_here(codes::STATEMENT_UNSUPPORTED, message);
            return Err(diagnostic.hint("write INSERT INTO: a stream is only added to").into());
        }
        cursor.expect("INTO")?;
        let table = cursor.table_name()?;
        if cursor.next_are(&["PARTITION"]) {
            let message = "INSERT INTO … PARTITION is not supported";
            return Err(cursor.error_here(codes::CLAUSE_UNSUPPORTED, message).into());
        }
        let hints = hint::behind(&table, &mut self.hints);
        let mut columns = Vec::new();
        let begins_query =
            |token: &Token| *token == Token::LParen || is_query_word(&keyword(token));
        if *cursor.peek() == Token::LParen && !begins_query(cursor.peek_nth(1)) {
            columns = cursor.name_list("the name of a column")?;
        }
        if !begins_query(cursor.peek()) {
            return Err(cursor.unexpected("a query"));
        }
        let query = self.query(cursor)?;
        Ok(Insert { table, hints, columns, query })
    }

    /// A string, or the words up to one of the signs as they stand in the text; true for a string.
    fn bare_or_quoted(
        &self,
        cursor: &mut Cursor,
        ends: &[Token],
    ) -> Option<(Spanned<String>, bool)> {
        let is_end = |token: &Token| *token == Token::EOF || ends.contains(token);
        if matches!(cursor.peek(), Token::SingleQuotedString(_)) && is_end(cursor.peek_nth(1)) {
            return Some((cursor.string("a string").ok()?, true));
        }
        bare(self.text, cursor, ends).map(|words| (words, false))
    }
}

/// The words up to one of the signs, as they stand in the text: an unquoted key or value.
pub(super) fn bare(text: &str, cursor: &mut Cursor, ends: &[Token]) -> Option<Spanned<String>> {
    let start = cursor.here().start;
    let mut span = None;
    while !cursor.at_end() && !ends.contains(cursor.peek()) {
        cursor.skip(1);
        span = Some(cursor.since(start));
    }
    let span = span?;
    Some(Spanned { node: text[span.clone()].to_owned(), span })
}

/// `IF NOT EXISTS`
pub(super) fn if_not_exists(cursor: &mut Cursor) -> Parsed<bool> {
    if cursor.eat(&["IF", "NOT", "EXISTS"]) {
        return Ok(true);
    }
    if cursor.next_are(&["IF"]) {
        cursor.skip(1);
        return Err(cursor.unexpected("NOT EXISTS"));
    }
    Ok(false)
}

/// `EXECUTE STATEMENT SET BEGIN`, `STATEMENT SET BEGIN` behind EXPLAIN, and the older
/// `BEGIN STATEMENT SET`; read if they are there.
fn begins_set(cursor: &mut Cursor) -> bool {
    cursor.eat(&["EXECUTE", "STATEMENT", "SET", "BEGIN"])
        || cursor.eat(&["STATEMENT", "SET", "BEGIN"])
        || cursor.eat(&["BEGIN", "STATEMENT", "SET"])
}

fn is_query_word(word: &str) -> bool {
    matches!(word, "SELECT" | "WITH" | "VALUES" | "TABLE")
}

/// The diagnostic for a statement that begins with an unknown word.
fn unknown_statement(cursor: &Cursor, first: &str) -> Diagnostic {
    if UNSUPPORTED.contains(&first) {
        let message = format!("{first} is not supported yet");
        let hint = match first {
            "UPSERT" => "write INSERT INTO: the sink's key decides what is replaced",
            "BEGIN" => "a set of INSERTs is EXECUTE STATEMENT SET BEGIN …; END;",
            _ => "a file is one job: its tables, views and inserts",
        };
        return cursor.error_here(codes::STATEMENT_UNSUPPORTED, message).hint(hint);
    }
    let shown = super::shown(cursor.peek());
    let hint = suggest::did_you_mean(first, STARTS.iter().chain(UNSUPPORTED).copied())
        .unwrap_or_else(|| format!("a statement begins with {}", STARTS.join(", ")));
    cursor
        .error_here(codes::UNKNOWN_STATEMENT, format!("no statement begins with {shown}"))
        .hint(hint)
}

/// The part of a span that is on its first line: enough to see which statement is meant.
fn first_line(text: &str, span: diagnostic::Span) -> diagnostic::Span {
    let length = text[span.clone()].find('\n').unwrap_or(span.len());
    span.start..span.start + length
}
