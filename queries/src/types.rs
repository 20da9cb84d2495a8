//! Types: Flink's names for them, and the Arrow types that their values are kept in.
//!
//! The grammar of type names is in `parse/data_type.rs`; here is what the names mean.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use datafusion_sql::sqlparser::ast;

use crate::diagnostic::Diagnostic;
use crate::parse::type_from_text;
use crate::statement::SqlType;

/// The zone that TIMESTAMP_LTZ is declared with until the planner puts the session's in.
pub const UNRESOLVED_ZONE: &str = "UTC";

/// The type that a type in the AST means: of a CAST, or of a literal such as `DATE '…'`.
///
/// # Errors
/// If the type is unknown or not supported; the diagnostic has no span, the caller knows the place.
pub fn from_ast(data_type: &ast::DataType) -> Result<SqlType, Box<Diagnostic>> {
    type_from_text(&data_type.to_string())
        .map_err(|diagnostic| Box::new(Diagnostic { span: None, ..*diagnostic }))
}

/// The same type with every TIMESTAMP_LTZ in this zone.
pub fn in_zone(data_type: &DataType, zone: &str) -> DataType {
    let field = |f: &Field| Arc::new(f.clone().with_data_type(in_zone(f.data_type(), zone)));
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(zone.into())),
        DataType::List(element) => DataType::List(field(element)),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|f| field(f)).collect()),
        other => other.clone(),
    }
}

/// The unit that keeps timestamps of so many decimals of a second.
pub(crate) fn timestamp_unit(precision: u64) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// `ARRAY<element>`.
pub(crate) fn array(element: SqlType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element.data_type, element.nullable)))
}

/// `MAP<key, value>`; keys are never null, as Arrow wants it.
pub(crate) fn map(key: SqlType, value: SqlType) -> DataType {
    let fields = Fields::from(vec![
        Field::new("key", key.data_type, false),
        Field::new("value", value.data_type, value.nullable),
    ]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

/// `ROW<name type, …>`.
pub(crate) fn row(fields: Vec<(String, SqlType)>) -> DataType {
    let field = |(name, ty): (String, SqlType)| Field::new(name, ty.data_type, ty.nullable);
    DataType::Struct(fields.into_iter().map(field).collect())
}

/// Flink's name of a type, for messages and DESCRIBE: `DECIMAL(10, 2)`, `ROW<a INT NOT NULL>`.
/// Types that Flink does not have are shown by Arrow's name.
pub fn flink_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "STRING".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BYTES".to_owned(),
        DataType::FixedSizeBinary(length) => format!("BINARY({length})"),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INT".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Float32 => "FLOAT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        DataType::Date32 | DataType::Date64 => "DATE".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "TIME".to_owned(),
        DataType::Timestamp(unit, None) => format!("TIMESTAMP({})", precision(unit)),
        DataType::Timestamp(unit, Some(_)) => format!("TIMESTAMP_LTZ({})", precision(unit)),
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".to_owned(),
        DataType::Null => "NULL".to_owned(),
        DataType::Dictionary(_, value) => flink_name(value),
        DataType::List(element) | DataType::LargeList(element) => {
            format!("ARRAY<{}>", field_type(element))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("MAP<{}, {}>", flink_name(fields[0].data_type()), field_type(&fields[1]))
            }
            _ => format!("{data_type}"),
        },
        DataType::Struct(fields) => {
            let name = |f: &Arc<Field>| format!("{} {}", quote_if_needed(f.name()), field_type(f));
            format!("ROW<{}>", fields.iter().map(name).collect::<Vec<_>>().join(", "))
        }
        other => format!("{other}"),
    }
}

/// Flink's name of a field's type, with NOT NULL if it says so.
pub fn field_type(field: &Field) -> String {
    let name = flink_name(field.data_type());
    if field.is_nullable() { name } else { format!("{name} NOT NULL") }
}

