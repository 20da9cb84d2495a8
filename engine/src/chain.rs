//! A fragment's operators, fused: a message goes from one to the next by a function call.
//!
//! ```text
//!  input ─▶ head ─┬─▶ operator ─▶ sink           what a node puts out is dispatched at once,
//!                 └─▶ operator ─▶ outlet ═══▶    depth first, before the next is taken up
//! ```
//!
//! A node with several inputs inside the chain (a union of two branches of one source) gets the
//! minimum of its branches' watermarks, as between tasks.

use std::sync::Arc;

use millstream_connectors::Writer;
use millstream_operators::{Message, Operator, OperatorError, OperatorMetrics, Output, Port};

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
}

/// The fused nodes of one task.
pub struct Chain {
    nodes: Vec<ChainNode>,
    clock: Clock,
    at_work: usize,
}

impl Chain {
    /// A chain of these nodes, head first.
    pub fn new(nodes: Vec<ChainNode>, clock: Clock) -> Self {
        Chain { nodes, clock, at_work: 0 }
    }

    /// Name of the node that is or was at work: the one to name when something goes wrong.
    pub fn at_work(&self) -> &str {
        &self.nodes[self.at_work].name
    }

    /// Says that the head is at work, taking input.
    pub fn take_up(&mut self) {
        self.at_work = 0;
    }

    /// True if every queue behind the chain has room. The first that has none will wake the task.
    pub fn has_room(&self) -> bool {
        self.outlets().all(Outlet::has_room)
    }

    /// Pushes one envelope through all operators.
    pub fn push(&mut self, envelope: Envelope) -> Result<()> {
        match envelope {
            Envelope::Message { message, arrived_ns } => self.deliver(0, 0, message, arrived_ns),
            Envelope::Idle { idle, arrived_ns } => {
                if idle {
                    self.flush_operators(arrived_ns)?;
                }
                self.nodes.iter().for_each(|node| node.metrics.set_idle(idle));
                self.broadcast(envelope)
            }
            Envelope::End => self.end(),
        }
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

    /// An idle chain must hold no rows back: time may pass without it.
    fn flush_operators(&mut self, arrived_ns: u64) -> Result<()> {
        for at in 0..self.nodes.len() {
            self.at_work = at;
            let node = &mut self.nodes[at];
            if let Work::Operator(operator) = &mut node.work {
                operator.flush(&mut node.output).map_err(EngineError::operator(&node.name))?;
            }
            while let Some((port, message)) = self.nodes[at].output.pop() {
                self.dispatch(at, port, message, arrived_ns)?;
            }
        }
        Ok(())
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
        let node = &mut self.nodes[at];
        node.accept(input, message, arrived_ns, &self.clock)?;
        node.metrics.busy_ns.add(self.clock.now_ns() - started_ns);
        while let Some((port, message)) = self.nodes[at].output.pop() {
            self.dispatch(at, port, message, arrived_ns)?;
        }
        Ok(())
    }

    /// Moves a message that node `at` has put out to everyone who takes from that port. Watermarks
    /// leave by every port: time passes for late rows too.
    fn dispatch(&mut self, at: usize, port: Port, message: Message, arrived_ns: u64) -> Result<()> {
        self.nodes[at].count_out(port, &message);
        for target in 0..self.nodes[at].targets.len() {
            let node = &mut self.nodes[at];
            let target = &mut node.targets[target];
            if target.port != port && matches!(message, Message::Batch(_)) {
                continue;
            }
            let message = message.clone();
            match &mut target.to {
                Destination::Local { node, input } => {
                    let (to, input) = (*node, *input);
                    self.deliver(to, input, message, arrived_ns)?;
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
        Ok(())
    }

    /// Nothing follows: sinks make everything visible, then the tasks behind hear of it.
    fn end(&mut self) -> Result<()> {
        for (at, node) in self.nodes.iter_mut().enumerate() {
            if let Work::Sink(sink) = &mut node.work {
                self.at_work = at;
                sink.writer.finish().map_err(EngineError::table(&sink.table))?;
                sink.dirty = false;
            }
        }
        self.broadcast(Envelope::End)
    }

    fn broadcast(&mut self, envelope: Envelope) -> Result<()> {
        for node in &mut self.nodes {
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
