//! Where the parts of a job come from: what a node's spec means as a running thing.

use std::sync::Mutex;

use arrow::datatypes::SchemaRef;
use millstream_connectors::commit::Job;
use millstream_connectors::error::Result as ConnectorResult;
use millstream_connectors::registry::{self, Environment};
use millstream_connectors::{Sink, Source, TableSpec};
use millstream_operators::error::Result as OperatorResult;
use millstream_operators::{Operator, OperatorSpec};

use crate::waker::lock;

/// Makes the parts of a job from its graph. [`Registry`] is what jobs run with; programs and tests
/// put their own in front of it, such as a source that is fed by hand.
pub trait Components: Send + Sync {
    /// Says for whom the tables are opened that are opened next: a new incarnation of a job that
    /// has epochs, or `None` for a job that commits nothing.
    fn begin(&self, _job: Option<&Job>) {}

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
    environment: Mutex<Environment>,
}

impl Registry {
    /// The registered connectors, opened in this environment.
    pub fn new(environment: Environment) -> Self {
        Registry { environment: Mutex::new(environment) }
    }
}

impl Components for Registry {
    fn begin(&self, job: Option<&Job>) {
        lock(&self.environment).job = job.cloned();
    }

    fn source(&self, table: &TableSpec) -> ConnectorResult<Box<dyn Source>> {
        registry::open_source(table, &lock(&self.environment))
    }

    fn sink(&self, table: &TableSpec) -> ConnectorResult<Box<dyn Sink>> {
        registry::open_sink(table, &lock(&self.environment))
    }
}
