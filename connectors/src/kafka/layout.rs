//! Which column of a table lies where in a Kafka record: value, key or metadata.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use super::info::OPTIONS;
use super::options::split_list;
use crate::TableSpec;
use crate::error::Result;
use crate::format::{self, Columns, Decoder, Encoder};
use crate::options::Options;

/// Where a column of the table's schema comes from or goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Column of the value, by its index among the value's wanted columns.
    Value(usize),
    /// Column of the key, by its index among the key's wanted columns.
    Key(usize),
    /// Metadata, by its key.
    Metadata(String),
}

/// Which column lies where.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The table's columns.
    pub(super) schema: SchemaRef,
    /// Place of each of them.
    pub(super) places: Vec<Place>,
    /// Columns of the value.
    pub(super) value: Columns,
    /// Columns of the key, if any column is in the key only, or the table is written with keys.
    pub(super) key: Option<Columns>,
    /// Option that names the value's format, for hints: `format` or `value.format`.
    value_prefix: &'static str,
    value_format: String,
    key_format: String,
}

impl Layout {
    /// How a table is read: a key column that is in the value too is taken from there.
    pub(super) fn of_source(table: &TableSpec) -> Result<Layout> {
        Layout::new(table, false)
    }

    /// How a table is written: key columns go to the key, and perhaps to the value too.
    pub(super) fn of_sink(table: &TableSpec) -> Result<Layout> {
        Layout::new(table, true)
    }

    fn new(table: &TableSpec, write: bool) -> Result<Layout> {
        let options = Options::of(table, OPTIONS);
        let keys = KeyFields::new(table, &options)?;
        let mut value_fields = Vec::new();
        let mut key_fields: Vec<FieldRef> = Vec::new();
        let mut places = Vec::new();
        for (index, field) in table.schema.fields().iter().enumerate() {
            if let Some(key) = table.metadata.get(&index) {
                places.push(Place::Metadata(key.clone()));
            } else if keys.only_in_key(field.name()) {
                places.push(Place::Key(key_fields.len()));
                key_fields.push(keys.unprefixed(field));
            } else {
                places.push(Place::Value(value_fields.len()));
                value_fields.push(field.clone());
            }
        }
        let wanted_key = if write { keys.declared(&table.schema) } else { key_fields };
        let is_value = |field: &&FieldRef| !keys.only_in_key(field.name());
        let declared_value: Vec<_> =
            table.declared.fields().iter().filter(is_value).cloned().collect();
        let key = (!wanted_key.is_empty()).then(|| Columns {
            wanted: Arc::new(Schema::new(wanted_key)),
            declared: Arc::new(Schema::new(keys.declared(&table.declared))),
        });
        let prefixed = options.is_set("value.format");
        let value_format = table.options.get(if prefixed { "value.format" } else { "format" });
        Ok(Layout {
            schema: table.schema.clone(),
            places,
            value: Columns {
                wanted: Arc::new(Schema::new(value_fields)),
                declared: Arc::new(Schema::new(declared_value)),
            },
            key,
            value_prefix: if prefixed { "value." } else { "" },
            value_format: value_format.cloned().unwrap_or_default(),
            key_format: options.text("key.format").unwrap_or_default().to_owned(),
        })
    }

    /// A decoder for values.
    pub(super) fn value_decoder(&self, table: &TableSpec) -> Result<Box<dyn Decoder>> {
        format::decoder_named(&self.value_format, self.value_prefix, &table.options, &self.value)
    }

    /// A decoder for keys, if a column needs it.
    pub(super) fn key_decoder(&self, table: &TableSpec) -> Result<Option<Box<dyn Decoder>>> {
        let Some(columns) = &self.key else { return Ok(None) };
        format::decoder_named(&self.key_format, "key.", &table.options, columns).map(Some)
    }

    /// An encoder for values.
    pub(super) fn value_encoder(&self, table: &TableSpec) -> Result<Box<dyn Encoder>> {
        format::encoder_named(&self.value_format, self.value_prefix, &table.options, &self.value)
    }

    /// An encoder for keys, if the table has key fields.
    pub(super) fn key_encoder(&self, table: &TableSpec) -> Result<Option<Box<dyn Encoder>>> {
        let Some(columns) = &self.key else { return Ok(None) };
        format::encoder_named(&self.key_format, "key.", &table.options, columns).map(Some)
    }

