//! The header of a script: from a few lines of text to an operator's spec and schemas.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion_common::ScalarValue;
use datafusion_expr::Operator;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{binary, col, lit};

use super::rows::Times;
use crate::OperatorSpec;
use crate::graph::NamedExpr;
use crate::window::{
    AggregateFunction, AggregateSpec, Early, Emission, WindowAggregateSpec, WindowAssignSpec,
    WindowColumn, WindowKind, WindowTime, Windows,
};

/// `name: value` lines. Unknown names are ignored, missing ones are a panic when asked for.
#[derive(Clone, Debug)]
pub struct Header {
    entries: BTreeMap<String, String>,
}

impl Header {
    /// Parses `name: value` lines; those that start with `#` are comments.
    ///
    /// # Panics
    /// If another line has no colon.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let entries = lines.map(|line| {
            let (name, value) = line.split_once(':').expect("header lines are `name: value`");
            (name.trim().to_owned(), value.trim().to_owned())
        });
        Header { entries: entries.collect() }
    }

    fn get(&self, name: &str) -> &str {
        self.optional(name).unwrap_or_else(|| panic!("the header has no `{name}:`"))
    }

    /// True if the windows are of processing time.
    pub fn goes_by_clock(&self) -> bool {
        self.optional("clock") == Some("processing")
    }

    fn optional(&self, name: &str) -> Option<&str> {
        self.entries.get(name).map(String::as_str)
    }

    fn list(&self, name: &str) -> Vec<&str> {
        let list = self.optional(name).unwrap_or_default();
        list.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()
    }

    /// True if the script is one of a windowed aggregation that also runs in two stages.
    pub fn has_stages(&self) -> bool {
        self.get("operator") == "window_aggregate" && self.emission().is_final()
    }

    /// True if what is emitted goes by how rows are batched.
    pub fn goes_by_batches(&self) -> bool {
        !self.emission().is_final()
    }

    pub(super) fn times(&self) -> Times {
        if self.optional("times") == Some("iso") { Times::Iso } else { Times::Ms }
    }

    /// The operator's input columns.
    pub fn input(&self) -> SchemaRef {
        let fields = self.list("columns").into_iter().map(|column| {
            let (name, data_type) = column.split_once(' ').expect("columns are `name type`");
            Field::new(name, self.data_type(data_type.trim()), true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The operator's output columns.
    pub fn output(&self) -> SchemaRef {
        let input = self.input();
        let mut fields: Vec<Field> = match self.spec() {
            OperatorSpec::WindowAggregate(spec) => return self.aggregate_output(&spec),
            OperatorSpec::Project(columns) => {
                let field = |column: &NamedExpr| {
                    let data_type = column.expr.data_type(&input).expect("typed");
                    Field::new(&column.name, data_type, true)
                };
                return Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
            }
            _ => input.fields().iter().map(|field| field.as_ref().clone()).collect(),
        };
        if let OperatorSpec::WindowAssign(spec) = self.spec() {
            let wall = DataType::Timestamp(TimeUnit::Millisecond, None);
            fields.push(Field::new("window_start", wall.clone(), false));
            fields.push(Field::new("window_end", wall, false));
            fields.push(input.field(spec.column).clone().with_name("window_time"));
        }
        if let Some(names) = self.optional("names") {
            let names = names.split(',').map(str::trim);
            fields = fields.into_iter().zip(names).map(|(f, name)| f.with_name(name)).collect();
        }
        Arc::new(Schema::new(fields))
    }

    fn aggregate_output(&self, spec: &WindowAggregateSpec) -> SchemaRef {
        let wall = DataType::Timestamp(TimeUnit::Millisecond, None);
        let zone = self.optional("zone").map(Into::into);
        let fields = spec.output.iter().map(|column| match column {
            WindowColumn::Key(key) => spec.input.field(spec.keys[*key]).clone(),
            WindowColumn::Start => Field::new("window_start", wall.clone(), false),
            WindowColumn::End => Field::new("window_end", wall.clone(), false),
            WindowColumn::Time => {
                let time = DataType::Timestamp(TimeUnit::Millisecond, zone.clone());
                Field::new("window_time", time, false)
            }
            WindowColumn::Aggregate(aggregate) => {
                let aggregate = &spec.aggregates[*aggregate];
                Field::new(&aggregate.name, aggregate.data_type.clone(), true)
            }
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// What the operator does.
    ///
    /// # Panics
    /// If the header does not say it.
    pub fn spec(&self) -> OperatorSpec {
        let input = self.input();
        match self.get("operator") {
            "filter" => OperatorSpec::Filter(expression(self.get("predicate"), &input)),
            "union" => OperatorSpec::Union,
            "project" => {
                let named = |item: &str| {
                    let (text, name) = item.split_once(" as ").unwrap_or((item, item));
                    NamedExpr { name: name.to_owned(), expr: expression(text, &input) }
                };
                OperatorSpec::Project(self.list("project").into_iter().map(named).collect())
            }
            "window_assign" => OperatorSpec::WindowAssign(WindowAssignSpec {
                windows: windows(self.get("window")),
                column: self.column(self.get("time")),
                zone: self.optional("zone").map(str::to_owned),
            }),
            "window_aggregate" => OperatorSpec::WindowAggregate(self.aggregate()),
            other => panic!("no operator `{other}`"),
        }
    }

    fn aggregate(&self) -> WindowAggregateSpec {
        let zone = self.optional("zone").map(str::to_owned);
        let is_processing = self.goes_by_clock();
        let time = match self.list("attached")[..] {
            [start, end] => WindowTime::Attached {
                start: self.column(start),
                end: self.column(end),
                zone,
                is_processing,
            },
            _ => WindowTime::Assign {
                windows: windows(self.get("window")),
                column: self.column(self.get("time")),
                zone,
                is_processing,
            },
        };
        let keys: Vec<usize> = self.list("keys").into_iter().map(|key| self.column(key)).collect();
        let aggregates: Vec<AggregateSpec> =
            self.list("aggregates").into_iter().map(|text| self.aggregate_call(text)).collect();
        let mut output: Vec<WindowColumn> = (0..keys.len()).map(WindowColumn::Key).collect();
        output.extend([WindowColumn::Start, WindowColumn::End]);
        if self.optional("show") == Some("window_time") {
            output.push(WindowColumn::Time);
        }
        output.extend((0..aggregates.len()).map(WindowColumn::Aggregate));
        let emission = self.emission();
        WindowAggregateSpec { time, keys, aggregates, output, input: self.input(), emission }
    }

    /// `emit: every 5`, `emit: update`, `emit: close`; `lateness: 10`.
    fn emission(&self) -> Emission {
        let ms = |text: &str| text.parse().expect("a number of milliseconds");
        let early =
            match self.optional("emit").map(|text| text.split_once(' ').unwrap_or((text, ""))) {
                None | Some(("close", _)) => Early::Never,
                Some(("update", _)) => Early::OnUpdate,
                Some(("every", interval)) => Early::Every { interval_ms: ms(interval) },
                Some((other, _)) => panic!("nothing is emitted `{other}`"),
            };
        let lateness_ms = self.optional("lateness").map_or(0, ms) as i64;
        Emission { early, lateness_ms }
    }

    /// `sum(v)`, `count(*)`, `count(distinct v)`, `max(v) filter v > 3`.
    fn aggregate_call(&self, text: &str) -> AggregateSpec {
        let input = self.input();
        let (call, filter) = match text.split_once(" filter ") {
            Some((call, filter)) => (call, Some(expression(filter, &input))),
            None => (text, None),
        };
        let (function, argument) = call.split_once('(').expect("aggregates are calls");
        let argument = argument.trim_end().trim_end_matches(')');
        let (distinct, argument) = match argument.strip_prefix("distinct ") {
            Some(argument) => (true, argument),
            None => (false, argument),
        };
        let args = if argument == "*" { vec![] } else { vec![expression(argument, &input)] };
        let of_argument = || args[0].data_type(&input).expect("typed");
        let (function, data_type) = match function {
            "count" => (AggregateFunction::Count, DataType::Int64),
            "sum" => (AggregateFunction::Sum, of_argument()),
            "min" => (AggregateFunction::Min, of_argument()),
            "max" => (AggregateFunction::Max, of_argument()),
            "avg" => (AggregateFunction::Avg, of_argument()),
            other => panic!("no aggregate `{other}`"),
        };
        AggregateSpec { name: text.to_owned(), function, args, filter, distinct, data_type }
    }

    fn column(&self, name: &str) -> usize {
        self.input().index_of(name).expect("columns of the header are declared")
    }

    fn data_type(&self, name: &str) -> DataType {
        match name {
            "timestamp" => DataType::Timestamp(TimeUnit::Millisecond, None),
            "timestamp6" => DataType::Timestamp(TimeUnit::Microsecond, None),
            "timestamp_ltz" => {
                let zone = Some(self.get("zone").into());
                DataType::Timestamp(TimeUnit::Millisecond, zone)
            }
            "string" => DataType::Utf8,
            "int" => DataType::Int32,
            "bigint" => DataType::Int64,
            "double" => DataType::Float64,
            "boolean" => DataType::Boolean,
            other => panic!("no type `{other}`"),
        }
    }
}

/// `tumble size 10`, `hop size 10 slide 5`, `cumulate size 15 step 5`, each with `offset 2`.
fn windows(text: &str) -> Windows {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        Some(words[at + 1].parse::<i64>().expect("lengths are milliseconds"))
    };
    let size_ms = number("size").expect("windows have a size");
    let kind = match words[0] {
        "tumble" => WindowKind::Tumble { size_ms },
        "hop" => WindowKind::Hop { size_ms, slide_ms: number("slide").expect("a slide") },
        "cumulate" => WindowKind::Cumulate { size_ms, step_ms: number("step").expect("a step") },
        other => panic!("no window `{other}`"),
    };
    Windows { kind, offset_ms: number("offset").unwrap_or(0) }
}

/// `column` or `column operator literal`.
fn expression(text: &str, schema: &SchemaRef) -> Arc<dyn PhysicalExpr> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let column = col(words[0], schema).expect("columns of expressions are declared");
    let [_, operator, literal] = words[..] else { return column };
    let operator = match operator {
        "=" => Operator::Eq,
        "<" => Operator::Lt,
        ">" => Operator::Gt,
        "+" => Operator::Plus,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        other => panic!("no operator `{other}`"),
    };
    let data_type = column.data_type(schema).expect("typed");
    let literal = ScalarValue::try_from_string(literal.to_owned(), &data_type);
    binary(column, operator, lit(literal.expect("literals fit the column")), schema)
        .expect("operators fit the column")
}
