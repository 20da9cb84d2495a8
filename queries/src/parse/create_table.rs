//! `CREATE TABLE`: columns, watermark, primary key and options.

use std::collections::HashMap;

use datafusion_sql::sqlparser::ast::{CastKind, DataType, Expr, Ident, ObjectName};
use datafusion_sql::sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::tokens::keyword;
use super::{Parsed, like, span, statements};
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::statement::{ColumnDef, ColumnKind, CreateTable, Spanned, SqlType, WatermarkDef};
use crate::{interpolate, suggest};

/// Parts of CREATE TABLE that Flink has and we do not, and what to do about it.
const UNSUPPORTED_CLAUSES: &[(&str, &str)] = &[
    ("DISTRIBUTED", "leave it out: rows are distributed by the keys of the query"),
    ("AS", "create the table with its columns, and fill it with INSERT INTO … SELECT"),
];

/// Reads what follows `CREATE TABLE`. Mistakes that do not keep it from being understood, such as
/// two columns of one name, go to `found`.
pub(super) fn parse(
    cursor: &mut Cursor,
    env: &dyn Fn(&str) -> Option<String>,
    found: &mut Vec<Diagnostic>,
    is_temporary: bool,
) -> Parsed<CreateTable> {
    let if_not_exists = statements::if_not_exists(cursor)?;
    let name = cursor.table_name()?;
    let mut table = CreateTable {
        name,
        is_temporary,
        if_not_exists,
        columns: Vec::new(),
        watermark: None,
        primary_key: Vec::new(),
        partitioned_by: Vec::new(),
        comment: None,
        options: Vec::new(),
        like: None,
    };
    if cursor.eat_sign(&Token::LParen) {
        loop {
            element(cursor, &mut table)?;
            if !cursor.eat_sign(&Token::Comma) {
                break;
            }
        }
        if !cursor.eat_sign(&Token::RParen) {
            return Err(cursor.unexpected("`,` or `)`"));
        }
    }
    table.comment = comment(cursor)?;
    if cursor.eat(&["PARTITIONED", "BY"]) {
        table.partitioned_by = cursor.name_list("the name of a column")?;
    }
    unsupported_clause(cursor)?;
    if cursor.eat(&["WITH"]) {
        table.options = options(cursor, env, found)?;
    }
    table.like = like::parse(cursor)?;
    unsupported_clause(cursor)?;
    found.extend(duplicates(table.columns.iter().map(|column| &column.name)));
    found.extend(duplicates(table.partitioned_by.iter()));
    // What LIKE brings along is known to the planner only.
    if table.like.is_none() {
        found.extend(unknown_columns(&table));
    }
    Ok(table)
}

fn unsupported_clause(cursor: &mut Cursor) -> Parsed<()> {
    let word = keyword(cursor.peek());
    match UNSUPPORTED_CLAUSES.iter().find(|(clause, _)| *clause == word) {
        None => Ok(()),
        Some((clause, hint)) => {
            let name = match *clause {
                "DISTRIBUTED" => format!("{clause} BY"),
                "AS" => "CREATE TABLE … AS".to_owned(),
                other => format!("CREATE TABLE … {other}"),
            };
            let message = format!("{name} is not supported");
            Err(cursor.error_here(codes::CLAUSE_UNSUPPORTED, message).hint(*hint).into())
        }
    }
}

/// A column, a key or a watermark.
fn element(cursor: &mut Cursor, table: &mut CreateTable) -> Parsed<()> {
    if cursor.next_are(&["WATERMARK", "FOR"]) {
        return watermark(cursor, table);
    }
    let start = cursor.here().start;
    if cursor.eat(&["CONSTRAINT"]) {
        cursor.name("the name of the constraint")?;
        if !cursor.next_are(&["PRIMARY"]) {
            return Err(cursor.unexpected("PRIMARY KEY"));
        }
    }
    if cursor.eat(&["PRIMARY", "KEY"]) {
        let columns = cursor.name_list("the name of a column")?;
        return primary_key(cursor, table, start, columns);
    }
    column(cursor, table)
}

/// `WATERMARK FOR column [AS expr]`; without expr it is the column itself.
fn watermark(cursor: &mut Cursor, table: &mut CreateTable) -> Parsed<()> {
    let start = cursor.here().start;
    cursor.skip(2);
    let column = cursor.name("the event-time column")?;
    let expr = if cursor.eat(&["AS"]) {
        cursor.expr()?
    } else if matches!(cursor.peek(), Token::Comma | Token::RParen) {
        let ident = Ident::with_span(span::to_sql(&column.span), column.node.clone());
        Spanned { node: Expr::Identifier(ident), span: column.span.clone() }
    } else {
        let hint = "write WATERMARK FOR ts AS ts - INTERVAL '5' SECOND";
        return Err(cursor.unexpected("AS").hint(hint).into());
    };
    if table.watermark.is_some() {
        let diagnostic = Diagnostic::error(codes::BAD_WATERMARK, "a table has one watermark only")
            .at(cursor.since(start))
            .label("the second one");
        return Err(diagnostic.into());
    }
    table.watermark = Some(WatermarkDef { column, expr });
    Ok(())
}

