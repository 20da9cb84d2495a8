//! The expressions that sqlparser cannot read, or reads differently from Flink: `TABLE t`,
//! intervals, casts to Flink's types in both spellings, checked date literals, `MAP[…]`.
//!
//! Called by the dialect with the parser in front of the form's first word; which form of the AST
//! each becomes is written in `dialect.rs`.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use datafusion_sql::sqlparser::ast::{
    self, CastKind, DataType, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, TimezoneInfo, TypedString, Value,
    WindowSpec, WindowType,
};
use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use datafusion_sql::sqlparser::tokenizer::{Span as SqlSpan, Token, TokenWithSpan};

use super::{data_type, span};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::interval::{self, IntervalValue, Unit};
use crate::suggest;

/// Why a form could not be read.
pub(crate) enum Error {
    /// With a diagnostic of our own.
    Ours(Box<Diagnostic>),
    /// By sqlparser, in a part of the form.
    Upstream(ParserError),
}

impl From<ParserError> for Error {
    fn from(error: ParserError) -> Error {
        Error::Upstream(error)
    }
}

impl From<Box<Diagnostic>> for Error {
    fn from(diagnostic: Box<Diagnostic>) -> Error {
        Error::Ours(diagnostic)
    }
}

/// Reads one form.
pub(crate) type Form = fn(&mut Parser) -> Result<Expr, Error>;

/// `TABLE name | TABLE (query)`, then `[PARTITION BY key | (keys)] [ORDER BY keys]`.
pub(crate) fn table_argument(parser: &mut Parser) -> Result<Expr, Error> {
    let word = parser.next_token();
    let input = if parser.consume_token(&Token::LParen) {
        let query = parser.parse_query()?;
        parser.expect_token(&Token::RParen)?;
        Expr::Subquery(query)
    } else if matches!(parser.peek_token_ref().token, Token::SingleQuotedString(_)) {
        // sqlparser would take it as a name.
        let found = parser.peek_token();
        return parser.expected("the name of a table or view", found).map_err(Error::from);
    } else {
        let name = parser.parse_object_name(false)?;
        let mut parts: Vec<Ident> =
            name.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        if parts.len() == 1 {
            Expr::Identifier(parts.remove(0))
        } else {
            Expr::CompoundIdentifier(parts)
        }
    };
    let mut partition_by = Vec::new();
    if parser.parse_keywords(&[Keyword::PARTITION, Keyword::BY]) {
        // Without brackets there is one key only: a comma ends the argument.
        if parser.consume_token(&Token::LParen) {
            partition_by = parser.parse_comma_separated(Parser::parse_expr)?;
            parser.expect_token(&Token::RParen)?;
        } else {
            partition_by.push(parser.parse_expr()?);
        }
    }
    let mut order_by = Vec::new();
    if parser.parse_keywords(&[Keyword::ORDER, Keyword::BY]) {
        if parser.consume_token(&Token::LParen) {
            order_by = parser.parse_comma_separated(Parser::parse_order_by_expr)?;
            parser.expect_token(&Token::RParen)?;
        } else {
            order_by.push(parser.parse_order_by_expr()?);
        }
    }
    let over = (!partition_by.is_empty() || !order_by.is_empty()).then(|| {
        let spec = WindowSpec { window_name: None, partition_by, order_by, window_frame: None };
        WindowType::WindowSpec(spec)
    });
    Ok(call("TABLE", word.span, vec![input], over))
}

/// `MAP[key, value, …]`
pub(crate) fn map(parser: &mut Parser) -> Result<Expr, Error> {
    let word = parser.next_token();
    parser.expect_token(&Token::LBracket)?;
    let mut entries = Vec::new();
    if !parser.consume_token(&Token::RBracket) {
        entries = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&Token::RBracket)?;
    }
    Ok(call("MAP", word.span, entries, None))
}

/// A function call without anything special.
pub(super) fn call(name: &str, place: SqlSpan, args: Vec<Expr>, over: Option<WindowType>) -> Expr {
    let args = args.into_iter().map(|e| FunctionArg::Unnamed(FunctionArgExpr::Expr(e))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_span(place, name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args,
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over,
        within_group: Vec::new(),
    })
}

