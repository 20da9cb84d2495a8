//! Statements that ask about what a job declares, or take it away: EXPLAIN's details, `SHOW`,
//! `DESCRIBE`, `DROP`.

use datafusion_sql::sqlparser::tokenizer::Token;

use super::Parsed;
use super::cursor::Cursor;
use super::tokens::keyword;
use crate::codes;
use crate::statement::{Drop, ExplainDetail, ObjectKind, Pattern, Show, Spanned};

const DETAILS: &[(&str, ExplainDetail)] = &[
    ("ESTIMATED_COST", ExplainDetail::EstimatedCost),
    ("CHANGELOG_MODE", ExplainDetail::ChangelogMode),
    ("PLAN_ADVICE", ExplainDetail::PlanAdvice),
    ("JSON_EXECUTION_PLAN", ExplainDetail::JsonExecutionPlan),
    ("STATE", ExplainDetail::State),
];

/// `EXPLAIN [PLAN FOR | detail, …]`: the details, or `None` if the statement is not explained.
pub(super) fn explain(cursor: &mut Cursor) -> Parsed<Option<Vec<ExplainDetail>>> {
    if !cursor.eat(&["EXPLAIN"]) {
        return Ok(None);
    }
    if cursor.next_are(&["ANALYZE"]) || cursor.next_are(&["ANALYZE_PHYSICAL_PLAN"]) {
        let message = format!("EXPLAIN {} is not supported yet", keyword(cursor.peek()));
        let diagnostic = cursor.error_here(codes::STATEMENT_UNSUPPORTED, message);
        return Err(diagnostic.hint("run the job: its summary has rows, bytes and times").into());
    }
    if cursor.eat(&["PLAN"]) {
        cursor.expect("FOR")?;
        return Ok(Some(Vec::new()));
    }
    let mut details = Vec::new();
    while let Some(detail) = detail(cursor) {
        details.push(detail);
        if !cursor.eat_sign(&Token::Comma) {
            break;
        }
    }
    // EXPLAIN STATE FOR query reads better, and costs nothing.
    if !details.is_empty() {
        cursor.eat(&["FOR"]);
    }
    Ok(Some(details))
}

fn detail(cursor: &mut Cursor) -> Option<ExplainDetail> {
    let word = keyword(cursor.peek());
    let (_, found) = DETAILS.iter().find(|(name, _)| *name == word)?;
    cursor.skip(1);
    Some(*found)
}

/// `DROP [TEMPORARY] {TABLE | VIEW} [IF EXISTS] name`
pub(super) fn drop(cursor: &mut Cursor) -> Parsed<Drop> {
    let start = cursor.here().start;
    cursor.skip(1);
    cursor.eat(&["TEMPORARY"]);
    let kind = match object(cursor) {
        Some(kind) => kind,
        None => {
            let word = keyword(cursor.peek());
            if !matches!(
                word.as_str(),
                "CATALOG"
                    | "DATABASE"
                    | "FUNCTION"
                    | "SYSTEM"
                    | "MODEL"
                    | "MATERIALIZED"
                    | "SCHEMA"
            ) {
                return Err(cursor.unexpected("TABLE or VIEW"));
            }
            cursor.skip(1);
            let message = format!("DROP {word} is not supported");
            let diagnostic = crate::Diagnostic::error(codes::STATEMENT_UNSUPPORTED, message);
            let hint = "a job has tables and views: DROP TABLE, DROP VIEW";
            return Err(Box::new(diagnostic.at(cursor.since(start)).hint(hint)));
        }
    };
    let if_exists = cursor.eat(&["IF"]);
    if if_exists {
        cursor.expect("EXISTS")?;
    }
    Ok(Drop { kind, name: cursor.table_name()?, if_exists })
}

fn object(cursor: &mut Cursor) -> Option<ObjectKind> {
    if cursor.eat(&["TABLE"]) {
        Some(ObjectKind::Table)
    } else if cursor.eat(&["VIEW"]) {
        Some(ObjectKind::View)
    } else {
        None
    }
}

