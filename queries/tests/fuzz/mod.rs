//! Random texts from a seed that is the same everywhere, unless `MILLSTREAM_FUZZ_SEED` says another.

use millstream_queries::diagnostic::{Diagnostic, SourceText};
use millstream_queries::{codes, render};
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

/// Every message has a page, a place in the text, and all its forms.
pub fn check_messages(messages: &[Diagnostic], source: &SourceText) {
    let text = &source.text;
    for message in messages {
        assert!(codes::find(message.code).is_some(), "{}: {text}", message.code);
        let span = message.span.clone().unwrap_or(0..0);
        assert!(span.start <= span.end && span.end <= text.len(), "{span:?} of {text}");
        render::text(message, source, true);
        render::json(message, source);
        render::short(message, source);
    }
}
