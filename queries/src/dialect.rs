//! The dialect: what sqlparser has to know to read Flink SQL.
//!
//! Names keep their case, keywords have none; names are quoted in backquotes. Where Flink's
//! expressions go beyond sqlparser's, [`MillstreamDialect::parse_prefix`] takes over, and puts them
//! into forms of sqlparser's AST:
//!
//! | SQL | AST |
//! |---|---|
//! | `TABLE t` (argument) | `Expr::Function` named `TABLE`, one unnamed argument: `Identifier` or `CompoundIdentifier` |
//! | `TABLE (SELECT …)` (argument) | the same, the argument is an `Expr::Subquery` |
//! | `TABLE t PARTITION BY k ORDER BY o` | the same, the keys in `over: Some(WindowSpec)` |
//! | `DESCRIPTOR(c, …)` | `Expr::Function` named `DESCRIPTOR`, arguments `Identifier` (as sqlparser does) |
//! | `DATA => TABLE t`, `` `OFFSET` => … `` | `FunctionArg::Named`, operator `RightArrow` |
//! | `FROM TUMBLE(…) AS w`, `FROM LATE(v)` | `TableFactor::Table` with `args: Some(_)` |
//! | `FROM TABLE(TUMBLE(…)) AS w` | `TableFactor::TableFunction`, `expr` an `Expr::Function` |
//! | `INTERVAL '1:30' MINUTE TO SECOND` | `Expr::Interval`, value `'90'`, `leading_field: Second`: one number and one unit, never DAY (Flink's days have 24 hours, DataFusion's have the zone's) |
//! | `CAST(x AS ROW<a INT>)`, `TRY_CAST` | `Expr::Cast`; the type is a `DataType::Custom` of its text, read by [`crate::types::from_ast`] |
//! | `TIMESTAMP '….123'`, `DATE '…'`, `TIME '…'` | `Expr::TypedString`, the TIMESTAMP with the precision of its digits; valid by then |
//! | `JSON_VALUE(j, p RETURNING INT)` and its like | `Expr::Function`, the clauses as a text among the arguments: `functions/json.rs` |
//! | `x IS JSON ARRAY` | `Expr::Function` named `is json`, arguments x and `'ARRAY'` |
//! | `x::ROW<a INT>` | as `CAST(x AS ROW<a INT>)` |
//! | `… EMIT EVERY i ALLOW LATENESS i` | `Query::settings`: `emit` is an interval, `'update'` or `'close'`; `lateness` is an interval |
//! | `MAP['k', v, …]` | `Expr::Function` named `MAP`, keys and values as arguments in turn |
//! | `t /*+ OPTIONS('k' = 'v') */` | `'k' = 'v'` in the `with_hints` of the table, in the `parameters` of `TABLE t` |
//!
//! `calls.rs` reads these forms back, so that nobody has to take them apart by hand.

use std::cell::{Cell, RefCell};

use datafusion_sql::sqlparser::ast::Expr;
use datafusion_sql::sqlparser::dialect::Dialect;
use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::diagnostic::Diagnostic;
use crate::parse::{json, prefix};

/// The dialect, and what it saw while one statement was parsed. A fresh one for each statement.
///
/// sqlparser tries several readings of a text one after the other and forgets why the first did not
/// fit, so errors in what we parse ourselves are kept here; and it may try exponentially many, so
/// that the number of tries is bounded.
#[derive(Debug)]
pub struct MillstreamDialect {
    /// How many more expressions may be begun.
    fuel: Cell<usize>,
    /// The error in one of our own forms that is furthest into the text.
    deepest: RefCell<Option<Box<Diagnostic>>>,
}

impl MillstreamDialect {
    /// A dialect for a statement of so many tokens.
    pub fn new(tokens: usize) -> MillstreamDialect {
        // An expression begins at most once per token and reading; honest statements need two or
        // three readings of a few tokens.
        let fuel = Cell::new(1_000 + 50 * tokens);
        MillstreamDialect { fuel, deepest: RefCell::new(None) }
    }

