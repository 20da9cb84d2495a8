//! Syntax errors in words that help: what was expected, what was found, and a guess at what was
//! meant.

use std::ops::Range;

use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::parser::ParserError;
use datafusion_sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::tokens::{keyword, place};
use super::{shown, span};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::suggest;

/// Words that divide a statement, and are often misspelt.
const CLAUSES: &[&str] = &[
    "SELECT",
    "DISTINCT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "JOIN",
    "LEFT",
    "RIGHT",
    "INNER",
    "LIMIT",
    "PARTITION",
    "BETWEEN",
    "VALUES",
    "INTO",
    "TABLE",
    "VIEW",
    "WITH",
    "METADATA",
    "VIRTUAL",
    "WATERMARK",
    "PRIMARY",
    "ENFORCED",
    "COMMENT",
    "CONSTRAINT",
    "TEMPORARY",
    "EXISTS",
    "STATEMENT",
];

/// Words that begin a statement, and hardly ever stand first in a line inside of one.
const STARTS: &[&str] = &["CREATE", "INSERT", "SET", "EXECUTE", "EXPLAIN", "DROP", "SELECT"];

/// The diagnostic for the word `index` that should have been something else.
pub(super) fn unexpected(
    expected: &str,
    index: usize,
    words: &[TokenWithSpan],
    end: usize,
) -> Diagnostic {
    let Some(found) = words.get(index) else {
        return Diagnostic::error(codes::SYNTAX, format!("expected {expected}, but the text ends"))
            .at(end..end)
            .label("something is missing here")
            .hint_if_any(hint(index, words));
    };
    if expected.contains("end of the statement")
        && let Some(start) = begun_statement(index, words)
    {
        let message = format!("`;` is missing before {}", keyword(&start.token));
        return Diagnostic::error(codes::MISSING_SEMICOLON, message)
            .at(place(start))
            .label("a new statement seems to begin here")
            .hint("end the statement before it with `;`");
    }
    let message = format!("expected {expected}, found {}", shown(&found.token));
    Diagnostic::error(codes::SYNTAX, message)
        .at(place(found))
        .label("not expected here")
        .hint_if_any(
            nearly(expected, &found.token)
                .or_else(|| wanted(expected, index, words).map(str::to_owned))
                .or_else(|| hint(index, words)),
        )
}

/// What the whole looks like that lacks this word.
fn wanted(expected: &str, index: usize, words: &[TokenWithSpan]) -> Option<&'static str> {
    let back = |count: usize| {
        let word = index.checked_sub(count).and_then(|index| words.get(index));
        word.map_or_else(String::new, |word| keyword(&word.token))
    };
    let first = words.first().map_or_else(String::new, |word| keyword(&word.token));
    Some(match expected {
        "INTO" => "write INSERT INTO table SELECT …",
        "END" if back(1) != "IF" => "CASE WHEN condition THEN value ELSE value ends with END",
        "AND" => "write BETWEEN low AND high",
        "AS" if back(2) == "WINDOW" => {
            "write FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, \
             window_end"
        }
        "AS" if back(2) == "VIEW" => "write CREATE VIEW name AS SELECT …",
        "AS" if first != "CREATE" || words.iter().any(|word| keyword(&word.token) == "CAST") => {
            "write CAST(value AS TYPE)"
        }
        _ if back(3) == "FILTER" => "write FILTER (WHERE condition)",
        "a query" if first == "INSERT" => "write INSERT INTO table SELECT … FROM …",
        _ => return None,
    })
}

/// The hint for a word that is nearly the one that was expected.
fn nearly(expected: &str, found: &Token) -> Option<String> {
    let is_keyword = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
    let written = keyword(found);
    suggest::did_you_mean(&written, expected.split(' ').filter(is_keyword))
}

/// The word at or just before `index` with which a new statement seems to begin; before, because
/// INSERT may have been taken as an alias.
fn begun_statement(index: usize, words: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let at = |index: usize| words.get(index).map_or_else(String::new, |w| keyword(&w.token));
    if STARTS.contains(&at(index).as_str()) {
        return words.get(index).filter(|_| misspelt(index, words).is_none());
    }
    let before = index.checked_sub(1)?;
    let is_start = matches!(
        (at(before).as_str(), at(index).as_str()),
        ("INSERT", "INTO") | ("CREATE", "TABLE" | "VIEW" | "TEMPORARY")
    );
    words.get(before).filter(|_| is_start)
}

/// The diagnostic for an error of sqlparser.
pub(super) fn from_upstream(
    error: &ParserError,
    words: &[TokenWithSpan],
    end: usize,
) -> Diagnostic {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "nested too deeply",
    };
    let (text, at) = take_location(text);
    // An error without a place is about the end of the text.
    let index = at.map_or(words.len(), |at| words.partition_point(|word| place(word).start < at));
    match text.strip_prefix("Expected: ").and_then(|rest| rest.rsplit_once(", found: ")) {
        Some((expected, _)) => unexpected(&in_our_words(expected), index, words, end),
        None => {
            let place = words.get(index).map_or(end..end, place);
            let mut message = text.to_owned();
            if let Some(first) = message.get_mut(..1) {
                first.make_ascii_lowercase();
            }
            Diagnostic::error(codes::SYNTAX, message).at(place).hint_if_any(hint(index, words))
        }
    }
}

/// Splits sqlparser's " at Line: 1, Column: 7" off a message, and gives the byte it stands for.
fn take_location(text: &str) -> (&str, Option<usize>) {
    let Some((message, location)) = text.rsplit_once(" at Line: ") else { return (text, None) };
    let numbers = location.split_once(", Column: ");
    let parsed = numbers.and_then(|(line, column)| {
        span::byte(line.trim().parse().ok()?, column.trim().parse().ok()?)
    });
    (message, parsed)
}

