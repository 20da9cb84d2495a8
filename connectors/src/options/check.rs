//! Checks a WITH clause against the tables of options: every mistake at once, nothing opened.

use crate::TableSpec;
use crate::error::ConnectorError;
use crate::format::{self, FormatInfo};
use crate::options::job::GUARANTEE;
use crate::options::spelling::did_you_mean;
use crate::options::{OptionInfo, OptionKind};
use crate::registry::{self, ConnectorInfo};

/// Which way a table is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It is read.
    Source,
    /// It is written.
    Sink,
    /// It is declared and not used: only what is wrong either way is reported.
    Unused,
}

/// A mistake in a WITH clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    /// The option that it is about; it may be one that is missing from the clause.
    pub option: String,
    /// What is wrong, names in backquotes, without a full stop.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

/// Options that every connector has.
pub const COMMON: &[OptionInfo] = &[
    OptionInfo {
        name: "connector",
        kind: OptionKind::Text,
        default: None,
        required: true,
        description: "Which connector the table uses.",
    },
    OptionInfo {
        name: "scan.watermark.emit.strategy",
        kind: OptionKind::OneOf(&["on-periodic", "on-event"]),
        default: Some("on-periodic"),
        required: false,
        description: "When watermarks are passed on: once a batch, or after every row that \
                      advances them (exact and slow, for tests).",
    },
    OptionInfo {
        name: "scan.watermark.idle-timeout",
        kind: OptionKind::Duration,
        default: Some("30 s"),
        required: false,
        description: "A split that stays silent for this long no longer holds the watermark back; \
                      `0` for never. Left out, `table.exec.source.idle-timeout` counts.",
    },
    OptionInfo {
        name: "scan.watermark.idle-advance",
        kind: OptionKind::Duration,
        default: None,
        required: false,
        description: "Once the whole table has been silent for this long, its watermark follows the \
                      clock, so that windows close without another row; off if left out.",
    },
    OptionInfo {
        name: "scan.watermark.alignment.group",
        kind: OptionKind::Text,
        default: None,
        required: false,
        description: "Splits of all tables of one group wait for each other, as far as \
                      `scan.watermark.alignment.max-drift` says.",
    },
    OptionInfo {
        name: "scan.watermark.alignment.max-drift",
        kind: OptionKind::Duration,
        default: None,
        required: false,
        description: "How far a split's event time may be ahead of the slowest of its alignment \
                      group; splits that are further are not read until the others come up.",
    },
    OptionInfo {
        name: "scan.watermark.alignment.update-interval",
        kind: OptionKind::Duration,
        default: Some("1 s"),
        required: false,
        description: "How often the splits of an alignment group are compared.",
    },
];

/// The option that names the format, for connectors whose records have one.
pub const FORMAT: OptionInfo = OptionInfo {
    name: "format",
    kind: OptionKind::Text,
    default: None,
    required: true,
    description: "Format of the records; it brings options of its own.",
};

/// Options that name a format, and what then stands before that format's options.
const FORMAT_KEYS: [(&str, &str); 3] =
    [("format", ""), ("value.format", "value."), ("key.format", "key.")];

/// Everything that is wrong with the WITH clause of `table`, without touching network or disk.
pub fn check(table: &TableSpec, direction: Direction) -> Vec<OptionError> {
    let Some(name) = table.options.get("connector") else {
        return vec![OptionError {
            option: "connector".into(),
            message: format!("table `{}` lacks the option `connector`", table.name),
            hint: Some(format!("add 'connector' = '…', one of {}", registry::names().join(", "))),
        }];
    };
    let connector = match registry::find(name) {
        Ok(connector) => connector,
        Err(error) => return vec![convert(error)],
    };
    let mut errors = Vec::new();
    errors.extend(check_direction(table, connector, direction));
    errors.extend(check_partitions(table, connector));
    let formats = check_formats(table, connector, &mut errors);
    check_known(table, connector, &formats, &mut errors);
    check_required(table, connector, &mut errors);
    if errors.is_empty() {
        // What single options cannot say: values that belong together, columns and formats.
        errors.extend((connector.check)(table, direction).err().map(convert));
        errors.extend(check_columns(table, connector, direction).err().map(convert));
    }
    errors
}

fn check_direction(
    table: &TableSpec,
    connector: &ConnectorInfo,
    direction: Direction,
) -> Option<OptionError> {
    let (verb, way) = match direction {
        Direction::Source if connector.source.is_none() => ("read", "written"),
        Direction::Sink if connector.sink.is_none() => ("written", "read"),
        _ => return None,
    };
    Some(OptionError {
        option: "connector".into(),
        message: format!(
            "table `{}` cannot be {verb}: connector `{}` can only be {way}",
            table.name, connector.name
        ),
        hint: None,
    })
}

/// Only directories have partitions that the SQL names; what shows or drops rows need not care.
fn check_partitions(table: &TableSpec, connector: &ConnectorInfo) -> Option<OptionError> {
    let fits = ["filesystem", "print", "blackhole"].contains(&connector.name);
    if table.partition_keys.is_empty() || fits {
        return None;
    }
    let hint = match connector.name {
        "kafka" => "leave it out: partitions of a topic are chosen by 'sink.partitioner'",
        _ => "leave it out; directories of `filesystem` have partitions",
    };
    Some(OptionError {
        option: "connector".into(),
        message: format!("connector `{}` has no PARTITIONED BY", connector.name),
        hint: Some(hint.to_owned()),
    })
}

