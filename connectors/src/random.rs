//! Random numbers as a pure function of (seed, row): the same row has the same values whatever the
//! parallelism, the split or the columns that a query reads.

/// One stream of numbers for each pair of seed and column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random {
    key: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random { key: mix(seed ^ 0x9e37_79b9_7f4a_7c15) }
    }

    /// An independent stream, named by text such as a column's name.
    pub(crate) fn named(self, name: &str) -> Self {
        let fold = |key: u64, byte: u8| mix(key ^ u64::from(byte).wrapping_add(1));
        Random { key: name.bytes().fold(self.key, fold) }
    }

    /// An independent stream, by number.
    #[inline]
    pub(crate) fn stream(self, number: u64) -> Self {
        Random { key: mix(self.key.wrapping_add(number)) }
    }

    /// The number of row `row`.
    #[inline]
    pub(crate) fn at(self, row: u64) -> u64 {
        mix(self.key ^ row.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }
}

/// Scrambles the bits of a number: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
#[inline]
pub(crate) fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Maps a random number to `0..below` by its high bits (Lemire's multiplication).
#[inline]
pub(crate) fn below(random: u64, below: u64) -> u64 {
    // The product of two 64-bit numbers shifted by 64 is less than `below`, which is 64 bits.
    ((u128::from(random) * u128::from(below)) >> 64) as u64
}

/// Maps a random number to `[0, 1)`.
#[inline]
pub(crate) fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1u64 << 53) as f64
}

/// Appends `length` lower-case letters that follow from `random`.
pub(crate) fn letters(random: u64, length: usize, out: &mut Vec<u8>) {
    const PER_NUMBER: usize = 12;
    let mut word = random;
    for i in 0..length {
        if i % PER_NUMBER == 0 {
            word = mix(random.wrapping_add((i / PER_NUMBER) as u64));
        }
        // Five bits a letter; `below` in small, so that every letter occurs.
        out.push(b'a' + (((word & 31) * 26) >> 5) as u8);
        word >>= 5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_and_repeatable() {
        let random = Random::new(7).named("price");
        assert_eq!(random.at(3), Random::new(7).named("price").at(3));
        assert_ne!(random.at(3), Random::new(7).named("prices").at(3));
        let mut counts = [0; 10];
        for row in 0..10_000 {
            counts[below(random.at(row), 10) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
        let mean = (0..10_000).map(|row| unit(random.at(row))).sum::<f64>() / 10_000.0;
        assert!((0.48..0.52).contains(&mean));
    }

    #[test]
    fn letters_are_letters() {
        let mut out = Vec::new();
        letters(42, 100, &mut out);
        assert_eq!(out.len(), 100);
        assert!(out.iter().all(u8::is_ascii_lowercase));
    }
}
