//! One real broker, with a listener of its own for each lane's proxy.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::proxy::Proxy;
use crate::{Result, error};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../services/kafka.sh");

/// A running broker; it stops when this goes, however it goes.
pub struct Broker {
    script: Child,
    // Taken at the end: closing it is what stops the script.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    direct: String,
    dir: PathBuf,
    proxies: Vec<Proxy>,
    /// Times that it was killed or stopped.
    pub restarts: u64,
}

/// What lanes need to know of a broker.
#[derive(Clone)]
pub struct Access {
    /// Past all proxies.
    pub direct: String,
    /// Through the lane's proxy.
    pub proxied: String,
    /// The lane's proxy.
    pub proxy: Proxy,
    /// The broker's directory, with its log.
    dir: PathBuf,
}

/// How a broker goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// kill -9.
    Crash,
    /// SIGTERM.
    Terminate,
}

impl Broker {
    /// Starts a broker below `dir` with `lanes` proxies.
    ///
    /// # Errors
    /// If it does not come up.
    pub fn start(dir: &Path, lanes: usize) -> Result<Broker> {
        let listeners = (0..lanes)
            .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .collect::<std::io::Result<Vec<_>>>()?;
        let mut ports = Vec::new();
        for listener in &listeners {
            ports.push(listener.local_addr()?.port().to_string());
        }
        let mut script = Command::new(SCRIPT)
            .arg("hold")
            .arg(dir)
            .env("PROXIED_PORTS", ports.join(" "))
            .env("SEPARATE_CONTROLLER", "1")
            // Ctrl-C ends the rig; the script then sees the end of its input, and stops the broker.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = script.stdin.take();
        let answers = script.stdout.take().ok_or_else(|| error("no standard output"))?;
        let mut answers = BufReader::new(answers);
        let env = read_env(&mut answers)?;
        let direct = env.get("BOOTSTRAP").ok_or_else(|| error("kafka.sh told no BOOTSTRAP"))?;
        let upstream = env.get("PROXIED").map(String::as_str).unwrap_or_default();
        let mut proxies = Vec::new();
        for (listener, port) in listeners.into_iter().zip(upstream.split_whitespace()) {
            let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse()?));
            proxies.push(Proxy::start(listener, upstream)?);
        }
        let direct = direct.clone();
        let dir = dir.to_owned();
        Ok(Broker { script, orders, answers, direct, dir, proxies, restarts: 0 })
    }

    /// What lane `number` needs.
    pub fn access(&self, number: usize) -> Access {
        let proxy = self.proxies[number].clone();
        let proxied = format!("127.0.0.1:{}", proxy.port());
        Access { direct: self.direct.clone(), proxied, proxy, dir: self.dir.clone() }
    }

    /// Takes the broker down, and up again after a while.
    ///
    /// # Errors
    /// If it does not come up again.
    pub fn restart(&mut self, how: Down, pause: Duration) -> Result<()> {
        self.order(if how == Down::Crash { "crash" } else { "terminate" })?;
        thread::sleep(pause);
        self.order("resume")?;
        self.restarts += 1;
        Ok(())
    }

    fn order(&mut self, order: &str) -> Result<()> {
        let orders = self.orders.as_mut().ok_or_else(|| error("the broker has ended"))?;
        writeln!(orders, "{order}")?;
        read_env(&mut self.answers).map(drop)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The end of its input stops the script, which stops the broker.
        drop(self.orders.take());
        let _ = self.script.wait();
    }
}

/// Lines `NAME=VALUE` up to a line `ready`.
fn read_env(answers: &mut impl BufRead) -> Result<HashMap<String, String>> {
    let mut env = HashMap::new();
    for line in answers.lines() {
        let line = line?;
        if line == "ready" {
            return Ok(env);
        }
        if let Some((name, value)) = line.split_once('=') {
            env.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        }
    }
    Err(error("tests/services/kafka.sh ended; its message is above"))
}

impl Access {
    /// Settings of a client past the proxy.
    pub fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.direct);
        config.set("log_level", "0");
        config
    }

    /// True if the broker says that it has not ended a transaction of this name where it should
    /// have: then it has broken its own promise, and nothing can be said of the job's.
    pub fn skipped_markers(&self, name: &str) -> bool {
        let skipped = |line: &str| line.contains("can be skipped") && line.contains(name);
        ["log", "log.old"].iter().any(|file| {
            let text = std::fs::read_to_string(self.dir.join(file)).unwrap_or_default();
            text.lines().any(skipped)
        })
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// If the broker refuses.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        for made in block_on(admin.create_topics([&new], &options))? {
            made.map_err(|(topic, code)| error(format!("topic {topic}: {code}")))?;
        }
        // The controller has it; until the broker knows, nobody else finds it.
        let client = admin.inner();
        let known = wait_until(Duration::from_secs(30), || {
            let metadata = client.fetch_metadata(Some(name), Duration::from_secs(5));
            metadata.is_ok_and(|metadata| {
                metadata.topics().iter().any(|topic| topic.partitions().len() as i32 == partitions)
            })
        });
        if known { Ok(()) } else { Err(error(format!("topic {name} does not appear"))) }
    }

    /// Deletes topics, so that a long run does not fill the disk.
    ///
    /// # Errors
    /// If the broker refuses.
    pub fn delete_topics(&self, names: &[&str]) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        block_on(admin.delete_topics(names, &options))?;
        Ok(())
    }

    /// Ends of the partitions of a topic, as a consumer of this isolation level sees them.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub fn ends(&self, topic: &str, partitions: i32, isolation: &str) -> Result<Vec<i64>> {
        let mut config = self.config();
        let consumer: BaseConsumer =
            config.set("isolation.level", isolation).set("group.id", "rig-ends").create()?;
        let end = |partition| consumer.fetch_watermarks(topic, partition, Duration::from_secs(10));
        (0..partitions).map(|partition| Ok(end(partition)?.1)).collect()
    }

    /// Offsets that a group has committed, with their metadata.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub fn committed(
        &self,
        group: &str,
        topic: &str,
        partitions: i32,
    ) -> Result<Vec<(Option<i64>, String)>> {
        let consumer: BaseConsumer = self.config().set("group.id", group).create()?;
        let mut list = rdkafka::TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        let committed = consumer.committed_offsets(list, Duration::from_secs(10))?;
        let elements = committed.elements();
        Ok(elements
            .iter()
            .map(|element| {
                (element.offset().to_raw().filter(|o| *o >= 0), element.metadata().to_owned())
            })
            .collect())
    }
}

/// Waits for a future without a runtime: the client's own thread wakes it.
fn block_on<F: std::future::Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => thread::park_timeout(Duration::from_secs(1)),
        }
    }
}

/// Waits until something is true; false if it did not become true in time.
pub fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !done() {
        if started.elapsed() > limit {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}
