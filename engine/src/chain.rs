//! A fragment's operators, fused: a message goes from one to the next by a function call.
//!
//! ```text
//!  input ─▶ head ─┬─▶ operator ─▶ sink           what a node puts out is dispatched at once,
//!                 └─▶ operator ─▶ outlet ═══▶    depth first, before the next is taken up
//! ```
//!
//! A node with several inputs inside the chain (a union of two branches of one source) gets the
//! minimum of its branches' watermarks, as between tasks.
//!
//! What is still to be done is a stack and not the call stack, because the chain can stop in the
//! middle: an operator whose results are many is resumed bit by bit, and only while the queues
//! behind have room. Until the stack is empty the chain takes nothing else.

use std::sync::Arc;

use millstream_connectors::Writer;
use millstream_operators::error::Result as OperatorResult;
use millstream_operators::{
    Message, Operator, OperatorError, OperatorMetrics, Output, Port, ProcessingClock,
};
use millstream_state::Epoch;

use crate::align::Align;
use crate::channel::{Envelope, batch_bytes};
use crate::clock::Clock;
use crate::error::{EngineError, Result};
use crate::exchange::Outlet;
use crate::metrics::Latency;

/// What a node of the chain does with its messages.
pub enum Work {
    /// Passes on what the source input has read.
    Source,
    /// Runs an operator.
    Operator(Box<dyn Operator>),
    /// Writes rows.
    Sink(SinkWork),
}

/// The writing end of a chain.
pub struct SinkWork {
    /// Name of the table, for errors.
    pub table: String,
    /// Where rows go.
    pub writer: Box<dyn Writer>,
    /// How long they took.
    pub latency: Arc<Latency>,
    /// True while rows were written but not flushed.
    pub dirty: bool,
}

/// Where messages of a port go.
pub struct Target {
    /// The port.
    pub port: Port,
    /// The receiver.
    pub to: Destination,
}

/// The receiver of an edge.
pub enum Destination {
    /// A node of the same chain.
    Local {
        /// Its position in the chain.
        node: usize,
        /// Which of its inputs the edge is.
        input: usize,
    },
    /// Another task.
    Outlet(Outlet),
}

/// A node of the chain.
pub struct ChainNode {
    /// Name in the job graph.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// Merges the watermarks of its inputs, if it has several inside the chain.
    pub align: Option<Align>,
    /// Where its messages go.
    pub targets: Vec<Target>,
    /// Its counters.
    pub metrics: Arc<OperatorMetrics>,
    /// What it has put out and the chain has not moved on yet.
    pub output: Output,
    /// When its operator is to be reminded, in nanoseconds on the job's clock.
    pub due_ns: Option<u64>,
    /// Its time is the clock's: it goes on while the input is idle.
    pub goes_by_clock: bool,
}

/// The fused nodes of one task.
pub struct Chain {
    nodes: Vec<ChainNode>,
    clock: Clock,
    /// What operators see of the clock.
    shown: ProcessingClock,
    at_work: usize,
    /// What is still to be done, the next on top.
    pending: Vec<Pending>,
}

/// Something that a chain has still to do.
enum Pending {
    /// Hand a message to a node.
    Deliver { node: usize, input: usize, message: Message, arrived_ns: u64 },
    /// Move on what a node has put out.
    Dispatch { node: usize, arrived_ns: u64 },
    /// Let an operator go on with what a watermark or a flush began.
    Resume { node: usize, arrived_ns: u64 },
    /// Let an operator pass on what it holds back, or remind it to.
    Flush { node: usize, arrived_ns: u64 },
    /// End an epoch at a node.
    EndEpoch { node: usize, epoch: Epoch, arrived_ns: u64 },
    /// Tell the tasks behind.
    Broadcast(Envelope),
    /// Finish the sinks.
    Finish,
}

impl Chain {
    /// A chain of these nodes, head first.
    pub fn new(mut nodes: Vec<ChainNode>, clock: Clock, shown: ProcessingClock) -> Self {
        let now_ns = clock.now_ns();
        nodes.iter_mut().for_each(|node| node.note_reminder(now_ns));
        Chain { nodes, clock, shown, at_work: 0, pending: Vec::new() }
    }

    /// Name of the node that is or was at work: the one to name when something goes wrong.
    pub fn at_work(&self) -> &str {
        &self.nodes[self.at_work].name
    }

    /// Says that the head is at work, taking input.
    pub fn take_up(&mut self) {
        self.at_work = 0;
    }

    /// True if every queue behind the chain and every sink in it has room. A queue that has none
    /// will wake the task.
    pub fn has_room(&self) -> bool {
        self.outlets().all(Outlet::has_room) && self.sinks_have_room()
    }