/// `NOT ENFORCED` behind a primary key, which is then the table's.
fn primary_key(
    cursor: &mut Cursor,
    table: &mut CreateTable,
    start: usize,
    columns: Vec<Spanned<String>>,
) -> Parsed<()> {
    let is_not_enforced = cursor.eat(&["NOT", "ENFORCED"]);
    if !is_not_enforced {
        let diagnostic = Diagnostic::error(codes::KEY_ENFORCED, "a primary key cannot be enforced")
            .at(cursor.since(start))
            .hint("write NOT ENFORCED behind it: the key is taken on trust");
        return Err(diagnostic.into());
    }
    if !table.primary_key.is_empty() {
        let message = "a table has one primary key only";
        let diagnostic = Diagnostic::error(codes::BAD_PRIMARY_KEY, message)
            .at(cursor.since(start))
            .label("the second one")
            .hint("a key of several columns is PRIMARY KEY (a, b) NOT ENFORCED");
        return Err(diagnostic.into());
    }
    table.primary_key = columns;
    Ok(())
}

/// `name TYPE …`, `name AS expr`, `name TYPE METADATA …`
fn column(cursor: &mut Cursor, table: &mut CreateTable) -> Parsed<()> {
    let name = cursor.name("the name of a column")?;
    if cursor.eat(&["AS"]) {
        let expr = cursor.expr()?;
        let comment = comment(cursor)?;
        table.columns.push(ColumnDef { name, kind: ColumnKind::Computed { expr }, comment });
        return end_of_column(cursor);
    }
    if matches!(cursor.peek(), Token::Comma | Token::RParen | Token::EOF) {
        let message = format!("the column `{}` has no type", name.node);
        let diagnostic = Diagnostic::error(codes::BAD_COLUMN, message).at(name.span);
        return Err(diagnostic.hint("write its type behind the name: name STRING").into());
    }
    let mut data_type = cursor.sql_type()?;
    let kind = if cursor.eat(&["METADATA"]) {
        metadata(cursor, &name, data_type)?
    } else if cursor.eat(&["GENERATED", "ALWAYS", "AS"]) {
        let expr = cast(cursor.expr()?, &data_type);
        ColumnKind::Computed { expr }
    } else {
        let start = cursor.here().start;
        if cursor.eat(&["CONSTRAINT"]) {
            cursor.name("the name of the constraint")?;
        }
        if cursor.eat(&["PRIMARY", "KEY"]) {
            primary_key(cursor, table, start, vec![name.clone()])?;
        }
        // NOT NULL may stand behind the key, too.
        if cursor.eat(&["NOT", "NULL"]) {
            data_type.node.nullable = false;
        }
        ColumnKind::Physical { data_type }
    };
    let comment = comment(cursor)?;
    table.columns.push(ColumnDef { name, kind, comment });
    end_of_column(cursor)
}

/// `[FROM 'key'] [VIRTUAL]`
fn metadata(
    cursor: &mut Cursor,
    name: &Spanned<String>,
    data_type: Spanned<SqlType>,
) -> Parsed<ColumnKind> {
    let key = if cursor.eat(&["FROM"]) {
        cursor.string("the metadata's key in single quotes")?
    } else {
        name.clone()
    };
    let is_virtual = cursor.eat(&["VIRTUAL"]);
    Ok(ColumnKind::Metadata { data_type, key, is_virtual })
}

/// The expression as a CAST to a declared type.
fn cast(expr: Spanned<Expr>, declared: &Spanned<SqlType>) -> Spanned<Expr> {
    let text = crate::types::flink_name(&declared.node.data_type);
    let node = Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr.node),
        data_type: DataType::Custom(ObjectName::from(vec![Ident::new(text)]), Vec::new()),
        array: false,
        format: None,
    };
    Spanned { node, span: expr.span }
}

/// `COMMENT 'text'`, if it is there.
pub(super) fn comment(cursor: &mut Cursor) -> Parsed<Option<String>> {
    if !cursor.eat(&["COMMENT"]) {
        return Ok(None);
    }
    Ok(Some(cursor.string("a comment in quotes")?.node))
}

