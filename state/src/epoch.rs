//! Epochs: the numbered slices of a job's work that become durable and visible at once.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of an epoch. Epoch 0 is the genesis: it fixes where reading starts and has no rows;
/// epoch `n` holds everything between barrier `n - 1` and barrier `n`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch before the first row.
    pub const GENESIS: Epoch = Epoch(0);

    /// The epoch after this one.
    pub const fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
