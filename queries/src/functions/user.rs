//! Functions that a user of the library brings along.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use datafusion_expr::{AggregateUDF, ScalarUDF};

use super::index;

/// What functions are made of: types of DataFusion, in the version that they have to be of.
pub mod udf {
    pub use datafusion_common::{DataFusionError, Result, ScalarValue};
    pub use datafusion_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, ScalarFunctionArgs, ScalarUDF,
        ScalarUDFImpl, Signature, Volatility, create_udaf, create_udf,
    };
}

/// Functions of a library user, by lower-case name.
///
/// A scalar function is computed over Arrow columns: all arguments of a batch in, one value a row out. It
/// must not be slow or wait: it runs in the tasks of the job. An aggregate has a state that merges: windows
/// are aggregated in parts, in parallel and across restarts.
#[derive(Clone, Debug, Default)]
pub struct UserFunctions {
    scalars: BTreeMap<String, Arc<ScalarUDF>>,
    aggregates: BTreeMap<String, Arc<AggregateUDF>>,
}

/// Why a function was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterError {
    /// There is a built-in function of this name.
    BuiltIn(String),
    /// A function of this name was registered before.
    Registered(String),
    /// The name is no name in SQL.
    BadName(String),
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterError::BuiltIn(name) => write!(f, "there is a built-in function `{name}`"),
            RegisterError::Registered(name) => {
                write!(f, "a function `{name}` was registered before")
            }
            RegisterError::BadName(name) => write!(
                f,
                "`{name}` is no name of a function: it has letters, digits and `_`, and begins with a letter"
            ),
        }
    }
}

impl std::error::Error for RegisterError {}

impl UserFunctions {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a scalar function under its name, which has no case in SQL.
    ///
    /// # Errors
    /// If the name is taken or is none.
    pub fn register_scalar(&mut self, function: ScalarUDF) -> Result<(), RegisterError> {
        let name = self.free(function.name())?;
        self.scalars.insert(name, Arc::new(function));
        Ok(())
    }

    /// Adds an aggregate function under its name, which has no case in SQL.
    ///
    /// # Errors
    /// If the name is taken or is none.
    pub fn register_aggregate(&mut self, function: AggregateUDF) -> Result<(), RegisterError> {
        let name = self.free(function.name())?;
        self.aggregates.insert(name, Arc::new(function));
        Ok(())
    }

    /// The name in small letters, if it can be given.
    fn free(&self, written: &str) -> Result<String, RegisterError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !written.starts_with(|c: char| c.is_ascii_alphabetic()) || !written.chars().all(plain) {
            return Err(RegisterError::BadName(written.to_owned()));
        }
        if index::find(written).is_some() {
            return Err(RegisterError::BuiltIn(written.to_uppercase()));
        }
        let name = written.to_lowercase();
        if self.scalars.contains_key(&name) || self.aggregates.contains_key(&name) {
            return Err(RegisterError::Registered(written.to_owned()));
        }
        Ok(name)
    }

    pub(super) fn scalars(&self) -> BTreeMap<String, Arc<ScalarUDF>> {
        self.scalars.clone()
    }

    pub(super) fn aggregates(&self) -> BTreeMap<String, Arc<AggregateUDF>> {
        self.aggregates.clone()
    }
}
