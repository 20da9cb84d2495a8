//! No text may bring the parser down: not random words, not brackets a thousand deep, not chains
//! that are a megabyte long. `MILLSTREAM_FUZZ_SEED` repeats a failure, or tries something new.

mod fuzz;

use fuzz::{check, check_messages};
use millstream_queries::diagnostic::{Diagnostic, SourceText};
use millstream_queries::{codes, parse};
use proptest::prelude::*;

/// Parses, renders every diagnostic, drops everything.
fn survive(text: &str) -> Vec<Diagnostic> {
    parse::with_big_stack(|| {
        let source = SourceText::new("test.sql", text);
        let (_, diagnostics) = parse::parse(&source, &|_| None);
        check_messages(&diagnostics, &source);
        diagnostics
    })
}

/// Words and signs that the parser knows, some of them in pieces.
const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "BY",
    "ORDER",
    "CREATE",
    "TABLE",
    "VIEW",
    "INSERT",
    "INTO",
    "SET",
    "EXPLAIN",
    "EXECUTE",
    "STATEMENT",
    "BEGIN",
    "END",
    "WITH",
    "AS",
    "WATERMARK",
    "FOR",
    "METADATA",
    "VIRTUAL",
    "PRIMARY",
    "KEY",
    "NOT",
    "ENFORCED",
    "NULL",
    "INTERVAL",
    "'1'",
    "DAY",
    "TO",
    "SECOND",
    "CAST",
    "TRY_CAST",
    "ARRAY",
    "MAP",
    "ROW",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "INT",
    "DECIMAL",
    "TUMBLE",
    "DESCRIPTOR",
    "PARTITION",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "IN",
    "IS",
    "BETWEEN",
    "AND",
    "OR",
    "LIKE",
    "EXISTS",
    "UNION",
    "ALL",
    "JOIN",
    "ON",
    "LATERAL",
    "UNNEST",
    "MATCH_RECOGNIZE",
    "PATTERN",
    "DEFINE",
    "OVER",
    "FILTER",
    "EXTRACT",
    "TRIM",
    "SUBSTRING",
    "IF",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ">>",
    "<>",
    ",",
    ";",
    ".",
    "=",
    "=>",
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "|",
    ":",
    "::",
    "$",
    "?",
    "@",
    "#",
    "!",
    "~",
    "^",
    "&",
    "\\",
    "\"",
    "'",
    "`",
    "--",
    "/*",
    "*/",
    "/*+",
    "'${A}'",
    "'${'",
    "a",
    "t",
    "`ü`",
    "'ß'",
    "1",
    "1.5e3",
    "0x",
    "X'4'",
    "U&'\\12'",
    "\n",
    "\t",
    "\u{0}",
    "\u{feff}",
    "é",
    "€",
];

#[test]
fn random_words_never_panic() {
    check(3_000, prop::collection::vec(prop::sample::select(WORDS), 0..40), |words| {
        survive(&words.join(" "));
        survive(&words.concat());
    });
}

#[test]
fn random_tails_of_sound_beginnings_never_panic() {
    let starts = prop::sample::select(vec![
        "SELECT ",
        "SELECT * FROM TUMBLE(TABLE t, ",
        "CREATE TABLE t (a ",
        "SET ",
        "INSERT INTO t ",
        "CREATE TABLE t (a INT) WITH (",
        "SELECT CAST(x AS ",
        "SELECT INTERVAL ",
        "WITH c AS (",
        "SELECT * FROM t MATCH_RECOGNIZE (",
        "CREATE VIEW v AS ",
        "EXECUTE STATEMENT SET BEGIN ",
    ]);
    let tails = prop::collection::vec(prop::sample::select(WORDS), 0..25);
    check(3_000, (starts, tails), |(start, words)| {
        survive(&format!("{start}{}", words.join(" ")));
    });
}

#[test]
fn random_text_never_panics() {
    check(3_000, "\\PC{0,80}", |text| {
        survive(&text);
        survive(&format!("SELECT {text}"));
    });
}