    /// True if every sink can take rows. A sink that cannot does not wake the task.
    pub fn sinks_have_room(&self) -> bool {
        self.nodes.iter().all(|node| match &node.work {
            Work::Sink(sink) => sink.writer.has_room(),
            _ => true,
        })
    }

    /// True if nothing is left of what was pushed.
    pub fn is_at_rest(&self) -> bool {
        self.pending.is_empty()
    }

    /// Pushes one envelope through all operators, or as far as there is room: see
    /// [`Chain::is_at_rest`] and [`Chain::go_on`].
    pub fn push(&mut self, envelope: Envelope) -> Result<()> {
        debug_assert!(self.is_at_rest(), "one envelope at a time");
        self.shown.set(self.clock.unix_ms() as i64);
        match envelope {
            Envelope::Message { message, arrived_ns } => {
                self.pending.push(Pending::Deliver { node: 0, input: 0, message, arrived_ns });
            }
            Envelope::Idle { idle, arrived_ns } => {
                self.nodes.iter().for_each(|node| node.metrics.set_idle(idle));
                self.pending.push(Pending::Broadcast(envelope));
                // An idle chain must hold no rows back: time may pass without it.
                if idle {
                    self.at_each_node(|node| Pending::Flush { node, arrived_ns });
                }
            }
            Envelope::Barrier(epoch) => {
                self.pending.push(Pending::Broadcast(envelope));
                self.end_epoch(epoch);
            }
            Envelope::End => self.end(None),
        }
        self.go_on()
    }

    /// Pushes the end of the input. What came since the last barrier belongs to `last`, if the job
    /// has epochs.
    pub fn push_end(&mut self, last: Option<Epoch>) -> Result<()> {
        debug_assert!(self.is_at_rest(), "one envelope at a time");
        self.end(last);
        self.go_on()
    }

    /// The moment at which an operator wants to be reminded, in nanoseconds on the job's clock.
    pub fn due_ns(&self) -> Option<u64> {
        self.nodes.iter().filter_map(|node| node.due_ns).min()
    }

    /// Reminds the operators that wanted it by now.
    pub fn remind(&mut self) -> Result<()> {
        debug_assert!(self.is_at_rest(), "one thing at a time");
        self.shown.set(self.clock.unix_ms() as i64);
        let now_ns = self.clock.now_ns();
        let is_due =
            |node: &&usize| self.nodes[**node].due_ns.is_some_and(|due_ns| due_ns <= now_ns);
        let due: Vec<usize> = (0..self.nodes.len()).filter(|node| is_due(&node)).collect();
        let flush = |node| Pending::Flush { node, arrived_ns: now_ns };
        self.pending.extend(due.into_iter().rev().map(flush));
        self.go_on()
    }

    /// Goes on with what was pushed, as far as there is room.
    pub fn go_on(&mut self) -> Result<()> {
        while let Some(pending) = self.pending.pop() {
            match pending {
                Pending::Deliver { node, input, message, arrived_ns } => {
                    self.deliver(node, input, message, arrived_ns)?;
                }
                Pending::Dispatch { node, arrived_ns } => self.dispatch(node, arrived_ns)?,
                Pending::Resume { .. } if !self.has_room() => {
                    self.pending.push(pending);
                    return Ok(());
                }
                Pending::Resume { node, arrived_ns } => self.resume(node, arrived_ns)?,
                Pending::Flush { node, arrived_ns } => {
                    self.nodes[node].due_ns = None;
                    self.let_operator(node, arrived_ns, |operator, out| operator.flush(out))?;
                    self.resume_behind_dispatch(node, arrived_ns);
                }
                Pending::EndEpoch { node, epoch, arrived_ns } => {
                    self.end_epoch_at(node, epoch, arrived_ns)?;
                }
                Pending::Broadcast(envelope) => self.broadcast(&envelope)?,
                Pending::Finish => self.finish()?,
            }
        }
        Ok(())
    }

    /// Makes rows visible that sinks have only taken so far.
    pub fn flush(&mut self) -> Result<()> {
        for (at, node) in self.nodes.iter_mut().enumerate() {
            if let Work::Sink(sink) = &mut node.work
                && std::mem::take(&mut sink.dirty)
            {
                self.at_work = at;
                let started_ns = self.clock.now_ns();
                sink.writer.flush().map_err(EngineError::table(&sink.table))?;
                node.metrics.busy_ns.add(self.clock.now_ns() - started_ns);
            }
        }
        Ok(())
    }

    /// Counts time that the task waited for input: none of its operators had any.
    pub fn count_idle(&self, waited_ns: u64) {
        self.nodes.iter().for_each(|node| node.metrics.idle_ns.add(waited_ns));
    }

