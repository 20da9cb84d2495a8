//! Aggregates that keep values: FIRST_VALUE, LISTAGG, COLLECT, ARRAY_AGG and their like.
//!
//! Their partial states are lists of what they keep, so that they merge, cross exchanges and are
//! stored like all others. Where an order shows (LISTAGG, ARRAY_AGG, FIRST_VALUE), it is the one in
//! which rows and partials came; what has no order (COLLECT, JSON_OBJECTAGG) is sorted.
//!
//! | function | state |
//! |---|---|
//! | FIRST_VALUE, LAST_VALUE | the value |
//! | LISTAGG | the text so far |
//! | ARRAY_AGG | the values |
//! | COLLECT | the values and how often each came |
//! | JSON_ARRAYAGG | the values as JSON |
//! | JSON_OBJECTAGG | keys, and values as JSON |

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::expr::AggregateFunctionParams;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use datafusion_physical_expr::expressions::Literal;

use super::index::{Body, functions};
use super::json_text::{fragment, object, quote};
use super::map::{build, map_type};
use super::rows::check_count;
use crate::types::flink_name;

functions! { FUNCTIONS, Aggregate:
    "FIRST_VALUE", "FIRST_VALUE(x) → type of x", "The first value that is not NULL, in the order of arrival.",
        "FIRST_VALUE(n)", "3", Body::Aggregate(|name| collected(name, Kind::First));
    "LAST_VALUE", "LAST_VALUE(x) → type of x", "The last value that is not NULL, in the order of arrival.",
        "LAST_VALUE(x)", "2.5", Body::Aggregate(|name| collected(name, Kind::Last));
    "LISTAGG", "LISTAGG([DISTINCT] s[, separator]) → STRING", "The texts with the separator, a comma if none is given, between them, in the order of arrival.",
        "LISTAGG(DISTINCT name, '+')", "ada+bob", Body::Aggregate(|name| collected(name, Kind::Text));
    "COLLECT", "COLLECT(x) → MULTISET, as MAP<x, INT>", "How often each value came, NULLs left out.",
        "COLLECT(name)", "{\"ada\":2,\"bob\":1}", Body::Aggregate(|name| collected(name, Kind::Multiset));
    "ARRAY_AGG", "ARRAY_AGG([DISTINCT] x [RESPECT NULLS | IGNORE NULLS]) → ARRAY", "The values in the order of arrival.",
        "ARRAY_AGG(x IGNORE NULLS)", "[1.5,2.5]", Body::Aggregate(|name| collected(name, Kind::Array));
    "JSON_ARRAYAGG", "JSON_ARRAYAGG(x [{NULL | ABSENT} ON NULL]) → STRING", "The values as an array of JSON, in the order of arrival; without its NULLs, if nothing is said.",
        "JSON_ARRAYAGG(x)", "[1.5,2.5]", Body::Aggregate(|name| collected(name, Kind::JsonArray));
    "JSON_OBJECTAGG", "JSON_OBJECTAGG([KEY] k VALUE v [{NULL | ABSENT} ON NULL]) → STRING", "The pairs as an object of JSON, in the order of their keys. A key that comes twice fails the job.",
        "JSON_OBJECTAGG(KEY CAST(n AS STRING) VALUE name)", "{\"1\":\"bob\",\"3\":\"ada\",\"4\":\"ada\"}", Body::Aggregate(|name| collected(name, Kind::JsonObject));
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    First,
    Last,
    Text,
    Multiset,
    Array,
    /// ARRAY_AGG(… IGNORE NULLS).
    ArrayOfValues,
    JsonArray,
    JsonObject,
}

/// An aggregate of kept values.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Collected {
    name: String,
    kind: Kind,
    signature: Signature,
}

fn collected(name: &str, kind: Kind) -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    AggregateUDF::from(Collected { name: name.to_lowercase(), kind, signature })
}

/// The function that IGNORE NULLS makes of this one.
pub(super) fn ignoring_nulls(function: &Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    let inner: &dyn std::any::Any = function.inner().as_ref();
    match inner.downcast_ref::<Collected>() {
        Some(Collected { kind: Kind::Array, name, .. }) => {
            Arc::new(collected(name, Kind::ArrayOfValues))
        }
        _ => Arc::clone(function),
    }
}

