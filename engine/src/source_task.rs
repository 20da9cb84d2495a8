//! The input of a source's subtask: polls the reader of its splits and puts watermarks between
//! the rows.
//!
//! ```text
//!  Reader::poll ─▶ rows of one split ─▶ computed columns ─▶ cut where the watermark advances
//!                                                           └▶ rows, watermark, rows, watermark …
//! ```
//!
//! After a restart it goes on where the snapshot says: it tells the watermark before any row. When an
//! epoch is asked for it puts a barrier between two reads, so that the positions of its splits are
//! exactly those of the rows before it.
//!
//! It ends with a final watermark when all its splits have finished and no others can come, and
//! without one when the job is stopped: then windows that are still open are not complete.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use millstream_connectors::{Polled, Reader, Source, Split, SplitBatch};
use millstream_operators::graph::{AlignmentSpec, WatermarkSpec};
use millstream_operators::watermark::{SplitTime, SplitWatermarks};
use millstream_operators::{Batch, Message, NodeId, Operator, OperatorMetrics, Output};
use millstream_state::checkpoint::SplitState;
use millstream_state::{Epoch, EventTime};

use crate::alignment::{Group, Member};
use crate::channel::Envelope;
use crate::clock::Clock;
use crate::control::Control;
use crate::discovery::{Mailbox, SplitStart};
use crate::epoch::worker::reach;
use crate::error::{EngineError, Result};
use crate::waker::Waker;

/// Longest wait inside a reader, which rows end at once: bounds how late an idle split is noticed.
const POLL_TIMEOUT: Duration = Duration::from_millis(100);

/// The same for a reader that cannot be interrupted: it bounds how late a stop or a barrier is
/// noticed, too.
const BLIND_POLL_TIMEOUT: Duration = Duration::from_millis(20);

/// Rest after a reader that came back empty-handed without waiting, lest it be asked in a loop.
const BREATH: Duration = Duration::from_micros(500);

/// Rest while memory is short: whoever lets the sources go on wakes them.
const HELD_REST: Duration = Duration::from_millis(10);

/// Highest watermark that rows can imply: [`EventTime::MAX`] means the end, and only that.
const LAST_MOMENT: EventTime = EventTime::from_ms(i64::MAX - 1);

/// What a source input is made of.
pub struct SourceParts {
    /// The node.
    pub node: NodeId,
    /// Name of the node, for errors.
    pub name: String,
    /// Name of the table, for errors.
    pub table: String,
    /// Makes the reader.
    pub source: Arc<dyn Source>,
    /// Computes the node's columns from the connector's.
    pub computed: Option<Box<dyn Operator>>,
    /// How event time progresses.
    pub watermark: Option<WatermarkSpec>,
    /// Where this subtask's splits arrive, the first ones included.
    pub mailbox: Arc<Mailbox>,
    /// True if no more splits will arrive than are in the mailbox now.
    pub splits_are_final: bool,
    /// Says when to stop.
    pub control: Arc<Control>,
    /// Processing time.
    pub clock: Clock,
    /// The node's counters.
    pub metrics: Arc<OperatorMetrics>,
    /// What all subtasks of the source have in common.
    pub activity: Arc<Activity>,
    /// Whom its splits wait for, if the table says so.
    pub alignment: Option<Alignment>,
}

/// A subtask's part in an alignment group.
pub struct Alignment {
    /// What the table says.
    pub spec: AlignmentSpec,
    /// The group.
    pub group: Arc<Group>,
    /// Who this is in it.
    pub member: Member,
}

/// Counts batches of all subtasks of a source, so that each knows whether the source is silent.
#[derive(Debug, Default)]
pub struct Activity(AtomicU64);

/// How far a split was read.
struct Progress {
    id: String,
    next_offset: Option<u64>,
    finished: bool,
}

/// Reads the splits of one subtask.
pub struct SourceInput {
    // PROPERTIES
    parts: SourceParts,
    // STATE
    reader: Option<Box<dyn Reader>>,
    watermarks: Option<SplitWatermarks>,
    /// How far the reader's splits were read, in its order.
    progress: Vec<Progress>,
    /// Splits that were at their end before the job was started; nobody reads them.
    read_before: Vec<SplitState>,
    /// The last epoch that was ended.
    epoch: Epoch,
    complete: bool,
    /// For each split the records that it is behind.
    lag_records: Vec<u64>,
    unfinished: usize,
    /// The last split to finish while others may still arrive. The generators are not told, for
    /// they take the end of all splits for the end of time.
    finished_last: Option<usize>,
    watermark: EventTime,
    idle: bool,
    /// The source's activity, as far as this subtask has taken note.
    heard: u64,
    /// When alignment is looked at next, in nanoseconds on the job's clock.
    align_at_ns: u64,
    /// Longest wait inside the reader, once the waker knows how to end it.
    longest_poll: Option<Duration>,
    /// What was polled while waiting.
    found: Option<Polled>,
    ready: VecDeque<Envelope>,
}

