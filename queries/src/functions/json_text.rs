//! Values as JSON, the way that Flink's JSON functions write them: members in the order of their names.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use datafusion_common::{Result, exec_err};
use serde_json::Value;

use super::shown::{double_text, float_text};
use super::time::WallClock;

/// Appends a text in quotes.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{C}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Appends the value of a row.
///
/// # Errors
/// If values of its type have no form in JSON.
pub(super) fn write(array: &ArrayRef, row: usize, out: &mut String) -> Result<()> {
    if array.is_null(row) || array.data_type().is_null() {
        out.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::Utf8 => quote(array.as_string::<i32>().value(row), out),
        DataType::Boolean => out.push_str(&array.as_boolean().value(row).to_string()),
        DataType::Float64 => {
            number(&double_text(array.as_primitive::<Float64Type>().value(row)), out)
        }
        DataType::Float32 => {
            number(&float_text(array.as_primitive::<Float32Type>().value(row)), out)
        }
        DataType::Binary => quote(&BASE64.encode(array.as_binary::<i32>().value(row)), out),
        DataType::Timestamp(_, zone) => {
            let clock = WallClock::utc(&array.slice(row, 1))?;
            let time = clock.get(0).map(|time| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string());
            let z = if zone.is_some() { "Z" } else { "" };
            quote(&(time.unwrap_or_default() + z), out);
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let values = list.value(row);
            out.push('[');
            for element in 0..values.len() {
                if element > 0 {
                    out.push(',');
                }
                write(&values, element, out)?;
            }
            out.push(']');
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let entries = map.value(row);
            let (keys, values) = (super::shown::texts(entries.column(0))?, entries.column(1));
            let keys = keys.as_string::<i32>();
            let mut members = Vec::new();
            for entry in 0..entries.len() {
                members.push((keys.value(entry).to_owned(), fragment(values, entry)?));
            }
            object(members, out);
        }
        DataType::Struct(fields) => {
            let mut members = Vec::new();
            for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                members.push((field.name().clone(), fragment(column, row)?));
            }
            object(members, out);
        }
        DataType::Date32 | DataType::Time32(_) => quote(&shown(array, row)?, out),
        kind if kind.is_numeric() => out.push_str(&shown(array, row)?),
        other => return exec_err!("{other} has no form in JSON"),
    }
    Ok(())
}

fn shown(array: &ArrayRef, row: usize) -> Result<String> {
    let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())?;
    Ok(formatter.value(row).to_string())
}

/// JSON has no numbers that are none.
fn number(text: &str, out: &mut String) {
    if text.ends_with(|c: char| c.is_ascii_digit()) { out.push_str(text) } else { quote(text, out) }
}

/// The value of a row as JSON.
///
/// # Errors
/// As [`write`].
pub(super) fn fragment(array: &ArrayRef, row: usize) -> Result<String> {
    let mut out = String::new();
    write(array, row, &mut out)?;
    Ok(out)
}

/// Appends an object of members that are JSON already, in the order of their names; of several of a
/// name the last counts.
pub(super) fn object(members: Vec<(String, String)>, out: &mut String) {
    let sorted: std::collections::BTreeMap<String, String> = members.into_iter().collect();
    out.push('{');
    for (place, (name, value)) in sorted.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        quote(name, out);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
}

/// JSON that was read, as Jackson would write it.
pub(super) fn rewritten(value: &Value) -> String {
    let mut out = String::new();
    append(value, &mut out);
    out
}

fn append(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => quote(text, out),
        Value::Array(elements) => {
            out.push('[');
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                append(element, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (place, (name, member)) in members.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                quote(name, out);
                out.push(':');
                append(member, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar_text(scalar)),
    }
}

/// A scalar as text, without quotes.
pub(super) fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(double) if number.is_f64() => double_text(double),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}
