//! Columns out of the parts of a record that are not its value: key and metadata.

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, Int32Builder, Int64Builder, MapBuilder, StringBuilder,
    TimestampMillisecondBuilder, UInt32Array,
};
use arrow::array::{TimestampMillisecondArray, timezone::Tz};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options, take};
use arrow::datatypes::{DataType, TimestampMillisecondType};
use arrow::error::ArrowError;
use chrono::{DateTime, Offset, TimeZone};

use super::info;
use super::native::{Record, TimestampKind};
use crate::error::{ConnectorError, DecodeError, Result};
use crate::format::Decoder;

/// Collects one metadata column.
pub(super) struct MetadataColumn {
    values: Values,
    target: DataType,
    zone: Tz,
}

enum Values {
    Topic(StringBuilder),
    Partition(Int32Builder),
    Headers(Box<MapBuilder<StringBuilder, BinaryBuilder>>),
    LeaderEpoch(Int32Builder),
    Offset(Int64Builder),
    Timestamp(TimestampMillisecondBuilder),
    TimestampType(StringBuilder),
}

impl MetadataColumn {
    /// A column of type `target` for a metadata key. `zone` is the session's, in which a
    /// TIMESTAMP column shows the time.
    ///
    /// # Errors
    /// If there is no such key, or it has no such type.
    pub(super) fn new(key: &str, target: &DataType, zone: &str) -> Result<Self> {
        check_type(key, target)?;
        let values = match key {
            "topic" => Values::Topic(StringBuilder::new()),
            "partition" => Values::Partition(Int32Builder::new()),
            "headers" => Values::Headers(Box::new(MapBuilder::new(
                None,
                StringBuilder::new(),
                BinaryBuilder::new(),
            ))),
            "leader-epoch" => Values::LeaderEpoch(Int32Builder::new()),
            "offset" => Values::Offset(Int64Builder::new()),
            "timestamp" => Values::Timestamp(TimestampMillisecondBuilder::new()),
            _ => Values::TimestampType(StringBuilder::new()),
        };
        let zone = zone.parse().map_err(|error: ArrowError| ConnectorError::Options {
            message: format!("time zone `{zone}`: {error}"),
            option: None,
            hint: None,
        })?;
        Ok(MetadataColumn { values, target: target.clone(), zone })
    }

    /// Adds the record's value `rows` times.
    pub(super) fn push(&mut self, record: &Record<'_>, rows: usize) {
        for _ in 0..rows {
            match &mut self.values {
                Values::Topic(builder) => builder.append_value(record.topic()),
                Values::Partition(builder) => builder.append_value(record.partition()),
                Values::Headers(builder) => push_headers(builder, record),
                Values::LeaderEpoch(builder) => builder.append_option(record.leader_epoch()),
                Values::Offset(builder) => builder.append_value(record.offset()),
                Values::Timestamp(builder) => {
                    let (ms, kind) = record.timestamp();
                    builder.append_option((kind != TimestampKind::None).then_some(ms));
                }
                Values::TimestampType(builder) => {
                    builder.append_value(match record.timestamp().1 {
                        TimestampKind::None => "NoTimestampType",
                        TimestampKind::CreateTime => "CreateTime",
                        TimestampKind::LogAppendTime => "LogAppendTime",
                    });
                }
            }
        }
    }

    /// Takes the column.
    pub(super) fn finish(&mut self) -> std::result::Result<ArrayRef, ArrowError> {
        let array: ArrayRef = match &mut self.values {
            Values::Topic(builder) | Values::TimestampType(builder) => {
                std::sync::Arc::new(builder.finish())
            }
            Values::Partition(builder) | Values::LeaderEpoch(builder) => {
                std::sync::Arc::new(builder.finish())
            }
            Values::Headers(builder) => std::sync::Arc::new(builder.finish()),
            Values::Offset(builder) => std::sync::Arc::new(builder.finish()),
            Values::Timestamp(builder) => {
                let times = builder.finish();
                match &self.target {
                    // TIMESTAMP shows the wall clock of the session's zone.
                    DataType::Timestamp(_, None) => std::sync::Arc::new(to_wall(&times, self.zone)),
                    DataType::Timestamp(_, Some(zone)) => {
                        std::sync::Arc::new(times.with_timezone(zone.clone()))
                    }
                    _ => std::sync::Arc::new(times),
                }
            }
        };
        if array.data_type() == &self.target {
            return Ok(array);
        }
        let strict = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(&array, &self.target, &strict)
    }
}

