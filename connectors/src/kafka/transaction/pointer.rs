//! The pointer: what was committed last, as the metadata of a committed offset.
//!
//! ```text
//! group       millstream.{job}
//! partition   0 of every topic that the job writes exactly once: a query that stops to write one
//!             of them still finds the pointer at the others; the newest epoch counts
//! offset      the epoch
//! metadata    v1;{job};{epoch};{crc of the snapshot's manifest, hex};{incarnation};{F or -}
//! ```
//!
//! It is committed in the transaction that it describes. `F` says that the inputs had ended. The
//! text is ASCII without control characters: clients of Kafka disagree about everything else.

use std::fmt;

use millstream_state::Epoch;

use crate::commit::Committed;

/// Metadata of an offset that Millstream has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) job: String,
    pub(super) epoch: Epoch,
    pub(super) snapshot_crc: u32,
    pub(super) incarnation: String,
    pub(super) finished: bool,
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pointer { job, epoch, snapshot_crc, incarnation, finished } = self;
        let finished = if *finished { 'F' } else { '-' };
        write!(f, "v1;{job};{epoch};{snapshot_crc:08x};{incarnation};{finished}")
    }
}

impl Pointer {
    /// Reads metadata; `None` if they are not Millstream's.
    pub(super) fn parse(bytes: &[u8]) -> Option<Pointer> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut fields = text.split(';');
        let mut next = || fields.next();
        let (version, job, epoch) = (next()?, next()?, next()?);
        let (crc, incarnation, finished) = (next()?, next()?, next()?);
        if version != "v1" || next().is_some() || !matches!(finished, "F" | "-") {
            return None;
        }
        Some(Pointer {
            job: job.to_owned(),
            epoch: Epoch(epoch.parse().ok()?),
            snapshot_crc: u32::from_str_radix(crc, 16).ok()?,
            incarnation: incarnation.to_owned(),
            finished: finished == "F",
        })
    }

    /// What the engine wants to know of it.
    pub(super) fn committed(&self) -> Committed {
        Committed { epoch: self.epoch, snapshot_crc: self.snapshot_crc, finished: self.finished }
    }
}

/// Whether a name can be part of a pointer.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b';';
    !name.is_empty() && name.len() <= 200 && name.bytes().all(plain)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_frozen_and_reads_back() {
        let pointer = Pointer {
            job: "orders".into(),
            epoch: Epoch(17),
            snapshot_crc: 0xab,
            incarnation: "1f-2".into(),
            finished: false,
        };
        assert_eq!(pointer.to_string(), "v1;orders;17;000000ab;1f-2;-");
        assert_eq!(Pointer::parse(pointer.to_string().as_bytes()).unwrap(), pointer);
        let last = Pointer { finished: true, ..pointer };
        assert_eq!(Pointer::parse(last.to_string().as_bytes()).unwrap(), last);
    }

    #[test]
    fn what_others_commit_is_not_a_pointer() {
        for bytes in [
            &b""[..],
            b"v2;orders;17;ab;1;-",
            b"v1;orders;17;ab;1",
            b"v1;orders;17;ab;1;-;",
            b"v1;orders;17;xy;1;-",
            b"v1;orders;-1;ab;1;-",
            b"v1;orders;17;ab;1;X",
            b"\xff\xfe",
            b"AgAAAYx",
        ] {
            assert_eq!(Pointer::parse(bytes), None, "{bytes:?}");
        }
    }
}
