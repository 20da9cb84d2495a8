//! The JSON functions, whose arguments have clauses: `JSON_VALUE(j, '$.a' RETURNING INT NULL ON EMPTY)`,
//! `JSON_OBJECT(KEY 'k' VALUE v ABSENT ON NULL)`, `x IS JSON ARRAY`.
//!
//! The clauses become a text among the arguments, as `functions/json.rs` wants it.

use datafusion_sql::sqlparser::ast::{Expr, UnaryOperator, Value};
use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::parser::Parser;
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::prefix::{Error, Form, call, type_text};
use crate::functions::json::IS_JSON;

/// The form that begins with this word and a bracket, if it is one of these.
pub(crate) fn form_of(word: &str) -> Option<Form> {
    Some(match word.to_ascii_uppercase().as_str() {
        "JSON_EXISTS" => exists,
        "JSON_VALUE" => value,
        "JSON_QUERY" => query,
        "JSON_OBJECT" | "JSON_OBJECTAGG" => object,
        "JSON_ARRAY" | "JSON_ARRAYAGG" => array,
        _ => return None,
    })
}

/// `IS [NOT] JSON [VALUE | SCALAR | ARRAY | OBJECT]` behind an expression; nothing is read if that does
/// not follow.
pub(crate) fn is_json(parser: &mut Parser, expr: &Expr) -> Option<Expr> {
    let is_word = |token: &Token, word: &str| matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word));
    let is_negated = is_word(&parser.peek_nth_token_ref(1).token, "NOT");
    let place = 1 + usize::from(is_negated);
    if !is_word(&parser.peek_nth_token_ref(0).token, "IS")
        || !is_word(&parser.peek_nth_token_ref(place).token, "JSON")
    {
        return None;
    }
    let first = parser.next_token();
    (0..place).for_each(|_| drop(parser.next_token()));
    let kinds = ["VALUE", "SCALAR", "ARRAY", "OBJECT"];
    let kind = kinds.into_iter().find(|kind| eat(parser, kind)).unwrap_or("VALUE");
    let is_json = call(IS_JSON, first.span, vec![expr.clone(), text(kind)], None);
    Some(match is_negated {
        true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(is_json) },
        false => is_json,
    })
}

fn text(text: impl Into<String>) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.into()).into())
}

/// Takes the next token if it is this word.
fn eat(parser: &mut Parser, word: &str) -> bool {
    eat_words(parser, word)
}

/// Takes the next token, which has to be this word.
fn expect(parser: &mut Parser, word: &str) -> Result<(), Error> {
    if eat(parser, word) {
        return Ok(());
    }
    let found = parser.peek_token();
    Ok(parser.expected(word, found)?)
}

/// `NAME(json, path`
fn begin(parser: &mut Parser) -> Result<(TokenWithSpan, Vec<Expr>), Error> {
    let name = parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let json = parser.parse_expr()?;
    parser.expect_token(&Token::Comma)?;
    let path = parser.parse_expr()?;
    Ok((name, vec![json, path]))
}

fn end(parser: &mut Parser, name: &TokenWithSpan, args: Vec<Expr>) -> Result<Expr, Error> {
    parser.expect_token(&Token::RParen)?;
    let word = match &name.token {
        Token::Word(word) => word.value.to_uppercase(),
        other => other.to_string(),
    };
    Ok(call(&word, name.span, args, None))
}

fn exists(parser: &mut Parser) -> Result<Expr, Error> {
    let (name, mut args) = begin(parser)?;
    let answers = ["TRUE", "FALSE", "UNKNOWN", "ERROR"];
    let answer = answers.into_iter().find(|answer| eat(parser, answer));
    if answer.is_some() {
        expect(parser, "ON")?;
        expect(parser, "ERROR")?;
    }
    args.push(text(answer.unwrap_or("FALSE")));
    end(parser, &name, args)
}

fn returning(parser: &mut Parser) -> Result<String, Error> {
    if eat(parser, "RETURNING") { type_text(parser) } else { Ok("STRING".to_owned()) }
}

