//! A transactional producer whose calls all come to an end.
//!
//! Three threads share a client:
//!
//! - *writers* hand it records, which never blocks;
//! - the *poller* serves its events every [`SERVE_INTERVAL`], deliveries and troubles among them;
//! - the *caller* makes the calls that may block: a known bug or two of librdkafka makes them block
//!   for ever (its issue 4420: `begin_transaction` behind a fatal error). Whoever asks waits for
//!   the caller with a limit; past it the caller and its client are left alone, and the incarnation
//!   ends.
//!
//! For the same reason the client is dropped by the caller's thread, and for at most
//! [`BURIAL_PATIENCE`] somebody waits for that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::util::Timeout;

use super::failure::{Failure, WhatFailed};
use crate::error::{ConnectorError, Result};
use crate::kafka::client::{self, Context};
use crate::kafka::native;
use crate::kafka::options::CommonOptions;

/// How often events are served.
const SERVE_INTERVAL: Duration = Duration::from_millis(20);
/// Most events that are served at a time.
const SERVE_LIMIT: usize = 32;
/// How long a client may take to end.
const BURIAL_PATIENCE: Duration = Duration::from_secs(3);
/// How long ending an unfinished transaction may take at the end.
const ABORT_PATIENCE: Duration = Duration::from_secs(2);
/// How long the coordinator may take to fence predecessors and end what they left open.
const INIT_PATIENCE: Duration = Duration::from_secs(60);
/// A step of it, after which troubles are looked for.
const INIT_STEP: Duration = Duration::from_secs(5);
/// What a call may take beyond its own time-out.
const GRACE: Duration = Duration::from_secs(30);
/// A call that returns sooner has sent its request once: librdkafka repeats a request no sooner than
/// after `retry.backoff.ms`, which is fixed to 100 ms, less a fifth at random. One that takes longer
/// may have left a copy behind on a broken connection. The client does not say so by itself: it
/// reports the same trouble with a broker only every so often.
const SENT_ONCE: Duration = Duration::from_millis(75);

type Client = BaseProducer<Context>;
type Call = Box<dyn FnOnce(&Client) + Send>;

/// See the head of the file.
pub(super) struct Producer {
    // PROPERTIES
    options: CommonOptions,
    timeout: Duration,

    // STATE
    /// Taken away at the end only.
    client: Option<Arc<Client>>,
    /// Taken away to end the caller.
    calls: Mutex<Option<mpsc::Sender<Call>>>,
    /// The caller has dropped its client.
    buried: Mutex<mpsc::Receiver<()>>,
    /// Held by who serves events, so that after it was held all earlier events are known.
    serving: Arc<Mutex<()>>,
    /// When the open transaction began; none is open while it is being ended.
    began: Mutex<Option<Instant>>,
    /// Nothing will be committed any more: who waits for the broker need not.
    given_up: AtomicBool,
}

impl Producer {
    /// A producer of this id; nothing is fenced before [`Producer::init`].
    pub(super) fn new(options: &CommonOptions, id: &str, timeout: Duration) -> Result<Self> {
        let client = Arc::new(client::transactional_producer(options, id, timeout)?);
        let (calls, to_make) = mpsc::channel::<Call>();
        let (bury, buried) = mpsc::channel();
        let serving = Arc::new(Mutex::new(()));
        let stop = Arc::new(AtomicBool::new(false));
        let poller = {
            let (client, serving, stop) = (client.clone(), serving.clone(), stop.clone());
            spawn("kafka-poll", move || {
                while !stop.load(Ordering::Relaxed) {
                    serve(&client, &serving);
                    thread::park_timeout(SERVE_INTERVAL);
                }
            })?
        };
        let called = client.clone();
        spawn("kafka-calls", move || {
            for call in to_make {
                call(&called);
            }
            stop.store(true, Ordering::Relaxed);
            let _ = poller.join();
            drop(called);
            let _ = bury.send(());
        })?;
        Ok(Producer {
            options: options.clone(),
            timeout,
            client: Some(client),
            calls: Mutex::new(Some(calls)),
            buried: Mutex::new(buried),
            serving,
            began: Mutex::new(None),
            given_up: AtomicBool::new(false),
        })
    }

