//! The catalog of one SQL file: its tables and views, resolved.
//!
//! A table's computed columns and its watermark are expressions over its columns already; a view
//! is a plan whose leaves are tables and other views.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_expr::{Expr, LogicalPlan};
use millstream_operators::graph::Changelog;

use crate::diagnostic::Diagnostic;
use crate::plan::codes;
use crate::plan::late;
use crate::plan::relation::{Relation, RelationKind};
use crate::plan::roles::Role;
use crate::statement::Spanned;

/// Tables and views by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    tables: BTreeMap<String, Arc<Table>>,
    views: BTreeMap<String, Arc<View>>,
    /// Names of views in the order of their creation: a view reads only earlier ones.
    view_order: Vec<String>,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub name: Spanned<String>,
    /// Columns in the order of their declaration.
    pub columns: Vec<TableColumn>,
    /// WATERMARK FOR: the column's position, and its expression over all columns.
    pub watermark: Option<(usize, Expr)>,
    /// Positions of the primary key.
    pub primary_key: Vec<usize>,
    /// The WITH options.
    pub options: Vec<(Spanned<String>, Spanned<String>)>,
    /// What reading it yields.
    pub changelog: Changelog,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct TableColumn {
    /// Its name.
    pub name: Spanned<String>,
    /// Its type, with the session's zone.
    pub data_type: DataType,
    /// What fills it.
    pub kind: TableColumnKind,
}

/// What fills a column.
#[derive(Clone, Debug)]
pub(crate) enum TableColumnKind {
    /// The payload.
    Physical,
    /// The connector.
    Metadata {
        /// The metadata key.
        key: Spanned<String>,
        /// Not written by INSERT.
        is_virtual: bool,
    },
    /// An expression over the columns that the connector delivers.
    Computed(Expr),
    /// PROCTIME().
    ProcessingTime,
}

/// A view.
#[derive(Debug)]
pub(crate) struct View {
    /// Its query, typed, with views as leaves.
    pub plan: LogicalPlan,
    /// What it looks like from outside.
    pub relation: Relation,
}

impl Table {
    /// What a query sees.
    pub fn relation(&self) -> Relation {
        let fields = self.columns.iter().map(|column| column.field());
        let mut roles: Vec<Role> = self.columns.iter().map(TableColumn::role).collect();
        if let Some((column, _)) = &self.watermark {
            roles[*column] = Role::EventTime;
        }
        Relation {
            kind: RelationKind::Table(self.name.node.clone()),
            schema: Arc::new(Schema::new(fields.collect::<Vec<Field>>())),
            roles,
            changelog: self.changelog,
        }
    }

    /// The value of an option.
    pub fn option(&self, key: &str) -> Option<&Spanned<String>> {
        self.options.iter().find(|(name, _)| name.node == key).map(|(_, value)| value)
    }

    /// Positions of the columns that INSERT writes.
    pub fn written_columns(&self) -> Vec<usize> {
        let written = |kind: &TableColumnKind| match kind {
            TableColumnKind::Physical => true,
            TableColumnKind::Metadata { is_virtual, .. } => !is_virtual,
            TableColumnKind::Computed(_) | TableColumnKind::ProcessingTime => false,
        };
        (0..self.columns.len()).filter(|column| written(&self.columns[*column].kind)).collect()
    }

    /// The payload's columns as declared.
    pub fn declared(&self) -> SchemaRef {
        let physical = |column: &&TableColumn| matches!(column.kind, TableColumnKind::Physical);
        let fields: Vec<Field> =
            self.columns.iter().filter(physical).map(TableColumn::field).collect();
        Arc::new(Schema::new(fields))
    }
}

impl TableColumn {
    /// The column as a field; all may be null.
    pub fn field(&self) -> Field {
        Field::new(&self.name.node, self.data_type.clone(), true)
    }

    fn role(&self) -> Role {
        match self.kind {
            TableColumnKind::ProcessingTime => Role::ProcessingTime,
            _ => Role::Plain,
        }
    }
}

impl Catalog {
    /// True if a table or view has the name.
    pub fn contains(&self, name: &str) -> bool {
        self.tables.contains_key(name) || self.views.contains_key(name)
    }

    /// The table with this name.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// The view with this name.
    pub fn view(&self, name: &str) -> Option<&Arc<View>> {
        self.views.get(name)
    }

    /// Adds a table.
    pub fn add_table(&mut self, table: Table) {
        self.tables.insert(table.name.node.clone(), Arc::new(table));
    }

    /// Adds a view.
    pub fn add_view(&mut self, name: &str, view: View) {
        self.views.insert(name.to_owned(), Arc::new(view));
        self.view_order.push(name.to_owned());
    }

    /// Names of the views, each after those it reads.
    pub fn view_names(&self) -> &[String] {
        &self.view_order
    }

    /// Names of tables and views.
    pub fn names(&self) -> Vec<String> {
        self.tables.keys().chain(self.views.keys()).cloned().collect()
    }

    /// What a query sees under a name.
    pub fn relation(&self, name: &str) -> Option<Relation> {
        match self.tables.get(name) {
            Some(table) => Some(table.relation()),
            None => self.views.get(name).map(|view| view.relation.clone()),
        }
    }

    /// What a query sees under `LATE(name)`.
    ///
    /// # Errors
    /// If there is no such view, or it has no late rows.
    pub fn late_relation(&self, name: &str) -> Result<Relation, Diagnostic> {
        let Some(view) = self.views.get(name) else {
            let views: Vec<&str> = self.views.keys().map(String::as_str).collect();
            return Err(Diagnostic::error(
                codes::UNKNOWN_TABLE,
                format!("there is no view `{name}`"),
            )
            .label("unknown view")
            .hint_if_any(crate::suggest::did_you_mean(name, views)));
        };
        let Some(tvf) = late::window_function(&view.plan) else {
            let message =
                format!("`{name}` has no late rows: it does not aggregate windows itself");
            return Err(Diagnostic::error(codes::NO_LATE_ROWS, message)
                .hint("name the view that has GROUP BY window_start, window_end"));
        };
        let schema = tvf.input.schema();
        let fields: Vec<Field> = schema.fields().iter().map(|f| f.as_ref().clone()).collect();
        Ok(Relation {
            kind: RelationKind::Late(name.to_owned()),
            roles: vec![Role::Plain; fields.len()],
            schema: Arc::new(Schema::new(fields)),
            changelog: Changelog::Append,
        })
    }
}