#[test]
fn depth_is_an_error_and_never_an_overflow() {
    let deep = |open: &str, middle: &str, close: &str, count: usize| {
        format!("{}{middle}{}", open.repeat(count), close.repeat(count))
    };
    for count in [90, 140, 2_000, 60_000] {
        for text in [
            deep("SELECT (", "1", ")", count),
            format!("SELECT {}", deep("(", "1", ")", count)),
            format!("SELECT {}", deep("f(", "1", ")", count)),
            format!("SELECT {}", deep("CASE WHEN a THEN ", "1", " END", count)),
            format!("SELECT {}", deep("CASE WHEN a THEN ", "", "", count)),
            format!("SELECT {}", deep("CAST(", "1", " AS INT)", count)),
            format!("SELECT {}", deep("CAST(", "", "", count)),
            format!("SELECT {}1", "- ".repeat(count)),
            format!("SELECT {}1", "NOT ".repeat(count)),
            format!("SELECT {}'1' DAY", "INTERVAL ".repeat(count)),
            format!("SELECT a{}", ".a".repeat(count)),
            format!("SELECT a{}", "[1]".repeat(count)),
            format!("SELECT CAST(a AS {})", deep("ARRAY<", "INT", ">", count)),
            format!("SELECT {} 'x'", deep("ARRAY<", "INT", ">", count)),
            format!("CREATE TABLE t (a {})", deep("ROW<a ", "INT", ">", count)),
            format!("SELECT * FROM {}", deep("(SELECT * FROM ", "t", ") AS x", count)),
            format!("SELECT * FROM {}", deep("(", "t JOIN u ON a", ")", count)),
            format!("SELECT * FROM {}", deep("(SELECT * FROM ", "", "", count)),
            format!("{}SELECT 1", "EXPLAIN ".repeat(count)),
            format!(
                "SELECT * FROM t MATCH_RECOGNIZE (PATTERN ({}) DEFINE A AS b)",
                deep("(", "A", ")", count)
            ),
            format!(
                "WITH {} SELECT 1",
                deep("a AS (WITH ", "a AS (SELECT 1)", " SELECT 1)", count)
            ),
        ] {
            let found = survive(&text);
            if count >= 2_000 {
                assert!(!found.is_empty(), "{} …", &text[..40]);
            }
        }
    }
}

#[test]
fn long_chains_are_an_error_and_long_lists_are_not() {
    let chain = |piece: &str, count: usize| format!("SELECT 1{}", piece.repeat(count));
    for piece in [" + 1", " OR a = 1", " || 'x'", " AND NOT b", " UNION ALL SELECT 1"] {
        assert_eq!(survive(&chain(piece, 300)), []);
        assert_eq!(survive(&chain(piece, 30_000))[0].code, codes::TOO_COMPLEX);
    }
    let list = format!("SELECT a IN (1{})", ", 1".repeat(100_000));
    assert_eq!(survive(&list), []);
    let columns = format!("SELECT 1{} FROM t WHERE a = 1", ", a + 1".repeat(20_000));
    assert_eq!(survive(&columns), []);
    let cases = format!("SELECT CASE{} END", " WHEN a = 1 THEN 2".repeat(20_000));
    assert_eq!(survive(&cases), []);
}

#[test]
fn a_text_of_more_than_a_megabyte_is_refused() {
    let text = format!("SELECT 1 -- {}", "x".repeat(1 << 20));
    assert_eq!(survive(&text)[0].code, codes::TEXT_TOO_LARGE);
    assert_eq!(survive(&text[..1 << 20]), []);
}

#[test]
fn tries_do_not_multiply() {
    // Forms that sqlparser reads in two ways, one inside the other, with a mistake at the bottom.
    for (open, close) in [
        ("CASE WHEN ", " END"),
        ("f(a => ", ")"),
        ("CAST(", " AS INT)"),
        ("(SELECT * FROM (", "))"),
        ("EXTRACT(DAY FROM ", ")"),
        ("a.b.c.", ""),
        ("TRIM(", ")"),
        ("CEIL(", " TO DAY)"),
        ("ARRAY(", ")"),
        ("CONVERT(", ", INT)"),
        ("SUBSTRING(", " FROM 1)"),
        ("LATERAL (", ")"),
        ("EXISTS(", ")"),
        ("POSITION(", " IN b)"),
    ] {
        let text = format!("SELECT {} ! , {}", open.repeat(45), close.repeat(45));
        assert!(!survive(&text).is_empty());
        let text = format!("SELECT * FROM {} ! , {}", open.repeat(45), close.repeat(45));
        assert!(!survive(&text).is_empty());
    }
}

#[test]
fn a_panic_on_the_big_stack_is_the_callers() {
    let result = std::panic::catch_unwind(|| parse::with_big_stack(|| panic!("as expected")));
    assert_eq!(result.err().and_then(|p| p.downcast_ref::<&str>().copied()), Some("as expected"));
}
