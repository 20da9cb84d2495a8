//! The index of codes, as data: what `millstream explain M0301` prints and `docs/errors/` shows is
//! made from it, and a test holds every code that is used against it.
//!
//! `M0001`–`M0099` the text, `M0100`–`M0299` statements, types and literals (both used by `parse`),
//! `M0300` and up the planner (`plan/codes.rs`), the lints ([`lints`]), and jobs that run ([`run`]).
//! A code that was released keeps its meaning for ever; one that is no longer used is not given to
//! anything else.
//!
//! # A new code
//! 1. A line in one of the lists: number, name, title, cause, fix.
//! 2. `queries/errors/NUMBER.sql`: its example. Without it the crate does not compile. Comments of
//!    one word divide the file; what stands above the first belongs to every part:
//!    - `-- wrong`: SQL that brings the code about; what is said of it is computed and shown.
//!    - `-- run`: the same for a code of a job that runs; `-- says` is what it prints.
//!    - `-- says`: the message, where no short SQL can bring it about.
//!    - `-- right`: the same SQL, mended; it has to plan.
//! 3. `BLESS=1 cargo nextest run --release -p millstream-queries --test docs` writes its page.
//!
//! A warning that users may want to silence is a lint: list its code in [`lints`]. Its name is that
//! of the constant in small letters.

pub mod lints;
pub mod page;
pub mod run;

use crate::diagnostic::Code;

pub use crate::plan::codes::BAD_OPTION;

/// What a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeEntry {
    /// The code.
    pub code: Code,
    /// The name of its constant.
    pub name: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// How it comes about.
    pub cause: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// SQL that brings it about, and the same mended, as [`page::Example`] reads it.
    pub example: &'static str,
}

/// Declares constants for codes and the list that explains them, so that neither can be without
/// the other.
macro_rules! codes {
    ($list:ident: $($number:literal $name:ident, $title:literal, $cause:literal, $fix:literal;)*) => {
        $(#[doc = $title] pub const $name: $crate::diagnostic::Code =
            $crate::diagnostic::Code($number);)*
        /// The codes of this file.
        pub const $list: &[$crate::codes::CodeEntry] = &[$($crate::codes::CodeEntry {
            code: $name,
            name: stringify!($name),
            title: $title,
            cause: $cause,
            fix: $fix,
            example: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/errors/", $number, ".sql")),
        }),*];
    };
}
pub(crate) use codes;