/// Behind a column stands `,` or `)`; other SQL dialects have more to say there.
fn end_of_column(cursor: &Cursor) -> Parsed<()> {
    if matches!(cursor.peek(), Token::Comma | Token::RParen) {
        return Ok(());
    }
    let word = keyword(cursor.peek());
    let known = ["DEFAULT", "UNIQUE", "CHECK", "REFERENCES", "COLLATE", "AUTO_INCREMENT"];
    if known.contains(&word.as_str()) {
        let message = format!("columns have no {word}");
        let hint = match word.as_str() {
            "DEFAULT" => "leave it out; COALESCE(column, value) in the query does the same",
            _ => "leave it out: rows come from elsewhere, and are taken as they are",
        };
        return Err(cursor.error_here(codes::BAD_COLUMN, message).hint(hint).into());
    }
    Err(cursor.unexpected("`,` or `)` behind the column"))
}

/// `('key' = 'value', …)`; a key of plain words needs no quotes.
pub(super) fn options(
    cursor: &mut Cursor,
    env: &dyn Fn(&str) -> Option<String>,
    found: &mut Vec<Diagnostic>,
) -> Parsed<Vec<(Spanned<String>, Spanned<String>)>> {
    cursor.expect_sign(&Token::LParen)?;
    let mut options: Vec<(Spanned<String>, Spanned<String>)> = Vec::new();
    loop {
        let key = option_key(cursor)?;
        cursor.expect_sign(&Token::Eq)?;
        let value = option_value(cursor, &key)?;
        match interpolate::literal(value, env) {
            Ok(value) if options.iter().all(|(other, _)| other.node != key.node) => {
                options.push((key, value));
            }
            Ok(_) => {
                let message = format!("the option '{}' is given twice", key.node);
                let diagnostic = Diagnostic::error(codes::DUPLICATE_OPTION, message).at(key.span);
                found.push(diagnostic.label("the second time"));
            }
            Err(diagnostic) => found.push(*diagnostic),
        }
        if !cursor.eat_sign(&Token::Comma) {
            break;
        }
    }
    if !cursor.eat_sign(&Token::RParen) {
        return Err(cursor.unexpected("`,` or `)`"));
    }
    Ok(options)
}

fn option_key(cursor: &mut Cursor) -> Parsed<Spanned<String>> {
    if let Token::SingleQuotedString(_) = cursor.peek() {
        return cursor.string("an option's name");
    }
    // value.format, scan.rate: words, dots and dashes without anything between them.
    let start = cursor.here().start;
    let mut key = String::new();
    while let Token::Word(_) | Token::Period | Token::Minus = cursor.peek() {
        key.push_str(&cursor.peek().to_string());
        cursor.skip(1);
    }
    if key.is_empty() {
        return Err(cursor.unexpected("an option's name in single quotes"));
    }
    Ok(Spanned { node: key, span: cursor.since(start) })
}

fn option_value(cursor: &mut Cursor, key: &Spanned<String>) -> Parsed<Spanned<String>> {
    let unquoted = match cursor.peek() {
        token @ Token::Number(..) => token.to_string(),
        Token::Word(word) => word.value.clone(),
        _ => return cursor.string("the option's value in single quotes"),
    };
    let message = format!("the value of '{}' is not a string", key.node);
    let hint = format!("write '{unquoted}'");
    Err(cursor.error_here(codes::OPTION_NOT_STRING, message).hint(hint).into())
}

/// Diagnostics for names that are declared before.
pub(super) fn duplicates<'n>(names: impl Iterator<Item = &'n Spanned<String>>) -> Vec<Diagnostic> {
    let mut seen: HashMap<&str, &Span> = HashMap::new();
    let mut found = Vec::new();
    for name in names {
        if seen.insert(&name.node, &name.span).is_some() {
            let message = format!("the column `{}` is declared twice", name.node);
            let diagnostic = Diagnostic::error(codes::DUPLICATE_COLUMN, message);
            found.push(diagnostic.at(name.span.clone()).label("the second time"));
        }
    }
    found
}

/// Diagnostics for keys and watermarks on columns that are not there.
pub(crate) fn unknown_columns(table: &CreateTable) -> Vec<Diagnostic> {
    // Without columns, they come from the connector.
    if table.columns.is_empty() {
        return Vec::new();
    }
    let names = || table.columns.iter().map(|column| column.name.node.as_str());
    let of_key = table.primary_key.iter().map(|name| (name, codes::BAD_PRIMARY_KEY));
    let of_watermark = table.watermark.iter().map(|w| (&w.column, codes::BAD_WATERMARK));
    let of_partition =
        table.partitioned_by.iter().map(|name| (name, crate::plan::codes::BAD_PARTITION));
    of_key
        .chain(of_watermark)
        .chain(of_partition)
        .filter(|(name, _)| names().all(|column| column != name.node))
        .map(|(name, code)| {
            let message = format!("`{}` is not a column of `{}`", name.node, table.name.node);
            Diagnostic::error(code, message)
                .at(name.span.clone())
                .label("not declared")
                .hint_if_any(suggest::did_you_mean(&name.node, names()))
        })
        .collect()
}
