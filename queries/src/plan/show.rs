//! SHOW and DESCRIBE: what a job declares, in Flink's columns.
//!
//! Expressions, types and options are shown as they stand in the text. Values of options that look
//! like secrets are not shown; neither are values of variables.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::{filter_record_batch, ilike, like, not};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use datafusion_sql::sqlparser::ast::Expr;

use super::codes;
use super::context::Session;
use super::hints;
use super::roles::Role;
use crate::Answer;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, SourceText, Span};
use crate::statement::{
    ColumnDef, ColumnKind, CreateTable, CreateView, ObjectKind, Pattern, Show, Spanned,
};
use crate::suggest;
use crate::types::flink_name;

/// What stands in the place of a secret, as in Flink.
const HIDDEN: &str = "'******'";

/// Parts of the names of options whose values are secrets: Flink's list.
const SECRET: &[&str] = &[
    "password",
    "secret",
    "account.key",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
];

/// The answer to SHOW.
///
/// # Errors
/// If what is asked about does not exist.
pub(crate) fn answer(
    show: &Show,
    source: &SourceText,
    catalog: &Catalog,
    session: &Session,
) -> Result<Answer, Diagnostic> {
    match show {
        Show::Tables(pattern) => names("table name", catalog.names(), pattern.as_ref()),
        Show::Views(pattern) => {
            let mut views = catalog.names();
            views.retain(|name| catalog.view_named(name).is_some());
            names("view name", views, pattern.as_ref())
        }
        Show::Functions { of_users, pattern } => {
            names("function name", session.functions.names(*of_users), pattern.as_ref())
        }
        Show::Columns(name, pattern) => columns(name, Some(pattern.as_ref()), source, catalog),
        Show::Create(kind, name) => create(*kind, name, source, catalog).map(Answer::Text),
    }
}

fn names(title: &str, names: Vec<String>, pattern: Option<&Pattern>) -> Result<Answer, Diagnostic> {
    let column: ArrayRef = Arc::new(StringArray::from(names));
    let fields = vec![Field::new(title, DataType::Utf8, false)];
    rows(fields, vec![column], pattern)
}

/// A table whose first column matches the pattern.
fn rows(
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
    pattern: Option<&Pattern>,
) -> Result<Answer, Diagnostic> {
    matching(fields, columns, pattern)
        .map(Answer::Rows)
        .map_err(|error| Diagnostic::error(codes::INVALID_QUERY, error.to_string()))
}

fn matching(
    fields: Vec<Field>,
    columns: Vec<ArrayRef>,
    pattern: Option<&Pattern>,
) -> Result<RecordBatch, ArrowError> {
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
    let Some(pattern) = pattern else { return Ok(rows) };
    let text = StringArray::new_scalar(&pattern.text);
    let matches = if pattern.ignores_case { ilike } else { like };
    let mut keep = matches(rows.column(0), &text)?;
    if pattern.is_negated {
        keep = not(&keep)?;
    }
    filter_record_batch(&rows, &keep)
}

/// The answer to DESCRIBE, and with a pattern, which may be none, to SHOW COLUMNS.
///
/// # Errors
/// If there is no such table or view.
pub(crate) fn columns(
    name: &Spanned<String>,
    shown: Option<Option<&Pattern>>,
    source: &SourceText,
    catalog: &Catalog,
) -> Result<Answer, Diagnostic> {
    let Some(relation) = catalog.relation(&name.node) else { return Err(unknown(name, catalog)) };
    let table = catalog.table_named(&name.node);
    let definition = table.map(|table| table.definition.as_ref());
    let mut described = Described::default();
    for (position, (field, role)) in
        relation.schema.fields().iter().zip(&relation.roles).enumerate()
    {
        let declared = definition.and_then(|definition| definition.columns.get(position));
        let mut row = Row::new(field.name(), field.data_type(), role);
        if let (Some(definition), Some(column)) = (definition, declared) {
            row.declare(column, definition, source);
        }
        described.push(row);
    }
    let (fields, columns) = described.columns(if shown.is_some() { "field" } else { "name" });
    rows(fields, columns, shown.flatten())
}

/// A column, as DESCRIBE shows it.
struct Row {
    name: String,
    data_type: String,
    is_nullable: bool,
    key: Option<String>,
    extras: Option<String>,
    watermark: Option<String>,
    comment: Option<String>,
}

