//! Sends records at a steady rate until it is told to end, and writes down which were acknowledged.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

use crate::broker::Access;
use crate::workload::{Event, Events, PARTITIONS};
use crate::{Result, error, lock};

const TICK: Duration = Duration::from_millis(10);

/// A running generator.
pub struct Generator {
    signals: Arc<Signals>,
    thread: JoinHandle<Result<()>>,
}

#[derive(Default)]
struct Signals {
    end: AtomicBool,
    late: AtomicBool,
    sent: AtomicU64,
}

/// Writes acknowledged records down as `id partition offset`.
struct Acknowledged {
    log: Mutex<BufWriter<File>>,
    failed: AtomicU64,
}

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, id: Box<u64>) {
        let written = match result {
            Ok(message) => {
                writeln!(lock(&self.log), "{id} {} {}", message.partition(), message.offset())
            }
            Err(_) => Err(std::io::Error::other("not delivered")),
        };
        if written.is_err() {
            self.failed.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Generator {
    /// Starts to send `rate` records a second.
    ///
    /// # Errors
    /// If there is no producer or no log.
    pub fn start(access: &Access, topic: &str, seed: u64, rate: u64, log: &Path) -> Result<Self> {
        let context = Acknowledged {
            log: Mutex::new(BufWriter::new(File::create(log)?)),
            failed: AtomicU64::new(0),
        };
        let producer: ThreadedProducer<Acknowledged> = access
            .config()
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", "0")
            .set("linger.ms", "5")
            .create_with_context(context)?;
        let signals = Arc::new(Signals::default());
        let (seen, topic) = (signals.clone(), topic.to_owned());
        let thread = thread::spawn(move || run(&producer, &topic, Events::new(seed), rate, &seen));
        Ok(Generator { signals, thread })
    }

    /// From now on some records may be an hour late: all partitions have a watermark by now.
    pub fn allow_late(&self) {
        self.signals.late.store(true, Ordering::SeqCst);
    }

    /// Records sent so far.
    pub fn sent(&self) -> u64 {
        self.signals.sent.load(Ordering::SeqCst)
    }

    /// Sends the last record of each partition; when it returns, all are acknowledged.
    ///
    /// # Errors
    /// If some were not.
    pub fn finish(self) -> Result<u64> {
        self.signals.end.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| error("the generator panicked"))??;
        Ok(self.signals.sent.load(Ordering::SeqCst))
    }
}

fn run(
    producer: &ThreadedProducer<Acknowledged>,
    topic: &str,
    mut events: Events,
    rate: u64,
    signals: &Signals,
) -> Result<()> {
    let started = Instant::now();
    let mut sent = 0;
    while !signals.end.load(Ordering::SeqCst) {
        let elapsed_ms = started.elapsed().as_millis() as u64;
        let late = signals.late.load(Ordering::SeqCst);
        // After a stall of the machine no more than a burst is made up for.
        let due = (elapsed_ms * rate / 1000).min(sent + rate);
        while sent < due {
            send(producer, topic, &events.next(elapsed_ms, late))?;
            sent += 1;
        }
        signals.sent.store(sent, Ordering::SeqCst);
        thread::sleep(TICK);
    }
    let elapsed_ms = started.elapsed().as_millis() as u64;
    for partition in 0..PARTITIONS {
        send(producer, topic, &events.flush(partition, elapsed_ms))?;
    }
    signals.sent.fetch_add(PARTITIONS as u64, Ordering::SeqCst);
    producer.flush(Duration::from_secs(120))?;
    lock(&producer.context().log).flush()?;
    match producer.context().failed.load(Ordering::SeqCst) {
        0 => Ok(()),
        failed => Err(error(format!("{failed} input records were not delivered"))),
    }
}

fn send(producer: &ThreadedProducer<Acknowledged>, topic: &str, event: &Event) -> Result<()> {
    let key = event.id.to_string();
    let record = BaseRecord::with_opaque_to(topic, Box::new(event.id))
        .partition(event.partition)
        .key(&key)
        .payload(&event.value);
    producer.send(record).map_err(|(cause, _)| cause.into())
}
