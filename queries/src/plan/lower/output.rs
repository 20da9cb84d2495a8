//! The columns of a projection.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::Column;
use millstream_operators::graph::NamedExpr;

/// The columns of a projection while it is put together.
pub(super) struct Output {
    pub(super) input: SchemaRef,
    pub(super) fields: Vec<Field>,
    pub(super) exprs: Vec<NamedExpr>,
    pub(super) passed: BTreeMap<usize, usize>,
}

impl Output {
    pub(super) fn new(input: SchemaRef) -> Self {
        Output { input, fields: Vec::new(), exprs: Vec::new(), passed: BTreeMap::new() }
    }

    /// Passes an input column on, once; returns where it is.
    pub(super) fn pass(&mut self, column: usize, name: Option<&str>) -> usize {
        if let Some(place) = self.passed.get(&column) {
            return *place;
        }
        let name = name.unwrap_or(self.input.field(column).name()).to_owned();
        let place = self.copy(column, &name);
        self.passed.insert(column, place);
        place
    }

    /// Passes an input column on under a name, even if it is there already.
    pub(super) fn copy(&mut self, column: usize, name: &str) -> usize {
        let field = self.input.field(column);
        let value = Arc::new(Column::new(field.name(), column));
        self.compute(name, value, field.data_type().clone())
    }

    pub(super) fn compute(
        &mut self,
        name: &str,
        expr: Arc<dyn PhysicalExpr>,
        data_type: DataType,
    ) -> usize {
        self.fields.push(Field::new(name, data_type, true));
        self.exprs.push(NamedExpr { name: name.to_owned(), expr });
        self.exprs.len() - 1
    }
}