impl Row {
    fn new(name: &str, data_type: &DataType, role: &Role) -> Row {
        let marker = match role {
            Role::EventTime | Role::WindowTime(_) => " *ROWTIME*",
            Role::ProcessingTime => " *PROCTIME*",
            _ => "",
        };
        Row {
            name: name.to_owned(),
            data_type: format!("{}{marker}", flink_name(data_type)),
            is_nullable: *role != Role::ProcessingTime,
            key: None,
            extras: None,
            watermark: None,
            comment: None,
        }
    }

    fn declare(&mut self, column: &ColumnDef, table: &CreateTable, source: &SourceText) {
        self.comment.clone_from(&column.comment);
        self.extras = match &column.kind {
            ColumnKind::Physical { data_type } => {
                self.is_nullable = data_type.node.nullable;
                None
            }
            ColumnKind::Metadata { key, is_virtual, data_type } => {
                self.is_nullable = data_type.node.nullable;
                Some(metadata(&column.name, key, *is_virtual))
            }
            ColumnKind::Computed { expr } => Some(format!("AS {}", expression(expr, source))),
        };
        let keys: Vec<&str> = table.primary_key.iter().map(|key| key.node.as_str()).collect();
        if keys.contains(&column.name.node.as_str()) {
            self.key = Some(format!("PRI({})", keys.join(", ")));
            self.is_nullable = false;
        }
        let watermark = table.watermark.as_ref().filter(|w| w.column.node == column.name.node);
        self.watermark = watermark.map(|watermark| source.slice(&watermark.expr.span).to_owned());
    }
}

/// Columns of DESCRIBE's answer.
#[derive(Default)]
struct Described {
    rows: Vec<Row>,
}

impl Described {
    fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Comments are a column of their own if there are any, as in Flink.
    fn columns(&self, first: &str) -> (Vec<Field>, Vec<ArrayRef>) {
        let text = |value: fn(&Row) -> Option<&str>| {
            Arc::new(self.rows.iter().map(value).collect::<StringArray>()) as ArrayRef
        };
        let nulls: BooleanArray = self.rows.iter().map(|row| Some(row.is_nullable)).collect();
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            (first, text(|row| Some(&row.name))),
            ("type", text(|row| Some(&row.data_type))),
            ("null", Arc::new(nulls)),
            ("key", text(|row| row.key.as_deref())),
            ("extras", text(|row| row.extras.as_deref())),
            ("watermark", text(|row| row.watermark.as_deref())),
        ];
        if self.rows.iter().any(|row| row.comment.is_some()) {
            columns.push(("comment", text(|row| row.comment.as_deref())));
        }
        let field =
            |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
        let fields = columns.iter().map(field).collect();
        (fields, columns.into_iter().map(|(_, column)| column).collect())
    }
}

fn unknown(name: &Spanned<String>, catalog: &Catalog) -> Diagnostic {
    let names = catalog.names();
    let message = format!("there is no table or view `{}`", name.node);
    Diagnostic::error(codes::UNKNOWN_TABLE, message)
        .at(name.span.clone())
        .label("unknown table")
        .hint_if_any(suggest::did_you_mean(&name.node, names.iter().map(String::as_str)))
}

/// The statement that would declare a table or view again.
fn create(
    kind: ObjectKind,
    name: &Spanned<String>,
    source: &SourceText,
    catalog: &Catalog,
) -> Result<String, Diagnostic> {
    let other = |is: &str, show: &str| {
        let message = format!("`{}` is a {is}", name.node);
        Diagnostic::error(codes::UNKNOWN_TABLE, message)
            .at(name.span.clone())
            .hint(format!("write SHOW CREATE {show}"))
    };
    match (catalog.table_named(&name.node), catalog.view_named(&name.node), kind) {
        (Some(table), _, ObjectKind::Table) => Ok(create_table(&table.definition, source)),
        (_, Some(view), ObjectKind::View) => Ok(create_view(&view.definition, source)),
        (Some(_), ..) => Err(other("table", "TABLE")),
        (_, Some(_), _) => Err(other("view", "VIEW")),
        (None, None, _) => Err(unknown(name, catalog)),
    }
}