/// Decimals of a second that a unit keeps.
fn precision(unit: &TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

/// The name in backquotes unless it is a plain word.
fn quote_if_needed(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(plain) && !name.starts_with(|c: char| c.is_numeric()) {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}

/// What a type of another SQL dialect is called in Flink SQL.
pub(crate) fn flink_spelling(foreign: &str) -> Option<&'static str> {
    Some(match foreign {
        "NVARCHAR" | "VARCHAR2" | "CLOB" | "UUID" | "JSON" | "JSONB" | "CITEXT" | "LONGTEXT" => {
            "STRING"
        }
        "INT1" => "TINYINT",
        "INT16" | "SMALLSERIAL" => "SMALLINT",
        "INT32" | "SERIAL" | "MEDIUMINT" => "INT",
        "INT64" | "LONG" | "BIGSERIAL" => "BIGINT",
        "FLOAT32" => "FLOAT",
        "FLOAT64" => "DOUBLE",
        "NUMBER" | "MONEY" | "BIGNUMERIC" => "DECIMAL(p, s)",
        "BIT" => "BOOLEAN",
        "BLOB" => "BYTES",
        "DATETIME" | "DATETIME2" | "TIMESTAMP_NTZ" | "TIMESTAMP_MS" => "TIMESTAMP(3)",
        "TIMESTAMP_TZ" | "INSTANT" => "TIMESTAMP_LTZ(3)",
        "LIST" => "ARRAY<element>",
        "STRUCT" | "RECORD" | "TUPLE" | "OBJECT" => "ROW<name type, …>",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_to_arrow_and_back() {
        for name in [
            "STRING",
            "BYTES",
            "BOOLEAN",
            "TINYINT",
            "SMALLINT",
            "INT",
            "BIGINT",
            "FLOAT",
            "DOUBLE",
            "DECIMAL(10, 2)",
            "DATE",
            "TIME",
            "TIMESTAMP(3)",
            "TIMESTAMP(6)",
            "TIMESTAMP(9)",
            "TIMESTAMP_LTZ(3)",
            "ARRAY<ARRAY<INT NOT NULL>>",
            "MAP<STRING, ROW<a INT, `b c` STRING NOT NULL>>",
        ] {
            let parsed = type_from_text(name).expect(name);
            assert_eq!(flink_name(&parsed.data_type), name);
            assert!(parsed.nullable);
        }
    }

    #[test]
    fn spellings_and_defaults() {
        for (written, name) in [
            ("varchar(20)", "STRING"),
            ("CHAR", "STRING"),
            ("Integer", "INT"),
            ("DEC", "DECIMAL(10, 0)"),
            ("NUMERIC(5)", "DECIMAL(5, 0)"),
            ("DOUBLE PRECISION", "DOUBLE"),
            ("TIMESTAMP", "TIMESTAMP(6)"),
            ("TIMESTAMP(0) WITHOUT TIME ZONE", "TIMESTAMP(3)"),
            ("TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"),
            ("TIMESTAMP_LTZ", "TIMESTAMP_LTZ(6)"),
            ("VARBINARY(10)", "BYTES"),
            ("ROW(a INT, b ARRAY<ROW<c INT>>)", "ROW<a INT, b ARRAY<ROW<c INT>>>"),
            ("INT ARRAY", "ARRAY<INT>"),
            ("ROW<a ROW<b INT>> ARRAY", "ARRAY<ROW<a ROW<b INT>>>"),
            ("ARRAY<ROW<a ROW<b INT>> NOT NULL>", "ARRAY<ROW<a ROW<b INT>> NOT NULL>"),
            ("int4", "INT"),
            ("INT2", "SMALLINT"),
            ("int8", "BIGINT"),
            ("float4", "FLOAT"),
            ("float8", "DOUBLE"),
            ("TEXT[] NOT NULL", "ARRAY<STRING>"),
            ("int[][]", "ARRAY<ARRAY<INT>>"),
            ("bool", "BOOLEAN"),
            ("bytea", "BYTES"),
            ("timestamptz(3)", "TIMESTAMP_LTZ(3)"),
            ("ROW<a INT NOT NULL 'first', b STRING>", "ROW<a INT NOT NULL, b STRING>"),
        ] {
            assert_eq!(flink_name(&type_from_text(written).expect(written).data_type), name);
        }
        assert!(!type_from_text("INT NOT NULL").expect("a type").nullable);
    }

    #[test]
    fn the_zone_is_put_into_nested_types() {
        let nested = type_from_text("ROW<a ARRAY<TIMESTAMP_LTZ(3)>>").expect("a type").data_type;
        let moved = format!("{}", in_zone(&nested, "Asia/Shanghai"));
        assert!(moved.contains("Asia/Shanghai") && !moved.contains("UTC"), "{moved}");
    }
}
