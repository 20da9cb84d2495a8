//! Windows over event time: which windows there are, and which panes they share.
//!
//! A **window** is a result interval `[start, end)`. A **pane** is the smallest disjoint slice of
//! time that windows share: a row is aggregated once, into its pane, and a window fires by merging
//! its panes.
//!
//! ```text
//!  HOP(slide 5 s, size 10 s)      pane = gcd(slide, size) = 5 s
//!  event time  0        5        10       15       20
//!  panes       |── p0 ──|── p5 ──|── p10 ─|── p15 ─|
//!  windows     |──── [0, 10) ────|──── [10, 20) ───|
//!        … ────|        |──── [5, 15) ────|        |──── …
//!  fires                     w ≥ 9.999         w ≥ 19.999
//! ```
//!
//! Windows are aligned to the epoch plus an offset, as in Flink; for a TIMESTAMP_LTZ time
//! attribute to the wall clock of the session's zone.
//!
//! The way of a row: [`place`] finds its pane ([`pane`] does the maths, [`clock`] the zone),
//! [`open`] keeps the panes that an unfired window needs (in memory what `held` says, the rest in
//! runs in `stored`, which `by_group` sorts and `tiers` compacts; `tables` turns the one into the
//! other), [`fire`] merges them into
//! windows (by what is `shared`, with the help of [`blocks`] for long hops; part by part if they
//! are `scattered`), [`results`] makes rows of them. [`aggregate`], [`local`] and [`global`] are
//! the operators on top; [`updating`] is the one whose results are corrected, by what it has `told`;
//! [`assign`] is the window function alone.

pub mod aggregate;
pub mod assign;
pub mod blocks;
mod by_group;
pub mod clock;
pub mod emission;
mod explain;
pub mod fire;
pub mod global;
mod held;
pub mod local;
pub mod open;
pub mod pane;
pub mod partial;
pub mod place;
pub mod results;
mod scattered;
mod shared;
mod stored;
mod tables;
mod tiers;
mod told;
pub mod updating;

pub use aggregate::WindowAggregate;
pub use assign::WindowAssign;
pub use emission::{Early, Emission};
pub use global::GlobalWindowAggregate;
pub use local::LocalWindowAggregate;
pub use updating::UpdatingWindowAggregate;

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion_expr::AggregateUDF;
use datafusion_physical_expr::PhysicalExpr;

/// A window function in FROM: TUMBLE, HOP or CUMULATE, all lengths in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Which kind, with its lengths.
    pub kind: WindowKind,
    /// Shift of all windows against the epoch.
    pub offset_ms: i64,
}

/// Kinds of windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowKind {
    /// Disjoint windows of one size.
    Tumble {
        /// Length of a window.
        size_ms: i64,
    },
    /// Windows of one size that start every `slide_ms`.
    Hop {
        /// Length of a window.
        size_ms: i64,
        /// Distance of window starts.
        slide_ms: i64,
    },
    /// Windows that share a start every `size_ms` and grow by `step_ms` up to it.
    Cumulate {
        /// Length of the longest window.
        size_ms: i64,
        /// Growth from one window to the next.
        step_ms: i64,
    },
}

/// Where a row's time comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowTime {
    /// From the time column: windows are assigned here.
    Assign {
        /// The windows.
        windows: Windows,
        /// Index of the time column, an Arrow timestamp of any unit.
        column: usize,
        /// For TIMESTAMP_LTZ: the session's zone, whose wall clock the windows follow.
        zone: Option<String>,
        /// The time is processing time: no row is late, and the end of the input, which is not the
        /// end of a window, fires nothing.
        is_processing: bool,
    },
    /// The rows have their windows already (an aggregate over a windowed aggregate): indexes of
    /// `window_start` and `window_end`.
    Attached {
        /// Index of the column `window_start`.
        start: usize,
        /// Index of the column `window_end`.
        end: usize,
        /// As above.
        zone: Option<String>,
        /// As above.
        is_processing: bool,
    },
}

impl WindowTime {
    /// True if it is processing time.
    pub fn is_processing(&self) -> bool {
        let (WindowTime::Assign { is_processing, .. } | WindowTime::Attached { is_processing, .. }) =
            self;
        *is_processing
    }
}

/// The window function without aggregation: appends three columns.
#[derive(Clone, Debug)]
pub struct WindowAssignSpec {
    /// The windows.
    pub windows: Windows,
    /// Index of the event-time column.
    pub column: usize,
    /// For TIMESTAMP_LTZ: the session's zone.
    pub zone: Option<String>,
}

/// An aggregation by window and keys.
#[derive(Clone, Debug)]
pub struct WindowAggregateSpec {
    /// Where windows come from.
    pub time: WindowTime,
    /// Indexes of the key columns in the input.
    pub keys: Vec<usize>,
    /// The aggregates.
    pub aggregates: Vec<AggregateSpec>,
    /// What the columns of the result are, in the order of the node's schema.
    pub output: Vec<WindowColumn>,
    /// Schema of the rows that are aggregated (the input of the first stage).
    pub input: SchemaRef,
    /// When results leave. Only the one-stage form can do other than emit once.
    pub emission: Emission,
}

/// One aggregate of a window.
#[derive(Clone, Debug)]
pub struct AggregateSpec {
    /// Name for EXPLAIN and for state columns.
    pub name: String,
    /// The function.
    pub function: AggregateFunction,
    /// Its arguments over the input; literals where a function wants constants.
    pub args: Vec<Arc<dyn PhysicalExpr>>,
    /// FILTER (WHERE …).
    pub filter: Option<Arc<dyn PhysicalExpr>>,
    /// DISTINCT: each value of the argument counts once a key and window.
    pub distinct: bool,
    /// Type of the result, by Flink's rules.
    pub data_type: DataType,
}

/// Aggregate functions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    /// COUNT(*) (no argument) or COUNT(x).
    Count,
    /// SUM over integers, floats and decimals; wraps on overflow like Flink.
    Sum,
    /// MIN over any ordered type.
    Min,
    /// MAX over any ordered type.
    Max,
    /// AVG; over integers it truncates toward zero like Flink.
    Avg,
    /// Any other function, by DataFusion's implementation.
    Udaf(Arc<AggregateUDF>),
}

/// A column of a windowed aggregation's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowColumn {
    /// The key with this position in [`WindowAggregateSpec::keys`].
    Key(usize),
    /// Start of the window, TIMESTAMP(3) in the session's zone.
    Start,
    /// Exclusive end of the window, TIMESTAMP(3) in the session's zone.
    End,
    /// End − 1 ms, of the time attribute's type: the event time of the result.
    Time,
    /// The aggregate with this position in [`WindowAggregateSpec::aggregates`].
    Aggregate(usize),
}
