//! The manifest of a checkpoint: all that is known of an epoch besides the state itself.
//!
//! Stored bytes, `MANIFEST.json`, one line of frame around pretty-printed JSON:
//!
//! ```text
//! {"crc32":"0123abcd","manifest":{
//!   "format": 1,
//!   …
//! }}⏎
//!  └ frame, fixed bytes   └ body: the checksum is over exactly these bytes
//! ```
//!
//! The frame is compared byte by byte and the body by its checksum, so a manifest that was cut or
//! in which any byte was changed is always recognised; it is read by any JSON reader all the same.

use serde::{Deserialize, Serialize};

use crate::Epoch;

/// The format that this version writes, and the only one it reads.
pub const FORMAT: u32 = 1;

const HEAD: &str = "{\"crc32\":\"";
const NECK: &str = "\",\"manifest\":";
const FOOT: &str = "}\n";

/// All that is known of an epoch besides the state itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Name of the job.
    pub job: String,
    /// The start of the job that made the checkpoint.
    pub incarnation: String,
    /// The epoch.
    pub epoch: Epoch,
    /// When it was made, in milliseconds since 1970 by the clock of the machine.
    pub created_ms: u64,
    /// True if the inputs had ended: nothing comes after this epoch.
    pub finished: bool,
    /// Subtasks per keyed stage.
    pub parallelism: u32,
    /// Fingerprint of the plan.
    pub plan_hash: String,
    /// How far the sources were read.
    pub sources: Vec<SourceState>,
    /// The operators that have state.
    pub operators: Vec<OperatorState>,
    /// The files of the checkpoint; filled in when it is sealed.
    pub files: Vec<FileEntry>,
}

/// How far a source was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceState {
    /// Name of the node in the job graph.
    pub name: String,
    /// Name of the table in SQL.
    pub table: String,
    /// Its splits.
    pub splits: Vec<SplitState>,
}

/// How far a split was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitState {
    /// Name of the split within its source.
    pub id: String,
    /// Where reading goes on; `None` if it has not begun.
    pub next_offset: Option<u64>,
    /// The split's own watermark.
    pub watermark_ms: Option<i64>,
    /// The watermark that the split's subtask had passed on.
    pub current_ms: Option<i64>,
    /// True if the split was left out of its source's watermark because nothing came.
    pub idle: bool,
    /// True if the split had been read to its end.
    pub finished: bool,
}

/// An operator that has state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperatorState {
    /// Stable name of the operator: tables are named after it.
    pub name: String,
    /// What the layout of its state depends on; compared before the state is used by another plan.
    pub signature: serde_json::Value,
}

/// A file of a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Name within the checkpoint's directory.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// CRC-32 (IEEE) of its bytes.
    pub crc32: u32,
}

impl Manifest {
    /// The bytes of `MANIFEST.json`, and the checksum in them.
    pub fn to_bytes(&self) -> (Vec<u8>, u32) {
        let body = serde_json::to_vec_pretty(self).expect("a manifest has string keys only");
        let crc = crc32fast::hash(&body);
        let head = format!("{HEAD}{crc:08x}{NECK}");
        ([head.as_bytes(), &body, FOOT.as_bytes()].concat(), crc)
    }

    /// Reads the bytes of `MANIFEST.json`; also returns the checksum in them.
    ///
    /// # Errors
    /// What is wrong with the bytes, if they are not exactly what [`Manifest::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Result<(Manifest, u32), String> {
        let cut = || "it is cut short or not a manifest".to_owned();
        let rest = bytes.strip_prefix(HEAD.as_bytes()).ok_or_else(cut)?;
        let (digits, rest) = rest.split_at_checked(8).ok_or_else(cut)?;
        let rest = rest.strip_prefix(NECK.as_bytes()).ok_or_else(cut)?;
        let body = rest.strip_suffix(FOOT.as_bytes()).ok_or_else(cut)?;
        let crc = crc32fast::hash(body);
        if digits != format!("{crc:08x}").as_bytes() {
            return Err("its checksum does not match".to_owned());
        }
        let format = serde_json::from_slice::<Format>(body).map_err(|error| error.to_string())?;
        if format.format != FORMAT {
            let found = format.format;
            return Err(format!("it has format {found}; this version reads format {FORMAT}"));
        }
        let manifest = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        Ok((manifest, crc))
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// What every format has.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let split = SplitState {
            id: "bids-0".into(),
            next_offset: Some(u64::MAX),
            watermark_ms: Some(i64::MIN),
            ..SplitState::default()
        };
        Manifest {
            format: FORMAT,
            job: "orders".into(),
            epoch: Epoch(42),
            sources: vec![SourceState {
                name: "source-1".into(),
                table: "bids".into(),
                splits: vec![split],
            }],
            operators: vec![OperatorState {
                name: "window-2".into(),
                signature: serde_json::json!({"keys": ["user"], "size_ms": 1000}),
            }],
            files: vec![FileEntry { name: "000012.sst".into(), size: 1 << 40, crc32: 7 }],
            ..Manifest::default()
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let (bytes, crc) = manifest().to_bytes();
        assert_eq!(Manifest::from_bytes(&bytes), Ok((manifest(), crc)));
        let json: serde_json::Value = serde_json::from_slice(&bytes).expect("plain JSON");
        assert_eq!(json["manifest"]["epoch"], 42);
    }

    #[test]
    fn a_cut_at_any_byte_is_recognised() {
        let (bytes, _) = manifest().to_bytes();
        for length in 0..bytes.len() {
            assert!(Manifest::from_bytes(&bytes[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_flip_of_any_bit_is_recognised() {
        let (bytes, _) = manifest().to_bytes();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(Manifest::from_bytes(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn another_format_is_refused_by_name() {
        let (bytes, _) = Manifest { format: 2, ..manifest() }.to_bytes();
        let error = Manifest::from_bytes(&bytes).expect_err("another format");
        assert_eq!(error, "it has format 2; this version reads format 1");
    }

    /// Bytes on disk are frozen: change [`FORMAT`] before this.
    #[test]
    fn the_bytes_are_these() {
        let manifest = Manifest { format: FORMAT, job: "j".into(), ..Manifest::default() };
        let expected = "{\"crc32\":\"CRC\",\"manifest\":{\n  \"format\": 1,\n  \"job\": \"j\",\n  \
            \"incarnation\": \"\",\n  \"epoch\": 0,\n  \"created_ms\": 0,\n  \"finished\": false,\n  \
            \"parallelism\": 0,\n  \"plan_hash\": \"\",\n  \"sources\": [],\n  \"operators\": [],\n  \
            \"files\": []\n}}\n";
        let (bytes, crc) = manifest.to_bytes();
        let expected = expected.replace("CRC", &format!("{crc:08x}"));
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }
}
