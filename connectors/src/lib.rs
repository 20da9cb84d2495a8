//! Where records come from and go to: sources, sinks and formats.
//!
//! To write a connector: one file or folder with its options, its [`Source`] or [`Sink`], and one
//! line in [`registry`]. The contract in bullets:
//!
//! - `splits` names the units of parallel reading; a [`Reader`] reads the splits it is given and
//!   says after every batch where a later reader would go on ([`SplitBatch::next_offset`]);
//! - a reader delivers exactly the columns of [`TableSpec::schema`], in that order;
//! - `poll` hands over what is there and never waits for a batch to fill up;
//! - a [`Writer`] has made everything visible when `finish` returns;
//! - a bad record, a missing file or an unreachable broker is an error that names the place and a
//!   hint; nothing panics on bytes from outside.
//!
//! Start reading at [`source`], [`sink`], then [`mod@format`].

mod blackhole;
pub mod clock;
pub mod commit;
pub mod console;
mod datagen;
pub mod error;
mod filesystem;
pub mod format;
mod generator;
pub mod kafka;
pub mod memory;
mod nexmark;
pub mod options;
mod pace;
mod print;
mod random;
pub mod registry;
pub mod sink;
pub mod source;
pub mod stdin;
pub mod values;

pub use commit::{
    Committed, Committer, CommitterKey, EpochCommit, Follower, Job, OffsetHome, Participation,
    Position,
};
pub use error::ConnectorError;
pub use millstream_operators::graph::TableSpec;
pub use sink::{Sink, Writer};
pub use source::{Polled, Reader, Source, Split, SplitBatch};
