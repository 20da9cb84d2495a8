//! The grammar of Flink's type names, and of PostgreSQL's for those that mean the same.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion_sql::sqlparser::parser::Parser;
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Parsed, span};
use crate::codes;
use crate::diagnostic::{Code, Diagnostic};
use crate::statement::SqlType;
use crate::{suggest, types};

/// Types inside types, at most.
const MAX_DEPTH: usize = 32;

/// The names that a type can begin with, for suggestions.
const NAMES: &[&str] = &[
    "STRING",
    "VARCHAR",
    "CHAR",
    "BOOLEAN",
    "BYTES",
    "BINARY",
    "VARBINARY",
    "DECIMAL",
    "NUMERIC",
    "TINYINT",
    "SMALLINT",
    "INT",
    "INTEGER",
    "BIGINT",
    "FLOAT",
    "DOUBLE",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "ARRAY",
    "MAP",
    "ROW",
];

/// Flink's types that we do not have.
const UNSUPPORTED: &[&str] =
    &["MULTISET", "RAW", "INTERVAL", "VARIANT", "NULL", "SYMBOL", "STRUCTURED", "BITMAP"];

/// Reads a type, `[NOT] NULL` included.
pub(crate) fn parse(parser: &mut Parser) -> Parsed<SqlType> {
    TypeParser { parser, half_closed: false, depth: 0 }.sql_type()
}

/// The tokens of a type as text that [`parse`] reads again.
pub(crate) fn text<'t>(tokens: impl Iterator<Item = &'t Token>) -> String {
    let mut text = String::new();
    for token in tokens {
        let is_word = matches!(token, Token::Word(_) | Token::SingleQuotedString(_));
        if is_word && text.ends_with(|c: char| !matches!(c, '<' | '(')) {
            text.push(' ');
        }
        text.push_str(&token.to_string());
    }
    text
}

struct TypeParser<'p, 'a> {
    parser: &'p mut Parser<'a>,
    /// One `>` of a `>>` is used up.
    half_closed: bool,
    /// Types around this one.
    depth: usize,
}

impl TypeParser<'_, '_> {
    fn sql_type(&mut self) -> Parsed<SqlType> {
        let start = self.parser.peek_token();
        if self.depth > MAX_DEPTH {
            let message = format!("types are nested more than {MAX_DEPTH} deep");
            return Err(problem(codes::TOO_COMPLEX, message, &start));
        }
        self.depth += 1;
        let mut data_type = self.data_type()?;
        // Behind the first half of a `>>` stands what belongs to a type further out.
        if self.half_closed {
            self.depth -= 1;
            return Ok(SqlType { data_type, nullable: true });
        }
        let mut nullable = self.nullable();
        // INT ARRAY, as the SQL standard writes it, and INT[], as PostgreSQL does.
        while self.eat("ARRAY") || self.brackets() {
            data_type = types::array(SqlType { data_type, nullable });
            nullable = self.nullable();
        }
        if self.parser.peek_token_ref().token == Token::LBracket {
            let hint = format!("write ARRAY<{}>", types::flink_name(&data_type));
            let bracket = self.parser.peek_token();
            let message = "an array's type says nothing about its length";
            return Err(with_hint(problem(codes::UNKNOWN_TYPE, message, &bracket), hint));
        }
        self.depth -= 1;
        Ok(SqlType { data_type, nullable })
    }

    /// `[]`
    fn brackets(&mut self) -> bool {
        let found = self.parser.peek_token_ref().token == Token::LBracket
            && self.parser.peek_nth_token_ref(1).token == Token::RBracket;
        if found {
            self.parser.advance_token();
            self.parser.advance_token();
        }
        found
    }

    /// `NOT NULL`, `NULL` or nothing; true if NULL is allowed.
    fn nullable(&mut self) -> bool {
        if self.next_is("NOT") && word_of(&self.parser.peek_nth_token_ref(1).token) == "NULL" {
            self.parser.advance_token();
            self.parser.advance_token();
            return false;
        }
        self.eat("NULL");
        true
    }