codes! { PARSE:
    1 TEXT_TOO_LARGE, "The SQL text is too large",
        "A job's SQL text may have up to 1 MiB.",
        "Split it into several jobs, or read data from a file instead of writing it into the SQL.";
    2 UNTERMINATED, "A string, quoted name or comment is not closed",
        "Everything after the opening quote or `/*` belongs to it, up to the end of the text.",
        "Close it. A quote inside a string is written twice: `'it''s'`.";
    3 UNREADABLE, "The text cannot be split into words",
        "A character stands where none of the language's words can begin, or a literal is broken.",
        "Remove the character, or put it inside a string or a name in backquotes.";
    10 VARIABLE_UNSET, "A variable is not set",
        "`${NAME}` in a string takes the value of an environment variable, and there is none.",
        "Set the variable, pass a file of variables with `--env-file`, or give a default: \
         `${NAME:-default}`.";
    11 FILE_UNREADABLE, "A file named in `${file:…}` cannot be read",
        "It does not exist, is not readable for this user, is not UTF-8, or is larger than 1 MiB.",
        "Check the path and its permissions; the path is taken from the working directory.";
    12 BAD_VARIABLE, "A `${…}` is malformed",
        "The braces are not closed, or what stands between them is not a variable's name.",
        "Write `${NAME}`, `${NAME:-default}` or `${file:/path}`; `$${` stands for a plain `${`.";
    100 SYNTAX, "A word or sign stands where it cannot",
        "The statement was understood up to this place, and cannot go on like this.",
        "See the hint; often a comma, a bracket or a word is missing just before the place.";
    101 UNKNOWN_STATEMENT, "A statement begins with an unknown word",
        "Statements begin with CREATE, INSERT, SELECT, WITH, SET, EXPLAIN or EXECUTE.",
        "Correct the word, or remove the stray text or `;` before it.";
    102 STATEMENT_UNSUPPORTED, "A statement that is not supported yet",
        "It is a statement of Flink SQL that Millstream does not have.",
        "Leave it out: a file is one job, with its tables, views and inserts.";
    103 MISSING_SEMICOLON, "A `;` is missing between two statements",
        "A new statement seems to begin before the one before it was ended.",
        "End every statement with `;`.";
    104 UNMATCHED_BRACKET, "A bracket has no partner",
        "An opening bracket is never closed, or a closing one was never opened.",
        "Add the missing bracket or remove this one.";
    105 TRAILING_COMMA, "A comma is followed by nothing",
        "After a comma another item of the list has to follow.",
        "Remove the comma.";
    106 TOO_COMPLEX, "A statement is too complex",
        "Brackets, subqueries or types are nested too deeply, or a chain of operators is too long.",
        "Split the query into views, or write long chains of OR as IN (…).";
    107 DOUBLE_QUOTES, "Double quotes",
        "As in Flink, strings stand in single quotes and names in backquotes.",
        "Write 'text' for a string and `name` (in backquotes) for a name.";
    108 FOREIGN_SYNTAX, "A spelling of another SQL dialect",
        "Operators such as `::` or `==`, and placeholders, are not part of Flink SQL.",
        "Use the spelling that the hint shows.";
    109 KEYWORD_AS_NAME, "A keyword stands where a name is expected",
        "Words such as SELECT or ORDER have a meaning of their own.",
        "Put the name in backquotes, or choose another.";
    110 QUALIFIED_NAME, "A name with a catalog or database",
        "Millstream has no catalogs: a job's tables are those that its SQL file declares.",
        "Leave out the part before the dot.";
    111 HINT_IGNORED, "A hint is ignored",
        "Hints in `/*+ … */` are for Flink's optimizer or connectors and have no effect here.",
        "Remove it; options of a table belong into the WITH of its CREATE TABLE.";
    120 SET_NOT_ENDED, "A statement set is not ended",
        "`EXECUTE STATEMENT SET BEGIN` needs an `END;` after its INSERT statements.",
        "Add `END;` after the last INSERT of the set.";
    121 STRAY_END, "`END` without a statement set",
        "There is no `EXECUTE STATEMENT SET BEGIN` that it could end.",
        "Remove it.";
    122 NOT_AN_INSERT, "Something else than an INSERT in a statement set",
        "Between `BEGIN` and `END` only INSERT statements may stand.",
        "Move the statement before the set.";
    123 BAD_EXPLAIN, "EXPLAIN of something that has no plan",
        "Only a query, an INSERT or a statement set has a plan.",
        "Explain one of these.";
    124 NOT_A_QUERY, "A statement stands where a query is expected",
        "Only SELECT, WITH, VALUES and queries in brackets give rows.",
        "Write a query.";
    130 BAD_SET, "A SET statement without key or value",
        "SET has the form `SET 'key' = 'value'`.",
        "Complete it; `--set key=value` on the command line does the same.";
    150 OPTION_NOT_STRING, "The value of an option is not a string",
        "Values of options in WITH are written in single quotes, numbers and booleans too.",
        "Put the value in single quotes: 'rows-per-second' = '10'.";
    151 DUPLICATE_OPTION, "An option is given twice",
        "Which of the two values is meant cannot be told.",
        "Remove one of them.";
    160 DUPLICATE_COLUMN, "A column is declared twice",
        "The names of a table's or view's columns have to differ.",
        "Rename or remove one of them.";
    161 BAD_PRIMARY_KEY, "A primary key that cannot be one",
        "A table has at most one primary key, of columns that it declares.",
        "Declare it once, with the names of physical columns.";
    162 KEY_ENFORCED, "A primary key without NOT ENFORCED",
        "Millstream, like Flink, does not own the data and cannot enforce a key.",
        "Write PRIMARY KEY (…) NOT ENFORCED.";
    163 BAD_WATERMARK, "A watermark that cannot be one",
        "A table has at most one watermark, on a column that it declares.",
        "Declare it once: WATERMARK FOR ts AS ts - INTERVAL '5' SECOND.";
    164 CLAUSE_UNSUPPORTED, "A clause of CREATE that is not supported",
        "It is part of Flink SQL, but Millstream does not have it.",
        "Leave it out, or see the hint.";
    165 BAD_COLUMN, "A column declaration that cannot be understood",
        "A column is `name TYPE`, `name AS expression` or `name TYPE METADATA [FROM 'key']`.",
        "Correct the declaration; DEFAULT, UNIQUE and the like do not exist.";
    200 UNKNOWN_TYPE, "An unknown type",
        "The type is not one of Flink SQL.",
        "Use the name that the hint suggests.";
    201 TYPE_UNSUPPORTED, "A type that is not supported",
        "It is a type of Flink SQL that Millstream does not have.",
        "Use another type, such as STRING.";
    202 BAD_TYPE_PARAMETER, "A parameter of a type that it cannot have",
        "A length, precision or scale is outside its bounds, or the type has no such parameter.",
        "Use a value inside the bounds.";
    210 BAD_INTERVAL, "An INTERVAL that cannot be understood",
        "An interval is a number in quotes and a unit.",
        "Write INTERVAL '10' MINUTES, or INTERVAL '1:30' MINUTE TO SECOND.";
    211 BAD_DATETIME, "A DATE, TIME or TIMESTAMP literal that is none",
        "The text in quotes is not a date or time, or one that does not exist.",
        "Write DATE '2024-02-29', TIME '12:30:00' or TIMESTAMP '2024-02-29 12:30:00.123'.";
}

/// The lists by what they are about.
pub const PARTS: &[(&str, &[CodeEntry])] = &[
    ("Text, statements, types and literals", PARSE),
    ("Tables and queries", crate::plan::codes::PLAN),
    ("Lints", lints::LINTS),
    ("Jobs that run", run::RUN),
];

/// All codes.
pub fn all() -> impl Iterator<Item = &'static CodeEntry> {
    PARTS.iter().flat_map(|(_, entries)| entries.iter())
}

/// What a code stands for.
pub fn find(code: Code) -> Option<&'static CodeEntry> {
    all().find(|entry| entry.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_explained_and_stand_in_one_list() {
        for entry in all() {
            assert!(!entry.title.ends_with('.'), "{}: titles have no full stop", entry.code);
            assert!(entry.cause.ends_with('.') && entry.fix.ends_with('.'), "{}", entry.code);
            assert_eq!(find(entry.code), Some(entry), "{} is listed twice", entry.code);
        }
    }
}