/// Whether a metadata key can be a column of this type.
pub(super) fn check_type(key: &str, target: &DataType) -> Result<()> {
    let all = info::metadata();
    let Some((_, natural, _)) = all.iter().find(|(known, ..)| *known == key) else {
        let hint = crate::options::did_you_mean(key, all.iter().map(|(known, ..)| *known));
        let message = format!("connector `kafka` has no metadata `{key}`");
        return Err(ConnectorError::Options { message, option: None, hint });
    };
    let fits = match (natural, target) {
        (DataType::Timestamp(..), DataType::Timestamp(..)) => true,
        (DataType::Map(..), DataType::Map(..)) => can_cast_types(natural, target),
        (DataType::Map(..) | DataType::Timestamp(..), _) => false,
        _ => can_cast_types(natural, target),
    };
    if fits {
        return Ok(());
    }
    let hint = match key {
        "timestamp" => Some("declare it as TIMESTAMP_LTZ(3)".to_owned()),
        "headers" => Some("declare it as MAP<STRING, BYTES>".to_owned()),
        _ => None,
    };
    let message = format!("metadata `{key}` cannot be a column of type {target}");
    Err(ConnectorError::Options { message, option: None, hint })
}

fn push_headers(builder: &mut MapBuilder<StringBuilder, BinaryBuilder>, record: &Record<'_>) {
    record.for_each_header(|name, value| {
        // Names are UTF-8 by the protocol; one that is not shows as what can be read of it.
        builder.keys().append_value(String::from_utf8_lossy(name));
        builder.values().append_option(value);
    });
    builder.append(true).expect("a key and a value were added each time");
}

/// The wall clock in `zone` at these moments, as if it were UTC.
fn to_wall(times: &TimestampMillisecondArray, zone: Tz) -> TimestampMillisecondArray {
    times.unary::<_, TimestampMillisecondType>(|ms| match DateTime::from_timestamp_millis(ms) {
        None => ms,
        Some(time) => {
            let offset = zone.offset_from_utc_datetime(&time.naive_utc()).fix();
            ms + i64::from(offset.local_minus_utc()) * 1000
        }
    })
}

/// Decodes keys beside their values: a record may lack a key, or its value be several rows.
pub(super) struct KeyColumns {
    decoder: Box<dyn Decoder>,
    /// For each row, the row of the decoder that its key became.
    rows: Vec<Option<u32>>,
}

impl KeyColumns {
    /// Keys as `decoder` reads them.
    pub(super) fn new(decoder: Box<dyn Decoder>) -> Self {
        KeyColumns { decoder, rows: Vec::new() }
    }

    /// Adds a record's key `rows` times; null columns if there is none.
    pub(super) fn push(
        &mut self,
        key: Option<&[u8]>,
        rows: usize,
    ) -> std::result::Result<(), DecodeError> {
        let before = self.decoder.rows();
        let added = key.map_or(Ok(0), |key| self.decoder.decode(key))?;
        let row = (added > 0).then(|| u32::try_from(before).expect("a batch has few rows"));
        self.rows.extend(std::iter::repeat_n(row, rows));
        Ok(())
    }

    /// Bad keys that were left null, as the format's options allow.
    pub(super) fn take_skipped(&mut self) -> u64 {
        self.decoder.take_skipped()
    }

    /// Takes the columns of the key.
    pub(super) fn finish(&mut self) -> std::result::Result<Vec<ArrayRef>, DecodeError> {
        let keys = self.decoder.finish()?.rows;
        let rows = std::mem::take(&mut self.rows);
        let in_line = rows.len() == keys.num_rows()
            && rows.iter().enumerate().all(|(at, row)| row.is_some_and(|row| row as usize == at));
        if in_line {
            return Ok(keys.columns().to_vec());
        }
        let rows = UInt32Array::from(rows);
        let taken = keys.columns().iter().map(|column| take(column, &rows, None));
        taken.collect::<std::result::Result<_, _>>().map_err(|e| DecodeError::new(e.to_string()))
    }
}