/// Takes the next tokens if they are these words.
fn eat_words(parser: &mut Parser, words: &str) -> bool {
    let is_there = words.split(' ').enumerate().all(|(place, word)| {
        matches!(&parser.peek_nth_token_ref(place).token,
            Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
    });
    if is_there {
        words.split(' ').for_each(|_| parser.advance_token());
    }
    is_there
}

/// A clause: its words, and the value behind DEFAULT.
type Clause = (&'static str, Expr);

/// `choice ON {EMPTY | ERROR}`, none, one or both: what is said of EMPTY, and of ERROR.
fn clauses(
    parser: &mut Parser,
    choices: &[&'static str],
    expected: &str,
) -> Result<(Clause, Clause), Error> {
    let null = || Expr::Value(Value::Null.into());
    let (mut on_empty, mut on_error) = (("NULL", null()), ("NULL", null()));
    while parser.peek_token_ref().token != Token::RParen {
        let Some(choice) = choices.iter().find(|choice| eat_words(parser, choice)) else {
            let found = parser.peek_token();
            return Ok(parser.expected(expected, found)?);
        };
        let value = if *choice == "DEFAULT" { parser.parse_expr()? } else { null() };
        expect(parser, "ON")?;
        if eat(parser, "EMPTY") {
            on_empty = (choice, value);
        } else {
            expect(parser, "ERROR")?;
            on_error = (choice, value);
        }
    }
    Ok((on_empty, on_error))
}

fn value(parser: &mut Parser) -> Result<Expr, Error> {
    let (name, mut args) = begin(parser)?;
    let returned = returning(parser)?;
    let choices = ["NULL", "ERROR", "DEFAULT"];
    let (on_empty, on_error) = clauses(parser, &choices, "NULL, ERROR or DEFAULT")?;
    args.push(text(format!("{returned}|{}|{}", on_empty.0, on_error.0)));
    args.extend([on_empty.1, on_error.1]);
    end(parser, &name, args)
}

fn query(parser: &mut Parser) -> Result<Expr, Error> {
    let (name, mut args) = begin(parser)?;
    let returned = returning(parser)?;
    let mut wrapper = "WITHOUT";
    let is_with = eat(parser, "WITH");
    if is_with || eat(parser, "WITHOUT") {
        if is_with {
            wrapper = if eat(parser, "CONDITIONAL") { "CONDITIONAL" } else { "UNCONDITIONAL" };
            let _ = wrapper == "CONDITIONAL" || eat(parser, "UNCONDITIONAL");
        }
        let _has_array = eat(parser, "ARRAY");
        expect(parser, "WRAPPER")?;
    }
    let choices = ["NULL", "ERROR", "EMPTY ARRAY", "EMPTY OBJECT"];
    let expected = "NULL, ERROR, EMPTY ARRAY or EMPTY OBJECT";
    let (on_empty, on_error) = clauses(parser, &choices, expected)?;
    args.push(text(format!("{returned}|{wrapper}|{}|{}", on_empty.0, on_error.0)));
    end(parser, &name, args)
}

/// `NULL ON NULL` or `ABSENT ON NULL`; `default` if neither follows.
fn on_null(parser: &mut Parser, default: &'static str) -> Result<&'static str, Error> {
    let choice = ["NULL", "ABSENT"].into_iter().find(|choice| eat(parser, choice));
    if choice.is_some() {
        expect(parser, "ON")?;
        expect(parser, "NULL")?;
    }
    Ok(choice.unwrap_or(default))
}

/// `|j` for an expression that is JSON, `|v` for any other.
fn flag(expr: &Expr) -> &'static str {
    let is_json = |name: &str| {
        ["JSON_OBJECT", "JSON_ARRAY"].iter().any(|other| name.eq_ignore_ascii_case(other))
    };
    match expr {
        Expr::Function(function) if is_json(&function.name.to_string()) => "|j",
        Expr::Nested(inner) => flag(inner),
        _ => "|v",
    }
}

/// The specification and the arguments of a function that builds JSON.
fn building(name: &TokenWithSpan, nulls: &str, flags: &str, args: Vec<Expr>) -> Vec<Expr> {
    let is_aggregate = matches!(&name.token, Token::Word(word) if word.value.len() > 11);
    let specification = text(format!("{nulls}{flags}"));
    match is_aggregate {
        true => args.into_iter().chain([specification]).collect(),
        false => std::iter::once(specification).chain(args).collect(),
    }
}

/// Reads what may follow an aggregate: `FILTER (WHERE condition)`.
fn filtered(parser: &mut Parser, call: Expr) -> Result<Expr, Error> {
    let Expr::Function(mut function) = call else { return Ok(call) };
    if parser.parse_keyword(Keyword::FILTER) {
        parser.expect_token(&Token::LParen)?;
        parser.expect_keyword_is(Keyword::WHERE)?;
        function.filter = Some(Box::new(parser.parse_expr()?));
        parser.expect_token(&Token::RParen)?;
    }
    Ok(Expr::Function(function))
}

/// A key: of `'k': DATE '2024-01-31'` the text alone, which `:` could else go into.
fn key(parser: &mut Parser) -> Result<Expr, Error> {
    if let Token::SingleQuotedString(key) = &parser.peek_nth_token_ref(0).token
        && parser.peek_nth_token_ref(1).token == Token::Colon
    {
        let key = text(key.clone());
        parser.advance_token();
        return Ok(key);
    }
    Ok(parser.parse_expr()?)
}

/// `JSON_OBJECT(`, or of the aggregate `JSON_OBJECTAGG(`, then `[KEY] k VALUE v`.
fn object(parser: &mut Parser) -> Result<Expr, Error> {
    let name = parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let (mut args, mut flags) = (Vec::new(), String::new());
    while parser.peek_token_ref().token != Token::RParen && !is_on_null(parser) {
        let _has_key = eat(parser, "KEY");
        args.push(key(parser)?);
        if !parser.consume_token(&Token::Colon) {
            expect(parser, "VALUE")?;
        }
        let value = parser.parse_expr()?;
        flags.push_str(flag(&value));
        args.push(value);
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    let nulls = on_null(parser, "NULL")?;
    let args = building(&name, nulls, &flags, args);
    let call = end(parser, &name, args)?;
    filtered(parser, call)
}

/// `JSON_ARRAY(v, …)`, or of the aggregate `JSON_ARRAYAGG(v)`.
fn array(parser: &mut Parser) -> Result<Expr, Error> {
    let name = parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let (mut args, mut flags) = (Vec::new(), String::new());
    while parser.peek_token_ref().token != Token::RParen {
        if is_on_null(parser) {
            break;
        }
        let value = parser.parse_expr()?;
        flags.push_str(flag(&value));
        args.push(value);
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    let nulls = on_null(parser, "ABSENT")?;
    let args = building(&name, nulls, &flags, args);
    let call = end(parser, &name, args)?;
    filtered(parser, call)
}

/// Whether `NULL ON` or `ABSENT ON` follows.
fn is_on_null(parser: &Parser) -> bool {
    let is = |place: usize, words: &[&str]| {
        matches!(&parser.peek_nth_token_ref(place).token,
            Token::Word(w) if words.iter().any(|word| w.value.eq_ignore_ascii_case(word)))
    };
    is(0, &["NULL", "ABSENT"]) && is(1, &["ON"])
}
