//! Frames of Kafka's protocol, as far as a proxy must understand them.
//!
//! ```text
//!  request   length i32 │ api key i16 │ version i16 │ correlation id i32 │ …
//!  response  length i32 │ correlation id i32 │ …
//! ```

use std::io::{self, Read};

/// Requests that a transaction is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Api {
    /// Records.
    Produce,
    /// Fences predecessors, aborts what they left open.
    InitProducerId,
    /// Names the partitions that will be written.
    AddPartitionsToTxn,
    /// Names the group whose offsets will be written.
    AddOffsetsToTxn,
    /// Commits or aborts.
    EndTxn,
    /// Offsets and their metadata.
    TxnOffsetCommit,
}

impl Api {
    /// All of them.
    pub const ALL: [Api; 6] = [
        Api::Produce,
        Api::InitProducerId,
        Api::AddPartitionsToTxn,
        Api::AddOffsetsToTxn,
        Api::EndTxn,
        Api::TxnOffsetCommit,
    ];

    /// What the protocol calls it.
    pub fn key(self) -> i16 {
        match self {
            Api::Produce => 0,
            Api::InitProducerId => 22,
            Api::AddPartitionsToTxn => 24,
            Api::AddOffsetsToTxn => 25,
            Api::EndTxn => 26,
            Api::TxnOffsetCommit => 28,
        }
    }
}

/// Longest frame that is believed; the broker's own limit is 100 MiB.
const MAX_FRAME_BYTES: usize = 128 << 20;

/// A whole frame, with its length in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Vec<u8>);

impl Frame {
    /// Reads one; `None` at the end of the stream.
    ///
    /// # Errors
    /// If the stream fails, or ends within a frame.
    pub fn read(stream: &mut impl Read) -> io::Result<Option<Frame>> {
        let mut length = [0; 4];
        match stream.read(&mut length)? {
            0 => return Ok(None),
            some => stream.read_exact(&mut length[some..])?,
        }
        let bytes = u32::from_be_bytes(length) as usize;
        if !(4..=MAX_FRAME_BYTES).contains(&bytes) {
            return Err(io::Error::other(format!("a frame of {bytes} bytes")));
        }
        let mut frame = vec![0; 4 + bytes];
        frame[..4].copy_from_slice(&length);
        stream.read_exact(&mut frame[4..])?;
        Ok(Some(Frame(frame)))
    }

    /// A request, for tests.
    pub fn request(api: i16, correlation: i32, body: &[u8]) -> Frame {
        let mut frame = ((8 + body.len()) as u32).to_be_bytes().to_vec();
        frame.extend(api.to_be_bytes());
        frame.extend(0_i16.to_be_bytes());
        frame.extend(correlation.to_be_bytes());
        frame.extend(body);
        Frame(frame)
    }

    /// A response, for tests.
    pub fn response(correlation: i32, body: &[u8]) -> Frame {
        let mut frame = ((4 + body.len()) as u32).to_be_bytes().to_vec();
        frame.extend(correlation.to_be_bytes());
        frame.extend(body);
        Frame(frame)
    }

    /// What a request asks for, if it is one of ours.
    pub fn api(&self) -> Option<Api> {
        let key = i16::from_be_bytes([self.0[4], self.0[5]]);
        Api::ALL.into_iter().find(|api| api.key() == key)
    }

    /// Correlation id of a request.
    pub fn request_correlation(&self) -> i32 {
        self.integer(8)
    }

    /// Correlation id of a response.
    pub fn response_correlation(&self) -> i32 {
        self.integer(4)
    }

    /// All bytes, the length first.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn integer(&self, at: usize) -> i32 {
        let bytes = self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(-1, i32::from_be_bytes)
    }
}
