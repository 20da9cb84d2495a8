//! Drives one operator by a script: messages in, messages out, no runtime.
//!
//! A script is a header, then blocks of input and the output that it must have:
//!
//! ```text
//! # What this shows.
//! operator: window_aggregate
//! columns: at timestamp, k string, v bigint
//! window: hop size 10 slide 5
//! time: at
//! keys: k
//! aggregates: count(*), sum(v)
//!
//! 1, a, 7
//! 12, a, 8
//! watermark 9
//! ---
//! +I a, -5, 5, 1, 7
//! +I a, 0, 10, 1, 7
//! watermark 9
//! ```
//!
//! Input lines are rows (`null` for null, a row kind in front for changelogs), `watermark MS`,
//! `end` (the final watermark), `remind` (processing time passes: what asked for a reminder gets it), `metrics` (shows late and
//! null-time rows) and `state` (shows keys held). Neighbouring rows are one batch; a line `batch` starts another. Rows that leave by the
//! late port are shown with `late` in front. `epoch` ends an epoch; `crash` drops the operator, opens
//! it on what the last epoch holds, feeds it again what came since, and checks that the same comes
//! out; `rescale N` does so with N instances; `evict` ends an epoch while memory is short. Timestamps are milliseconds, or with the header
//! `times: iso` wall-clock times. `clock: processing` says that the windows' time is processing time.
//!
//! Any script of a windowed aggregation also runs in two stages ([`Form::Stages`]) and any script
//! also row by row ([`Form::Rows`]), and with crashes after every line and at several parallelisms
//! ([`Form::Job`], [`Script::disturbed`]): the same rows have to come out.
//!
//! Everything here panics on a mistake in the script: it is test code.

mod drive;
mod header;
mod rows;
mod script;
mod stage;

pub use drive::{Driver, Form};
pub use header::Header;
pub use script::{Block, Script};