    fn data_type(&mut self) -> Parsed<DataType> {
        let token = self.parser.next_token();
        let name = word_of(&token.token);
        Ok(match name.as_str() {
            "STRING" | "TEXT" => DataType::Utf8,
            "VARCHAR" | "CHAR" | "CHARACTER" => {
                self.eat("VARYING");
                self.length(&name)?;
                DataType::Utf8
            }
            "BYTES" | "BYTEA" => DataType::Binary,
            "BINARY" | "VARBINARY" => {
                self.length(&name)?;
                DataType::Binary
            }
            "BOOLEAN" | "BOOL" => DataType::Boolean,
            "TINYINT" => DataType::Int8,
            "SMALLINT" | "INT2" => DataType::Int16,
            "INT" | "INTEGER" | "INT4" => DataType::Int32,
            "BIGINT" | "INT8" => DataType::Int64,
            "FLOAT" | "REAL" | "FLOAT4" => DataType::Float32,
            "FLOAT8" => DataType::Float64,
            "DOUBLE" => {
                self.eat("PRECISION");
                DataType::Float64
            }
            "DECIMAL" | "DEC" | "NUMERIC" => self.decimal(&name)?,
            "DATE" => DataType::Date32,
            "TIME" => {
                self.precision(&name)?;
                self.zone(&token)?;
                DataType::Time32(TimeUnit::Millisecond)
            }
            "TIMESTAMP" | "TIMESTAMP_LTZ" | "TIMESTAMPTZ" => {
                let unit = types::timestamp_unit(self.precision(&name)?.unwrap_or(6));
                let is_local = self.zone(&token)? || name != "TIMESTAMP";
                DataType::Timestamp(unit, is_local.then(|| types::UNRESOLVED_ZONE.into()))
            }
            "ARRAY" => {
                self.open(&name)?;
                let element = self.sql_type()?;
                self.close(&name)?;
                types::array(element)
            }
            "MAP" => self.map()?,
            "ROW" => self.row()?,
            _ => return Err(unknown(&token, &name)),
        })
    }

    fn map(&mut self) -> Parsed<DataType> {
        self.open("MAP")?;
        let key = self.sql_type()?;
        if self.half_closed || !self.parser.consume_token(&Token::Comma) {
            let found = self.parser.peek_token();
            let message = "MAP needs a type of its keys and one of its values";
            let diagnostic = problem(codes::BAD_TYPE_PARAMETER, message, &found);
            return Err(with_hint(diagnostic, "write MAP<STRING, INT>".to_owned()));
        }
        let value = self.sql_type()?;
        self.close("MAP")?;
        Ok(types::map(key, value))
    }

    /// The fields of `ROW<name type ['comment'], …>` or `ROW(…)`.
    fn row(&mut self) -> Parsed<DataType> {
        let is_round = self.parser.consume_token(&Token::LParen);
        if !is_round {
            self.open("ROW")?;
        }
        let mut fields = Vec::new();
        loop {
            let token = self.parser.next_token();
            let Token::Word(name) = &token.token else {
                let message = "a field of a ROW has a name and a type";
                let diagnostic = problem(codes::BAD_TYPE_PARAMETER, message, &token);
                return Err(with_hint(diagnostic, "write ROW<a INT, b STRING>".to_owned()));
            };
            if fields.iter().any(|(other, _)| *other == name.value) {
                let message = format!("the field `{}` is declared twice", name.value);
                return Err(problem(codes::DUPLICATE_COLUMN, message, &token));
            }
            fields.push((name.value.clone(), self.sql_type()?));
            if self.half_closed {
                break;
            }
            if matches!(self.parser.peek_token_ref().token, Token::SingleQuotedString(_)) {
                self.parser.advance_token(); // a comment
            }
            if !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        if is_round {
            self.expect_sign(&Token::RParen, "ROW")?;
        } else {
            self.close("ROW")?;
        }
        Ok(types::row(fields))
    }

    /// `(p [, s])`: precision 1 to 38, scale 0 to the precision.
    fn decimal(&mut self, name: &str) -> Parsed<DataType> {
        let (mut precision, mut scale) = (10, 0);
        if self.parser.consume_token(&Token::LParen) {
            precision = self.number(name, 1, 38)?;
            if self.parser.consume_token(&Token::Comma) {
                scale = self.number(name, 0, precision)?;
            }
            self.expect_sign(&Token::RParen, name)?;
        }
        // Both are at most 38.
        Ok(DataType::Decimal128(precision as u8, scale as i8))
    }

    /// `(n)` of a string or bytes. Values are not cut or padded to it: it is a promise of the
    /// schema.
    fn length(&mut self, name: &str) -> Parsed<Option<u64>> {
        self.parameter(name, 1, i32::MAX as u64)
    }

    /// `(p)` of a time: decimals of the second.
    fn precision(&mut self, name: &str) -> Parsed<Option<u64>> {
        self.parameter(name, 0, 9)
    }

    fn parameter(&mut self, name: &str, least: u64, most: u64) -> Parsed<Option<u64>> {
        if !self.parser.consume_token(&Token::LParen) {
            return Ok(None);
        }
        let number = self.number(name, least, most)?;
        self.expect_sign(&Token::RParen, name)?;
        Ok(Some(number))
    }

    fn number(&mut self, name: &str, least: u64, most: u64) -> Parsed<u64> {
        let token = self.parser.next_token();
        let value = match &token.token {
            Token::Number(digits, _) => digits.parse().ok(),
            _ => None,
        };
        value.filter(|n| (least..=most).contains(n)).ok_or_else(|| {
            let message = format!("`{}` is not a parameter of {name}", token.token);
            let hint = format!("a number from {least} to {most}");
            with_hint(problem(codes::BAD_TYPE_PARAMETER, message, &token), hint)
        })
    }

    /// `[WITHOUT TIME ZONE | WITH LOCAL TIME ZONE]`; true if the zone is the session's.
    fn zone(&mut self, start: &TokenWithSpan) -> Parsed<bool> {
        let zone_word = |this: &Self, n| word_of(&this.parser.peek_nth_token_ref(n).token);
        let words: Vec<String> = (0..4).map(|n| zone_word(self, n)).collect();
        let (is_local, length) = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["WITHOUT", "TIME", "ZONE", _] => (false, 3),
            ["WITH", "LOCAL", "TIME", "ZONE"] => (true, 4),
            ["WITH", "TIME", "ZONE", _] => {
                let message = "TIMESTAMP WITH TIME ZONE is not supported";
                let hint = "write TIMESTAMP_LTZ(3): points of time, shown in the session's zone";
                let diagnostic = problem(codes::TYPE_UNSUPPORTED, message, start);
                return Err(with_hint(diagnostic, hint.to_owned()));
            }
            _ => (false, 0),
        };
        for _ in 0..length {
            self.parser.advance_token();
        }
        Ok(is_local)
    }

