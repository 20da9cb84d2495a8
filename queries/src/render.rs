//! Diagnostics as text for people, and as JSON for tools.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity, SourceText, Span};

/// Lines longer than this are cut around the place that a diagnostic is about.
const MAX_LINE_CHARS: usize = 240;

/// A diagnostic as text: its code and message, the lines it is about with the place underlined,
/// and its hint. Ends with a newline. Control characters of the SQL text do not reach the
/// terminal.
pub fn text(diagnostic: &Diagnostic, source: &SourceText, with_color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(harmless(&diagnostic.message)).id(diagnostic.code.to_string());
    let mut report = match &diagnostic.span {
        Some(span) => {
            let excerpt = Excerpt::around(source, span);
            let mut mark = AnnotationKind::Primary.span(excerpt.span);
            if let Some(label) = &diagnostic.label {
                mark = mark.label(harmless(label));
            }
            let snippet = Snippet::source(excerpt.text)
                .line_start(excerpt.line)
                .path(harmless(&source.name))
                .fold(true)
                .annotation(mark);
            vec![title.element(snippet)]
        }
        None => vec![Group::with_title(title)],
    };
    if let Some(hint) = &diagnostic.hint {
        let help = Level::HELP.message(harmless(hint));
        let last = report.pop().expect("a report has its title");
        report.push(last.element(help));
    }
    let renderer = if with_color { Renderer::styled() } else { Renderer::plain() };
    format!("{}\n", renderer.render(&report))
}

/// Several diagnostics as text, a blank line between them.
pub fn all(diagnostics: &[Diagnostic], source: &SourceText, with_color: bool) -> String {
    let texts: Vec<String> = diagnostics.iter().map(|d| text(d, source, with_color)).collect();
    texts.join("\n")
}

/// A diagnostic as one line of JSON, without the line's end. Lines and columns count from 1,
/// columns in characters; what is not known is null.
pub fn json(diagnostic: &Diagnostic, source: &SourceText) -> String {
    let start = diagnostic.span.as_ref().map(|span| source.line_column(span.start));
    let end = diagnostic.span.as_ref().map(|span| source.line_column(span.end));
    serde_json::json!({
        "code": diagnostic.code.to_string(),
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": diagnostic.message,
        "file": source.name,
        "line": start.map(|(line, _)| line),
        "column": start.map(|(_, column)| column),
        "end_line": end.map(|(line, _)| line),
        "end_column": end.map(|(_, column)| column),
        "label": diagnostic.label,
        "hint": diagnostic.hint,
    })
    .to_string()
}

/// The lines around a place.
struct Excerpt {
    text: String,
    /// Number of its first line.
    line: usize,
    /// The place, in bytes of `text`.
    span: Span,
}

impl Excerpt {
    /// Only the lines of the place are taken: a text may have a megabyte. Control characters are
    /// replaced by signs that have the same width on a screen.
    fn around(source: &SourceText, span: &Span) -> Excerpt {
        let text = source.text.as_str();
        let start = floor_boundary(text, span.start);
        let end = floor_boundary(text, span.end).max(start);
        let mut from = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let mut to = text[end..].find('\n').map_or(text.len(), |newline| end + newline);
        // A line without end, such as one made by a machine.
        let cut = |range: &str, back: bool| {
            let mut chars = range.char_indices();
            let found =
                if back { chars.nth_back(MAX_LINE_CHARS) } else { chars.nth(MAX_LINE_CHARS) };
            found.map(|(at, _)| at)
        };
        from += cut(&text[from..start], true).unwrap_or(0);
        to = cut(&text[end..to], false).map_or(to, |at| end + at);
        let before = harmless(&text[from..start]);
        let marked = harmless(&text[start..end]);
        let span = before.len()..before.len() + marked.len();
        let line = text[..from].matches('\n').count() + 1;
        Excerpt { text: before + &marked + &harmless(&text[end..to]), line, span }
    }
}

/// The start of the character that a byte is in.
fn floor_boundary(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// The text with control characters, and those that turn the direction of writing, replaced:
/// a SQL file must not be able to give orders to a terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => c,
            '\t' | '\r' => ' ',
            '\u{7f}' => '␡',
            // Unicode has a picture for each of the first 32.
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('�'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '�',
            c if c.is_control() => '�',
            c => c,
        })
        .collect()
}