impl SourceInput {
    /// Opens a reader of the splits that are in the mailbox.
    pub fn open(parts: SourceParts) -> Result<Self> {
        let mut input = SourceInput {
            watermarks: None,
            parts,
            reader: None,
            progress: Vec::new(),
            read_before: Vec::new(),
            epoch: Epoch::GENESIS,
            complete: false,
            lag_records: Vec::new(),
            unfinished: 0,
            finished_last: None,
            watermark: EventTime::MIN,
            idle: false,
            heard: 0,
            align_at_ns: 0,
            longest_poll: None,
            found: None,
            ready: VecDeque::new(),
        };
        let starts = input.begin()?;
        let spec = input.parts.watermark.as_ref();
        input.watermarks = spec.map(|spec| SplitWatermarks::restored(spec, &times(&starts)));
        let current = input.watermarks.as_ref().and_then(SplitWatermarks::current);
        if let Some(watermark) = current {
            input.pass_watermark(watermark.min(LAST_MOMENT), input.parts.clock.now_ns());
        }
        input.update_idle();
        // Before any subtask reads, all have said where they go on.
        input.report_time();
        Ok(input)
    }

    /// True while this subtask has no split to read.
    pub fn has_no_split(&self) -> bool {
        self.unfinished == 0
    }

    /// The source's node.
    pub fn node(&self) -> NodeId {
        self.parts.node
    }

    /// How far all splits of this subtask were read, up to the last envelope that was taken.
    pub fn states(&self) -> Vec<SplitState> {
        let state = |(index, progress): (usize, &Progress)| {
            let time = self.watermarks.as_ref().map(|all| all.state(index)).unwrap_or_default();
            SplitState {
                id: progress.id.clone(),
                next_offset: progress.next_offset,
                watermark_ms: time.watermark.map(EventTime::as_ms),
                current_ms: time.current.map(EventTime::as_ms),
                idle: time.idle,
                finished: progress.finished,
            }
        };
        let read = self.progress.iter().enumerate().map(state);
        self.read_before.iter().cloned().chain(read).collect()
    }

    /// True once all splits have ended and no others can come; false if it was stopped before.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The next envelope, if there is one now.
    pub fn take(&mut self) -> Result<Option<Envelope>> {
        if self.ready.is_empty() {
            let requested = self.parts.control.requested_epoch();
            if requested > self.epoch {
                self.epoch = requested;
                reach("epoch.source")?;
                return Ok(Some(Envelope::Barrier(requested)));
            }
            if self.parts.control.is_held() {
                return Ok(None);
            }
            let started_ns = self.parts.clock.now_ns();
            while self.read()? && self.ready.is_empty() {}
            self.parts.metrics.busy_ns.add(self.parts.clock.now_ns() - started_ns);
        }
        if !self.ready.is_empty() {
            self.parts.control.note_activity();
        }
        Ok(self.ready.pop_front())
    }

    /// Waits for rows, or for splits if there are none to read; at most for `most`.
    pub fn wait(&mut self, waker: &Waker, most: Option<Duration>) -> Result<()> {
        let at_most = |rest: Duration| most.map_or(rest, |most| most.min(rest));
        if self.parts.control.is_held() {
            waker.rest(Some(at_most(HELD_REST)));
            return Ok(());
        }
        let Some(reader) = self.reader.as_mut().filter(|_| self.unfinished > 0) else {
            waker.rest(most);
            return Ok(());
        };
        if self.watermarks.as_ref().is_some_and(SplitWatermarks::are_all_held) {
            waker.rest(Some(at_most(BLIND_POLL_TIMEOUT)));
            return Ok(());
        }
        let longest = *self.longest_poll.get_or_insert_with(|| {
            let interrupt = reader.interrupt();
            let longest = if interrupt.is_some() { POLL_TIMEOUT } else { BLIND_POLL_TIMEOUT };
            waker.set_interrupt(interrupt);
            longest
        });
        if waker.was_called() {
            return Ok(());
        }
        let started_ns = self.parts.clock.now_ns();
        let polled =
            reader.poll(at_most(longest)).map_err(EngineError::table(&self.parts.table))?;
        let waited_ns = self.parts.clock.now_ns() - started_ns;
        match polled {
            Polled::Nothing if waited_ns < 1_000_000 => waker.rest(Some(BREATH)),
            // Not kept: what is found is absorbed before anybody looks whether the job stops.
            Polled::Nothing => {}
            polled => self.found = Some(polled),
        }
        Ok(())
    }

