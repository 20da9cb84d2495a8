//! The key order that the records of a stream have in common.
//!
//! Whoever writes a stream writes its keys in one order, with the same blanks around them. So the
//! text from the end of one value to the start of the next, such as `,"price":`, is nearly always
//! the same, and one compare of it replaces finding, unescaping and looking up a key. Where it
//! differs the record is read by the grammar from there, and speculation picks up again behind
//! the first key that is known. A layout that fails too often is learned anew.

/// Rows that did not follow the layout, beyond those that did, before it is learned anew.
const PATIENCE: u32 = 16;
/// Limits of what is remembered, so that odd records cannot make it large.
const MAX_STEPS: usize = 1024;
const MAX_TOKEN_BYTES: usize = 256;

/// No slot: a key that no column asks for.
pub(super) const NO_SLOT: usize = usize::MAX;

/// One key of the layout.
struct Step {
    /// Text from the previous value's end to this one's start.
    token: Box<[u8]>,
    /// Its first 16 bytes as one number, with the mask of those that it has.
    head: u128,
    mask: u128,
    /// The key as written, without quotes: a range of the token.
    key: std::ops::Range<usize>,
    slot: usize,
}

impl Step {
    fn new(token: &[u8], key: std::ops::Range<usize>, slot: usize) -> Self {
        let mut head = [0; 16];
        let mut mask = [0; 16];
        let length = token.len().min(16);
        head[..length].copy_from_slice(&token[..length]);
        mask[..length].fill(0xFF);
        Step {
            token: token.into(),
            head: u128::from_le_bytes(head),
            mask: u128::from_le_bytes(mask),
            key,
            slot,
        }
    }

    /// Whether the token stands at the start of `bytes`.
    #[inline(always)]
    fn stands_at(&self, bytes: &[u8]) -> bool {
        match bytes.first_chunk::<16>() {
            Some(head) if u128::from_le_bytes(*head) & self.mask == self.head => {
                self.token.len() <= 16 || bytes.starts_with(&self.token)
            }
            Some(_) => false,
            None => bytes.starts_with(&self.token),
        }
    }
}

/// The keys in the order in which they are expected.
#[derive(Default)]
pub(super) struct Layout {
    steps: Vec<Step>,
    /// Text from the last value's end to the object's end: a brace, and blanks before it.
    close: Vec<u8>,
    /// Whether the record that is being read writes the layout.
    learning: bool,
    /// Whether no token holds a newline, so that a match stays within a line.
    one_line: bool,
    disappointments: u32,
}

impl Layout {
    /// Starts a record: nothing is known yet, or what was known serves no longer.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.learning = self.steps.is_empty() || self.disappointments > PATIENCE;
        if self.learning {
            self.steps.clear();
            self.close.clear();
            self.disappointments = 0;
            self.one_line = true;
        }
    }

    /// If the key that is expected as step `step` stands at `at`: its slot, and where its value
    /// starts.
    #[inline(always)]
    pub(super) fn expect(&self, step: usize, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let expected = self.steps.get(step)?;
        let rest = bytes.get(at..)?;
        expected.stands_at(rest).then(|| (expected.slot, at + expected.token.len()))
    }

    /// Takes note of a key that was found by the grammar: `token` with the key at `key` in it.
    /// Returns the step to go on with.
    pub(super) fn found(
        &mut self,
        step: usize,
        token: &[u8],
        key: std::ops::Range<usize>,
        slot: usize,
    ) -> usize {
        if self.learning {
            if self.steps.len() < MAX_STEPS && token.len() <= MAX_TOKEN_BYTES {
                self.one_line &= !token.contains(&b'\n');
                self.steps.push(Step::new(token, key, slot));
            }
            return self.steps.len();
        }
        let name = &token[key];
        let same = |known: &Step| known.token[known.key.clone()] == *name;
        // Keys that are left out are the common case, so look ahead first.
        let ahead = self.steps.iter().skip(step).position(same).map(|offset| step + offset);
        let known = ahead.or_else(|| self.steps.iter().take(step).position(same));
        known.map_or(step, |known| known + 1)
    }

    /// Takes note of how an object ended: `token` is what stood behind the last value.
    pub(super) fn found_end(&mut self, token: &[u8]) {
        if self.learning && token.len() <= MAX_TOKEN_BYTES {
            self.one_line &= !token.contains(&b'\n');
            self.close.extend_from_slice(token);
        }
    }

    /// Ends a record; `followed` says whether speculation held all along.
    #[inline]
    pub(super) fn end(&mut self, followed: bool) {
        if self.learning || followed {
            self.disappointments = self.disappointments.saturating_sub(1);
        } else {
            self.disappointments += 2;
        }
        self.learning = false;
    }

    /// If all keys have been passed and the object ends at `at` as expected: the position behind.
    #[inline(always)]
    pub(super) fn expect_end(&self, step: usize, bytes: &[u8], at: usize) -> Option<usize> {
        let ends = step == self.steps.len()
            && match self.close.as_slice() {
                [brace] => bytes.get(at) == Some(brace),
                [] => false,
                close => bytes.get(at..).is_some_and(|rest| rest.starts_with(close)),
            };
        ends.then(|| at + self.close.len())
    }

    /// Whether a record can be expected to lie on one line and follow the layout.
    #[inline(always)]
    pub(super) fn is_one_line(&self) -> bool {
        self.one_line && !self.close.is_empty()
    }
}