/// What sqlparser expected, as we say it.
fn in_our_words(expected: &str) -> String {
    match expected {
        "identifier" => "a name".to_owned(),
        "end of statement" => "the end of the statement".to_owned(),
        sign if !sign.chars().any(char::is_alphanumeric) => format!("`{sign}`"),
        other => other.to_owned(),
    }
}

/// A guess at what was meant near the word `index`.
fn hint(index: usize, words: &[TokenWithSpan]) -> Option<String> {
    if let Some((written, meant)) = misspelt(index, words) {
        return Some(format!("did you mean {meant} instead of {written}?"));
    }
    let found = &words.get(index)?.token;
    let before = index.checked_sub(1).and_then(|i| words.get(i)).map(|word| &word.token);
    if let Some(hint) = keyword_as_column(found, before, words.get(index + 1)) {
        return Some(hint);
    }
    if let Some(hint) = habit(found, before) {
        return Some(hint.to_owned());
    }
    // EMIT itself is taken as an alias.
    if keyword(found) == "EMIT" || before.is_some_and(|word| keyword(word) == "EMIT") {
        let hint = "EMIT is not supported yet; windows fire when the watermark passes them";
        return Some(hint.to_owned());
    }
    let hint = match found {
        Token::Word(word) if word.keyword == Keyword::NoKeyword && is_value(before) => {
            "is a comma missing before it?"
        }
        Token::Number(..) | Token::SingleQuotedString(_) if is_value(before) => {
            "is an operator or a comma missing before it?"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The hint for a keyword that stands where a column would.
fn keyword_as_column(
    found: &Token,
    before: Option<&Token>,
    after: Option<&TokenWithSpan>,
) -> Option<String> {
    let word = keyword(found);
    let is_reserved = matches!(
        word.as_str(),
        "GROUP" | "ORDER" | "END" | "ON" | "JOIN" | "BY" | "WHEN" | "AS" | "INTO" | "UNION"
    );
    let begins_column = before.is_some_and(|t| *t == Token::Comma || keyword(t) == "SELECT");
    let is_clause = after.is_some_and(|after| keyword(&after.token) == "BY");
    (is_reserved && begins_column && !is_clause)
        .then(|| format!("a column of this name is written in backquotes: `{found}`"))
}

/// What to write instead of what users of other systems are used to.
fn habit(found: &Token, before: Option<&Token>) -> Option<&'static str> {
    let last = before.map_or_else(String::new, keyword);
    Some(match (last.as_str(), keyword(found).as_str()) {
        ("WINDOW", _) | (_, "TUMBLING" | "HOPPING" | "WINDOW") => {
            "write FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, \
             window_end"
        }
        ("TOP", _) => "run with `--limit N` to stop after N rows",
        ("GROUP", _) | (_, "GROUP") => "write GROUP BY",
        ("WITH", _) if matches!(found, Token::SingleQuotedString(_)) => {
            "options stand in brackets: WITH ('connector' = '…')"
        }
        (_, "WHERE") => "WHERE stands between FROM and GROUP BY",
        (_, "HAVING") => "HAVING stands behind GROUP BY",
        (_, "INTO") => "write INSERT INTO table SELECT …",
        ("NOT", "NULL") => "write IS NOT NULL",
        ("IS", _) => "write IS NULL or IS NOT NULL",
        ("ELSE", "IF") | ("IF", _) => "CASE has further conditions: WHEN … THEN …",
        ("IN", _) => "a list stands in brackets: IN (1, 2)",
        _ => return None,
    })
}

/// True for a word or literal, behind which another one does not make sense.
fn is_value(token: Option<&Token>) -> bool {
    match token {
        Some(Token::Word(word)) => !CLAUSES.contains(&word.value.to_uppercase().as_str()),
        Some(Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen) => true,
        _ => false,
    }
}

/// A word at or just before `index` that is nearly a keyword, and the keyword: `FORM` is read as
/// an alias, so that the complaint comes one or two words later.
fn misspelt(index: usize, words: &[TokenWithSpan]) -> Option<(String, &'static str)> {
    let from = index.saturating_sub(2);
    let to = (index + 1).min(words.len());
    let near = words.get(from..to)?.iter().rev();
    let is_unknown =
        |token: &Token| matches!(token, Token::Word(word) if word.keyword == Keyword::NoKeyword);
    near.filter(|word| is_unknown(&word.token))
        .map(|word| keyword(&word.token))
        .filter(|word| word.len() >= 3 && !COMMON.contains(&word.as_str()))
        .find_map(|word| {
            let meant = suggest::nearest(&word, CLAUSES.iter().copied())?;
            Some((word, meant))
        })
}

/// Words that are near to a keyword and meant as they stand.
const COMMON: &[&str] = &["ORDERS", "LIMITS", "GROUPS", "TABLES", "TUMBLE"];

/// The queries in brackets among some words, the innermost first, without their brackets.
pub(super) fn subqueries(words: &[TokenWithSpan]) -> Vec<Range<usize>> {
    let mut open = Vec::new();
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match word.token {
            Token::LParen => open.push(index),
            Token::RParen => {
                let Some(start) = open.pop() else { continue };
                let first = words.get(start + 1).map(|word| keyword(&word.token));
                if matches!(first.as_deref(), Some("SELECT" | "WITH")) {
                    found.push(start + 1..index);
                }
            }
            _ => {}
        }
    }
    found
}