    /// Counts time that the task waited for room.
    pub fn count_backpressured(&self, waited_ns: u64) {
        self.nodes.iter().for_each(|node| node.metrics.backpressured_ns.add(waited_ns));
    }

    /// Nothing follows: sinks make everything visible, then the tasks behind hear of it.
    fn end(&mut self, last: Option<Epoch>) {
        self.pending.push(Pending::Broadcast(Envelope::End));
        self.pending.push(Pending::Finish);
        if let Some(epoch) = last {
            self.end_epoch(epoch);
        }
    }

    /// Each node ends the epoch after all before it have: what those pass on is part of it.
    fn end_epoch(&mut self, epoch: Epoch) {
        let arrived_ns = self.clock.now_ns();
        self.at_each_node(|node| Pending::EndEpoch { node, epoch, arrived_ns });
    }

    fn at_each_node(&mut self, pending: impl Fn(usize) -> Pending) {
        self.pending.extend((0..self.nodes.len()).rev().map(pending));
    }

    fn deliver(
        &mut self,
        at: usize,
        input: usize,
        message: Message,
        arrived_ns: u64,
    ) -> Result<()> {
        self.at_work = at;
        let started_ns = self.clock.now_ns();
        let is_watermark = matches!(message, Message::Watermark(_));
        let node = &mut self.nodes[at];
        node.accept(input, message, arrived_ns, &self.clock)?;
        let now_ns = self.clock.now_ns();
        node.metrics.busy_ns.add(now_ns - started_ns);
        node.note_reminder(now_ns);
        if is_watermark && matches!(node.work, Work::Operator(_)) {
            self.pending.push(Pending::Resume { node: at, arrived_ns });
        }
        self.pending.push(Pending::Dispatch { node: at, arrived_ns });
        Ok(())
    }

    /// Moves the oldest message that a node has put out to everyone who takes from that port, then
    /// comes back for the next. Watermarks leave by every port: time passes for late rows too.
    fn dispatch(&mut self, at: usize, arrived_ns: u64) -> Result<()> {
        let Some((port, message)) = self.nodes[at].output.pop() else { return Ok(()) };
        self.pending.push(Pending::Dispatch { node: at, arrived_ns });
        let node = &mut self.nodes[at];
        node.count_out(port, &message);
        let first = self.pending.len();
        for target in &mut node.targets {
            if target.port != port && matches!(message, Message::Batch(_)) {
                continue;
            }
            let message = message.clone();
            match &mut target.to {
                Destination::Local { node, input } => {
                    let (node, input) = (*node, *input);
                    self.pending.push(Pending::Deliver { node, input, message, arrived_ns });
                }
                Destination::Outlet(outlet) => {
                    self.at_work = at;
                    let started_ns = self.clock.now_ns();
                    let sent = outlet.send(Envelope::Message { message, arrived_ns });
                    sent.map_err(OperatorError::from).map_err(EngineError::operator(&node.name))?;
                    node.metrics.busy_ns.add(self.clock.now_ns() - started_ns);
                }
            }
        }
        // The first target is served first, with all that follows from it.
        self.pending[first..].reverse();
        Ok(())
    }

    fn resume(&mut self, at: usize, arrived_ns: u64) -> Result<()> {
        let mut more = false;
        let resumed = self.let_operator(at, arrived_ns, |operator, out| {
            more = operator.resume(out)?;
            Ok(())
        });
        resumed?;
        if more {
            self.resume_behind_dispatch(at, arrived_ns);
        }
        Ok(())
    }

    /// Has an operator go on when what has come out of it just now was moved on.
    fn resume_behind_dispatch(&mut self, node: usize, arrived_ns: u64) {
        let top = self.pending.len() - 1;
        self.pending.insert(top, Pending::Resume { node, arrived_ns });
    }

    fn end_epoch_at(&mut self, at: usize, epoch: Epoch, arrived_ns: u64) -> Result<()> {
        self.let_operator(at, arrived_ns, |operator, out| operator.on_epoch_end(out))?;
        let node = &mut self.nodes[at];
        if let Work::Sink(sink) = &mut node.work {
            let started_ns = self.clock.now_ns();
            sink.writer.end_epoch(epoch).map_err(EngineError::table(&sink.table))?;
            sink.dirty = false;
            node.metrics.busy_ns.add(self.clock.now_ns() - started_ns);
        }
        Ok(())
    }

