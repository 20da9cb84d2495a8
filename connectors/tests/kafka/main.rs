//! The `kafka` connector against a real broker.
//!
//! The broker is one for all tests, started by `tests/services/kafka.sh` on a free port and stopped
//! by itself after the last test process has gone. Without Kafka's jars these tests fail, unless
//! MILLSTREAM_SKIP_KAFKA=1 says that this is known.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod broker;
mod cost;
mod errors;
mod exactly_once;
mod faults;
mod jobs;
mod positions;
mod rate;
mod sink;
mod source;
mod tables;