fn create_table(table: &CreateTable, source: &SourceText) -> String {
    let mut parts: Vec<String> = table.columns.iter().map(|c| column(c, source)).collect();
    if let Some(watermark) = &table.watermark {
        let expr = source.slice(&watermark.expr.span);
        parts.push(format!("WATERMARK FOR {} AS {expr}", quoted(&watermark.column.node)));
    }
    if !table.primary_key.is_empty() {
        let keys = quoted_list(&table.primary_key);
        parts.push(format!("PRIMARY KEY ({keys}) NOT ENFORCED"));
    }
    let mut text =
        format!("CREATE {}TABLE {}", temporary(table.is_temporary), quoted(&table.name.node));
    if !parts.is_empty() {
        text.push_str(&format!(" (\n  {}\n)", parts.join(",\n  ")));
    }
    text.push_str(&comment(table.comment.as_deref()));
    if !table.partitioned_by.is_empty() {
        text.push_str(&format!(" PARTITIONED BY ({})", quoted_list(&table.partitioned_by)));
    }
    if !table.options.is_empty() {
        let option = |(key, value): &(Spanned<String>, Spanned<String>)| {
            format!("{} = {}", literal(&key.node), value_shown(&key.node, value, source))
        };
        let options: Vec<String> = table.options.iter().map(option).collect();
        text.push_str(&format!(" WITH (\n  {}\n)", options.join(",\n  ")));
    }
    text + ";\n"
}

fn column(column: &ColumnDef, source: &SourceText) -> String {
    let name = quoted(&column.name.node);
    let declared = match &column.kind {
        ColumnKind::Physical { data_type } => {
            format!("{name} {}", source.slice(&data_type.span))
        }
        ColumnKind::Metadata { data_type, key, is_virtual } => {
            let data_type = source.slice(&data_type.span);
            format!("{name} {data_type} {}", metadata(&column.name, key, *is_virtual))
        }
        ColumnKind::Computed { expr } => format!("{name} AS {}", expression(expr, source)),
    };
    declared + &comment(column.comment.as_deref())
}

/// `METADATA [FROM 'key'] [VIRTUAL]`
fn metadata(name: &Spanned<String>, key: &Spanned<String>, is_virtual: bool) -> String {
    let from =
        if key.node == name.node { String::new() } else { format!(" FROM {}", literal(&key.node)) };
    let end = if is_virtual { " VIRTUAL" } else { "" };
    format!("METADATA{from}{end}")
}

/// A computed column's expression as it was written; `TYPE GENERATED ALWAYS AS` is a CAST.
fn expression(expr: &Spanned<Expr>, source: &SourceText) -> String {
    let written = source.slice(&expr.span);
    let is_written_as_cast = |cast: &str| written.to_uppercase().starts_with(cast);
    match &expr.node {
        Expr::Cast { data_type, .. }
            if !is_written_as_cast("CAST")
                && !is_written_as_cast("TRY_CAST")
                && !written.contains("::") =>
        {
            format!("CAST({written} AS {data_type})")
        }
        _ => written.to_owned(),
    }
}

fn create_view(view: &CreateView, source: &SourceText) -> String {
    let columns = match view.columns.as_slice() {
        [] => String::new(),
        columns => format!(" ({})", quoted_list(columns)),
    };
    format!(
        "CREATE {}VIEW {}{columns}{} AS\n{};\n",
        temporary(view.is_temporary),
        quoted(&view.name.node),
        comment(view.comment.as_deref()),
        query_shown(view, source)
    )
}

/// The query as it was written, without the secrets of hints.
fn query_shown(view: &CreateView, source: &SourceText) -> String {
    let options = hints::options(&view.query).into_iter();
    let secrets = options.filter(|(key, _)| is_secret(&key.node));
    let mut spans: Vec<Span> = secrets.map(|(_, value)| value.span).collect();
    spans.sort_by_key(|span| span.start);
    let (mut text, mut from) = (String::new(), view.query_span.start);
    for span in spans {
        text.push_str(source.slice(&(from..span.start)));
        text.push_str(HIDDEN);
        from = span.end;
    }
    text + source.slice(&(from..view.query_span.end))
}

/// The value of an option as it was written, unless it is a secret.
fn value_shown(key: &str, value: &Spanned<String>, source: &SourceText) -> String {
    let written = source.slice(&value.span);
    // A variable is not its value, but its default is.
    let is_variable =
        written.starts_with("'${") && written.ends_with("}'") && !written.contains(":-");
    if is_secret(key) && !is_variable { HIDDEN.to_owned() } else { written.to_owned() }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRET.iter().any(|part| key.contains(part))
}

fn temporary(is_temporary: bool) -> &'static str {
    if is_temporary { "TEMPORARY " } else { "" }
}

fn comment(comment: Option<&str>) -> String {
    comment.map_or_else(String::new, |text| format!(" COMMENT {}", literal(text)))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn quoted_list(names: &[Spanned<String>]) -> String {
    names.iter().map(|name| quoted(&name.node)).collect::<Vec<_>>().join(", ")
}
