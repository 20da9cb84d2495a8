//! The set of figures that every operator instance exposes: counters that the task and the
//! operator write without locks and that a reporter reads at any time.
//!
//! Names in exports carry the prefix `millstream_` and the unit, as in
//! `millstream_operator_records_in_total`.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// A number that only one thread writes and any thread reads.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to the count.
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed) + n, Relaxed);
    }

    /// Replaces the value, for figures that also fall.
    pub fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    /// The present value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Figures of one operator instance. Every instance has all of them; those that do not apply stay
/// zero.
#[derive(Debug)]
pub struct OperatorMetrics {
    /// Rows taken in.
    pub rows_in: Counter,
    /// Rows passed on, by any port.
    pub rows_out: Counter,
    /// Arrow bytes taken in; for a source, payload bytes read.
    pub bytes_in: Counter,
    /// Arrow bytes passed on; for a sink, payload bytes written.
    pub bytes_out: Counter,
    /// Time spent working, in nanoseconds.
    pub busy_ns: Counter,
    /// Time spent waiting for input, in nanoseconds.
    pub idle_ns: Counter,
    /// Time spent waiting for room in an output, in nanoseconds.
    pub backpressured_ns: Counter,
    /// Bytes waiting in the input queue.
    pub queue_bytes: Counter,
    /// Room of the input queue in bytes.
    pub queue_capacity_bytes: Counter,
    /// Rows that came after all their windows had fired.
    pub late_rows: Counter,
    /// Rows without event time, which belong to no window.
    pub null_time_rows: Counter,
    /// Records that a decoder could not read and the error policy skipped.
    pub decode_errors: Counter,
    /// Records between a source's position and the end of its splits.
    pub lag_records: Counter,
    /// Keys held in state.
    pub state_keys: Counter,
    /// Bytes held in state.
    pub state_bytes: Counter,
    watermark_ms: AtomicI64,
    idle: AtomicU64,
}

impl Default for OperatorMetrics {
    fn default() -> Self {
        OperatorMetrics {
            rows_in: Counter::default(),
            rows_out: Counter::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            busy_ns: Counter::default(),
            idle_ns: Counter::default(),
            backpressured_ns: Counter::default(),
            queue_bytes: Counter::default(),
            queue_capacity_bytes: Counter::default(),
            late_rows: Counter::default(),
            null_time_rows: Counter::default(),
            decode_errors: Counter::default(),
            lag_records: Counter::default(),
            state_keys: Counter::default(),
            state_bytes: Counter::default(),
            watermark_ms: AtomicI64::new(i64::MIN),
            idle: AtomicU64::new(0),
        }
    }
}

impl OperatorMetrics {
    /// Records the watermark that was passed on last.
    pub fn set_watermark_ms(&self, watermark_ms: i64) {
        self.watermark_ms.store(watermark_ms, Relaxed);
    }

    /// The watermark that was passed on last; `i64::MIN` before the first.
    pub fn watermark_ms(&self) -> i64 {
        self.watermark_ms.load(Relaxed)
    }

    /// Records whether all inputs are idle.
    pub fn set_idle(&self, idle: bool) {
        self.idle.store(u64::from(idle), Relaxed);
    }

    /// True while all inputs are idle.
    pub fn is_idle(&self) -> bool {
        self.idle.load(Relaxed) == 1
    }
}