    /// Looks once for what is new. Returns true if it is to look again at once: a split that ends
    /// may have been the last, and then the end of the table follows.
    fn read(&mut self) -> Result<bool> {
        self.adopt_splits()?;
        self.align()?;
        if let Some(polled) = self.found.take() {
            return self.absorb(polled);
        }
        match &mut self.reader {
            _ if self.unfinished == 0 && self.parts.splits_are_final => {
                // The final watermark makes operators emit: an idle input may not send rows.
                self.set_idle(false);
                self.pass_watermark(EventTime::MAX, self.parts.clock.now_ns());
                self.complete = true;
                self.end();
                Ok(false)
            }
            _ if self.parts.control.is_stopping() => {
                self.end();
                Ok(false)
            }
            Some(reader) if self.unfinished > 0 => {
                let polled = reader.poll(Duration::ZERO);
                self.absorb(polled.map_err(EngineError::table(&self.parts.table))?)
            }
            _ => {
                self.update_idle();
                Ok(false)
            }
        }
    }

    /// Tells the group how far the splits here are.
    fn report_time(&self) {
        if let (Some(alignment), Some(watermarks)) = (&self.parts.alignment, &self.watermarks) {
            alignment.group.report(alignment.member, watermarks.slowest());
        }
    }

    /// Now and then, tells the group how far the splits here are, and holds those that are too far
    /// ahead of the others.
    fn align(&mut self) -> Result<()> {
        let (Some(alignment), Some(watermarks)) = (&self.parts.alignment, &mut self.watermarks)
        else {
            return Ok(());
        };
        let now_ns = self.parts.clock.now_ns();
        let Some(reader) = self.reader.as_mut().filter(|_| now_ns >= self.align_at_ns) else {
            return Ok(());
        };
        let AlignmentSpec { max_drift_ms, update_interval_ms, .. } = alignment.spec;
        self.align_at_ns = now_ns.saturating_add(update_interval_ms.saturating_mul(1_000_000));
        let slowest = alignment.group.report(alignment.member, watermarks.slowest());
        let drift_ms = i64::try_from(max_drift_ms).unwrap_or(i64::MAX);
        let limit = slowest.map(|at| EventTime::from_ms(at.as_ms().saturating_add(drift_ms)));
        for (split, held) in watermarks.hold_ahead_of(limit) {
            reader.hold(split, held).map_err(EngineError::table(&self.parts.table))?;
        }
        Ok(())
    }

    fn end(&mut self) {
        if let Some(alignment) = &self.parts.alignment {
            alignment.group.report(alignment.member, None);
        }
        self.reader = None;
        self.ready.push_back(Envelope::End);
    }

    /// Takes over splits that were assigned to this subtask since the last look.
    fn adopt_splits(&mut self) -> Result<()> {
        let added = self.begin()?.len();
        if added == 0 {
            return Ok(());
        }
        if let Some(watermarks) = &mut self.watermarks {
            watermarks.add_splits(added);
            if let Some(split) = self.finished_last.take() {
                watermarks.finish(split);
            }
        }
        self.update_idle();
        Ok(())
    }

    /// Hands the splits in the mailbox to the reader; returns them, without those at their end.
    fn begin(&mut self) -> Result<Vec<SplitStart>> {
        let mut starts = Vec::new();
        for start in self.parts.mailbox.take() {
            match start.restored {
                Some(state) if state.finished => self.read_before.push(state),
                _ => starts.push(start),
            }
        }
        if starts.is_empty() {
            return Ok(starts);
        }
        let splits: Vec<Split> = starts.iter().map(|start| start.split.clone()).collect();
        let progress = |Split { id, offset }: &Split| Progress {
            id: id.clone(),
            next_offset: *offset,
            finished: false,
        };
        self.progress.extend(splits.iter().map(progress));
        let begun = match &mut self.reader {
            Some(reader) => reader.add_splits(splits),
            None => self.parts.source.reader(splits).map(|reader| self.reader = Some(reader)),
        };
        begun.map_err(EngineError::table(&self.parts.table))?;
        self.unfinished += starts.len();
        self.lag_records.resize(self.progress.len(), 0);
        self.parts.control.note_activity();
        Ok(starts)
    }

    fn absorb(&mut self, polled: Polled) -> Result<bool> {
        let finished = matches!(polled, Polled::Finished { .. });
        match polled {
            Polled::Rows(rows) => self.absorb_rows(rows)?,
            Polled::Nothing => {}
            Polled::Finished { split } => self.finish_split(split),
        }
        self.look_at_the_clock();
        self.update_idle();
        // At once: splits that are held wait for it.
        self.report_time();
        Ok(finished)
    }

    /// Lets silent splits be left out, and time go on without rows where that is wanted.
    fn look_at_the_clock(&mut self) {
        let now_ms = self.listening_ms();
        let Some(watermarks) = &mut self.watermarks else { return };
        let heard = self.parts.activity.0.load(Relaxed);
        if heard != self.heard {
            self.heard = heard;
            watermarks.end_silence(now_ms);
        }
        if let Some(watermark) = watermarks.tick(now_ms) {
            // What it fires must not come from an idle input; `update_idle` says again that it is.
            self.set_idle(false);
            self.pass_watermark(watermark.min(LAST_MOMENT), self.parts.clock.now_ns());
        }
    }