impl Kind {
    fn result(self, value: &DataType) -> DataType {
        match self {
            Kind::First | Kind::Last => value.clone(),
            Kind::Text | Kind::JsonArray | Kind::JsonObject => DataType::Utf8,
            Kind::Multiset => map_type(value.clone(), DataType::Int32),
            Kind::Array | Kind::ArrayOfValues => DataType::new_list(value.clone(), true),
        }
    }
}

impl AggregateUDFImpl for Collected {
    fn name(&self) -> &str {
        &self.name
    }

    /// As it was written, for EXPLAIN and state.
    fn schema_name(&self, params: &AggregateFunctionParams) -> Result<String> {
        super::aggregate::call_name(&self.name, params)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.kind == Kind::Array
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.name.to_uppercase();
        // The JSON functions have their clauses as a last argument.
        let (least, most) = match self.kind {
            Kind::Text | Kind::JsonArray => (1, 2),
            Kind::JsonObject => (3, 3),
            _ => (1, 1),
        };
        check_count(&name, arguments.len(), least, most)?;
        let wants_text = matches!(self.kind, Kind::Text | Kind::JsonObject);
        if wants_text && !matches!(arguments[0], DataType::Utf8 | DataType::Null) {
            return plan_err!("{name} wants text, not {}", flink_name(&arguments[0]));
        }
        if self.kind == Kind::Text && arguments.get(1).is_some_and(|other| *other != DataType::Utf8)
        {
            return plan_err!("{name} wants text as separator, not {}", flink_name(&arguments[1]));
        }
        Ok(arguments.to_vec())
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(self.kind.result(&arguments[0]))
    }

    fn is_nullable(&self) -> bool {
        !matches!(self.kind, Kind::Multiset | Kind::JsonArray | Kind::JsonObject)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let value = args.input_fields[0].data_type().clone();
        let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
        let texts = || DataType::new_list(DataType::Utf8, true);
        Ok(match self.kind {
            Kind::First | Kind::Last => vec![field("value", value)],
            Kind::Text => vec![field("text", DataType::Utf8)],
            Kind::Array | Kind::ArrayOfValues => {
                vec![field("values", DataType::new_list(value, true))]
            }
            Kind::Multiset => vec![
                field("values", DataType::new_list(value, true)),
                field("counts", DataType::new_list(DataType::Int32, true)),
            ],
            Kind::JsonArray => vec![field("values", texts())],
            Kind::JsonObject => vec![field("keys", texts()), field("values", texts())],
        })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let value = args.expr_fields[0].data_type().clone();
        let literal = |place: usize| -> Result<Option<String>> {
            let Some(expr) = args.exprs.get(place) else { return Ok(None) };
            let expr: &dyn std::any::Any = expr.as_ref();
            match expr
                .downcast_ref::<Literal>()
                .map(|literal| literal.value().try_as_str().flatten())
            {
                Some(Some(text)) => Ok(Some(text.to_owned())),
                _ => plan_err!("LISTAGG wants a constant text as separator"),
            }
        };
        Ok(match self.kind {
            Kind::First | Kind::Last => Box::new(One {
                is_last: self.kind == Kind::Last,
                value: ScalarValue::try_from(&value)?,
            }),
            Kind::Text => {
                let separator = literal(1)?.unwrap_or_else(|| ",".to_owned());
                Box::new(Joined { separator, text: None })
            }
            Kind::Array | Kind::ArrayOfValues => Box::new(Values {
                data_type: value,
                keeps_nulls: self.kind == Kind::Array,
                values: Vec::new(),
            }),
            Kind::Multiset => Box::new(Multiset { data_type: value, counts: HashMap::new() }),
            Kind::JsonArray => {
                Box::new(JsonArray { clauses: Clauses::new(literal(1)?, true), values: Vec::new() })
            }
            Kind::JsonObject => Box::new(JsonObject {
                clauses: Clauses::new(literal(2)?, false),
                members: BTreeMap::new(),
            }),
        })
    }
}

