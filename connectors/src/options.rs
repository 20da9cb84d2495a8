//! Options of connectors and formats as data: what `millstream connectors` prints, what the docs
//! are generated from, and what WITH clauses are checked against are one table.

/// What a connector or format accepts in WITH.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Full name, such as `scan.startup.mode`; ends in `.*` for a family such as `properties.*`.
    pub name: &'static str,
    /// Kind of value.
    pub kind: OptionKind,
    /// Value if it is left out, as it would be written.
    pub default: Option<&'static str>,
    /// True if it must be given.
    pub required: bool,
    /// One sentence for the reference.
    pub description: &'static str,
}

/// Kinds of option values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// A span of time in Flink's spelling, such as `5 s`, `200 ms` or `1 min`.
    Duration,
    /// A size in Flink's spelling, such as `64 mb`.
    Bytes,
    /// One of these words.
    OneOf(&'static [&'static str]),
}
