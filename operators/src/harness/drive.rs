//! Runs input lines through an operator, or through both stages of a windowed aggregation.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millstream_state::{EventTime, MemoryStore};

use super::header::Header;
use super::rows;
use crate::{
    Batch, Message, Operator, OperatorContext, OperatorMetrics, OperatorSpec, Output, Port,
};

/// How a script is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it stands.
    Batches,
    /// Each row in a batch of its own.
    Rows,
    /// A windowed aggregation as that many local stages, over which rows are dealt out, and a
    /// global one.
    Stages(usize),
}

/// A running script.
pub struct Driver {
    header: Header,
    form: Form,
    input: SchemaRef,
    first: Vec<Instance>,
    /// The global stage.
    second: Option<Instance>,
    dealt: usize,
}

struct Instance {
    operator: Box<dyn Operator>,
    metrics: Arc<OperatorMetrics>,
    out: Output,
}

impl Driver {
    /// An operator as the header says, open and without rows.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn new(header: &Header, form: Form) -> Self {
        let (input, output) = (header.input(), header.output());
        let (first, second) = match (form, header.spec()) {
            (Form::Stages(count), OperatorSpec::WindowAggregate(spec)) => {
                let partial = spec.partial_schema().expect("aggregates exist");
                let local = OperatorSpec::LocalWindowAggregate(spec.clone());
                let locals = (0..count).map(|_| Instance::new(&local, &input, &partial));
                let global = OperatorSpec::GlobalWindowAggregate(spec);
                (locals.collect(), Some(Instance::new(&global, &partial, &output)))
            }
            (_, spec) => (vec![Instance::new(&spec, &input, &output)], None),
        };
        Driver { header: header.clone(), form, input, first, second, dealt: 0 }
    }

    /// Runs input lines; returns output lines.
    ///
    /// # Panics
    /// If the operator fails or a line is not understood.
    pub fn run(&mut self, lines: &[String]) -> Vec<String> {
        let mut shown = Vec::new();
        let mut pending: Vec<&str> = Vec::new();
        for line in lines.iter().map(|line| line.trim()) {
            if line.starts_with('#') {
                continue;
            }
            let is_row = !["watermark", "end", "batch", "metrics", "state"]
                .contains(&line.split(' ').next().unwrap_or_default());
            if is_row {
                pending.push(line);
                if self.form == Form::Batches {
                    continue;
                }
            }
            self.rows(&std::mem::take(&mut pending), &mut shown);
            match line.split_once(' ') {
                _ if is_row => {}
                Some(("watermark", ms)) => {
                    let ms = ms.parse().expect("a watermark in milliseconds");
                    self.watermark(EventTime::from_ms(ms), &mut shown);
                }
                _ => self.command(line, &mut shown),
            }
        }
        self.rows(&pending, &mut shown);
        shown
    }

    fn command(&mut self, line: &str, shown: &mut Vec<String>) {
        match line {
            "batch" => {}
            "end" => self.watermark(EventTime::MAX, shown),
            "metrics" => {
                let all = || self.first.iter().chain(&self.second);
                let late: u64 = all().map(|one| one.metrics.late_rows.get()).sum();
                let null: u64 = all().map(|one| one.metrics.null_time_rows.get()).sum();
                shown.push(format!("late_rows={late} null_time_rows={null}"));
            }
            "state" => {
                let keys = self.first[0].metrics.state_keys.get();
                shown.push(format!("state_keys={keys}"));
            }
            _ => panic!("`{line}` is no command"),
        }
    }

    fn rows(&mut self, lines: &[&str], shown: &mut Vec<String>) {
        if lines.is_empty() {
            return;
        }
        let batch = rows::parse(lines, &self.input, self.header.times());
        let count = self.first.len();
        let to = self.dealt % count;
        self.dealt += 1;
        let messages = self.first[to].batch(batch);
        self.second(messages, shown);
    }

    fn watermark(&mut self, watermark: EventTime, shown: &mut Vec<String>) {
        let mut messages = Vec::new();
        for instance in &mut self.first {
            messages.extend(instance.watermark(watermark));
        }
        // The minimum of equal watermarks: the global stage sees it once, after all rows.
        let is_first = |message: &(Port, Message)| matches!(message.1, Message::Watermark(_));
        let passed = messages.iter().rfind(|message| is_first(message)).cloned();
        messages.retain(|message| !is_first(message));
        messages.extend(passed);
        self.second(messages, shown);
    }

    fn second(&mut self, messages: Vec<(Port, Message)>, shown: &mut Vec<String>) {
        for (port, message) in messages {
            let messages = match (&mut self.second, message) {
                (None, message) => vec![(port, message)],
                (Some(second), Message::Batch(batch)) => second.batch(batch),
                (Some(second), Message::Watermark(watermark)) => second.watermark(watermark),
            };
            for message in messages {
                show(message, &self.header, shown);
            }
        }
    }
}

fn show((port, message): (Port, Message), header: &Header, shown: &mut Vec<String>) {
    match message {
        Message::Watermark(EventTime::MAX) => shown.push("end".to_owned()),
        Message::Watermark(watermark) => shown.push(format!("watermark {}", watermark.as_ms())),
        Message::Batch(batch) => {
            let prefix = if port == Port::LATE { "late " } else { "" };
            let lines = rows::show(&batch, header.times());
            shown.extend(lines.into_iter().map(|line| format!("{prefix}{line}")));
        }
    }
}

impl Instance {
    fn new(spec: &OperatorSpec, input: &SchemaRef, output: &SchemaRef) -> Self {
        let mut operator = spec.build(input.clone(), output.clone()).expect("operator is built");
        let metrics = Arc::new(OperatorMetrics::default());
        let context = OperatorContext {
            name: "script".to_owned(),
            subtask: 0,
            parallelism: 1,
            store: MemoryStore::shared(),
            metrics: metrics.clone(),
        };
        operator.open(&context).expect("operator is opened");
        Instance { operator, metrics, out: Output::new() }
    }

    fn batch(&mut self, batch: Batch) -> Vec<(Port, Message)> {
        self.operator.on_batch(batch, &mut self.out).expect("rows are handled");
        std::iter::from_fn(|| self.out.pop()).collect()
    }

    fn watermark(&mut self, watermark: EventTime) -> Vec<(Port, Message)> {
        self.operator.on_watermark(watermark, &mut self.out).expect("watermark is handled");
        std::iter::from_fn(|| self.out.pop()).collect()
    }
}
