//! `LIKE table [(INCLUDING …, EXCLUDING …)]` behind CREATE TABLE; what it means is in
//! `plan/like.rs`.

use datafusion_sql::sqlparser::tokenizer::Token;

use super::Parsed;
use super::cursor::Cursor;
use super::tokens::keyword;
use crate::plan::codes;
use crate::statement::{Like, LikePart, LikeRule};
use crate::suggest;

const PARTS: &[(&str, LikePart)] = &[
    ("ALL", LikePart::All),
    ("CONSTRAINTS", LikePart::Constraints),
    ("DISTRIBUTION", LikePart::Distribution),
    ("GENERATED", LikePart::Generated),
    ("METADATA", LikePart::Metadata),
    ("OPTIONS", LikePart::Options),
    ("PARTITIONS", LikePart::Partitions),
    ("WATERMARKS", LikePart::Watermarks),
];

const RULES: &[(&str, LikeRule)] = &[
    ("INCLUDING", LikeRule::Including),
    ("EXCLUDING", LikeRule::Excluding),
    ("OVERWRITING", LikeRule::Overwriting),
];

/// Reads the clause, if it is there.
pub(super) fn parse(cursor: &mut Cursor) -> Parsed<Option<Like>> {
    if !cursor.eat(&["LIKE"]) {
        return Ok(None);
    }
    let mut like = Like { table: cursor.table_name()?, options: Vec::new() };
    if cursor.eat_sign(&Token::LParen) {
        while !cursor.eat_sign(&Token::RParen) {
            option(cursor, &mut like)?;
            // Flink writes them without commas, and takes them.
            cursor.eat_sign(&Token::Comma);
        }
    }
    Ok(Some(like))
}

/// `{INCLUDING | EXCLUDING | OVERWRITING} part`
fn option(cursor: &mut Cursor, like: &mut Like) -> Parsed<()> {
    let start = cursor.here().start;
    let rule = word(cursor, RULES, "INCLUDING, EXCLUDING or OVERWRITING")?;
    let part = word(cursor, PARTS, "ALL, CONSTRAINTS, GENERATED, METADATA, OPTIONS or WATERMARKS")?;
    let span = cursor.since(start);
    let cannot_be_mixed = matches!(
        part,
        LikePart::All | LikePart::Constraints | LikePart::Partitions | LikePart::Distribution
    );
    let message = if rule == LikeRule::Overwriting && cannot_be_mixed {
        "only GENERATED, METADATA, OPTIONS and WATERMARKS can be OVERWRITING"
    } else if like.options.iter().any(|(other, ..)| *other == part) {
        "this part was given before"
    } else {
        like.options.push((part, rule, span));
        return Ok(());
    };
    let hint = "write INCLUDING or EXCLUDING, each part once";
    Err(Box::new(crate::Diagnostic::error(codes::BAD_LIKE, message).at(span).hint(hint)))
}

/// One of these words.
fn word<T: Copy>(cursor: &mut Cursor, words: &[(&str, T)], expected: &str) -> Parsed<T> {
    let written = keyword(cursor.peek());
    if let Some((_, found)) = words.iter().find(|(word, _)| *word == written) {
        cursor.skip(1);
        return Ok(*found);
    }
    let hint = suggest::did_you_mean(&written, words.iter().map(|(word, _)| *word));
    Err(Box::new(cursor.unexpected(expected).hint_if_any(hint)))
}
