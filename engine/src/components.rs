//! Where the parts of a job come from: what a node's spec means as a running thing.

use arrow::datatypes::SchemaRef;
use millstream_connectors::error::Result as ConnectorResult;
use millstream_connectors::registry::{self, Environment};
use millstream_connectors::{Sink, Source, TableSpec};
use millstream_operators::error::Result as OperatorResult;
use millstream_operators::{Operator, OperatorSpec};

/// Makes the parts of a job from its graph. [`Registry`] is what jobs run with; programs and tests
/// put their own in front of it, such as a source that is fed by hand.
pub trait Components {
    /// Opens a table for reading.
    fn source(&self, table: &TableSpec) -> ConnectorResult<Box<dyn Source>>;

    /// Opens a table for writing.
    fn sink(&self, table: &TableSpec) -> ConnectorResult<Box<dyn Sink>>;

    /// An instance of the operator of node `name`, from columns `input` to columns `output`.
    fn operator(
        &self,
        _name: &str,
        spec: &OperatorSpec,
        input: SchemaRef,
        output: SchemaRef,
    ) -> OperatorResult<Box<dyn Operator>> {
        spec.build(input, output)
    }
}

/// The connectors that Millstream brings along.
pub struct Registry {
    environment: Environment,
}

impl Registry {
    /// The registered connectors, opened in this environment.
    pub fn new(environment: Environment) -> Self {
        Registry { environment }
    }
}

impl Components for Registry {
    fn source(&self, table: &TableSpec) -> ConnectorResult<Box<dyn Source>> {
        registry::open_source(table, &self.environment)
    }

    fn sink(&self, table: &TableSpec) -> ConnectorResult<Box<dyn Sink>> {
        registry::open_sink(table, &self.environment)
    }
}