    /// The client, for questions that have a time-out of their own.
    pub(super) fn client(&self) -> &Client {
        self.client.as_ref().expect("only drop takes it away")
    }

    fn context(&self) -> &Context {
        self.client().context()
    }

    /// Has the caller make a call; an error if it takes longer than `limit`.
    fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        limit: Duration,
        call: impl FnOnce(&Client) -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = mpsc::sync_channel(1);
        let call: Call = Box::new(move |client| {
            let _ = reply.send(call(client));
        });
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = calls.as_ref().is_some_and(|calls| calls.send(call).is_ok());
        drop(calls);
        let answer = if sent { answer.recv_timeout(limit).ok() } else { None };
        answer.ok_or_else(|| {
            self.context().disturb();
            ConnectorError::Aborted {
                message: format!(
                    "the Kafka client at {} has not returned from {what} for {} s",
                    self.options.servers(),
                    limit.as_secs()
                ),
                hint: Some("check the broker; the job goes on from its last epoch".to_owned()),
            }
        })
    }

    /// Fences all predecessors with the same id, and ends the transaction that one left open.
    pub(super) fn init(&self) -> Result<(), Failure> {
        let start = Instant::now();
        loop {
            let step = INIT_STEP;
            let answer = self.call("init_transactions", step + GRACE, move |client| {
                client.init_transactions(step)
            })?;
            self.serve();
            let Err(error) = answer else {
                self.context().calm_down();
                return Ok(());
            };
            let hopeless = self.context().hopeless_error().is_some();
            if !is_retriable(&error) || hopeless || start.elapsed() > INIT_PATIENCE {
                return Err(self.failure(WhatFailed::Init, error));
            }
            // A broker that answers at once with "not now" is not to be asked in a loop.
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Begins a transaction; a local act.
    pub(super) fn begin(&self) -> Result<(), Failure> {
        let begun = self.call("begin_transaction", GRACE, Client::begin_transaction)?;
        begun.map_err(|error| self.failure(WhatFailed::Begin, error))?;
        *self.began() = Some(Instant::now());
        Ok(())
    }

    /// Hands over a record; waits while the queue is full.
    pub(super) fn send(&self, mut record: BaseRecord<'_, [u8], [u8]>) -> Result<(), Failure> {
        loop {
            match self.client().send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.check()?;
                    if self.given_up.load(Ordering::Relaxed) {
                        let error = KafkaError::Canceled;
                        return Err(self.failure(WhatFailed::Client, error));
                    }
                    // The client sends meanwhile; its own thread says when there is room.
                    native::flush(self.client(), Duration::from_millis(1));
                }
                Err((error, back)) => {
                    let size =
                        back.payload.map_or(0, <[u8]>::len) + back.key.map_or(0, <[u8]>::len);
                    let what = WhatFailed::Record { topic: back.topic.to_owned(), size };
                    return Err(self.failure(what, error));
                }
            }
        }
    }

    /// Waits until the broker has all records.
    pub(super) fn drain(&self) -> Result<(), Failure> {
        let start = Instant::now();
        while !native::flush(self.client(), Duration::from_millis(100)) {
            self.check()?;
            if start.elapsed() > self.timeout {
                let error = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
                return Err(self.failure(WhatFailed::Deliveries, error));
            }
        }
        self.check()
    }

    /// Makes offsets of a group part of the transaction.
    pub(super) fn send_offsets(
        &self,
        group: &str,
        offsets: &TopicPartitionList,
        metadata: impl Fn() -> Result<ConsumerGroupMetadata>,
    ) -> Result<(), Failure> {
        loop {
            let start = Instant::now();
            let (list, group_metadata, timeout) = (offsets.clone(), metadata()?, self.timeout);
            let sent =
                self.call("send_offsets_to_transaction", timeout + GRACE, move |client| {
                    client.send_offsets_to_transaction(&list, &group_metadata, timeout)
                })?;
            if sent.is_err() || start.elapsed() > SENT_ONCE {
                self.disturb();
            }
            let Err(error) = sent else { return Ok(()) };
            if !self.may_retry(&error) {
                let group = group.to_owned();
                return Err(self.failure(WhatFailed::Offsets { group }, error));
            }
        }
    }

    /// Commits the transaction. The client's own limit is what the transaction has left of its
    /// time; for that long it repeats requests by itself.
    pub(super) fn commit(&self) -> Result<(), Failure> {
        let start = Instant::now();
        let began = self.began().take();
        let result = loop {
            let committed = self.call("commit_transaction", self.timeout + GRACE, |client| {
                client.commit_transaction(Timeout::Never)
            })?;
            let Err(error) = committed else { break Ok(()) };
            self.context().disturb();
            let age = began.map_or(self.timeout, |began| began.elapsed());
            if !is_retriable(&error) || age > self.timeout.mul_f64(0.8) {
                break Err(self.failure(WhatFailed::Commit, error));
            }
        };
        if start.elapsed() > SENT_ONCE {
            self.disturb();
        }
        // What the client noticed on the way is known once its events are served.
        self.serve();
        result
    }

    /// True if a request may be under way that nobody waits for any more: such a one could end the
    /// next transaction (KAFKA-17754). Only a new producer of the same id keeps it from that.
    pub(super) fn is_dirty(&self) -> bool {
        self.context().is_disturbed()
    }

    /// The epoch has failed: writers that wait for room get an error instead.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Says that a request may have been left behind.
    pub(super) fn disturb(&self) {
        self.context().disturb();
    }

    /// An error if a record did not arrive, or nothing can any more.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let context = self.context();
        if let Some(lost) = context.failed_delivery() {
            let error = KafkaError::MessageProduction(lost.code);
            return Err(self.failure(WhatFailed::Delivery(lost), error));
        }
        match context.hopeless_error() {
            None => Ok(()),
            Some((code, _)) => Err(self.failure(WhatFailed::Client, KafkaError::Global(code))),
        }
    }

    fn may_retry(&self, error: &KafkaError) -> bool {
        let age = self.began().map_or(self.timeout, |began| began.elapsed());
        is_retriable(error) && age < self.timeout.mul_f64(0.8)
    }

    fn began(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.began.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self) {
        serve(self.client(), &self.serving);
    }

    fn failure(&self, what: WhatFailed, error: KafkaError) -> Failure {
        let fatal = self.client().client().fatal_error();
        Failure::new(what, error, fatal)
    }
}

