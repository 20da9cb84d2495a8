//! Filter: passes on the rows for which a predicate is true.
//!
//! ```sql
//! SELECT … FROM bids WHERE price > 100
//! ```
//!
//! | | |
//! |---|---|
//! | state | none |
//! | input → output | append → append, retract → retract (kinds stay with their rows) |
//!
//! Laws:
//!
//! 1. order is kept, columns are shared with the input where all rows pass;
//! 2. null counts as false;
//! 3. watermarks pass unchanged; late rows are rows like any other.

use std::sync::Arc;

use datafusion_physical_expr::PhysicalExpr;

use crate::error::Result;
use crate::expression::evaluate_condition;
use crate::{Batch, Operator, OperatorContext, Output};

/// A running filter.
pub struct Filter {
    // PROPERTIES
    predicate: Arc<dyn PhysicalExpr>,
    name: String,
}

impl Filter {
    /// A filter by a BOOLEAN expression over the input.
    pub fn new(predicate: Arc<dyn PhysicalExpr>) -> Self {
        Filter { predicate, name: "filter".to_owned() }
    }
}

impl Operator for Filter {
    fn open(&mut self, context: &OperatorContext) -> Result<()> {
        self.name.clone_from(&context.name);
        Ok(())
    }

    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        let keep = evaluate_condition(&self.name, &self.predicate, &batch.rows)?;
        match keep.true_count() {
            0 => {}
            all if all == batch.num_rows() => out.batch(batch),
            _ => out.batch(batch.filter(&keep)?),
        }
        Ok(())
    }
}
