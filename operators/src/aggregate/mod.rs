//! Aggregation by key: rows or partial results in, partial results or results out.
//!
//! A [`GroupTable`] holds the groups of one pane; what all tables of an aggregation share is its
//! [`AggregateLayout`]. A batch goes through three steps, each over whole columns:
//!
//! ```text
//!  key columns ──▶ Keys::intern ──▶ group ids   [0, 1, 0, 2, …]     one hash lookup a row
//!                                       │
//!  arguments ──▶ (FILTER) ──────────────┼──▶ COUNT  counts[id] += 1     flat columns by id
//!                                       └──▶ MAX    maxima[id] = max(…)
//! ```
//!
//! Ids are dense, so that aggregates are plain columns and a result is a copy of them. Partial
//! results are plain columns too: they cross the exchange, and they are what state stores.
//!
//! Law: however rows are split over tables, and in whatever order and grouping their partial
//! results are merged, the result is that of one table that saw all rows (sums of floats: up to
//! rounding).
//!
//! Start reading at `table`, then `keys` and `accumulator`; `plan` chooses accumulators.

mod accumulator;
mod average;
mod byte_index;
mod composite;
mod count;
mod datafusion;
mod distinct;
mod fold;
mod int_index;
mod keys;
mod layout;
mod plan;
mod table;

pub use layout::{AggregateArgs, AggregateLayout, Rows};
pub use table::GroupTable;
