//! What survives: event time, key groups, epochs, the state store and the handles that operators
//! hold.
//!
//! This is the lowest crate. It knows Arrow and RocksDB and nothing else of the project: no
//! operator, no connector, no SQL. Operators keep their state only in handles from here
//! ([`PaneRuns`], [`KeyedTable`], [`Timers`], [`Value`]), so none can get exactly-once wrong; a task's writes are collected in
//! its [`TaskState`] and applied to the job's [`StateStore`] epoch by epoch.
//!
//! Start reading at [`time`] (what a moment is), then [`store`] (the two shapes of state), then
//! [`task`] and [`handle`] (what an operator sees).

pub mod budget;
pub mod checkpoint;
pub mod epoch;
pub mod error;
pub mod fault;
pub mod handle;
pub mod inspect;
pub mod key;
pub mod keyed;
pub mod memory;
pub mod mirror;
pub mod rocks;
pub mod store;
pub mod task;
pub mod time;
pub mod timers;

pub use budget::{MemoryBudget, MemoryUse, resident_bytes};
pub use epoch::Epoch;
pub use error::StateError;
pub use handle::{PaneRuns, Value};
pub use key::{GroupRange, KEY_GROUPS, KeyGroup};
pub use keyed::KeyedTable;
pub use memory::MemoryStore;
pub use mirror::MirrorStore;
pub use rocks::RocksStore;
pub use store::{PaneKey, RowKey, Run, RunId, RunInfo, StateDelta, StateStore, TableId, TableSize};
pub use task::{SharedState, TaskState};
pub use time::EventTime;
pub use timers::Timers;
