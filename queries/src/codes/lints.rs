//! Lints: what can be run, but probably is not meant so. Each has a name, by which it is silenced
//! or made an error.

use super::{CodeEntry, codes};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::suggest;

codes! { LINTS:
    511 IDLE_PARTITION_BLOCKS_WATERMARK, "A silent partition would hold all windows back",
        "The watermark of a table is the least of its partitions. With the idle timeout switched off, one partition \
         without records keeps every window open, and nothing is ever emitted.",
        "Leave the timeout at its default of 30 s, or give one: 'scan.watermark.idle-timeout' = '1 min'.";
    514 WATERMARK_IN_THE_FUTURE, "A watermark ahead of its rows",
        "`ts + INTERVAL …` promises with each row that no earlier ones follow, not even those of the next moment: \
         almost all rows are late.",
        "Subtract the disorder that is to be waited for: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND.";
    515 COMPARISON_WITH_NULL, "A comparison with NULL",
        "`x = NULL` and its like are neither true nor false, whatever x is: as a condition they let no row through.",
        "Write x IS NULL or x IS NOT NULL.";
    516 UNUSED_TABLE, "A table or view that nothing uses",
        "It is declared, and no query reads it and no INSERT writes it.",
        "Remove it, or correct the name where it was meant to be used.";
    517 OPTION_WITHOUT_EFFECT, "An option that does nothing",
        "The option is known, but the table has nothing that it could change.",
        "Remove it, or add what it is for.";
    518 COLUMNS_BY_POSITION, "Columns that go to each other's place",
        "INSERT and UNION ALL go by position and not by name. Here a column of one name becomes another column, while \
         the column of that name exists, too.",
        "Select the columns in the order of the table, or list them behind its name: INSERT INTO t (b, a) SELECT b, a ….";
}

/// Codes of other lists that are warnings.
const ELSEWHERE: &[Code] = &[super::HINT_IGNORED];

/// The word that stands for all lints.
pub const WARNINGS: &str = "warnings";

/// All lints: name and entry.
pub fn all() -> impl Iterator<Item = (String, &'static CodeEntry)> {
    let elsewhere = ELSEWHERE.iter().filter_map(|code| super::find(*code));
    LINTS.iter().chain(elsewhere).map(|entry| (entry.name.to_lowercase(), entry))
}

/// The name of the lint with this code; `None` if the code is no lint.
pub fn name(code: Code) -> Option<String> {
    all().find(|(_, entry)| entry.code == code).map(|(name, _)| name)
}

/// Which lints are silenced, and which are errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    allowed: Vec<Code>,
    denied: Vec<Code>,
    denies_all: bool,
}

impl Levels {
    /// Silences `allow` and makes `deny` errors, both names or codes of lints; `warnings` among
    /// the latter stands for all that are not silenced. A lint that is in both is an error.
    ///
    /// # Errors
    /// If there is no such lint: a message and a hint.
    pub fn new(allow: &[String], deny: &[String]) -> Result<Self, (String, String)> {
        let is_all = |name: &String| name.eq_ignore_ascii_case(WARNINGS);
        let single = deny.iter().filter(|name| !is_all(name)).map(|name| find(name));
        Ok(Levels {
            allowed: allow.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
            denied: single.collect::<Result<_, _>>()?,
            denies_all: deny.iter().any(is_all),
        })
    }

    /// The diagnostics without what is silenced, with errors for what is denied.
    pub fn apply(&self, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let kept = diagnostics.into_iter().filter_map(|diagnostic| {
            if diagnostic.is_error() {
                return Some(diagnostic);
            }
            let code = diagnostic.code;
            let error = || Some(Diagnostic { severity: Severity::Error, ..diagnostic.clone() });
            match () {
                () if self.denied.contains(&code) => error(),
                () if self.allowed.contains(&code) => None,
                () if self.denies_all => error(),
                () => Some(diagnostic),
            }
        });
        kept.collect()
    }
}

/// The lint of this name or code.
fn find(written: &str) -> Result<Code, (String, String)> {
    let is_meant = |(name, entry): &(String, &CodeEntry)| {
        name.eq_ignore_ascii_case(written) || entry.code.to_string().eq_ignore_ascii_case(written)
    };
    if let Some((_, entry)) = all().find(is_meant) {
        return Ok(entry.code);
    }
    let names: Vec<String> = all().map(|(name, _)| name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain([WARNINGS]).collect();
    Err((format!("there is no lint `{written}`"), suggest::one_of(written, &names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(allow: &[&str], deny: &[&str]) -> Levels {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        Levels::new(&owned(allow), &owned(deny)).expect("known lints")
    }

    fn severity(levels: &Levels, code: Code) -> Option<Severity> {
        let found = levels.apply(vec![Diagnostic::warning(code, "x")]);
        found.first().map(|diagnostic| diagnostic.severity)
    }

    #[test]
    fn lints_are_silenced_and_denied_by_name_or_code() {
        let none = Levels::default();
        assert_eq!(severity(&none, UNUSED_TABLE), Some(Severity::Warning));
        assert_eq!(severity(&levels(&["unused_table"], &[]), UNUSED_TABLE), None);
        assert_eq!(severity(&levels(&["M0516"], &[]), UNUSED_TABLE), None);
        let strict = levels(&["unused_table"], &["warnings"]);
        assert_eq!(severity(&strict, UNUSED_TABLE), None);
        assert_eq!(severity(&strict, COMPARISON_WITH_NULL), Some(Severity::Error));
        let one = levels(&[], &["comparison_with_null"]);
        assert_eq!(severity(&one, COMPARISON_WITH_NULL), Some(Severity::Error));
        assert_eq!(severity(&one, UNUSED_TABLE), Some(Severity::Warning));
    }

    #[test]
    fn an_error_stays_an_error_and_an_unknown_lint_is_named() {
        let silent = levels(&["unused_table"], &[]);
        let error = Diagnostic::error(UNUSED_TABLE, "x");
        assert_eq!(silent.apply(vec![error.clone()]), [error]);
        let (message, hint) =
            Levels::new(&["unused_tabel".to_owned()], &[]).expect_err("no such lint");
        assert_eq!(message, "there is no lint `unused_tabel`");
        assert_eq!(hint, "did you mean `unused_table`?");
    }
}
