//! The catalog of one SQL file: its tables and views, resolved.
//!
//! A table's computed columns and its watermark are expressions over its columns already; a view
//! is a plan whose leaves are tables and other views.
//!
//! Plans know tables and views by their **identity**: mostly the name, but a name can be dropped
//! and given anew, and a hint makes a variant of a table for one use. What an earlier statement
//! reads stays what it was.

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
use crate::statement::{CreateTable, CreateView, Spanned};

/// Tables and views.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    /// All there ever were, by identity.
    tables: BTreeMap<String, Arc<Table>>,
    /// All there ever were, by identity.
    views: BTreeMap<String, Arc<View>>,
    /// Identities of views in the order of their creation: a view reads only earlier ones.
    view_order: Vec<String>,
    /// What names stand for now: identities.
    names: BTreeMap<String, String>,
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Its name.
    pub name: Spanned<String>,
    /// What plans know it by.
    pub identity: String,
    /// How it was declared, with what LIKE brought along.
    pub definition: Arc<CreateTable>,
    /// Columns in the order of their declaration.
    pub columns: Vec<TableColumn>,
    /// WATERMARK FOR: the column's position, and its expression over all columns.
    pub watermark: Option<(usize, Expr)>,
    /// Positions of the primary key.
    pub primary_key: Vec<usize>,
    /// Positions of the columns of PARTITIONED BY.
    pub partition_keys: Vec<usize>,
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
    /// How it was declared.
    pub definition: CreateView,
}

impl Table {
    /// Stands in the identity of what a hint makes of a table, behind its name.
    pub const HINT: &str = " /*+ ";

    /// True if a hint made it.
    pub fn is_variant(&self) -> bool {
        self.identity.contains(Table::HINT)
    }

    /// What its source is called in the graph. Those of hints are numbered apart, so that they take
    /// no state from the table itself; options are left out, as they may be secrets.
    pub fn node_name(&self) -> String {
        if self.is_variant() { format!("{}.hint", self.name.node) } else { self.identity.clone() }
    }

    /// What a query sees.
    pub fn relation(&self) -> Relation {
        let fields = self.columns.iter().map(|column| column.field());
        let mut roles: Vec<Role> = self.columns.iter().map(TableColumn::role).collect();
        if let Some((column, _)) = &self.watermark {
            roles[*column] = Role::EventTime;
        }
        Relation {
            kind: RelationKind::Table(self.identity.clone()),
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

    /// The payload's columns as declared: those of partitions stand in names of directories.
    pub fn declared(&self) -> SchemaRef {
        let columns = self.columns.iter().enumerate();
        let payload = columns.filter(|(position, column)| {
            matches!(column.kind, TableColumnKind::Physical)
                && !self.partition_keys.contains(position)
        });
        let fields: Vec<Field> = payload.map(|(_, column)| column.field()).collect();
        Arc::new(Schema::new(fields))
    }
}

impl View {
    /// What plans know it by.
    pub fn identity(&self) -> &str {
        match &self.relation.kind {
            RelationKind::Table(name) | RelationKind::View(name) | RelationKind::Late(name) => name,
        }
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
        self.names.contains_key(name)
    }

    /// The table with this identity.
    pub fn table(&self, identity: &str) -> Option<&Arc<Table>> {
        self.tables.get(identity)
    }

    /// The view with this identity.
    pub fn view(&self, identity: &str) -> Option<&Arc<View>> {
        self.views.get(identity)
    }

    /// The table that a name stands for.
    pub fn table_named(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(self.names.get(name)?)
    }

    /// The view that a name stands for.
    pub fn view_named(&self, name: &str) -> Option<&Arc<View>> {
        self.views.get(self.names.get(name)?)
    }

    /// What plans will know the next table or view of this name by.
    pub fn identity(&self, name: &str) -> String {
        let taken = |identity: &str| {
            self.tables.contains_key(identity) || self.views.contains_key(identity)
        };
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut all = std::iter::once(name.to_owned()).chain(numbered);
        all.find(|identity| !taken(identity)).expect("numbers do not end")
    }

    /// Adds a table under its name.
    pub fn add_table(&mut self, table: Table) {
        self.names.insert(table.name.node.clone(), table.identity.clone());
        self.add_variant(table);
    }

    /// Adds a table that no name stands for: queries know it by its identity.
    pub fn add_variant(&mut self, table: Table) {
        self.tables.insert(table.identity.clone(), Arc::new(table));
    }

    /// Adds a view under a name.
    pub fn add_view(&mut self, name: &str, view: View) {
        let identity = self.identity(name);
        self.names.insert(name.to_owned(), identity.clone());
        self.views.insert(identity.clone(), Arc::new(view));
        self.view_order.push(identity);
    }

    /// Frees a name; what reads its table or view already goes on to.
    pub fn forget(&mut self, name: &str) {
        self.names.remove(name);
    }

    /// Identities of the views, each after those it reads.
    pub fn view_names(&self) -> &[String] {
        &self.view_order
    }

    /// Names of tables and views.
    pub fn names(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    /// What a query sees under a name, or under the identity of a variant.
    pub fn relation(&self, name: &str) -> Option<Relation> {
        if let Some(view) = self.view_named(name) {
            return Some(view.relation.clone());
        }
        let variant = || self.tables.get(name).filter(|table| table.is_variant());
        self.table_named(name).or_else(variant).map(|table| table.relation())
    }

    /// What a query sees under `LATE(name)`.
    ///
    /// # Errors
    /// If there is no such view, or it has no late rows.
    pub fn late_relation(&self, name: &str) -> Result<Relation, Diagnostic> {
        let Some(view) = self.view_named(name) else {
            let is_view = |name: &&str| self.view_named(name).is_some();
            let views: Vec<&str> = self.names.keys().map(String::as_str).filter(is_view).collect();
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
            kind: RelationKind::Late(view.identity().to_owned()),
            roles: vec![Role::Plain; fields.len()],
            schema: Arc::new(Schema::new(fields)),
            changelog: Changelog::Append,
        })
    }
}