/// `CAST(x AS type)`, `TRY_CAST(x AS type)`
pub(crate) fn cast(parser: &mut Parser) -> Result<Expr, Error> {
    let word = parser.next_token();
    let is_try = matches!(&word.token, Token::Word(w) if w.keyword == Keyword::TRY_CAST);
    parser.expect_token(&Token::LParen)?;
    let expr = parser.parse_expr()?;
    parser.expect_keyword_is(Keyword::AS)?;
    let data_type = flink_type(parser)?;
    parser.expect_token(&Token::RParen)?;
    let kind = if is_try { CastKind::TryCast } else { CastKind::Cast };
    Ok(Expr::Cast { kind, expr: Box::new(expr), data_type, array: false, format: None })
}

/// `::type` behind an expression, as PostgreSQL writes a CAST.
pub(crate) fn double_colon(parser: &mut Parser, expr: &Expr) -> Result<Expr, Error> {
    parser.expect_token(&Token::DoubleColon)?;
    let data_type = flink_type(parser)?;
    let (kind, expr) = (CastKind::Cast, Box::new(expr.clone()));
    Ok(Expr::Cast { kind, expr, data_type, array: false, format: None })
}

/// A type that sqlparser need not know: its text, which was read once already.
fn flink_type(parser: &mut Parser) -> Result<DataType, Error> {
    let text = type_text(parser)?;
    Ok(DataType::Custom(ObjectName::from(vec![Ident::new(text)]), Vec::new()))
}

/// Reads a type; its text.
pub(super) fn type_text(parser: &mut Parser) -> Result<String, Error> {
    let before = parser.get_current_index();
    data_type::parse(parser)?;
    let tokens = (before + 1..=parser.get_current_index()).map(|i| &parser.token_at(i).token);
    Ok(data_type::text(tokens))
}

/// `DATE 'text'`, `TIME 'text'`, `TIMESTAMP 'text'`
pub(crate) fn datetime(parser: &mut Parser) -> Result<Expr, Error> {
    let word = parser.next_token();
    let literal = parser.next_token();
    let (Token::Word(kind), Token::SingleQuotedString(text)) = (&word.token, &literal.token) else {
        return Ok(parser.expected("a date or time in quotes", literal)?);
    };
    let (data_type, value) = match kind.keyword {
        Keyword::DATE => (DataType::Date, date(text)),
        Keyword::TIME => (DataType::Time(None, TimezoneInfo::None), time(text)),
        _ => {
            let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len() as u64);
            (DataType::Timestamp(Some(digits), TimezoneInfo::None), timestamp(text))
        }
    };
    let Some(value) = value else {
        let name = kind.value.to_uppercase();
        let example = match kind.keyword {
            Keyword::DATE => "DATE '2024-02-29'",
            Keyword::TIME => "TIME '12:30:00'",
            _ => "TIMESTAMP '2024-02-29 12:30:00'",
        };
        return Err(problem(codes::BAD_DATETIME, format!("`{text}` is not a {name}"), &literal)
            .map(|d| d.label("no such date or time").hint(format!("an example: {example}")))
            .into());
    };
    let place = word.span.union(&literal.span);
    Ok(Expr::TypedString(TypedString {
        data_type,
        value: Value::SingleQuotedString(value).with_span(place),
        uses_odbc_syntax: false,
    }))
}

/// The text of a date as Arrow reads it.
fn date(text: &str) -> Option<String> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(date.format("%Y-%m-%d").to_string())
}

/// The text of a time of day as Arrow reads it.
fn time(text: &str) -> Option<String> {
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()?;
    Some(time.format("%H:%M:%S%.f").to_string())
}

/// The text of a timestamp as Arrow reads it.
fn timestamp(text: &str) -> Option<String> {
    let timestamp = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(timestamp.format("%Y-%m-%d %H:%M:%S%.f").to_string())
}