/// The rows of a list column, each as an array; NULL is none.
fn lists(column: &ArrayRef) -> impl Iterator<Item = ArrayRef> {
    let list: &ListArray = column.as_list();
    (0..list.len()).filter(|row| list.is_valid(*row)).map(|row| list.value(row))
}

/// Texts as a value of a list column.
fn text_list<'a>(texts: impl Iterator<Item = &'a String>) -> ScalarValue {
    let texts: Vec<ScalarValue> = texts.map(|text| ScalarValue::from(text.as_str())).collect();
    ScalarValue::List(ScalarValue::new_list(&texts, &DataType::Utf8, true))
}

/// FIRST_VALUE and LAST_VALUE.
#[derive(Debug)]
struct One {
    is_last: bool,
    value: ScalarValue,
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if !self.is_last && !self.value.is_null() {
            return Ok(());
        }
        let mut rows = 0..values[0].len();
        let is_value = |row: &usize| values[0].is_valid(*row);
        let row = if self.is_last { rows.rfind(is_value) } else { rows.find(is_value) };
        if let Some(row) = row {
            self.value = ScalarValue::try_from_array(&values[0], row)?;
            self.value.compact();
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size()
    }
}

/// LISTAGG.
#[derive(Debug)]
struct Joined {
    separator: String,
    text: Option<String>,
}

impl Accumulator for Joined {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for text in values[0].as_string::<i32>().iter().flatten() {
            match &mut self.text {
                None => self.text = Some(text.to_owned()),
                Some(so_far) => {
                    so_far.push_str(&self.separator);
                    so_far.push_str(text);
                }
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(&states[..1])
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Utf8(self.text.clone())])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Utf8(self.text.clone()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.text.as_ref().map_or(0, String::capacity)
    }
}

/// ARRAY_AGG.
#[derive(Debug)]
struct Values {
    data_type: DataType,
    keeps_nulls: bool,
    values: Vec<ScalarValue>,
}

impl Values {
    fn add(&mut self, values: &ArrayRef) -> Result<()> {
        for row in (0..values.len()).filter(|row| self.keeps_nulls || values.is_valid(*row)) {
            let mut value = ScalarValue::try_from_array(values, row)?;
            value.compact();
            self.values.push(value);
        }
        Ok(())
    }

    fn list(&self) -> ScalarValue {
        ScalarValue::List(ScalarValue::new_list(&self.values, &self.data_type, true))
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        lists(&states[0]).try_for_each(|values| self.add(&values))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.list()])
    }

    /// NULL without values.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.values.is_empty() {
            return ScalarValue::try_from(&DataType::new_list(self.data_type.clone(), true));
        }
        Ok(self.list())
    }

    fn size(&self) -> usize {
        size_of_val(self) + ScalarValue::size_of_vec(&self.values)
    }
}

/// COLLECT.
#[derive(Debug)]
struct Multiset {
    data_type: DataType,
    counts: HashMap<ScalarValue, i32>,
}

impl Multiset {
    fn add(&mut self, values: &ArrayRef, count: impl Fn(usize) -> i32) -> Result<()> {
        for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
            let mut value = ScalarValue::try_from_array(values, row)?;
            value.compact();
            let known = self.counts.entry(value).or_insert(0);
            *known = known.wrapping_add(count(row));
        }
        Ok(())
    }

    /// Values in their order, and how often each came.
    fn sorted(&self) -> (Vec<ScalarValue>, Vec<i32>) {
        let mut entries: Vec<(&ScalarValue, &i32)> = self.counts.iter().collect();
        entries.sort_by(|(a, _), (b, _)| {
            a.partial_cmp(b).unwrap_or_else(|| a.to_string().cmp(&b.to_string()))
        });
        entries.into_iter().map(|(value, count)| (value.clone(), *count)).unzip()
    }

    fn array(&self, values: Vec<ScalarValue>) -> Result<ArrayRef> {
        if values.is_empty() {
            return Ok(arrow::array::new_empty_array(&self.data_type));
        }
        ScalarValue::iter_to_array(values)
    }
}

