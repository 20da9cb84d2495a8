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
    /// `RESET`, or `RESET 'key'`.
    Reset(Option<Spanned<String>>),
    /// `EXPLAIN [details] statement`: of a query, an INSERT or a statement set.
    Explain {
        /// What is told beside the plan.
        details: Vec<ExplainDetail>,
        /// What is explained.
        inner: Box<SpannedStatement>,
    },
    /// `DROP TABLE`, `DROP VIEW`
    Drop(Drop),
    /// `SHOW …`
    Show(Show),
    /// `DESCRIBE name`
    Describe(Spanned<String>),
    /// A bare query: its rows are printed.
    Query(Box<Query>),
}

/// What EXPLAIN tells beside the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainDetail {
    /// `ESTIMATED_COST`: bytes of a row.
    EstimatedCost,
    /// `CHANGELOG_MODE`: the kinds of rows.
    ChangelogMode,
    /// `PLAN_ADVICE`: what could be better.
    PlanAdvice,
    /// `JSON_EXECUTION_PLAN`: the graph as JSON.
    JsonExecutionPlan,
    /// `STATE`: what operators keep, and what bounds it.
    State,
}

/// What can be dropped and shown as a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A view.
    View,
}

/// `DROP {TABLE | VIEW} [IF EXISTS] name`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// What it must be.
    pub kind: ObjectKind,
    /// Its name.
    pub name: Spanned<String>,
    /// `IF EXISTS`.
    pub if_exists: bool,
}

/// `SHOW …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Show {
    /// `SHOW TABLES`: tables and views.
    Tables(Option<Pattern>),
    /// `SHOW VIEWS`
    Views(Option<Pattern>),
    /// `SHOW [USER] FUNCTIONS`
    Functions {
        /// Leave out what is built in.
        of_users: bool,
        /// Which names.
        pattern: Option<Pattern>,
    },
    /// `SHOW COLUMNS FROM name`
    Columns(Spanned<String>, Option<Pattern>),
    /// `SHOW CREATE {TABLE | VIEW} name`
    Create(ObjectKind, Spanned<String>),
}

/// `[NOT] LIKE 'pattern'` behind SHOW.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// NOT.
    pub is_negated: bool,
    /// ILIKE: case does not count.
    pub ignores_case: bool,
    /// The pattern, with `%` for any text and `_` for a character.
    pub text: String,
}

/// `LIKE table [(options)]` of CREATE TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Like {
    /// The table that is taken over.
    pub table: Spanned<String>,
    /// What is taken over of it, by the last word of each kind.
    pub options: Vec<(LikePart, LikeRule, Span)>,
}

/// A part of a table that LIKE takes over or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikePart {
    /// All that follow.
    All,
    /// The primary key.
    Constraints,
    /// Computed columns.
    Generated,
    /// Metadata columns.
    Metadata,
    /// The WITH options.
    Options,
    /// PARTITIONED BY.
    Partitions,
    /// DISTRIBUTED BY.
    Distribution,
    /// The watermark.
    Watermarks,
}

/// What LIKE does with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikeRule {
    /// Takes it over; to declare it anew is an error.
    Including,
    /// Leaves it.
    Excluding,
    /// Takes over what is not declared anew.
    Overwriting,
}

/// `CREATE TABLE`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// Name of the table.
    pub name: Spanned<String>,
    /// `TEMPORARY`: said, but without meaning, as every table lives as long as its job.
    pub is_temporary: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Columns in the order of their declaration.
    pub columns: Vec<ColumnDef>,
    /// `WATERMARK FOR column AS expr`.
    pub watermark: Option<WatermarkDef>,
    /// `PRIMARY KEY (…) NOT ENFORCED`.
    pub primary_key: Vec<Spanned<String>>,
    /// `PARTITIONED BY (…)`.
    pub partitioned_by: Vec<Spanned<String>>,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// The WITH options; keys are unique.
    pub options: Vec<(Spanned<String>, Spanned<String>)>,
    /// `LIKE`: what is declared by another table.
    pub like: Option<Like>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDef {
    /// Name of the column.
    pub name: Spanned<String>,
    /// What fills it.
    pub kind: ColumnKind,
    /// `COMMENT`.
    pub comment: Option<String>,
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
    /// `TEMPORARY`.
    pub is_temporary: bool,
    /// Names for the query's columns; empty if the query's own are kept.
    pub columns: Vec<Spanned<String>>,
    /// `COMMENT`.
    pub comment: Option<String>,
    /// The query.
    pub query: Box<Query>,
    /// Its place in the source text.
    pub query_span: Span,
}

/// `INSERT INTO`.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// The table.
    pub table: Spanned<String>,
    /// Options of the hint behind the table's name, for this INSERT only.
    pub hints: Vec<(Spanned<String>, Spanned<String>)>,
    /// The columns that are written; empty for all.
    pub columns: Vec<Spanned<String>>,
    /// The rows.
    pub query: Box<Query>,
}