/// Whether the client itself says that the same call may be made again.
fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.is_retriable() && !error.is_fatal())
}

fn serve(client: &Client, serving: &Mutex<()>) {
    let _serving = serving.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..SERVE_LIMIT {
        client.poll(Duration::ZERO);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map_err(|source| ConnectorError::Io { place: format!("thread `{name}`"), source })
}

impl Drop for Producer {
    /// Ends an open transaction, so that readers do not wait for its time-out, and the client.
    fn drop(&mut self) {
        let calls = self.calls.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let open = self.began.get_mut().unwrap_or_else(PoisonError::into_inner).is_some();
        if let Some(calls) = calls.filter(|_| open) {
            let abort =
                |client: &Client| drop::<KafkaResult<()>>(client.abort_transaction(ABORT_PATIENCE));
            let _ = calls.send(Box::new(abort));
        }
        // The caller has the last handle, so that it is there that a client hangs, if one does.
        self.client = None;
        let buried = self.buried.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = buried.recv_timeout(BURIAL_PATIENCE);
    }
}

/// Drops `value` on a thread of its own, for which nobody waits.
pub(super) fn discard<T: Send + 'static>(value: T) {
    let _ = spawn("kafka-end", move || drop(value));
}

/// Drops `value` on a thread of its own, and waits for it, but not for ever: ending a client of
/// librdkafka is known to hang at times.
pub(super) fn bury<T: Send + 'static>(value: T) {
    let (done, buried) = mpsc::channel();
    let dropping = spawn("kafka-end", move || {
        drop(value);
        let _ = done.send(());
    });
    if dropping.is_ok() {
        let _ = buried.recv_timeout(BURIAL_PATIENCE);
    }
}
