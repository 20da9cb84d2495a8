//! When and where a run is killed, from a seed: half of the crashes at random moments, half at the
//! named steps of an epoch and of a recovery, each step in turn.

use std::time::Duration;

use millstream::state::fault::POINTS;

/// How much longer a start may live that is to die at a step.
const PATIENCE: u32 = 4;

/// How one start of the job is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// `kill -9` after this time.
    pub after: Duration,
    /// Before that, at this step, after it was passed so many times.
    pub at: Option<(&'static str, u32)>,
}

impl Crash {
    /// What `MILLSTREAM_FAULTS` says for it.
    pub fn faults(&self) -> Option<String> {
        self.at.map(|(point, passed)| format!("{point}={passed}*off->return(kill)"))
    }
}

/// Draws crashes.
pub struct Crashes {
    state: u64,
    longest: Duration,
    /// Epochs that fit into `longest`.
    epochs: u32,
    drawn: usize,
    points: Vec<&'static str>,
}

impl Crashes {
    /// Crashes at most `longest` after the start of a job whose epochs take `interval`.
    pub fn new(seed: u64, longest: Duration, interval: Duration) -> Self {
        let epochs = longest.as_millis() / interval.as_millis().max(1);
        let epochs = u32::try_from(epochs).unwrap_or(u32::MAX).max(1);
        let mut crashes =
            Crashes { state: seed, longest, epochs, drawn: 0, points: POINTS.to_vec() };
        for last in (1..crashes.points.len()).rev() {
            let other = crashes.below(last as u64 + 1) as usize;
            crashes.points.swap(last, other);
        }
        crashes
    }

    /// The next crash.
    pub fn draw(&mut self) -> Crash {
        let number = self.drawn;
        self.drawn += 1;
        if number.is_multiple_of(2) {
            let longest_us = self.longest.as_micros() as u64;
            return Crash { after: Duration::from_micros(self.below(longest_us)), at: None };
        }
        let point = self.points[number / 2 % self.points.len()];
        // A recovery passes its steps once.
        let passed =
            if point.starts_with("recover.") { 0 } else { self.below(self.epochs.into()) as u32 };
        // A step is waited for: most are reached within some epochs, some by other sinks only.
        Crash { after: self.longest * PATIENCE, at: Some((point, passed)) }
    }

    /// A number below `bound`, by SplitMix64 (Steele, Lea, Flood 2014).
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_crashes_and_they_cover_every_step() {
        let draw = |seed| {
            let mut crashes =
                Crashes::new(seed, Duration::from_secs(2), Duration::from_millis(100));
            (0..2 * POINTS.len()).map(|_| crashes.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let drawn = draw(7);
        let hit =
            |point: &&str| drawn.iter().any(|crash| crash.at.is_some_and(|(at, _)| at == *point));
        assert!(POINTS.iter().all(hit));
        assert!(drawn.iter().all(|crash| crash.after <= Duration::from_secs(2) * PATIENCE));
    }
}
