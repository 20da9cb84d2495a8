//! Relations as DataFusion sees them: the leaves of logical plans.
//!
//! A view is a leaf too while queries are bound and optimized on their own; whether it is put in
//! the place of its one use or shared by several is decided afterwards (see [`super::sharing`]).

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_expr::{TableScan, TableSource};
use millstream_operators::graph::Changelog;

use super::roles::Role;

/// A leaf of a logical plan.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    /// What it is.
    pub kind: RelationKind,
    /// All its columns.
    pub schema: SchemaRef,
    /// What the columns mean for time.
    pub roles: Vec<Role>,
    /// What its rows are.
    pub changelog: Changelog,
}

/// What a leaf stands for. Names are those of the catalog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RelationKind {
    /// A table.
    Table(String),
    /// A view.
    View(String),
    /// The late rows of a view's window aggregation.
    Late(String),
}

impl TableSource for Relation {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// The relation that a scan reads; `None` for none of ours.
pub(crate) fn of(scan: &TableScan) -> Option<&Relation> {
    let source: &dyn std::any::Any = scan.source.as_ref();
    source.downcast_ref::<Relation>()
}
