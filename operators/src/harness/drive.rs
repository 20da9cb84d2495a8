//! Runs input lines through an operator, or through both stages of a windowed aggregation, with
//! epochs and crashes in between.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millstream_state::{EventTime, MemoryBudget, MemoryStore, MemoryUse, StateStore};

use super::header::Header;
use super::rows;
use super::stage::{Stage, StagePlan};
use crate::{Message, OperatorSpec, Port};

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
    /// As `Batches` or `Stages`, with a parallelism and a memory budget.
    Job {
        /// Number of local stages; 0 for an aggregation in one stage.
        locals: usize,
        /// Instances of the stage with state; rows find theirs by key group. `rescale` changes it.
        subtasks: usize,
        /// What state may take in memory.
        memory_bytes: u64,
    },
}

impl Form {
    fn locals(self) -> usize {
        match self {
            Form::Stages(locals) | Form::Job { locals, .. } => locals,
            Form::Batches | Form::Rows => 0,
        }
    }
}

/// A running script.
pub struct Driver {
    // PROPERTIES
    header: Header,
    form: Form,
    input: SchemaRef,
    plans: Vec<StagePlan>,
    // STATE
    stages: Vec<Stage>,
    subtasks: usize,
    store: Arc<MemoryStore>,
    memory: Arc<MemoryBudget>,
    since: SinceEpoch,
    watermark: Option<EventTime>,
    /// Late rows and rows without time of instances that are gone.
    counted: (u64, u64),
}

/// What is done again after a crash, and what it is checked against.
#[derive(Clone, Default)]
struct SinceEpoch {
    inputs: Vec<Input>,
    shown: Vec<String>,
    /// As of the end of the epoch.
    watermark: Option<EventTime>,
    counted: (u64, u64),
}

#[derive(Clone)]
enum Input {
    Rows(Vec<String>),
    Watermark(EventTime),
    Remind,
}

impl Driver {
    /// An operator as the header says, open and without rows.
    ///
    /// # Panics
    /// If it cannot be built.
    pub fn new(header: &Header, form: Form) -> Self {
        let (subtasks, memory) = match form {
            Form::Job { subtasks, memory_bytes, .. } => (subtasks, MemoryBudget::new(memory_bytes)),
            _ => (1, MemoryBudget::unlimited()),
        };
        let mut driver = Driver {
            header: header.clone(),
            form,
            input: header.input(),
            plans: plans(header, form.locals()),
            stages: Vec::new(),
            subtasks,
            store: Arc::new(MemoryStore::default()),
            memory,
            since: SinceEpoch::default(),
            watermark: None,
            counted: (0, 0),
        };
        driver.open();
        driver
    }

    /// Runs input lines; returns output lines.
    ///
    /// # Panics
    /// If the operator fails, a line is not understood, or other lines come out after a crash than
    /// before it.
    pub fn run(&mut self, lines: &[String]) -> Vec<String> {
        let mut shown = Vec::new();
        let mut pending: Vec<String> = Vec::new();
        for line in lines.iter().map(|line| line.trim()) {
            if line.starts_with('#') {
                continue;
            }
            let is_row = !COMMANDS.contains(&line.split(' ').next().unwrap_or_default());
            if is_row {
                pending.push(line.to_owned());
                if self.form != Form::Rows {
                    continue;
                }
            }
            self.feed_rows(std::mem::take(&mut pending), &mut shown);
            if !is_row {
                self.command(line, &mut shown);
            }
        }
        self.feed_rows(pending, &mut shown);
        shown
    }

    fn command(&mut self, line: &str, shown: &mut Vec<String>) {
        let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
        let number = || argument.parse::<i64>().expect("a number behind the command");
        match command {
            "batch" => {}
            "watermark" => self.feed(Input::Watermark(EventTime::from_ms(number())), shown),
            "end" => self.feed(Input::Watermark(EventTime::MAX), shown),
            "remind" => self.feed(Input::Remind, shown),
            "epoch" => self.epoch(shown),
            "evict" => {
                let mut pressure = MemoryUse::new(self.memory.clone());
                pressure.set(self.memory.limit_bytes() / 2 + 1);
                let mut more = MemoryUse::new(self.memory.clone());
                more.set(self.memory.limit_bytes() / 2 + 1);
                self.epoch(shown);
            }
            "crash" => self.crash(),
            "rescale" => {
                self.subtasks = number() as usize;
                self.crash();
            }
            "metrics" => {
                let (late, null) = self.count();
                shown.push(format!("late_rows={late} null_time_rows={null}"));
            }
            _ => {
                let keys: u64 = self.stages.iter().map(Stage::keys).sum();
                shown.push(format!("state_keys={keys}"));
            }
        }
    }

    fn feed_rows(&mut self, lines: Vec<String>, shown: &mut Vec<String>) {
        if !lines.is_empty() {
            self.feed(Input::Rows(lines), shown);
        }
    }

