//! What survives: event time, key groups, the state store and the handles that operators hold.
//!
//! This is the lowest crate. It knows Arrow and nothing else of the project: no operator, no
//! connector, no SQL. Operators keep their state only in handles from here ([`PaneRuns`],
//! [`Value`]); the store behind the handles decides where the bytes live. Today that is
//! [`MemoryStore`], the model that every later store is held to.
//!
//! Start reading at [`time`] (what a moment is), then [`store`] (the two shapes of state), then
//! [`handle`] (what an operator sees).

pub mod error;
pub mod handle;
pub mod key;
pub mod memory;
pub mod store;
pub mod time;

pub use error::StateError;
pub use handle::{PaneRuns, Value};
pub use key::{KEY_GROUPS, KeyGroup};
pub use memory::MemoryStore;
pub use store::{SharedStore, StateStore, TableId};
pub use time::EventTime;
