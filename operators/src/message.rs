//! What travels on an edge, and the laws of it.
//!
//! 1. Rows before a watermark `w` that have event time `> w` are never late; a watermark never
//!    goes back.
//! 2. A final watermark ([`EventTime::MAX`]) says that a bounded input has ended; nothing follows.
//! 3. An edge is append-only or retract, known at plan time. Batches of a retract edge carry row
//!    kinds, with −U before its +U.
//!
//! The enum is closed on purpose: every loop that moves messages matches all of it.

use millstream_state::EventTime;

use crate::Batch;

/// One thing on an edge.
#[derive(Clone, Debug)]
pub enum Message {
    /// Rows, never empty, up to a few thousand; never held back to fill up.
    Batch(Batch),
    /// No more rows with event time `<=` this, except late ones.
    Watermark(EventTime),
}