    /// Lets the operator of a node put something out, and has it moved on next.
    fn let_operator(
        &mut self,
        at: usize,
        arrived_ns: u64,
        act: impl FnOnce(&mut dyn Operator, &mut Output) -> OperatorResult<()>,
    ) -> Result<()> {
        self.at_work = at;
        let started_ns = self.clock.now_ns();
        let node = &mut self.nodes[at];
        if let Work::Operator(operator) = &mut node.work {
            let acted = act(operator.as_mut(), &mut node.output);
            acted.map_err(EngineError::operator(&node.name))?;
            let now_ns = self.clock.now_ns();
            node.metrics.busy_ns.add(now_ns - started_ns);
            node.note_reminder(now_ns);
        }
        self.pending.push(Pending::Dispatch { node: at, arrived_ns });
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        for (at, node) in self.nodes.iter_mut().enumerate() {
            if let Work::Sink(sink) = &mut node.work {
                self.at_work = at;
                sink.writer.finish().map_err(EngineError::table(&sink.table))?;
                sink.dirty = false;
            }
        }
        Ok(())
    }

    fn broadcast(&mut self, envelope: &Envelope) -> Result<()> {
        let is_idle = matches!(envelope, Envelope::Idle { .. });
        for node in self.nodes.iter_mut().filter(|node| !(is_idle && node.goes_by_clock)) {
            for target in &mut node.targets {
                if let Destination::Outlet(outlet) = &mut target.to {
                    let sent = outlet.send(envelope.clone());
                    sent.map_err(OperatorError::from).map_err(EngineError::operator(&node.name))?;
                }
            }
        }
        Ok(())
    }

    fn outlets(&self) -> impl Iterator<Item = &Outlet> {
        let targets = self.nodes.iter().flat_map(|node| &node.targets);
        targets.filter_map(|target| match &target.to {
            Destination::Outlet(outlet) => Some(outlet),
            Destination::Local { .. } => None,
        })
    }
}

impl ChainNode {
    /// Sets or forgets the moment of the operator's reminder, as it now wants it.
    fn note_reminder(&mut self, now_ns: u64) {
        let Work::Operator(operator) = &self.work else { return };
        self.due_ns = operator
            .reminder_ms()
            .map(|ms| self.due_ns.unwrap_or_else(|| now_ns.saturating_add(ms * 1_000_000)));
    }

    fn accept(
        &mut self,
        input: usize,
        message: Message,
        arrived_ns: u64,
        clock: &Clock,
    ) -> Result<()> {
        let message = match (message, &mut self.align) {
            (Message::Watermark(watermark), Some(align)) => {
                match align.watermark(input, watermark).watermark {
                    Some(watermark) => Message::Watermark(watermark),
                    None => return Ok(()),
                }
            }
            (message, _) => message,
        };
        self.count_in(&message);
        match (&mut self.work, message) {
            (Work::Source, Message::Batch(batch)) => self.output.batch(batch),
            (Work::Source, Message::Watermark(watermark)) => self.output.watermark(watermark),
            (Work::Operator(operator), Message::Batch(batch)) => operator
                .on_batch(batch, &mut self.output)
                .map_err(EngineError::operator(&self.name))?,
            (Work::Operator(operator), Message::Watermark(watermark)) => operator
                .on_watermark(watermark, &mut self.output)
                .map_err(EngineError::operator(&self.name))?,
            (Work::Sink(sink), Message::Batch(batch)) => {
                let bytes = sink.writer.write(&batch).map_err(EngineError::table(&sink.table))?;
                sink.dirty = true;
                let rows = batch.num_rows() as u64;
                self.metrics.rows_out.add(rows);
                self.metrics.bytes_out.add(bytes);
                sink.latency.record(clock.now_ns().saturating_sub(arrived_ns), rows);
            }
            (Work::Sink(_), Message::Watermark(watermark)) => {
                self.metrics.set_watermark_ms(watermark.as_ms());
            }
        }
        Ok(())
    }

    /// A source's input is counted where it is read: there it is payload.
    fn count_in(&self, message: &Message) {
        if let Message::Batch(batch) = message
            && !matches!(self.work, Work::Source)
        {
            self.metrics.rows_in.add(batch.num_rows() as u64);
            self.metrics.bytes_in.add(batch_bytes(batch) as u64);
        }
    }

    /// Rows that nobody takes, such as late rows without a reader, were not passed on.
    fn count_out(&self, port: Port, message: &Message) {
        match message {
            Message::Batch(batch) if self.targets.iter().any(|target| target.port == port) => {
                self.metrics.rows_out.add(batch.num_rows() as u64);
                self.metrics.bytes_out.add(batch_bytes(batch) as u64);
            }
            Message::Batch(_) => {}
            Message::Watermark(watermark) => self.metrics.set_watermark_ms(watermark.as_ms()),
        }
    }
}
