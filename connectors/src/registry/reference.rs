//! The reference of connectors and formats, rendered from their tables of options: text for
//! `millstream connectors [NAME]`, Markdown for `docs/connectors/`.

use std::fmt::Write;

use arrow::datatypes::{DataType, TimeUnit};

use super::{CONNECTORS, ConnectorInfo};
use crate::format::{FORMATS, FormatInfo};
use crate::options::{COMMON, FORMAT, OptionInfo, OptionKind};

/// Width of the description column's text, so that a terminal of 100 columns shows it unbroken.
const TEXT_WIDTH: usize = 88;

/// The list of connectors and formats, a line each.
pub fn list() -> String {
    let mut out = String::from("Connectors\n");
    for connector in CONNECTORS {
        let _ =
            writeln!(out, "  {:<16}{:<14}{}", connector.name, ways(connector), connector.summary);
    }
    out.push_str("\nFormats\n");
    for format in FORMATS {
        let _ = writeln!(out, "  {:<24}{}", format.name, format.summary);
    }
    out.push_str("\n`millstream connectors NAME` shows the options of one.\n");
    out
}

/// All of a connector or format as text; `None` if there is none of this name.
pub fn describe(name: &str) -> Option<String> {
    let mut out = String::new();
    if let Some(connector) = CONNECTORS.iter().find(|connector| connector.name == name) {
        let _ = writeln!(out, "{} ({})\n", connector.name, ways(connector));
        wrap(&mut out, "  ", connector.summary);
        describe_options(&mut out, "Options", &options_of(connector));
        describe_metadata(&mut out, connector);
        if connector.formatted {
            let names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
            let _ = writeln!(out, "\nFormats\n  {}", names.join(", "));
        }
        return Some(out);
    }
    let format = FORMATS.iter().find(|format| format.name == name)?;
    let _ = writeln!(out, "{} (format)\n", format.name);
    wrap(&mut out, "  ", format.summary);
    describe_options(&mut out, "Options", format.options);
    Some(out)
}

/// All of a connector or format as a page of Markdown; `None` if there is none of this name.
pub fn markdown(name: &str) -> Option<String> {
    if let Some(connector) = CONNECTORS.iter().find(|connector| connector.name == name) {
        let mut out = format!("# Connector `{name}`\n\n{}\n\n", connector.summary);
        let _ = writeln!(out, "Use: {}.\n", ways(connector));
        markdown_options(&mut out, &options_of(connector));
        let metadata = (connector.metadata)();
        if !metadata.is_empty() {
            out.push_str("\n## Metadata columns\n\n| Key | Type | Meaning |\n|---|---|---|\n");
            for (key, kind, description) in metadata {
                let _ = writeln!(out, "| `{key}` | `{}` | {description} |", sql_type(&kind));
            }
        }
        return Some(out);
    }
    let format: &FormatInfo = FORMATS.iter().find(|format| format.name == name)?;
    let mut out = format!("# Format `{name}`\n\n{}\n\n", format.summary);
    markdown_options(&mut out, format.options);
    Some(out)
}

fn options_of(connector: &ConnectorInfo) -> Vec<OptionInfo> {
    let mut options = connector.options.to_vec();
    let lists_format = options.iter().any(|info| info.name == FORMAT.name);
    if connector.formatted && !lists_format {
        options.insert(0, FORMAT);
    }
    // Watermark options are the source's; the connector's own name needs no explanation here.
    if connector.source.is_some() {
        options.extend(COMMON.iter().filter(|info| info.name != "connector"));
    }
    options
}

fn ways(connector: &ConnectorInfo) -> &'static str {
    match (connector.source.is_some(), connector.sink.is_some()) {
        (true, true) => "source, sink",
        (true, false) => "source",
        _ => "sink",
    }
}

fn kind_name(kind: OptionKind) -> String {
    match kind {
        OptionKind::Text => "text".into(),
        OptionKind::Bool => "true | false".into(),
        OptionKind::Integer => "whole number".into(),
        OptionKind::Number => "number".into(),
        OptionKind::Duration => "duration".into(),
        OptionKind::Bytes => "size".into(),
        OptionKind::OneOf(words) => words.join(" | "),
    }
}

fn describe_options(out: &mut String, title: &str, options: &[OptionInfo]) {
    if options.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for info in options {
        let mut heading = format!("{} ({}", info.name, kind_name(info.kind));
        match (info.required, info.default) {
            (true, _) => heading.push_str("; required"),
            (false, Some("")) => heading.push_str("; default empty"),
            (false, Some(default)) => {
                let _ = write!(heading, "; default {default}");
            }
            (false, None) => {}
        }
        heading.push(')');
        wrap_hanging(out, "  ", "    ", &heading);
        wrap(out, "      ", info.description);
    }
}

fn describe_metadata(out: &mut String, connector: &ConnectorInfo) {
    let metadata = (connector.metadata)();
    if metadata.is_empty() {
        return;
    }
    out.push_str("\nMetadata columns (column TYPE METADATA FROM 'key')\n");
    for (key, kind, description) in metadata {
        let _ = writeln!(out, "  {key}  {}", sql_type(&kind));
        wrap(out, "      ", description);
    }
}

fn markdown_options(out: &mut String, options: &[OptionInfo]) {
    if options.is_empty() {
        return;
    }
    out.push_str("## Options\n\n| Option | Kind | Default | Meaning |\n|---|---|---|---|\n");
    for info in options {
        let default = match (info.required, info.default) {
            (true, _) => "required".to_owned(),
            (false, Some(default)) => format!("`{}`", default.replace('|', "\\|")),
            (false, None) => String::new(),
        };
        let kind = kind_name(info.kind).replace('|', "\\|");
        let description = info.description.replace('|', "\\|");
        let _ = writeln!(out, "| `{}` | {kind} | {default} | {description} |", info.name);
    }
}

/// The SQL name of a metadata column's type.
fn sql_type(kind: &DataType) -> String {
    match kind {
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INT".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Utf8 => "STRING".into(),
        DataType::Binary => "BYTES".into(),
        DataType::Timestamp(unit, zone) => {
            let digits = match unit {
                TimeUnit::Second => 0,
                TimeUnit::Millisecond => 3,
                TimeUnit::Microsecond => 6,
                TimeUnit::Nanosecond => 9,
            };
            format!("TIMESTAMP{}({digits})", if zone.is_some() { "_LTZ" } else { "" })
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => format!(
                "MAP<{}, {}>",
                sql_type(fields[0].data_type()),
                sql_type(fields[1].data_type())
            ),
            other => other.to_string(),
        },
        other => other.to_string(),
    }
}

/// Appends `text` in lines of at most [`TEXT_WIDTH`] characters and the indent.
fn wrap(out: &mut String, indent: &str, text: &str) {
    wrap_hanging(out, indent, indent, text);
}

fn wrap_hanging(out: &mut String, first_indent: &str, indent: &str, text: &str) {
    let mut column = 0;
    out.push_str(first_indent);
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > TEXT_WIDTH {
            out.push('\n');
            out.push_str(indent);
            column = 0;
        }
        if column > 0 {
            out.push(' ');
            column += 1;
        }
        column += width;
        out.push_str(word);
    }
    out.push('\n');
}