    /// Takes input, and notes that it did.
    fn feed(&mut self, input: Input, shown: &mut Vec<String>) {
        let from = shown.len();
        self.handle(&input, shown);
        self.since.inputs.push(input);
        self.since.shown.extend_from_slice(&shown[from..]);
    }

    fn handle(&mut self, input: &Input, shown: &mut Vec<String>) {
        let messages = match input {
            Input::Rows(lines) => {
                let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
                self.stages[0].batch(rows::parse(&lines, &self.input, self.header.times()))
            }
            Input::Watermark(watermark) => {
                self.watermark = Some(*watermark);
                self.stages[0].watermark(*watermark)
            }
            Input::Remind => self.stages[0].remind(),
        };
        self.pass_on(1, messages, shown);
    }

    /// What a stage puts out goes to the next one, that of the last is shown.
    fn pass_on(&mut self, to: usize, messages: Vec<(Port, Message)>, shown: &mut Vec<String>) {
        for (port, message) in messages {
            let Some(stage) = self.stages.get_mut(to) else {
                show((port, message), &self.header, shown);
                continue;
            };
            let messages = match message {
                Message::Batch(batch) => stage.batch(batch),
                Message::Watermark(watermark) => stage.watermark(watermark),
            };
            self.pass_on(to + 1, messages, shown);
        }
    }

    /// Ends an epoch: what came before it will not come again.
    fn epoch(&mut self, shown: &mut Vec<String>) {
        for number in 0..self.stages.len() {
            let messages = self.stages[number].end_epoch();
            self.pass_on(number + 1, messages, shown);
        }
        let epoch = self.store.applied().next();
        let deltas: Vec<_> = self.stages.iter_mut().flat_map(|stage| stage.deltas(epoch)).collect();
        self.store.apply(epoch, &deltas).expect("a store in memory takes everything");
        let (watermark, counted) = (self.watermark, self.count());
        self.since = SinceEpoch { watermark, counted, ..SinceEpoch::default() };
    }

    /// Loses all that is not in the store, goes on from there, and does again what came since.
    fn crash(&mut self) {
        let since = self.since.clone();
        self.open();
        self.counted = since.counted;
        let mut again = Vec::new();
        if let Some(watermark) = since.watermark {
            // Sources say their time before any row; that of one may be behind. No clock is near the end
            // of time.
            if watermark != EventTime::MAX || !self.header.goes_by_clock() {
                let behind = EventTime::from_ms(watermark.as_ms().saturating_sub(3));
                self.handle(&Input::Watermark(behind), &mut again);
            }
            self.handle(&Input::Watermark(watermark), &mut again);
            again.retain(|line| !line.starts_with("watermark") && line != "end");
            assert!(again.is_empty(), "what has fired fires again: {again:#?}");
        }
        for input in &since.inputs {
            self.handle(input, &mut again);
        }
        let mut before = since.shown;
        before.sort();
        again.sort();
        assert_eq!(again, before, "after a crash, at parallelism {}", self.subtasks);
    }

    fn open(&mut self) {
        let last = self.plans.len() - 1;
        let stages = self.plans.iter().enumerate().map(|(number, plan)| {
            let instances = match number {
                0 if last > 0 => self.form.locals(),
                // A stage with state that has no keys has one instance.
                _ if plan.keys.is_empty() => 1,
                _ => self.subtasks,
            };
            Stage::open(plan, instances, &self.store, &self.memory)
        });
        self.stages = stages.collect();
    }

    fn count(&self) -> (u64, u64) {
        let counted = self.stages.iter().map(Stage::counted);
        counted.fold(self.counted, |sum, more| (sum.0 + more.0, sum.1 + more.1))
    }
}

const COMMANDS: [&str; 10] = [
    "watermark",
    "end",
    "batch",
    "remind",
    "metrics",
    "state",
    "epoch",
    "evict",
    "crash",
    "rescale",
];

fn plans(header: &Header, locals: usize) -> Vec<StagePlan> {
    let plan = |spec, input, output, keys| StagePlan {
        name: "script".to_owned(),
        spec,
        input,
        output,
        keys,
    };
    let (input, output) = (header.input(), header.output());
    match header.spec() {
        OperatorSpec::WindowAggregate(spec) if locals > 0 => {
            let partial = spec.partial_schema().expect("aggregates exist");
            let keys = spec.partial_keys();
            let local = OperatorSpec::LocalWindowAggregate(spec.clone());
            let local = StagePlan {
                name: "local".to_owned(),
                ..plan(local, input, partial.clone(), vec![])
            };
            let global = OperatorSpec::GlobalWindowAggregate(spec);
            vec![local, plan(global, partial, output, keys)]
        }
        OperatorSpec::WindowAggregate(spec) => {
            let keys = spec.keys.clone();
            vec![plan(OperatorSpec::WindowAggregate(spec), input, output, keys)]
        }
        spec => vec![plan(spec, input, output, vec![])],
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