/// `DESCRIBE [EXTENDED] name`, `DESC name`
pub(super) fn describe(cursor: &mut Cursor) -> Parsed<Spanned<String>> {
    cursor.skip(1);
    let word = keyword(cursor.peek());
    let is_alone = matches!(cursor.peek_nth(1), Token::EOF | Token::Period);
    if matches!(word.as_str(), "CATALOG" | "DATABASE" | "FUNCTION" | "JOB" | "MODEL") && !is_alone {
        let message = format!("DESCRIBE {word} is not supported");
        let diagnostic = cursor.error_here(codes::STATEMENT_UNSUPPORTED, message);
        return Err(diagnostic.hint("a job has tables and views: DESCRIBE name").into());
    }
    if !is_alone {
        cursor.eat(&["EXTENDED"]);
    }
    cursor.table_name()
}

/// `SHOW …`
pub(super) fn show(cursor: &mut Cursor) -> Parsed<Show> {
    let start = cursor.here().start;
    cursor.skip(1);
    if cursor.eat(&["CREATE"]) {
        let Some(kind) = object(cursor) else { return Err(cursor.unexpected("TABLE or VIEW")) };
        return Ok(Show::Create(kind, cursor.table_name()?));
    }
    let of_users = cursor.eat(&["USER"]);
    if of_users && keyword(cursor.peek()) != "FUNCTIONS" {
        return Err(cursor.unexpected("FUNCTIONS"));
    }
    let word = keyword(cursor.peek());
    match word.as_str() {
        "TABLES" | "VIEWS" | "FUNCTIONS" => {
            cursor.skip(1);
            if cursor.eat(&["FROM"]) || cursor.eat(&["IN"]) {
                database(cursor)?;
            }
            let pattern = pattern(cursor)?;
            Ok(match word.as_str() {
                "TABLES" => Show::Tables(pattern),
                "VIEWS" => Show::Views(pattern),
                _ => Show::Functions { of_users, pattern },
            })
        }
        "COLUMNS" => {
            cursor.skip(1);
            if !cursor.eat(&["FROM"]) && !cursor.eat(&["IN"]) {
                return Err(cursor.unexpected("FROM"));
            }
            let name = cursor.table_name()?;
            Ok(Show::Columns(name, pattern(cursor)?))
        }
        "CATALOGS" | "CURRENT" | "DATABASES" | "JARS" | "JOBS" | "MODELS" | "MODULES"
        | "PARTITIONS" | "PROCEDURES" | "FULL" | "MATERIALIZED" | "CONNECTIONS" => {
            cursor.skip(1);
            let message = format!("SHOW {word} is not supported");
            let diagnostic = crate::Diagnostic::error(codes::STATEMENT_UNSUPPORTED, message);
            let hint = "there are SHOW TABLES, VIEWS, FUNCTIONS, COLUMNS FROM t and CREATE TABLE t";
            Err(Box::new(diagnostic.at(cursor.since(start)).hint(hint)))
        }
        _ => Err(cursor.unexpected("TABLES, VIEWS, FUNCTIONS, COLUMNS or CREATE")),
    }
}

/// The one database there is, with or without its catalog.
fn database(cursor: &mut Cursor) -> Parsed<()> {
    let start = cursor.here().start;
    let mut name = vec![cursor.name("the name of a database")?.node];
    while cursor.eat_sign(&Token::Period) {
        name.push(cursor.name("a name")?.node);
    }
    let names: Vec<&str> = name.iter().map(String::as_str).collect();
    if matches!(names[..], ["default_database"] | ["default_catalog", "default_database"]) {
        return Ok(());
    }
    let diagnostic =
        crate::Diagnostic::error(codes::QUALIFIED_NAME, "catalogs and databases are not supported");
    Err(Box::new(diagnostic.at(cursor.since(start)).hint("leave the FROM out")))
}

/// `[NOT] {LIKE | ILIKE} 'pattern'`
fn pattern(cursor: &mut Cursor) -> Parsed<Option<Pattern>> {
    let is_negated = cursor.eat(&["NOT"]);
    let ignores_case = cursor.eat(&["ILIKE"]);
    if !ignores_case && !cursor.eat(&["LIKE"]) {
        return if is_negated { Err(cursor.unexpected("LIKE")) } else { Ok(None) };
    }
    let text = cursor.string("a pattern in single quotes")?.node;
    Ok(Some(Pattern { is_negated, ignores_case, text }))
}