    /// Indexes into the table's schema of the columns of the value.
    pub(super) fn value_indexes(&self) -> Vec<usize> {
        let value = |place: &Place| matches!(place, Place::Value(_));
        (0..self.places.len()).filter(|index| value(&self.places[*index])).collect()
    }

    /// Index into the table's schema of the column with this metadata key.
    pub(super) fn metadata_index(&self, key: &str) -> Option<usize> {
        self.places.iter().position(|place| matches!(place, Place::Metadata(name) if name == key))
    }

    /// What to do about a value that is not what the table says.
    pub(super) fn hint_for_bad_value(&self) -> Option<String> {
        let skips = matches!(self.value_format.as_str(), "json" | "csv");
        skips.then(|| {
            let option = format!("{}{}.ignore-parse-errors", self.value_prefix, self.value_format);
            format!("set '{option}' = 'true' to leave such records out and count them")
        })
    }

    /// True if the value says of what kind its row is.
    pub(super) fn carries_kinds(&self) -> bool {
        self.value_format == "changelog-json"
    }

    /// True if a null in the only column of a value or key means that there is none.
    pub(super) fn is_raw(&self, key: bool) -> bool {
        (if key { &self.key_format } else { &self.value_format }) == "raw"
    }
}

/// `key.fields` and the options about them.
struct KeyFields {
    /// Names as in the table, in the order of the key.
    names: Vec<String>,
    prefix: String,
    except_key: bool,
}

impl KeyFields {
    fn new(table: &TableSpec, options: &Options<'_>) -> Result<Self> {
        let names = split_list(options.text("key.fields").unwrap_or_default());
        let prefix = options.text("key.fields-prefix").unwrap_or_default().to_owned();
        let except_key = options.one_of("value.fields-include")? == Some("EXCEPT_KEY");
        if names.is_empty() == options.is_set("key.format") {
            let (given, missing) = if names.is_empty() {
                ("key.format", "key.fields")
            } else {
                ("key.fields", "key.format")
            };
            let hint = Some(format!("add '{missing}' = '…' to its WITH clause"));
            return Err(options.error(given, format!("needs the option `{missing}`"), hint));
        }
        if !prefix.is_empty() && !except_key {
            let hint = Some("set 'value.fields-include' = 'EXCEPT_KEY'".to_owned());
            let reason = "needs the key columns to be in the key only".to_owned();
            return Err(options.error("key.fields-prefix", reason, hint));
        }
        for name in &names {
            if table.declared.index_of(name).is_err() {
                let columns = table.declared.fields().iter().map(|field| field.name().as_str());
                let hint = crate::options::did_you_mean(name, columns);
                let reason = format!("table `{}` has no column `{name}`", table.name);
                return Err(options.error("key.fields", reason, hint));
            }
            if !name.starts_with(&prefix) {
                let reason = format!("`{name}` does not start with the prefix `{prefix}`");
                return Err(options.error("key.fields", reason, None));
            }
        }
        Ok(KeyFields { names, prefix, except_key })
    }

    fn only_in_key(&self, column: &str) -> bool {
        self.except_key && self.names.iter().any(|name| name == column)
    }

    /// The field as the key's format calls it.
    fn unprefixed(&self, field: &FieldRef) -> FieldRef {
        match field.name().strip_prefix(&self.prefix) {
            Some(name) if !self.prefix.is_empty() => {
                Arc::new(field.as_ref().clone().with_name(name))
            }
            _ => field.clone(),
        }
    }

    /// The key's fields that `schema` has, in the order of the key.
    fn declared(&self, schema: &Schema) -> Vec<FieldRef> {
        let fields = self.names.iter().filter_map(|name| {
            let index = schema.index_of(name).ok()?;
            Some(self.unprefixed(&schema.fields()[index]))
        });
        fields.collect()
    }
}

/// Indexes into `schema` of the columns that a table's key is written from.
pub(super) fn key_indexes(table: &TableSpec) -> Vec<usize> {
    let names = table.options.get("key.fields").map(|names| split_list(names)).unwrap_or_default();
    names.iter().filter_map(|name| table.schema.index_of(name).ok()).collect()
}

/// The columns `indexes` of `rows`, under the names of `schema`.
pub(super) fn project(rows: &RecordBatch, indexes: &[usize], schema: &SchemaRef) -> RecordBatch {
    let columns = indexes.iter().map(|index| rows.column(*index).clone()).collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options)
        .expect("the sink was planned with these columns")
}
