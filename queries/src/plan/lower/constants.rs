//! Constants in the graph: a source of numbered rows, and the columns looked up by number.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::{Column, DFSchema, Result};
use datafusion_expr::Expr;
use datafusion_expr::expr::ScalarFunction;
use millstream_connectors::values;
use millstream_operators::graph::{Changelog, NamedExpr, NodeKind, Port, SourceSpec, TableSpec};

use super::{Lowering, Rows, Slot, nullable};
use crate::plan::values::column;

/// Name of the one column that the source delivers.
const NUMBER: &str = "row";

impl Lowering<'_> {
    /// Adds constants, given row by row; `schema` are their columns, of which there may be none.
    pub(super) fn constants(
        &mut self,
        rows: &[Vec<Expr>],
        schema: &DFSchema,
        scope: &str,
    ) -> Result<Rows> {
        let numbers = Arc::new(Schema::new(vec![Field::new(NUMBER, DataType::Int64, true)]));
        let logical = DFSchema::try_from(Arc::clone(&numbers))?;
        let mut columns = Vec::new();
        for (position, field) in schema.fields().iter().enumerate() {
            let cells = rows.iter().map(|row| &row[position]);
            let lookup = Arc::new(column(cells, field.data_type(), &self.session.config)?);
            let number = Expr::Column(Column::from_name(NUMBER));
            let value = Expr::ScalarFunction(ScalarFunction::new_udf(lookup, vec![number]));
            let expr = self.over(&value, &logical)?;
            columns.push(NamedExpr { name: field.name().clone(), expr });
        }
        let options = BTreeMap::from([
            ("connector".to_owned(), values::INFO.name.to_owned()),
            (values::ROWS.to_owned(), rows.len().to_string()),
        ]);
        let table = TableSpec {
            name: "values".to_owned(),
            options,
            schema: Arc::clone(&numbers),
            metadata: BTreeMap::new(),
            primary_key: Vec::new(),
            partition_keys: Vec::new(),
            declared: Arc::clone(&numbers),
        };
        let width = columns.len();
        let (computed, schema) = match width {
            0 => (None, numbers),
            _ => (Some(columns), nullable(schema.as_arrow())),
        };
        let kind = NodeKind::Source(SourceSpec { table, computed, watermark: None });
        let name = format!("{scope}.values");
        let node = self.graph.add(&name, kind, schema, Changelog::Append);
        let slots = (0..width).map(Slot::Column).collect();
        Ok(Rows { node, port: Port::MAIN, slots, pending: None, late: Vec::new(), now: None })
    }
}
