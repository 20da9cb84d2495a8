//! One real broker for all tests, and what tests do to it beside the connector.

use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// A broker that is borrowed for the life of this process.
pub struct Broker {
    pub bootstrap: String,
    pub sasl_bootstrap: String,
    // Its standard input tells the script that we are alive: it ends when this process does.
    _lender: Child,
}

/// A record to produce.
#[derive(Clone, Default)]
pub struct Sent<'a> {
    pub partition: i32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub timestamp: Option<i64>,
    pub headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

/// The broker; `None` if MILLSTREAM_SKIP_KAFKA=1.
pub fn broker() -> Option<&'static Broker> {
    static BROKER: OnceLock<Broker> = OnceLock::new();
    if std::env::var("MILLSTREAM_SKIP_KAFKA").is_ok_and(|skip| skip == "1") {
        eprintln!("skipped: MILLSTREAM_SKIP_KAFKA=1");
        return None;
    }
    Some(BROKER.get_or_init(Broker::borrow_one))
}

impl Broker {
    fn borrow_one() -> Broker {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/services/kafka.sh");
        let mut lender = Command::new(script)
            .args(["lend", concat!(env!("CARGO_TARGET_TMPDIR"), "/kafka")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("tests/services/kafka.sh can be run");
        let (mut bootstrap, mut sasl_bootstrap) = (None, None);
        for line in BufReader::new(lender.stdout.take().unwrap()).lines() {
            match line.unwrap().split_once('=') {
                Some(("BOOTSTRAP", server)) => bootstrap = Some(server.to_owned()),
                Some(("SASL_BOOTSTRAP", server)) => sasl_bootstrap = Some(server.to_owned()),
                _ => {}
            }
        }
        Broker {
            bootstrap: bootstrap.expect(
                "tests/services/kafka.sh starts a broker (its message is above); \
                 MILLSTREAM_SKIP_KAFKA=1 leaves these tests out",
            ),
            sasl_bootstrap: sasl_bootstrap.unwrap(),
            _lender: lender,
        }
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config().create().unwrap()
    }

    /// Makes a topic with a name of its own that starts with `name`.
    pub fn topic(&self, name: &str, partitions: i32) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let topic = format!("{name}-{}-{number}", std::process::id());
        let new = NewTopic::new(&topic, partitions, TopicReplication::Fixed(1))
            .set("max.message.bytes", "2000000");
        let made = block_on(self.admin().create_topics([&new], &patient())).unwrap();
        made[0].as_ref().unwrap();
        // The controller has made it; the broker may not have heard of it yet.
        let consumer: BaseConsumer = self.config().create().unwrap();
        let known = || {
            let found = consumer.fetch_metadata(Some(&topic), Duration::from_secs(30)).unwrap();
            i32::try_from(found.topics()[0].partitions().len()) == Ok(partitions)
        };
        assert!((0..1000).any(|_| known()), "the broker does not hear of {topic}");
        topic
    }

    pub fn add_partitions(&self, topic: &str, count: usize) {
        let new = NewPartitions::new(topic, count);
        block_on(self.admin().create_partitions([&new], &patient())).unwrap()[0].as_ref().unwrap();
    }

    /// Deletes the records before `offset`, as retention does.
    pub fn trim(&self, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
        block_on(self.admin().delete_records(&list, &patient())).unwrap();
    }

    pub fn produce(&self, topic: &str, records: &[Sent<'_>]) {
        self.produce_with(&self.config().create().unwrap(), topic, records);
    }

    /// Produces values to partition 0.
    pub fn produce_values(&self, topic: &str, values: &[&str]) {
        self.produce_to(topic, 0, values);
    }

    pub fn produce_to(&self, topic: &str, partition: i32, values: &[&str]) {
        let record = |value: &&'_ str| value.as_bytes().to_vec();
        let bytes: Vec<Vec<u8>> = values.iter().map(record).collect();
        let sent: Vec<Sent<'_>> = bytes
            .iter()
            .map(|value| Sent { partition, value: Some(value), ..Sent::default() })
            .collect();
        self.produce(topic, &sent);
    }

    /// Produces in a transaction, which then commits or aborts.
    pub fn produce_in_transaction(&self, topic: &str, records: &[Sent<'_>], commit: bool) {
        let mut config = self.config();
        let producer: BaseProducer =
            config.set("transactional.id", format!("{topic}-{commit}")).create().unwrap();
        let wait = Duration::from_secs(30);
        producer.init_transactions(wait).unwrap();
        producer.begin_transaction().unwrap();
        self.produce_with(&producer, topic, records);
        if commit {
            producer.commit_transaction(wait).unwrap();
        } else {
            producer.abort_transaction(wait).unwrap();
        }
    }

    fn produce_with(&self, producer: &BaseProducer, topic: &str, records: &[Sent<'_>]) {
        for sent in records {
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
            record.partition = Some(sent.partition);
            record.key = sent.key;
            record.payload = sent.value;
            record.timestamp = sent.timestamp;
            if !sent.headers.is_empty() {
                let all = OwnedHeaders::new();
                let add = |all: OwnedHeaders, (key, value): &(&str, Option<&[u8]>)| {
                    all.insert(Header { key, value: value.as_ref().copied() })
                };
                record.headers = Some(sent.headers.iter().fold(all, add));
            }
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(Duration::from_secs(30)).unwrap();
    }

    fn group_consumer(&self, group: &str) -> BaseConsumer {
        self.config().set("group.id", group).create().unwrap()
    }

    pub fn commit(&self, group: &str, topic: &str, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
        self.group_consumer(group).commit(&list, CommitMode::Sync).unwrap();
    }

    pub fn committed(&self, group: &str, topic: &str, partition: i32) -> Offset {
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, partition);
        let wait = Duration::from_secs(10);
        let committed = self.group_consumer(group).committed_offsets(list, wait).unwrap();
        committed.elements()[0].offset()
    }
}

fn patient() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)))
}

/// Waits for a future; the admin client has no other interface.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