/// The formats that the clause names, each with what stands before its options.
fn check_formats(
    table: &TableSpec,
    connector: &ConnectorInfo,
    errors: &mut Vec<OptionError>,
) -> Vec<(&'static str, &'static FormatInfo)> {
    let mut formats = Vec::new();
    if !connector.formatted {
        return formats;
    }
    for (key, prefix) in FORMAT_KEYS {
        let Some(name) = table.options.get(key) else { continue };
        match format::info(name) {
            Ok(info) => formats.push((prefix, info)),
            Err(error) => errors.push(OptionError { option: key.into(), ..convert(error) }),
        }
    }
    if !table.options.contains_key("format") && !table.options.contains_key("value.format") {
        errors.push(OptionError {
            option: "format".into(),
            message: format!("table `{}` lacks the option `format`", table.name),
            hint: Some("add 'format' = 'json' to its WITH clause".into()),
        });
    }
    formats
}

fn check_known(
    table: &TableSpec,
    connector: &ConnectorInfo,
    formats: &[(&'static str, &'static FormatInfo)],
    errors: &mut Vec<OptionError>,
) {
    for (key, value) in &table.options {
        match find_option(key, connector, formats) {
            None if key == GUARANTEE && value == "exactly-once" => {
                errors.push(no_guarantee(connector));
            }
            None => errors.push(unknown(key, connector, formats)),
            Some(info) => {
                if let Some((reason, hint)) = info.kind.refuse(value) {
                    let message = format!("option `{key}`: {reason}");
                    errors.push(OptionError { option: key.clone(), message, hint });
                }
            }
        }
    }
}

fn find_option(
    key: &str,
    connector: &ConnectorInfo,
    formats: &[(&'static str, &'static FormatInfo)],
) -> Option<OptionInfo> {
    let own = COMMON.iter().chain(connector.options).find(|info| info.matches(key));
    if own.is_some() {
        return own.copied();
    }
    if connector.formatted && key == FORMAT.name {
        return Some(FORMAT);
    }
    formats.iter().find_map(|(prefix, format)| {
        let key = key.strip_prefix(prefix)?;
        format.options.iter().find(|info| info.matches(key)).copied()
    })
}

fn unknown(
    key: &str,
    connector: &ConnectorInfo,
    formats: &[(&'static str, &'static FormatInfo)],
) -> OptionError {
    let mut names: Vec<String> =
        COMMON.iter().chain(connector.options).map(|info| info.name.to_owned()).collect();
    if connector.formatted {
        names.push(FORMAT.name.to_owned());
    }
    for (prefix, format) in formats {
        names.extend(format.options.iter().map(|info| format!("{prefix}{}", info.name)));
    }
    let hint = renamed(key, connector)
        .or_else(|| did_you_mean(key, names.iter().map(String::as_str)))
        .unwrap_or_else(|| format!("`millstream connectors {}` lists its options", connector.name));
    OptionError {
        option: key.to_owned(),
        message: format!("connector `{}` has no option `{key}`", connector.name),
        hint: Some(hint),
    }
}

/// The answer to exactly-once where it cannot be chosen: because it is given, or never.
fn no_guarantee(connector: &ConnectorInfo) -> OptionError {
    let name = connector.name;
    let (message, hint) = if name == crate::filesystem::INFO.name {
        (
            "a directory has no delivery guarantee to choose".to_owned(),
            "leave the option out: a job with epochs writes files exactly once in any case",
        )
    } else {
        (
            format!("`{name}` cannot be written exactly once"),
            "leave the option out: rows are written when they come, and some again after a \
             failure; or write to `kafka` or `filesystem`, which can",
        )
    };
    OptionError { option: GUARANTEE.to_owned(), message, hint: Some(hint.to_owned()) }
}

/// What users of other engines mean by this name.
fn renamed(key: &str, connector: &ConnectorInfo) -> Option<String> {
    if connector.name != crate::kafka::INFO.name {
        return None;
    }
    crate::kafka::other_name(key).map(|name| format!("here it is `{name}`"))
}

fn check_required(table: &TableSpec, connector: &ConnectorInfo, errors: &mut Vec<OptionError>) {
    for info in connector.options.iter().filter(|info| info.required && info.name != FORMAT.name) {
        if !table.options.keys().any(|key| info.matches(key)) {
            errors.push(OptionError {
                option: info.name.into(),
                message: format!("table `{}` lacks the option `{}`", table.name, info.name),
                hint: Some(format!("add '{}' = '…' to its WITH clause", info.name)),
            });
        }
    }
}

/// Whether the format can carry the columns, and the connector has the metadata keys.
fn check_columns(
    table: &TableSpec,
    connector: &ConnectorInfo,
    direction: Direction,
) -> crate::error::Result<()> {
    let keys: Vec<_> = (connector.metadata)().into_iter().map(|(key, ..)| key).collect();
    for (column, key) in &table.metadata {
        if !keys.contains(&key.as_str()) {
            let column = table.schema.field(*column).name();
            return Err(ConnectorError::Options {
                message: format!(
                    "column `{column}`: connector `{}` has no metadata `{key}`",
                    connector.name
                ),
                option: Some("connector".into()),
                hint: did_you_mean(key, keys.iter().copied())
                    .or_else(|| (!keys.is_empty()).then(|| format!("it has {}", keys.join(", ")))),
            });
        }
    }
    // Files may also be of a format that has no single records; `filesystem` checks those.
    if connector.formatted && format::framing(table)? != format::Framing::WholeFile {
        match direction {
            Direction::Source => drop(format::for_table_decoder(table)?),
            Direction::Sink => drop(format::for_table_encoder(table)?),
            Direction::Unused => {}
        }
    }
    Ok(())
}

fn convert(error: ConnectorError) -> OptionError {
    match error {
        ConnectorError::Options { message, option, hint } => {
            OptionError { option: option.unwrap_or_else(|| "connector".into()), message, hint }
        }
        other => OptionError { option: "connector".into(), message: other.to_string(), hint: None },
    }
}
