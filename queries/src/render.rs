//! Diagnostics as text for people, as lines for editors, and as JSON for tools.

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::codes::lints;
use crate::diagnostic::{Diagnostic, Severity, SourceText, Span};

/// Lines longer than this are cut around the place that a diagnostic is about.
const MAX_LINE_CHARS: usize = 240;

/// A diagnostic as text: its code and message, the lines it is about with the place underlined,
/// other places, and its hint. Ends with a newline. Control characters of the SQL text do not
/// reach the terminal.
pub fn text(diagnostic: &Diagnostic, source: &SourceText, with_color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(harmless(&diagnostic.message)).id(diagnostic.code.to_string());
    let mut report = match &diagnostic.span {
        Some(span) => vec![title.elements(snippets(source, span, diagnostic))],
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

/// The lines of the places of a diagnostic, with the places underlined: together if they are near
/// to each other, else one by one.
fn snippets<'a>(
    source: &SourceText,
    span: &Span,
    diagnostic: &Diagnostic,
) -> Vec<Snippet<'a, Annotation<'a>>> {
    /// Bytes between the first and the last place that are shown together.
    const NEAR: usize = 1_000;
    let primary = (AnnotationKind::Primary, span, diagnostic.label.as_deref());
    let context = |(span, label)| (AnnotationKind::Context, span, Some(label));
    let also = diagnostic.also.iter().map(|(span, label)| context((span, label.as_str())));
    let marks: Vec<_> = std::iter::once(primary).chain(also).collect();
    let start = marks.iter().map(|(_, span, _)| span.start).min().unwrap_or(span.start);
    let end = marks.iter().map(|(_, span, _)| span.end).max().unwrap_or(span.end);
    if end - start <= NEAR {
        return vec![snippet(source, &(start..end), &marks)];
    }
    marks.iter().map(|mark| snippet(source, mark.1, std::slice::from_ref(mark))).collect()
}

/// The lines of a place, with the marks in it underlined.
fn snippet<'a>(
    source: &SourceText,
    place: &Span,
    marks: &[(AnnotationKind, &Span, Option<&str>)],
) -> Snippet<'a, Annotation<'a>> {
    let excerpt = Excerpt::around(source, place);
    let marks: Vec<Annotation<'_>> = marks
        .iter()
        .map(|(kind, span, label)| {
            let mark = kind.span(excerpt.place(source, span));
            match label {
                Some(label) => mark.label(harmless(label)),
                None => mark,
            }
        })
        .collect();
    Snippet::source(excerpt.text)
        .line_start(excerpt.line)
        .path(harmless(&source.name))
        .fold(true)
        .annotations(marks)
}

/// A diagnostic as one line, without the line's end: `file:line:column: error[M0301]: message; hint`.
pub fn short(diagnostic: &Diagnostic, source: &SourceText) -> String {
    let place = diagnostic.span.as_ref().map_or(String::new(), |span| {
        let (line, column) = source.line_column(span.start);
        format!(":{line}:{column}")
    });
    let severity = diagnostic.severity.name();
    let hint = diagnostic.hint.as_ref().map_or(String::new(), |hint| format!("; {hint}"));
    let line = format!(
        "{}{place}: {severity}[{}]: {}{hint}",
        source.name, diagnostic.code, diagnostic.message
    );
    harmless(&line).replace('\n', " ")
}

/// Several diagnostics as text, a blank line between them.
pub fn all(diagnostics: &[Diagnostic], source: &SourceText, with_color: bool) -> String {
    let texts: Vec<String> = diagnostics.iter().map(|d| text(d, source, with_color)).collect();
    texts.join("\n")
}

/// A diagnostic as one line of JSON, without the line's end; `docs/cli.md` says what is in it.
/// Lines and columns count from 1, columns in characters, bytes from 0. What is not known is null.
pub fn json(diagnostic: &Diagnostic, source: &SourceText) -> String {
    let place = |span: &Span, label: Option<&str>, is_primary: bool| {
        let (start, end) = (source.line_column(span.start), source.line_column(span.end));
        serde_json::json!({
            "line": start.0,
            "column": start.1,
            "end_line": end.0,
            "end_column": end.1,
            "start_byte": span.start,
            "end_byte": span.end,
            "label": label,
            "primary": is_primary,
        })
    };
    let label = diagnostic.label.as_deref();
    let primary = diagnostic.span.iter().map(|span| place(span, label, true));
    let also = diagnostic.also.iter().map(|(span, label)| place(span, Some(label), false));
    let start = diagnostic.span.as_ref().map(|span| source.line_column(span.start));
    serde_json::json!({
        "code": diagnostic.code.to_string(),
        "severity": diagnostic.severity.name(),
        "lint": lints::name(diagnostic.code),
        "message": diagnostic.message,
        "file": (!source.name.is_empty()).then_some(&source.name),
        "line": start.map(|(line, _)| line),
        "column": start.map(|(_, column)| column),
        "spans": primary.chain(also).collect::<Vec<_>>(),
        "hint": diagnostic.hint,
        "page": format!("docs/errors/{}.md", diagnostic.code),
    })
    .to_string()
}

/// The lines around a place.
struct Excerpt {
    /// Without signs that a terminal would obey.
    text: String,
    /// Number of its first line.
    line: usize,
    /// The first byte of it in the source text.
    from: usize,
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
        let line = text[..from].matches('\n').count() + 1;
        Excerpt { text: harmless(&text[from..to]), line, from }
    }

    /// A span of the source text in bytes of the excerpt.
    fn place(&self, source: &SourceText, span: &Span) -> Span {
        let at = |byte: usize| {
            let byte = floor_boundary(&source.text, byte).max(self.from);
            harmless(&source.text[self.from..byte]).len()
        };
        at(span.start)..at(span.end.max(span.start))
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
