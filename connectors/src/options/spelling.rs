//! Flink's spellings of durations and sizes, and suggestions for misspelt words.

use std::time::Duration;

/// Units of durations: names, nanoseconds.
const DURATION_UNITS: [(&[&str], u64); 7] = [
    (&["ms", "milli", "millis", "millisecond", "milliseconds", ""], 1_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["m", "min", "mins", "minute", "minutes"], 60_000_000_000),
    (&["h", "hour", "hours"], 3_600_000_000_000),
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["us", "µs", "micro", "micros", "microsecond", "microseconds"], 1_000),
    (&["ns", "nano", "nanos", "nanosecond", "nanoseconds"], 1),
];

/// Units of sizes: names, bytes. They are powers of 1024, as in Flink.
const SIZE_UNITS: [(&[&str], u64); 5] = [
    (&["", "b", "bytes"], 1),
    (&["k", "kb", "kibibytes", "kib"], 1 << 10),
    (&["m", "mb", "mebibytes", "mib"], 1 << 20),
    (&["g", "gb", "gibibytes", "gib"], 1 << 30),
    (&["t", "tb", "tebibytes", "tib"], 1 << 40),
];

/// Reads a span of time: a whole number and a unit, with or without a space; milliseconds if
/// there is no unit.
pub fn parse_duration(text: &str) -> Option<Duration> {
    parse_quantity(text, &DURATION_UNITS).map(Duration::from_nanos)
}

/// Reads a size in bytes: a whole number and a unit, with or without a space; bytes if there is
/// no unit.
pub fn parse_bytes(text: &str) -> Option<u64> {
    parse_quantity(text, &SIZE_UNITS)
}

fn parse_quantity(text: &str, units: &[(&[&str], u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_lowercase();
    let (_, factor) = units.iter().find(|(names, _)| names.contains(&unit.as_str()))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// A size as a person would write it, such as `64 MiB` or `1.5 GiB`.
pub fn format_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value.fract() >= 0.05);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// A hint that names the candidate nearest to a misspelt word, if one is near enough.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// The candidate nearest to a misspelt word, if one is near enough.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Underscores for dots and dashes, and capitals, are the commonest slips: they cost nothing.
    let plain = |text: &str| text.to_lowercase().replace(['_', '.'], "-");
    let word = plain(word);
    candidates
        .into_iter()
        .map(|candidate| {
            let other = plain(candidate);
            let alike = strsim::damerau_levenshtein(&word, &other);
            // Part of a name (`earliest` of `earliest-offset`, `rate` of `nexmark.rate`) is near.
            let part = word.len() >= 4
                && (other.ends_with(&format!("-{word}")) || other.starts_with(&format!("{word}-")));
            (if part { alike.min(2) } else { alike }, candidate)
        })
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.chars().count() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_flinks_spelling() {
        assert_eq!(parse_duration("5 s"), Some(Duration::from_secs(5)));
        assert_eq!(parse_duration("200ms"), Some(Duration::from_millis(200)));
        assert_eq!(parse_duration(" 1 min "), Some(Duration::from_secs(60)));
        assert_eq!(parse_duration("1 D"), Some(Duration::from_secs(86_400)));
        assert_eq!(parse_duration("7"), Some(Duration::from_millis(7)), "no unit: milliseconds");
        for wrong in ["", "s", "-1 s", "5 weeks", "1.5 s", "99999999999999 d"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_in_flinks_spelling() {
        assert_eq!(parse_bytes("64 mb"), Some(64 << 20));
        assert_eq!(parse_bytes("1gb"), Some(1 << 30));
        assert_eq!(parse_bytes("512"), Some(512));
        assert_eq!(parse_bytes("3 kibibytes"), Some(3072));
        for wrong in ["mb", "1 pb", "-1", "99999999999 tb"] {
            assert_eq!(parse_bytes(wrong), None, "{wrong}");
        }
        assert_eq!(format_bytes(64 << 20), "64 MiB");
        assert_eq!(format_bytes(1_500_000), "1.4 MiB");
    }

    #[test]
    fn near_words_are_suggested_and_far_ones_not() {
        let words = ["earliest-offset", "latest-offset", "group-offsets"];
        assert_eq!(nearest("earliest", words), Some("earliest-offset"));
        assert_eq!(nearest("earliest_offset", words), Some("earliest-offset"));
        assert_eq!(nearest("lates-offset", words), Some("latest-offset"));
        assert_eq!(nearest("xyz", words), None);
        assert_eq!(nearest("rows_per_second", ["rows-per-second"]), Some("rows-per-second"));
    }
}