impl Accumulator for Multiset {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], |_| 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (values, counts) in lists(&states[0]).zip(lists(&states[1])) {
            let counts = counts.as_primitive::<Int32Type>();
            self.add(&values, |row| counts.value(row))?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (values, counts) = self.sorted();
        let counts: Vec<ScalarValue> = counts.into_iter().map(ScalarValue::from).collect();
        Ok(vec![
            ScalarValue::List(ScalarValue::new_list(&values, &self.data_type, true)),
            ScalarValue::List(ScalarValue::new_list(&counts, &DataType::Int32, true)),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (values, counts) = self.sorted();
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        let map = build(self.array(values)?, Arc::new(Int32Array::from(counts)), offsets, None)?;
        ScalarValue::try_from_array(&map, 0)
    }

    fn size(&self) -> usize {
        let entries: usize = self.counts.keys().map(ScalarValue::size).sum();
        size_of_val(self) + entries + self.counts.capacity() * size_of::<(ScalarValue, i32)>()
    }
}

/// What the clauses of a JSON aggregate say.
#[derive(Clone, Copy, Debug)]
struct Clauses {
    skips_nulls: bool,
    /// Values are JSON, not text.
    is_json: bool,
}

impl Clauses {
    /// As `parse/json.rs` writes them: `NULL|v`, `ABSENT|j`.
    fn new(text: Option<String>, skips_nulls: bool) -> Clauses {
        match text {
            None => Clauses { skips_nulls, is_json: false },
            Some(text) => {
                Clauses { skips_nulls: text.starts_with("ABSENT"), is_json: text.ends_with("|j") }
            }
        }
    }

    /// The value of a row as JSON; `None` if it is left out.
    fn value(self, values: &ArrayRef, row: usize) -> Result<Option<String>> {
        let is_null = values.is_null(row) || values.data_type().is_null();
        if is_null && self.skips_nulls {
            return Ok(None);
        }
        Ok(Some(match values.as_string_opt::<i32>() {
            Some(texts) if self.is_json && !is_null => texts.value(row).to_owned(),
            _ => fragment(values, row)?,
        }))
    }
}

/// JSON_ARRAYAGG.
#[derive(Debug)]
struct JsonArray {
    clauses: Clauses,
    values: Vec<String>,
}

impl Accumulator for JsonArray {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for row in 0..values[0].len() {
            self.values.extend(self.clauses.value(&values[0], row)?);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in lists(&states[0]) {
            self.values.extend(values.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![text_list(self.values.iter())])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::from(format!("[{}]", self.values.join(","))))
    }

    fn size(&self) -> usize {
        let texts: usize = self.values.iter().map(String::capacity).sum();
        size_of_val(self) + texts + self.values.capacity() * size_of::<String>()
    }
}

/// JSON_OBJECTAGG.
#[derive(Debug)]
struct JsonObject {
    clauses: Clauses,
    members: BTreeMap<String, String>,
}

impl JsonObject {
    fn add(&mut self, key: &str, value: String) -> Result<()> {
        if self.members.insert(key.to_owned(), value).is_some() {
            let mut shown = String::new();
            quote(key, &mut shown);
            return exec_err!("JSON_OBJECTAGG: the key {shown} comes twice");
        }
        Ok(())
    }
}

impl Accumulator for JsonObject {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let keys = values[0].as_string::<i32>();
        for row in 0..keys.len() {
            if keys.is_null(row) {
                return exec_err!("JSON_OBJECTAGG: a key is NULL");
            }
            if let Some(value) = self.clauses.value(&values[1], row)? {
                self.add(keys.value(row), value)?;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for (keys, values) in lists(&states[0]).zip(lists(&states[1])) {
            let (keys, values) = (keys.as_string::<i32>(), values.as_string::<i32>());
            for row in 0..keys.len() {
                self.add(keys.value(row), values.value(row).to_owned())?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![text_list(self.members.keys()), text_list(self.members.values())])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut text = String::new();
        object(self.members.clone().into_iter().collect(), &mut text);
        Ok(ScalarValue::from(text))
    }

    fn size(&self) -> usize {
        let texts = self.members.iter().map(|(key, value)| key.capacity() + value.capacity());
        size_of_val(self) + texts.sum::<usize>()
    }
}