/// `INTERVAL [+|-] 'text' unit[(p)] [TO unit[(p)]]`
pub(crate) fn interval(parser: &mut Parser) -> Result<Expr, Error> {
    let word = parser.next_token();
    let is_negative = parser.consume_token(&Token::Minus);
    let _has_plus = !is_negative && parser.consume_token(&Token::Plus);
    let literal = parser.next_token();
    let Token::SingleQuotedString(text) = &literal.token else {
        let mut diagnostic =
            problem(codes::BAD_INTERVAL, "INTERVAL needs a number in quotes", &literal);
        diagnostic.hint = Some("write INTERVAL '10' MINUTES".to_owned());
        if let Token::Number(number, _) = &literal.token {
            diagnostic.hint = Some(format!("write INTERVAL '{number}' with a unit behind it"));
        }
        return Err(diagnostic.into());
    };
    let (first, mut last_token) = unit(parser, &literal, text)?;
    let mut last = None;
    if parser.parse_keyword(Keyword::TO) {
        let (unit, token) = unit(parser, &literal, text)?;
        (last, last_token) = (Some(unit), token);
    }
    let value = interval::parse(text, first, last).map_err(|why| {
        problem(codes::BAD_INTERVAL, why, &literal)
            .map(|d| d.label("not an interval of these units"))
    })?;
    let place = word.span.union(&last_token.span);
    Ok(canonical(if is_negative { negated(value) } else { value }, place))
}

/// The unit behind an interval's text, and its last token.
fn unit(
    parser: &mut Parser,
    literal: &TokenWithSpan,
    text: &str,
) -> Result<(Unit, TokenWithSpan), Error> {
    let token = parser.next_token();
    let Token::Word(word) = &token.token else {
        return Err(missing_unit(literal, text).into());
    };
    let Some(unit) = Unit::from_name(&word.value) else {
        let hint = suggest::did_you_mean(&word.value, Unit::NAMES);
        let Some(hint) = hint else { return Err(missing_unit(literal, text).into()) };
        let message = format!("`{}` is not a unit of time", word.value);
        return Err(problem(codes::BAD_INTERVAL, message, &token).map(|d| d.hint(hint)).into());
    };
    // DAY(3), SECOND(2, 3): bounds of digits that say nothing that the text does not.
    parser.parse_optional_precision_scale()?;
    Ok((unit, parser.get_current_token().clone()))
}

/// The diagnostic for an interval without a unit; `'10 minutes'` is shown the way it is written
/// here.
fn missing_unit(literal: &TokenWithSpan, text: &str) -> Box<Diagnostic> {
    let hint = match text.trim().split_once(' ') {
        Some((number, unit)) if Unit::from_name(unit.trim()).is_some() => {
            format!("write INTERVAL '{number}' {}", unit.trim().to_uppercase())
        }
        _ => format!("a unit follows: INTERVAL '{text}' MINUTES"),
    };
    problem(codes::BAD_INTERVAL, "INTERVAL without a unit", literal)
        .map(|d| d.label("a unit is missing after this").hint(hint))
}

fn negated(value: IntervalValue) -> IntervalValue {
    match value {
        IntervalValue::Months(months) => IntervalValue::Months(-months),
        IntervalValue::Millis(millis) => IntervalValue::Millis(-millis),
    }
}

/// The interval in the longest unit that has no fraction, but never in days: DataFusion would add
/// a day by the calendar of the time zone, Flink adds 24 hours.
fn canonical(value: IntervalValue, place: SqlSpan) -> Expr {
    let (count, unit) = match value {
        IntervalValue::Months(months) => (months, DateTimeField::Month),
        IntervalValue::Millis(millis) if millis % 3_600_000 == 0 => {
            (millis / 3_600_000, DateTimeField::Hour)
        }
        IntervalValue::Millis(millis) if millis % 60_000 == 0 => {
            (millis / 60_000, DateTimeField::Minute)
        }
        IntervalValue::Millis(millis) if millis % 1_000 == 0 => {
            (millis / 1_000, DateTimeField::Second)
        }
        IntervalValue::Millis(millis) => (millis, DateTimeField::Millisecond),
    };
    Expr::Interval(ast::Interval {
        value: Box::new(Expr::Value(Value::SingleQuotedString(count.to_string()).with_span(place))),
        leading_field: Some(unit),
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    })
}

/// A diagnostic about a token.
fn problem(
    code: crate::diagnostic::Code,
    message: impl Into<String>,
    token: &TokenWithSpan,
) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, message).at_if_known(span::bytes(token.span)))
}

/// Adding to a boxed diagnostic.
trait Amend {
    /// The diagnostic changed by `change`, in its box.
    fn map(self, change: impl FnOnce(Diagnostic) -> Diagnostic) -> Self;
}

impl Amend for Box<Diagnostic> {
    fn map(self, change: impl FnOnce(Diagnostic) -> Diagnostic) -> Self {
        Box::new(change(*self))
    }
}
