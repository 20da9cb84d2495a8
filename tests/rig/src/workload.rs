//! Workload W: what is computed, and the records that go in.
//!
//! | Statement | What it would show |
//! |---|---|
//! | tumbling count, sum, least, greatest of 1 s | lost or repeated records in window state |
//! | hopping average of 1 s every 0.5 s | panes shared by windows |
//! | one record in four, passed on | lost or repeated records without state in between |
//! | late rows of both windows | watermarks that were not restored |
//!
//! No result depends on how partitions interleave: within a partition a record is out of order by
//! less than the watermark's delay, or late by an hour.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use crate::seed::Random;

/// Partitions of the input.
pub const PARTITIONS: i32 = 4;
/// Partitions of the output.
pub const OUTPUT_PARTITIONS: i32 = 2;
/// Event time at which all streams begin (2026-01-01), so that two runs are alike.
const BEGIN_MS: i64 = 1_767_225_600_000;
/// Records are out of order by less than this; the watermark waits longer.
const DISORDER_MS: u64 = 300;
/// How late the late ones are.
const LATE_MS: i64 = 3_600_000;
/// How far in the future the record lies that fires all windows.
const FLUSH_MS: i64 = 86_400_000;

/// What a job is told.
#[derive(Clone, Debug)]
pub struct JobText {
    /// Its name, and its consumer group.
    pub name: String,
    /// Where it finds its broker.
    pub bootstrap: String,
    /// Topic that it reads.
    pub input: String,
    /// Topic that it writes.
    pub output: String,
    /// Directory that it writes instead.
    pub files: Option<String>,
    /// Time between epochs.
    pub interval_ms: u64,
    /// After so long a broker gives a transaction up.
    pub transaction_timeout_ms: u64,
}

impl JobText {
    /// The SQL.
    pub fn sql(&self) -> String {
        let JobText { name, bootstrap, input, interval_ms, .. } = self;
        let sink = self.sink();
        format!(
            "SET 'pipeline.name' = '{name}';
SET 'execution.checkpointing.interval' = '{interval_ms} ms';
SET 'table.exec.source.idle-timeout' = '0';

CREATE TABLE event (
  id BIGINT, k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '0.5' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '{input}', 'format' = 'json',
  'properties.bootstrap.servers' = '{bootstrap}', 'properties.group.id' = '{name}',
  'scan.startup.mode' = 'earliest-offset'
);

CREATE TABLE result (
  q STRING, k STRING, at TIMESTAMP(3), n BIGINT, total BIGINT, low BIGINT, high BIGINT, mean DOUBLE
) WITH (
  {sink}
);

CREATE VIEW tumbling AS
SELECT k, window_start, COUNT(*) AS n, SUM(v) AS total, MIN(id) AS low, MAX(id) AS high
FROM TUMBLE(TABLE event, DESCRIPTOR(ts), INTERVAL '1' SECOND)
GROUP BY k, window_start, window_end;

CREATE VIEW hopping AS
SELECT k, window_start, COUNT(*) AS n, AVG(CAST(v AS DOUBLE)) AS mean
FROM HOP(TABLE event, DESCRIPTOR(ts), INTERVAL '0.5' SECOND, INTERVAL '1' SECOND)
GROUP BY k, window_start, window_end;

INSERT INTO result
SELECT 'tumble', k, window_start, n, total, low, high, CAST(NULL AS DOUBLE) FROM tumbling
UNION ALL
SELECT 'hop', k, window_start, n, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), mean FROM hopping
UNION ALL
SELECT 'pass', k, ts, CAST(1 AS BIGINT), v, id, id, CAST(NULL AS DOUBLE) FROM event WHERE MOD(id, 4) = 0
UNION ALL
SELECT 'late-tumble', k, ts, CAST(1 AS BIGINT), v, id, id, CAST(NULL AS DOUBLE) FROM LATE(tumbling)
UNION ALL
SELECT 'late-hop', k, ts, CAST(1 AS BIGINT), v, id, id, CAST(NULL AS DOUBLE) FROM LATE(hopping);
"
        )
    }

    fn sink(&self) -> String {
        let JobText { bootstrap, output, transaction_timeout_ms, .. } = self;
        match &self.files {
            None => format!(
                "'connector' = 'kafka', 'topic' = '{output}', 'format' = 'json',
  'properties.bootstrap.servers' = '{bootstrap}',
  'properties.transaction.timeout.ms' = '{transaction_timeout_ms}',
  'sink.delivery-guarantee' = 'exactly-once', 'sink.audit-headers' = 'true'"
            ),
            Some(directory) => format!(
                "'connector' = 'filesystem', 'path' = '{directory}', 'format' = 'json',
  'sink.rolling-policy.rollover-interval' = '300 ms'"
            ),
        }
    }
}

/// A record to be sent.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number; no other record of the round has it.
    pub id: u64,
    /// Where it goes.
    pub partition: i32,
    /// What it says.
    pub value: String,
}

/// Makes records.
pub struct Events {
    random: Random,
    next_id: u64,
}

impl Events {
    /// Records of this seed.
    pub fn new(seed: u64) -> Self {
        Events { random: Random::new(seed), next_id: 0 }
    }

    /// A record at `elapsed_ms` of event time, a few of them late if that is allowed.
    pub fn next(&mut self, elapsed_ms: u64, may_be_late: bool) -> Event {
        let disorder_ms = self.random.within(0, DISORDER_MS) as i64;
        let late_ms = if may_be_late && self.random.once_in(50) { LATE_MS } else { 0 };
        let partition = self.random.within(0, PARTITIONS as u64) as i32;
        self.event(partition, BEGIN_MS + elapsed_ms as i64 - disorder_ms - late_ms)
    }

    /// The record that ends a partition.
    pub fn flush(&mut self, partition: i32, elapsed_ms: u64) -> Event {
        self.event(partition, BEGIN_MS + elapsed_ms as i64 + FLUSH_MS)
    }

    fn event(&mut self, partition: i32, at_ms: i64) -> Event {
        let id = self.next_id;
        self.next_id += 1;
        let value = json!({
            "id": id,
            "k": self.key(),
            "v": self.random.within(0, 1000),
            "ts": timestamp(at_ms),
        });
        Event { id, partition, value: value.to_string() }
    }

    /// One of five hot keys, or one of a thousand by Zipf's law.
    fn key(&mut self) -> String {
        if self.random.once_in(3) {
            return format!("hot-{}", self.random.within(0, 5));
        }
        // The inverse of the harmonic sum is nearly an exponential.
        format!("key-{}", (self.random.unit() * 1000_f64.ln()).exp() as u64)
    }
}

/// Milliseconds since 1970 as SQL writes them.
fn timestamp(at_ms: i64) -> String {
    let at = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::milliseconds(at_ms);
    at.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}
