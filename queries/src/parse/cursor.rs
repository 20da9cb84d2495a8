//! Walking through the words of one statement: sqlparser's parser for queries, expressions and
//! types, our own steps for everything around them.

use datafusion_sql::sqlparser::ast::{Expr, Query, SetExpr};
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::tokens::{keyword, place};
use super::{Parsed, data_type, emit, span_of, syntax};
use crate::codes;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::dialect::{MillstreamDialect, OUR_FORM_FAILED};
use crate::statement::{Spanned, SqlType};

/// How deep sqlparser may call itself. A bracket costs about one, a subquery about five.
const RECURSION_LIMIT: usize = 150;

/// Words that cannot be names unless they are quoted: they would hide what is missing.
const NOT_NAMES: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "BEGIN",
    "BY",
    "CASE",
    "CAST",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "DISTINCT",
    "DROP",
    "ELSE",
    "EXCEPT",
    "EXISTS",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IF",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "PRIMARY",
    "RIGHT",
    "SELECT",
    "SET",
    "TABLE",
    "THEN",
    "UNION",
    "UNIQUE",
    "USING",
    "VALUES",
    "WATERMARK",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Where Flink's tables are if nothing else is said.
const DEFAULT_DATABASE: [&str; 2] = ["default_catalog", "default_database"];

/// A place in the words of a statement.
pub(super) struct Cursor<'a> {
    parser: Parser<'a>,
    dialect: &'a MillstreamDialect,
    /// All words of the statement; the parser has a copy.
    words: &'a [TokenWithSpan],
    /// Where the statement ends.
    end: usize,
}