    /// True if sqlparser was stopped because it tried too many readings.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.fuel.get() == 0
    }

    /// The error in one of our own forms that is furthest into the text.
    pub(crate) fn take_deepest(&self) -> Option<Box<Diagnostic>> {
        self.deepest.take()
    }

    /// The error as sqlparser takes it; a diagnostic of our own is kept.
    fn upstream(&self, error: prefix::Error) -> ParserError {
        match error {
            prefix::Error::Ours(diagnostic) => {
                self.keep(diagnostic);
                ParserError::ParserError(OUR_FORM_FAILED.to_owned())
            }
            prefix::Error::Upstream(error) => error,
        }
    }

    /// Keeps a diagnostic if it is further into the text than what is kept already.
    fn keep(&self, diagnostic: Box<Diagnostic>) {
        let start = |d: &Diagnostic| d.span.as_ref().map(|s| s.start);
        let mut deepest = self.deepest.borrow_mut();
        if deepest.as_ref().is_none_or(|kept| start(kept) < start(&diagnostic)) {
            *deepest = Some(diagnostic);
        }
    }
}

/// The message of sqlparser's error when one of our own forms could not be read; the diagnostic is
/// kept in the dialect.
pub(crate) const OUR_FORM_FAILED: &str = "one of our own forms could not be read";

/// Words that are never names where an expression begins. Without them sqlparser would read
/// `CAST(x AS INY)` again as the call of a function, and complain about AS.
const RESERVED_IN_EXPRESSIONS: &[Keyword] = &[
    Keyword::CASE,
    Keyword::CAST,
    Keyword::TRY_CAST,
    Keyword::EXISTS,
    Keyword::EXTRACT,
    Keyword::INTERVAL,
    Keyword::NOT,
    Keyword::STRUCT,
    Keyword::TRIM,
];

/// Words with which no expression begins; sqlparser would take them as columns: `WHERE OR`.
const NEVER_EXPRESSIONS: &[Keyword] = &[
    Keyword::AND,
    Keyword::AS,
    Keyword::BY,
    Keyword::ELSE,
    Keyword::END,
    Keyword::EXCEPT,
    Keyword::FROM,
    Keyword::GROUP,
    Keyword::HAVING,
    Keyword::INTERSECT,
    Keyword::INTO,
    Keyword::JOIN,
    Keyword::ON,
    Keyword::OR,
    Keyword::ORDER,
    Keyword::SELECT,
    Keyword::THEN,
    Keyword::UNION,
    Keyword::WHEN,
    Keyword::WHERE,
];

impl Dialect for MillstreamDialect {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`'
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || matches!(ch, '_' | '$')
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || matches!(ch, '_' | '$')
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('`')
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_match_recognize(&self) -> bool {
        true
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    /// `ARRAY_AGG(x IGNORE NULLS)`
    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        RESERVED_IN_EXPRESSIONS.contains(&keyword)
    }

    /// Called where an expression begins: reads what sqlparser cannot.
    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        match self.fuel.get() {
            0 => return Some(Err(ParserError::RecursionLimitExceeded)),
            left => self.fuel.set(left - 1),
        }
        let TokenWithSpan { token: Token::Word(word), .. } = parser.peek_token_ref() else {
            return None;
        };
        if word.quote_style.is_some() {
            return None;
        }
        if NEVER_EXPRESSIONS.contains(&word.keyword) {
            return Some(parser.expected_ref("an expression", parser.peek_token_ref()));
        }
        let follower = &parser.peek_nth_token_ref(1).token;
        let form = form_of(word, follower)?;
        Some(form(parser).map_err(|error| self.upstream(error)))
    }

    /// Called behind an expression: reads `::type` and `IS [NOT] JSON [kind]`.
    fn parse_infix(
        &self,
        parser: &mut Parser,
        expr: &Expr,
        _precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        if parser.peek_token_ref().token != Token::DoubleColon {
            return json::is_json(parser, expr).map(Ok);
        }
        let cast = prefix::double_colon(parser, expr);
        Some(cast.map_err(|error| self.upstream(error)))
    }
}

/// The function that reads what begins with this word, if it is one of ours.
fn form_of(word: &Word, follower: &Token) -> Option<prefix::Form> {
    let is_string = matches!(follower, Token::SingleQuotedString(_));
    Some(match word.keyword {
        Keyword::TABLE => prefix::table_argument,
        Keyword::INTERVAL => prefix::interval,
        Keyword::CAST | Keyword::TRY_CAST if *follower == Token::LParen => prefix::cast,
        Keyword::DATE | Keyword::TIME | Keyword::TIMESTAMP if is_string => prefix::datetime,
        Keyword::MAP if *follower == Token::LBracket => prefix::map,
        _ if *follower == Token::LParen => return json::form_of(&word.value),
        _ => return None,
    })
}
