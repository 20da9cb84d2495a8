//! A node of a job in the small: parallel instances of one operator, with their state.

use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use millstream_state::{
    Epoch, EventTime, GroupRange, KeyGroup, MemoryBudget, MemoryStore, SharedState, StateDelta,
    TaskState,
};

use crate::key_hash::hash_keys;
use crate::{
    Batch, Message, Operator, OperatorContext, OperatorMetrics, OperatorSpec, Output, Port,
};

/// What a stage is built from.
#[derive(Clone)]
pub(super) struct StagePlan {
    pub name: String,
    pub spec: OperatorSpec,
    pub input: SchemaRef,
    pub output: SchemaRef,
    /// The columns by whose key group rows find their instance; without any they are dealt out.
    pub keys: Vec<usize>,
}

/// Parallel instances of one operator.
pub(super) struct Stage {
    plan: StagePlan,
    instances: Vec<Instance>,
    dealt: usize,
}

struct Instance {
    operator: Box<dyn Operator>,
    metrics: Arc<OperatorMetrics>,
    state: SharedState,
    out: Output,
}

impl Stage {
    /// Opens `count` instances on what the store holds.
    pub(super) fn open(
        plan: &StagePlan,
        count: usize,
        store: &Arc<MemoryStore>,
        memory: &Arc<MemoryBudget>,
    ) -> Self {
        let open = |subtask| Instance::open(plan, subtask, count, store, memory);
        Stage { plan: plan.clone(), instances: (0..count).map(open).collect(), dealt: 0 }
    }

    /// Late rows and rows without time so far.
    pub(super) fn counted(&self) -> (u64, u64) {
        let metrics = || self.instances.iter().map(|instance| &instance.metrics);
        let late = metrics().map(|metrics| metrics.late_rows.get()).sum();
        (late, metrics().map(|metrics| metrics.null_time_rows.get()).sum())
    }

    /// Keys held.
    pub(super) fn keys(&self) -> u64 {
        self.instances.iter().map(|instance| instance.metrics.state_keys.get()).sum()
    }

    pub(super) fn batch(&mut self, batch: Batch) -> Vec<(Port, Message)> {
        let mut messages = Vec::new();
        for (to, part) in self.parts(batch) {
            messages.extend(self.instances[to].batch(part));
        }
        messages
    }

    /// Rows of all instances, then the watermark once: the minimum of equal watermarks.
    pub(super) fn watermark(&mut self, watermark: EventTime) -> Vec<(Port, Message)> {
        let mut messages = Vec::new();
        for instance in &mut self.instances {
            messages.extend(instance.watermark(watermark));
        }
        let is_watermark = |message: &(Port, Message)| matches!(message.1, Message::Watermark(_));
        let last = messages.iter().rfind(|message| is_watermark(message)).cloned();
        messages.retain(|message| !is_watermark(message));
        messages.extend(last);
        messages
    }

    /// Calls the instances that want to be reminded of something.
    pub(super) fn remind(&mut self) -> Vec<(Port, Message)> {
        self.instances.iter_mut().flat_map(Instance::remind).collect()
    }

    /// Ends the epoch in the operators; [`Self::deltas`] then has what changed.
    pub(super) fn end_epoch(&mut self) -> Vec<(Port, Message)> {
        let mut messages = Vec::new();
        for instance in &mut self.instances {
            instance.operator.on_epoch_end(&mut instance.out).expect("epoch ends");
            messages.extend(instance.drain());
        }
        messages
    }

    /// What changed in the epoch that the operators have ended.
    pub(super) fn deltas(&mut self, epoch: Epoch) -> Vec<Arc<StateDelta>> {
        let end = |instance: &Instance| instance.state.lock().expect("one thread").end_epoch(epoch);
        self.instances.iter().map(end).collect()
    }

    /// The rows for each instance.
    fn parts(&mut self, batch: Batch) -> Vec<(usize, Batch)> {
        let count = self.instances.len();
        if self.plan.keys.is_empty() || count == 1 {
            self.dealt += 1;
            return vec![((self.dealt - 1) % count, batch)];
        }
        let keys: Vec<&ArrayRef> =
            self.plan.keys.iter().map(|key| batch.rows.column(*key)).collect();
        let mut hashes = Vec::new();
        hash_keys(&keys, batch.num_rows(), &mut hashes).expect("keys are hashed");
        let owner = |hash: &u64| KeyGroup::of_hash(*hash).owner(count);
        let rows_of = |to: usize| {
            let rows = hashes.iter().enumerate().filter(|(_, hash)| owner(hash) == to);
            UInt32Array::from_iter_values(rows.map(|(row, _)| row as u32))
        };
        let parts = (0..count).map(|to| (to, rows_of(to))).filter(|(_, rows)| !rows.is_empty());
        parts
            .map(|(to, rows)| {
                let rows = take_record_batch(&batch.rows, &rows).expect("rows are picked");
                (to, Batch::inserts(rows))
            })
            .collect()
    }
}

impl Instance {
    fn open(
        plan: &StagePlan,
        subtask: usize,
        parallelism: usize,
        store: &Arc<MemoryStore>,
        memory: &Arc<MemoryBudget>,
    ) -> Self {
        let built = plan.spec.build(plan.input.clone(), plan.output.clone());
        let mut operator = built.expect("operator is built");
        let metrics = Arc::new(OperatorMetrics::default());
        let state = Arc::new(Mutex::new(TaskState::new(store.clone(), subtask as u32)));
        let context = OperatorContext {
            clock: Default::default(),
            name: plan.name.clone(),
            subtask,
            parallelism,
            state: state.clone(),
            groups: GroupRange::owned(subtask, parallelism).expect("as many groups as subtasks"),
            memory: memory.clone(),
            metrics: metrics.clone(),
        };
        operator.open(&context).expect("operator is opened");
        Instance { operator, metrics, state, out: Output::new() }
    }

    fn batch(&mut self, batch: Batch) -> Vec<(Port, Message)> {
        self.operator.on_batch(batch, &mut self.out).expect("rows are handled");
        self.drain()
    }

    fn watermark(&mut self, watermark: EventTime) -> Vec<(Port, Message)> {
        self.operator.on_watermark(watermark, &mut self.out).expect("watermark is handled");
        self.work_off()
    }

    fn remind(&mut self) -> Vec<(Port, Message)> {
        if self.operator.reminder_ms().is_none() {
            return Vec::new();
        }
        self.operator.flush(&mut self.out).expect("the reminder is handled");
        self.work_off()
    }

    fn work_off(&mut self) -> Vec<(Port, Message)> {
        let mut messages = self.drain();
        while self.operator.resume(&mut self.out).expect("what was begun is worked off") {
            messages.extend(self.drain());
        }
        messages.extend(self.drain());
        messages
    }

    fn drain(&mut self) -> Vec<(Port, Message)> {
        std::iter::from_fn(|| self.out.pop()).collect()
    }
}
