//! Statements: what a SQL file says, with the place of everything that can be wrong.
//!
//! Queries and expressions stay sqlparser's; DDL and the statements around it are ours, because
//! Flink's forms of them are unknown upstream.

use datafusion_sql::sqlparser::ast::{Expr, Query};

use crate::diagnostic::Span;

/// A name or a piece of text, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The thing.
    pub node: T,
    /// Its place in the source text.
    pub span: Span,
}

/// A statement and its place in the source text.
pub type SpannedStatement = Spanned<Statement>;

/// A statement of the dialect.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a text has few of them, and they do not move")]
pub enum Statement {
    /// `CREATE [TEMPORARY] TABLE [IF NOT EXISTS] …`
    CreateTable(CreateTable),
    /// `CREATE [TEMPORARY] VIEW [IF NOT EXISTS] name [(columns)] AS query`
    CreateView(CreateView),
    /// `INSERT INTO table [(columns)] query`
    Insert(Insert),
    /// `EXECUTE STATEMENT SET BEGIN insert; … END`
    StatementSet(Vec<Spanned<Insert>>),
    /// `SET 'key' = 'value'`
    Set {
        /// The key.
        key: Spanned<String>,
        /// The value.
        value: Spanned<String>,
    },
    /// `EXPLAIN statement`: of a query or an INSERT.
    Explain(Box<SpannedStatement>),
    /// A bare query: its rows are printed.
    Query(Box<Query>),
}

/// `CREATE TABLE`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// Name of the table.
    pub name: Spanned<String>,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Columns in the order of their declaration.
    pub columns: Vec<ColumnDef>,
    /// `WATERMARK FOR column AS expr`.
    pub watermark: Option<WatermarkDef>,
    /// `PRIMARY KEY (…) NOT ENFORCED`.
    pub primary_key: Vec<Spanned<String>>,
    /// The WITH options; keys are unique.
    pub options: Vec<(Spanned<String>, Spanned<String>)>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    /// Name of the column.
    pub name: Spanned<String>,
    /// What fills it.
    pub kind: ColumnKind,
}

/// What fills a column.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a text has few of them, and they do not move")]
pub enum ColumnKind {
    /// The payload: `c TYPE [NOT NULL]`.
    Physical {
        /// Declared type.
        data_type: Spanned<SqlType>,
    },
    /// The connector: `c TYPE METADATA [FROM 'key'] [VIRTUAL]`.
    Metadata {
        /// Declared type.
        data_type: Spanned<SqlType>,
        /// The key; the column's name if FROM is left out.
        key: Spanned<String>,
        /// VIRTUAL: not written by INSERT.
        is_virtual: bool,
    },
    /// Other columns: `c AS expr`.
    Computed {
        /// The expression.
        expr: Spanned<Expr>,
    },
}

/// A type by Flink's names, and whether NULL is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlType {
    /// The Arrow type it is kept in. TIMESTAMP_LTZ is a timestamp with the zone `"UTC"` here; the
    /// planner puts the session's zone in.
    pub data_type: arrow::datatypes::DataType,
    /// False after NOT NULL.
    pub nullable: bool,
}

/// `WATERMARK FOR column AS expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct WatermarkDef {
    /// The event-time column.
    pub column: Spanned<String>,
    /// The watermark that a row implies.
    pub expr: Spanned<Expr>,
}

/// `CREATE VIEW`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// Name of the view.
    pub name: Spanned<String>,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Names for the query's columns; empty if the query's own are kept.
    pub columns: Vec<Spanned<String>>,
    /// The query.
    pub query: Box<Query>,
}

/// `INSERT INTO`.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// The table.
    pub table: Spanned<String>,
    /// The columns that are written; empty for all.
    pub columns: Vec<Spanned<String>>,
    /// The rows.
    pub query: Box<Query>,
}
