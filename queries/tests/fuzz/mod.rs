//! Random texts from a seed that is the same everywhere, unless `MILLSTREAM_FUZZ_SEED` says another.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Runs `test` on so many values; a failure is shrunk, and shown with the seed.
pub fn check<S: Strategy>(cases: u32, values: S, test: impl Fn(S::Value)) {
    let wanted = std::env::var("MILLSTREAM_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = wanted.unwrap_or(1);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let result = TestRunner::new_with_rng(config, rng).run(&values, |value| {
        test(value);
        Ok(())
    });
    if let Err(error) = result {
        panic!("MILLSTREAM_FUZZ_SEED={seed}: {error}");
    }
}
