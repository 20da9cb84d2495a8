//! Diagnostics: what is wrong with a SQL text, where, and how to mend it.
//!
//! One value, several renderings: a person's terminal and JSON for tools (`render.rs`). A diagnostic
//! has a stable code (`M0142`, explained in `codes.rs`), a message, the span it is about, a label
//! for the span, and a hint.

use std::fmt;
use std::ops::Range;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The text cannot be run.
    Error,
    /// It can be run, but probably does not mean what its author thinks.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A stable code, written `M` and four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "M{:04}", self.0)
    }
}

/// Bytes `start..end` of the source text.
pub type Span = Range<usize>;

/// One thing that is wrong with a SQL text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence without a full stop, names in backquotes.
    pub message: String,
    /// What it is about.
    pub span: Option<Span>,
    /// A few words under the span.
    pub label: Option<String>,
    /// Other places that it has to do with, such as where a name was declared before, with a few
    /// words for each.
    pub also: Box<[(Span, String)]>,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            span: None,
            label: None,
            also: Box::default(),
            hint: None,
        }
    }

    /// A warning without a place.
    pub fn warning(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message) }
    }

    /// The same, about these bytes of the source text.
    pub fn at(self, span: Span) -> Diagnostic {
        Diagnostic { span: Some(span), ..self }
    }

    /// The same, about these bytes if they are known; a span that is there already stays.
    pub fn at_if_known(self, span: Option<Span>) -> Diagnostic {
        Diagnostic { span: self.span.or(span), ..self }
    }

    /// The same, with a few words under the span.
    pub fn label(self, label: impl Into<String>) -> Diagnostic {
        Diagnostic { label: Some(label.into()), ..self }
    }

    /// The same, with another place that it has to do with.
    pub fn also(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        let mut also = self.also.into_vec();
        also.push((span, label.into()));
        self.also = also.into();
        self
    }

    /// The same, with a way to mend it.
    pub fn hint(self, hint: impl Into<String>) -> Diagnostic {
        Diagnostic { hint: Some(hint.into()), ..self }
    }

    /// The same, with a way to mend it if there is one; a hint that is there already stays.
    pub fn hint_if_any(self, hint: Option<String>) -> Diagnostic {
        Diagnostic { hint: self.hint.or(hint), ..self }
    }

    /// True if the text cannot be run because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Sorts diagnostics by their place in the text; those without a place come last. Diagnostics of
/// one place keep their order.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by_key(|d| d.span.as_ref().map_or((usize::MAX, 0), |s| (s.start, s.end)));
}

/// True if one of them is an error.
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

/// A SQL text and where it came from.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// File name as the user gave it, or `<command line>`.
    pub name: String,
    /// The text.
    pub text: String,
}

impl SourceText {
    /// A text with the name that its diagnostics show.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceText {
        SourceText { name: name.into(), text: text.into() }
    }

    /// Line and column of a byte, both from 1; columns count characters. A byte behind the text is
    /// taken as its end, one inside a character as its start.
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let mut end = byte.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The text of a span; empty if the span is not inside the text.
    pub fn slice(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let source = SourceText::new("a.sql", "é€x\nyz");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(5), (1, 3)); // x, after two characters of 2 and 3 bytes
        assert_eq!(source.line_column(4), (1, 2)); // inside €
        assert_eq!(source.line_column(7), (2, 1));
        assert_eq!(source.line_column(99), (2, 3));
    }

    #[test]
    fn order_is_by_place_and_the_placeless_come_last() {
        let at = |message: &str, start| Diagnostic::error(Code(1), message).at(start..start + 1);
        let mut all = vec![Diagnostic::error(Code(1), "none"), at("b", 5), at("a", 2)];
        sort(&mut all);
        let messages: Vec<_> = all.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(messages, ["a", "b", "none"]);
    }
}
