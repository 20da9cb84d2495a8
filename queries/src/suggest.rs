//! "Did you mean …?": the nearest of the names that would have been right.

/// The candidate nearest to what was written, if one is near enough to be meant. Case does not
/// count; of two that are as near as each other the first wins.
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = written.to_lowercase();
    let length = lower.chars().count();
    // A third of the letters may be wrong: `amout` is meant to be `amount`, `a` is not meant to be
    // `b`.
    let allowed = (length / 3).clamp(usize::from(length > 1), 4);
    // Of two that are equally near, the one that has more of its letters: COUNT for CONT, not COT.
    let alike = |candidate: &str| strsim::jaro(&lower, &candidate.to_lowercase());
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        // A name that differs in case only has distance 0, and is worth saying.
        .filter(|&(distance, c)| distance <= allowed && c != written)
        .min_by(|&(near, a), &(far, b)| near.cmp(&far).then_with(|| alike(b).total_cmp(&alike(a))))
        .map(|(_, candidate)| candidate)
}

/// The hint "did you mean `x`?" for what was written, if a candidate is near enough.
pub fn did_you_mean<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(written, candidates).map(|c| format!("did you mean `{c}`?"))
}

/// A hint for a name that is not one of few: the nearest, or else all of them.
pub fn one_of(written: &str, candidates: &[&str]) -> String {
    did_you_mean(written, candidates.iter().copied()).unwrap_or_else(|| {
        let all: Vec<String> = candidates.iter().map(|c| format!("`{c}`")).collect();
        format!("one of {}", all.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let names = ["amount", "order_id", "ts", "country"];
        assert_eq!(nearest("amout", names), Some("amount"));
        assert_eq!(nearest("AMOUNT", names), Some("amount"));
        assert_eq!(nearest("orderid", names), Some("order_id"));
        assert_eq!(nearest("t", names), None);
        assert_eq!(nearest("st", names), Some("ts"));
        assert_eq!(nearest("price", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("CONT", ["COT", "CONV", "COUNT"]), Some("COUNT"));
    }

    #[test]
    fn a_short_list_is_shown_whole() {
        assert_eq!(one_of("xyz", &["json", "csv"]), "one of `json`, `csv`");
        assert_eq!(one_of("jsn", &["json", "csv"]), "did you mean `json`?");
    }
}