impl<'a> Cursor<'a> {
    /// At the first word of a statement.
    pub(super) fn new(words: &'a [TokenWithSpan], dialect: &'a MillstreamDialect) -> Cursor<'a> {
        Cursor {
            parser: parser(words, dialect),
            dialect,
            words,
            end: words.last().map_or(0, |word| place(word).end),
        }
    }

    /// The next word, `Token::EOF` behind the last.
    pub(super) fn peek(&self) -> &Token {
        &self.parser.peek_token_ref().token
    }

    /// The word `n` behind the next.
    pub(super) fn peek_nth(&self, n: usize) -> &Token {
        &self.parser.peek_nth_token_ref(n).token
    }

    /// True if there is no word left.
    pub(super) fn at_end(&self) -> bool {
        *self.peek() == Token::EOF
    }

    /// The place of the next word; behind the last word if there is none.
    pub(super) fn here(&self) -> Span {
        match self.parser.peek_token_ref() {
            token if token.token == Token::EOF => self.end..self.end,
            token => place(token),
        }
    }

    /// From a byte to the end of the word that was read last.
    pub(super) fn since(&self, start: usize) -> Span {
        let last = place(self.parser.get_current_token()).end;
        start..last.max(start)
    }

    /// True if these keywords come next.
    pub(super) fn next_are(&self, keywords: &[&str]) -> bool {
        keywords.iter().enumerate().all(|(n, word)| keyword(self.peek_nth(n)) == *word)
    }

    /// Reads these keywords if they all come next.
    pub(super) fn eat(&mut self, keywords: &[&str]) -> bool {
        let found = self.next_are(keywords);
        if found {
            self.skip(keywords.len());
        }
        found
    }

    /// Reads a sign if it comes next.
    pub(super) fn eat_sign(&mut self, sign: &Token) -> bool {
        self.parser.consume_token(sign)
    }

    /// Goes past so many words.
    pub(super) fn skip(&mut self, words: usize) {
        for _ in 0..words {
            self.parser.advance_token();
        }
    }

    /// Reads a keyword that has to come next.
    pub(super) fn expect(&mut self, word: &str) -> Parsed<()> {
        if self.eat(&[word]) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    /// Reads a sign that has to come next.
    pub(super) fn expect_sign(&mut self, sign: &Token) -> Parsed<()> {
        if self.eat_sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    /// The diagnostic for a next word that should have been something else.
    pub(super) fn unexpected(&self, expected: &str) -> Box<Diagnostic> {
        Box::new(syntax::unexpected(expected, self.index(), self.words, self.end))
    }

    /// A diagnostic about the next word.
    pub(super) fn error_here(&self, code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(self.here())
    }

    /// Number of the next word in the statement.
    fn index(&self) -> usize {
        let start = self.here().start;
        self.words.partition_point(|word| place(word).start < start)
    }

    /// Reads the name of something: a column, a table without database.
    pub(super) fn name(&mut self, what: &str) -> Parsed<Spanned<String>> {
        let span = self.here();
        match self.peek().clone() {
            Token::Word(word) if is_keyword(&word) => {
                let message = format!("expected {what}, found the keyword {}", word.value);
                let mut hint = format!("a name that is a keyword is quoted: `{}`", word.value);
                if word.value.eq_ignore_ascii_case("WATERMARK") {
                    hint = format!("write WATERMARK FOR column AS …; {hint}");
                }
                Err(self.error_here(codes::KEYWORD_AS_NAME, message).hint(hint).into())
            }
            Token::Word(word) => {
                self.skip(1);
                Ok(Spanned { node: word.value, span })
            }
            Token::SingleQuotedString(text) => {
                let message = format!("expected {what}, found a string");
                let hint = format!("write `{text}` with backquotes");
                Err(self.error_here(codes::SYNTAX, message).hint(hint).into())
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// Reads the name of a table or view. It has no part for a catalog or database but Flink's
    /// default ones.
    pub(super) fn table_name(&mut self) -> Parsed<Spanned<String>> {
        let mut name = self.name("the name of a table")?;
        let start = name.span.start;
        let mut qualifiers = Vec::new();
        while self.eat_sign(&Token::Period) {
            qualifiers.push(name.node);
            name = self.name("a name")?;
        }
        if DEFAULT_DATABASE.ends_with(&qualifiers.iter().map(String::as_str).collect::<Vec<_>>()) {
            return Ok(name);
        }
        let message = "catalogs and databases are not supported";
        let diagnostic = Diagnostic::error(codes::QUALIFIED_NAME, message).at(self.since(start));
        Err(diagnostic.hint(format!("write `{}`", name.node)).into())
    }

    /// Reads a list of names in brackets.
    pub(super) fn name_list(&mut self, what: &str) -> Parsed<Vec<Spanned<String>>> {
        self.expect_sign(&Token::LParen)?;
        let mut names = vec![self.name(what)?];
        while self.eat_sign(&Token::Comma) {
            names.push(self.name(what)?);
        }
        self.expect_sign(&Token::RParen)?;
        Ok(names)
    }

    /// Reads a string in single quotes.
    pub(super) fn string(&mut self, what: &str) -> Parsed<Spanned<String>> {
        let span = self.here();
        match self.peek().clone() {
            // As Flink's pages write delimiters that cannot be seen: `U&'\0001'`.
            Token::SingleQuotedString(node) | Token::UnicodeStringLiteral(node) => {
                self.skip(1);
                Ok(Spanned { node, span })
            }
            _ => Err(self.unexpected(what)),
        }
    }

    /// Reads a type.
    pub(super) fn sql_type(&mut self) -> Parsed<Spanned<SqlType>> {
        let start = self.here();
        let node = data_type::parse(&mut self.parser)
            .map_err(|diagnostic| diagnostic.at_if_known(Some(start.clone())))?;
        Ok(Spanned { node, span: self.since(start.start) })
    }

    /// Reads an expression.
    pub(super) fn expr(&mut self) -> Parsed<Spanned<Expr>> {
        let start = self.here().start;
        let node = self.parser.parse_expr().map_err(|error| self.upstream(error))?;
        Ok(Spanned { node, span: self.since(start) })
    }

    /// Reads a query of a statement, with its EMIT clause.
    pub(super) fn query(&mut self) -> Parsed<Box<Query>> {
        let mut query = self.query_alone()?;
        emit::clause(self, &mut query)?;
        Ok(query)
    }

    fn query_alone(&mut self) -> Parsed<Box<Query>> {
        let start = self.here().start;
        if matches!(keyword(self.peek()).as_str(), "INSERT" | "UPDATE" | "DELETE" | "MERGE") {
            return Err(self.error_here(codes::NOT_A_QUERY, "expected a query").into());
        }
        let first = self.index();
        let query = match self.parser.parse_query() {
            Ok(query) => query,
            Err(error) => {
                let outer = self.upstream(error);
                return Err(self.in_subquery(first).unwrap_or(outer));
            }
        };
        if changes_data(&query.body) {
            let diagnostic = Diagnostic::error(codes::NOT_A_QUERY, "this is not a query")
                .at(span_of(query.body.as_ref()).unwrap_or_else(|| self.since(start)));
            return Err(diagnostic.into());
        }
        Ok(query)
    }

    /// The statement has to end here.
    pub(super) fn expect_end(&self) -> Parsed<()> {
        if self.at_end() { Ok(()) } else { Err(self.unexpected("the end of the statement")) }
    }

    /// A diagnostic for an error of sqlparser, or for the one in our own forms that it lost.
    fn upstream(&self, error: ParserError) -> Box<Diagnostic> {
        if error == ParserError::RecursionLimitExceeded || self.dialect.is_exhausted() {
            let diagnostic =
                Diagnostic::error(codes::TOO_COMPLEX, "the statement is nested too deeply");
            return diagnostic.at(self.here()).hint("split the query into views").into();
        }
        let generic = syntax::from_upstream(&error, self.words, self.end);
        let start = |d: &Diagnostic| d.span.as_ref().map_or(self.end, |span| span.start);
        let is_ours = matches!(&error, ParserError::ParserError(m) if m == OUR_FORM_FAILED);
        match self.dialect.take_deepest() {
            Some(ours) if is_ours || start(&ours) >= start(&generic) => {
                Box::new(ours.at_if_known(Some(self.end..self.end)))
            }
            _ => Box::new(generic),
        }
    }

    /// The mistake in a subquery, if that is where the mistake is. sqlparser reads what is no
    /// query as a table in brackets, and then complains about something else.
    fn in_subquery(&self, first: usize) -> Option<Box<Diagnostic>> {
        /// Subqueries that are looked at, at most; the innermost come first.
        const MOST: usize = 64;
        let words = &self.words[first..];
        for group in syntax::subqueries(words).into_iter().take(MOST) {
            let inner = &words[group];
            let dialect = MillstreamDialect::new(inner.len());
            let mut cursor = Cursor::new(inner, &dialect);
            let result = match cursor.parser.parse_query() {
                Ok(_) => cursor.expect_end(),
                Err(error) => Err(cursor.upstream(error)),
            };
            if let Err(diagnostic) = result {
                return Some(diagnostic);
            }
        }
        None
    }
}

/// A parser at the first of some words.
pub(super) fn parser<'a>(words: &[TokenWithSpan], dialect: &'a MillstreamDialect) -> Parser<'a> {
    Parser::new(dialect)
        .with_recursion_limit(RECURSION_LIMIT)
        .with_tokens_with_locations(words.to_vec())
}

fn is_keyword(word: &Word) -> bool {
    word.quote_style.is_none() && NOT_NAMES.contains(&word.value.to_uppercase().as_str())
}

/// True for INSERT, UPDATE, DELETE and MERGE in the place of a query.
fn changes_data(body: &SetExpr) -> bool {
    match body {
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => true,
        SetExpr::SetOperation { left, right, .. } => changes_data(left) || changes_data(right),
        SetExpr::Query(query) => changes_data(&query.body),
        _ => false,
    }
}