    fn absorb_rows(&mut self, read: SplitBatch) -> Result<()> {
        self.count(&read);
        self.progress[read.split].next_offset = Some(read.next_offset);
        self.parts.control.note_activity();
        if read.batch.num_rows() == 0 {
            return Ok(());
        }
        let arrived_ns = self.parts.clock.now_ns().saturating_sub(read.overdue_ns);
        let batch = self.compute(read.batch)?;
        self.heard = self.parts.activity.0.fetch_add(1, Relaxed) + 1;
        let listening_ms = self.listening_ms();
        let cuts = match &mut self.watermarks {
            None => vec![(batch.num_rows(), None)],
            Some(watermarks) => watermarks
                .observe(read.split, &batch.rows, listening_ms)
                .map_err(EngineError::operator(&self.parts.name))?,
        };
        self.update_idle();
        let mut start = 0;
        for (end, watermark) in cuts {
            if end > start {
                let message = Message::Batch(batch.slice(start, end - start));
                self.ready.push_back(Envelope::Message { message, arrived_ns });
                start = end;
            }
            if let Some(watermark) = watermark {
                self.pass_watermark(watermark.min(LAST_MOMENT), arrived_ns);
            }
        }
        Ok(())
    }

    fn count(&mut self, read: &SplitBatch) {
        let metrics = &self.parts.metrics;
        metrics.rows_in.add(read.batch.num_rows() as u64);
        metrics.bytes_in.add(read.bytes);
        metrics.decode_errors.add(read.skipped);
        if let Some(lag) = read.lag {
            self.lag_records[read.split] = lag;
            metrics.lag_records.set(self.lag_records.iter().sum());
        }
    }

    fn compute(&mut self, batch: Batch) -> Result<Batch> {
        let Some(computed) = &mut self.parts.computed else { return Ok(batch) };
        let mut output = Output::new();
        let name = &self.parts.name;
        computed.on_batch(batch, &mut output).map_err(EngineError::operator(name))?;
        match output.pop() {
            Some((_, Message::Batch(batch))) => Ok(batch),
            _ => Err(EngineError::Bug {
                operator: name.clone(),
                message: "computed columns lost their rows".to_owned(),
            }),
        }
    }

    fn finish_split(&mut self, split: usize) {
        self.unfinished -= 1;
        self.progress[split].finished = true;
        self.parts.control.note_activity();
        self.lag_records[split] = 0;
        let Some(watermarks) = &mut self.watermarks else { return };
        if self.unfinished == 0 {
            // The final watermark is passed on by `read`, if this is the end.
            self.finished_last = Some(split);
        } else if let Some(watermark) = watermarks.finish(split) {
            self.pass_watermark(watermark.min(LAST_MOMENT), self.parts.clock.now_ns());
        }
    }

    /// `arrived_ns` is when the rows that moved time were due: what they fire is as old.
    fn pass_watermark(&mut self, watermark: EventTime, arrived_ns: u64) {
        if watermark > self.watermark {
            self.watermark = watermark;
            let message = Message::Watermark(watermark);
            self.ready.push_back(Envelope::Message { message, arrived_ns });
        }
    }

    /// Processing time without the time that the task was backpressured: a split is not silent
    /// while nobody listens.
    fn listening_ms(&self) -> u64 {
        let deaf_ns = self.parts.metrics.backpressured_ns.get();
        self.parts.clock.now_ns().saturating_sub(deaf_ns) / 1_000_000
    }

    /// Without splits to read, or with silent ones only, this subtask must not hold others back.
    fn update_idle(&mut self) {
        let silent = self.watermarks.as_ref().is_some_and(SplitWatermarks::is_idle);
        let idle = self.unfinished == 0 || silent;
        if !(self.unfinished == 0 && self.parts.splits_are_final) {
            self.set_idle(idle);
        }
    }

    fn set_idle(&mut self, idle: bool) {
        if idle != self.idle {
            self.idle = idle;
            let arrived_ns = self.parts.clock.now_ns();
            self.ready.push_back(Envelope::Idle { idle, arrived_ns });
        }
    }
}

/// What the splits had said of time before a restart.
fn times(starts: &[SplitStart]) -> Vec<Option<SplitTime>> {
    let time = |state: &SplitState| SplitTime {
        watermark: state.watermark_ms.map(EventTime::from_ms),
        current: state.current_ms.map(EventTime::from_ms),
        idle: state.idle,
        finished: state.finished,
    };
    starts.iter().map(|start| start.restored.as_ref().map(time)).collect()
}
