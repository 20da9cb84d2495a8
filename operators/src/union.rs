//! Union: passes on the rows of all its inputs.
//!
//! ```sql
//! SELECT a, b FROM one UNION ALL SELECT c, d FROM two
//! ```
//!
//! | | |
//! |---|---|
//! | state | none |
//! | input → output | the union of the inputs' changelogs; kinds stay with their rows |
//!
//! Laws:
//!
//! 1. columns correspond by position; the names are this node's;
//! 2. the order of each input is kept, the inputs interleave freely;
//! 3. the task takes the minimum of the inputs' watermarks before the operator sees any: a row can
//!    be late after a union only if it was late before it.

use arrow::datatypes::SchemaRef;

use crate::error::Result;
use crate::project::with_schema;
use crate::{Batch, Operator, Output};

/// A running union.
pub struct Union {
    // PROPERTIES
    schema: SchemaRef,
}

impl Union {
    /// A union whose rows get the names of `schema`.
    pub fn new(schema: SchemaRef) -> Self {
        Union { schema }
    }
}

impl Operator for Union {
    fn on_batch(&mut self, batch: Batch, out: &mut Output) -> Result<()> {
        let columns = batch.rows.columns().to_vec();
        let rows = with_schema(&self.schema, columns, batch.num_rows())?;
        out.batch(batch.with_rows(rows));
        Ok(())
    }
}