    fn open(&mut self, name: &str) -> Parsed<()> {
        self.expect_sign(&Token::Lt, name)
    }

    /// A `>`, which may be the first or second half of a `>>`.
    fn close(&mut self, name: &str) -> Parsed<()> {
        if self.half_closed {
            self.half_closed = false;
            return Ok(());
        }
        if self.parser.consume_token(&Token::ShiftRight) {
            self.half_closed = true;
            // A second half that nobody waits for is found by the caller of the outermost type.
            if self.depth > 1 {
                return Ok(());
            }
            self.parser.prev_token();
        }
        self.expect_sign(&Token::Gt, name)
    }

    fn expect_sign(&mut self, sign: &Token, name: &str) -> Parsed<()> {
        if self.parser.consume_token(sign) {
            return Ok(());
        }
        let found = self.parser.peek_token();
        let message = format!("expected `{sign}` of {name}, found {}", super::shown(&found.token));
        let diagnostic = problem(codes::BAD_TYPE_PARAMETER, message, &found);
        let example = match name {
            "ARRAY" => "ARRAY<INT>",
            "MAP" => "MAP<STRING, INT>",
            "ROW" => "ROW<a INT, b STRING>",
            _ => return Err(diagnostic),
        };
        Err(with_hint(diagnostic, format!("write {example}")))
    }

    fn next_is(&self, word: &str) -> bool {
        word_of(&self.parser.peek_token_ref().token) == word
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.next_is(word);
        if found {
            self.parser.advance_token();
        }
        found
    }
}

/// The diagnostic for a word that is not a type.
fn unknown(token: &TokenWithSpan, name: &str) -> Box<Diagnostic> {
    if name.is_empty() {
        let message = format!("expected a type, found {}", super::shown(&token.token));
        return problem(codes::UNKNOWN_TYPE, message, token);
    }
    if UNSUPPORTED.contains(&name) {
        let message = format!("the type {name} is not supported");
        return problem(codes::TYPE_UNSUPPORTED, message, token);
    }
    let diagnostic = problem(codes::UNKNOWN_TYPE, format!("unknown type `{}`", token.token), token);
    if let Some(flink) = types::flink_spelling(name) {
        return with_hint(diagnostic, format!("in Flink SQL it is {flink}"));
    }
    let hint = suggest::did_you_mean(name, NAMES.iter().copied());
    let usual = "STRING, INT, BIGINT, DOUBLE, DECIMAL(p, s), BOOLEAN, DATE and TIMESTAMP(3) are the usual ones";
    with_hint(diagnostic, hint.unwrap_or_else(|| usual.to_owned()))
}

/// The word in capitals; empty if it is quoted or not a word.
fn word_of(token: &Token) -> String {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
        _ => String::new(),
    }
}

fn problem(code: Code, message: impl Into<String>, token: &TokenWithSpan) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, message).at_if_known(span::bytes(token.span)))
}

fn with_hint(mut diagnostic: Box<Diagnostic>, hint: String) -> Box<Diagnostic> {
    diagnostic.hint = Some(hint);
    diagnostic
}
