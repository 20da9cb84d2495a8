//! Name → connector, and name → format: one line each.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::options::OptionInfo;
use crate::{Sink, Source, TableSpec};

/// What a connector is, as data.
pub struct ConnectorInfo {
    /// Value of the option `connector`.
    pub name: &'static str,
    /// One sentence for the reference.
    pub summary: &'static str,
    /// Its options, without those of formats.
    pub options: &'static [OptionInfo],
    /// Whether its records have a format of the user's choice.
    pub formatted: bool,
    /// Metadata columns it can deliver: key, type and description.
    pub metadata: fn() -> Vec<(&'static str, DataType, &'static str)>,
    /// Opens it for reading; `None` if it can only be written.
    pub source: Option<fn(&TableSpec, &Environment) -> Result<Box<dyn Source>>>,
    /// Opens it for writing; `None` if it can only be read.
    pub sink: Option<fn(&TableSpec, &Environment) -> Result<Box<dyn Sink>>>,
}

/// What connectors are given by the process that they run in.
#[derive(Clone)]
pub struct Environment {
    /// Where relative paths start: the directory of the SQL file's process.
    pub directory: PathBuf,
    /// Session time zone, an IANA name.
    pub zone: String,
    /// Parallelism of the job.
    pub parallelism: usize,
    /// Where `print` and bare SELECTs go.
    pub console: Arc<crate::console::Console>,
}
