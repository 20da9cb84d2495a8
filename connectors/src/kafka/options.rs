//! The WITH options of a Kafka table, typed. Nothing here touches the network.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;

use super::info::{ALIASES, OPTIONS};
use super::properties::Properties;
use super::settings::TRANSACTION_OWN;
use crate::TableSpec;
use crate::commit::CommitterKey;
use crate::error::{ConnectorError, Result};
use crate::options::Options;

/// Name of the option that says how often a row reaches a topic.
const GUARANTEE: &str = "sink.delivery-guarantee";

/// What both sides need.
#[derive(Clone, Debug)]
pub(super) struct CommonOptions {
    /// What to read or write.
    pub(super) topics: Topics,
    /// Settings of the client.
    pub(super) properties: Properties,
}

/// Which topics a table stands for.
#[derive(Clone, Debug)]
pub(super) enum Topics {
    /// These.
    Names(Vec<String>),
    /// Those whose whole name matches.
    Pattern(Regex),
}

/// Where reading starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Startup {
    /// At the oldest record.
    Earliest,
    /// Behind the newest record.
    Latest,
    /// Where the consumer group has committed.
    Group,
    /// At the first record with at least this timestamp (ms).
    Timestamp(i64),
    /// At these offsets, by partition; partitions that are not named start as for `Group`.
    Specific(BTreeMap<i32, i64>),
}

/// Where reading ends; offsets are exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bounded {
    /// Never.
    Unbounded,
    /// Behind what is the newest record at the start.
    Latest,
    /// Where the consumer group has committed.
    Group,
    /// Before the first record with at least this timestamp (ms).
    Timestamp(i64),
    /// Before these offsets, by partition; partitions that are not named have no end.
    Specific(BTreeMap<i32, i64>),
}

/// Options of the reading side.
#[derive(Clone, Debug)]
pub(super) struct SourceOptions {
    pub(super) common: CommonOptions,
    pub(super) startup: Startup,
    pub(super) bounded: Bounded,
    /// How often to look for new partitions; `None` never.
    pub(super) discovery_interval: Option<Duration>,
}

/// How rows find their partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Partitioner {
    /// By the key, as the Java client does it.
    Default,
    /// One partition for each subtask.
    Fixed,
    /// Each partition in turn.
    RoundRobin,
}

/// Options of the writing side.
#[derive(Clone, Debug)]
pub(super) struct SinkOptions {
    pub(super) common: CommonOptions,
    pub(super) topic: String,
    pub(super) partitioner: Partitioner,
    /// What the user asked for; `None` leaves it to the job.
    pub(super) guarantee: Option<Guarantee>,
    /// What transactional ids start with.
    pub(super) id_prefix: String,
    /// Whether records say which epoch they belong to.
    pub(super) audit_headers: bool,
}

/// How often a row reaches the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarantee {
    /// Mostly once: only the end waits for the broker.
    None,
    /// At least once: an epoch does not end before the broker has its rows.
    AtLeastOnce,
    /// Exactly once, for readers of what is committed: an epoch is a transaction.
    ExactlyOnce,
}

impl CommonOptions {
    fn new(table: &TableSpec) -> Result<Self> {
        let options = Options::of(table, OPTIONS);
        refuse_aliases(table, &options)?;
        let mut properties = Properties::default();
        for (key, value) in &table.options {
            if let Some(name) = key.strip_prefix("properties.") {
                properties.add(name, value)?;
            }
        }
        options.required("properties.bootstrap.servers")?;
        properties.check_safety()?;
        let topics = Topics::new(&options)?;
        Ok(CommonOptions { topics, properties })
    }

    /// The consumer group, if the user named one.
    pub(super) fn group(&self) -> Option<&str> {
        self.properties.get("group.id")
    }

    /// Names the cluster, and who we are there: what is equal here can share a transaction.
    pub(super) fn system(&self) -> CommitterKey {
        let servers = self.servers().split(',').map(str::trim);
        let servers: std::collections::BTreeSet<&str> = servers.collect();
        let servers: Vec<&str> = servers.into_iter().collect();
        let user = self.properties.get("sasl.username").unwrap_or_default();
        CommitterKey(format!("kafka://{user}@{}", servers.join(",")))
    }

    /// The brokers, for messages.
    pub(super) fn servers(&self) -> &str {
        self.properties.get("bootstrap.servers").unwrap_or_default()
    }
}

impl Topics {
    fn new(options: &Options<'_>) -> Result<Self> {
        match (options.text("topic"), options.text("topic-pattern")) {
            (Some(_), Some(_)) => Err(options.error(
                "topic-pattern",
                "cannot be given together with `topic`".to_owned(),
                None,
            )),
            (None, None) => Err(ConnectorError::Options {
                message: "a Kafka table needs the option `topic` or `topic-pattern`".to_owned(),
                option: Some("topic".to_owned()),
                hint: Some("add 'topic' = '…' to its WITH clause".to_owned()),
            }),
            (Some(names), None) => {
                let mut names = split_list(names);
                names.dedup();
                if names.is_empty() {
                    return Err(options.error("topic", "names no topic".to_owned(), None));
                }
                Ok(Topics::Names(names))
            }
            (None, Some(pattern)) => match Regex::new(&format!("^(?:{pattern})$")) {
                Ok(regex) => Ok(Topics::Pattern(regex)),
                Err(error) => {
                    // Its last line says what is wrong; those before draw the pattern.
                    let text = error.to_string();
                    let reason = text.lines().last().unwrap_or_default().trim().to_owned();
                    Err(options.error("topic-pattern", reason, None))
                }
            },
        }
    }
}

impl SourceOptions {
    /// Reads the options of a table that is read.
    pub(super) fn new(table: &TableSpec) -> Result<Self> {
        let common = CommonOptions::new(table)?;
        let options = Options::of(table, OPTIONS);
        let startup = startup(&options)?;
        let bounded = bounded(&options)?;
        for (mode, needs_group) in [
            ("scan.startup.mode", startup == Startup::Group),
            ("scan.bounded.mode", bounded == Bounded::Group),
        ] {
            if needs_group && common.group().is_none() {
                let hint = "add 'properties.group.id' = '…', or choose another mode such as \
                            'earliest-offset'";
                let hint = if mode == "scan.bounded.mode" {
                    "add 'properties.group.id' = '…', or choose another mode".to_owned()
                } else {
                    hint.to_owned()
                };
                let reason = "`group-offsets` needs a consumer group".to_owned();
                return Err(options.error(mode, reason, Some(hint)));
            }
        }
        let discovery = options.duration("scan.topic-partition-discovery.interval")?;
        let bounded_at_all = bounded != Bounded::Unbounded;
        let discovery_interval =
            discovery.filter(|interval| !interval.is_zero() && !bounded_at_all);
        Ok(SourceOptions { common, startup, bounded, discovery_interval })
    }
}

impl SinkOptions {
    /// Reads the options of a table that is written.
    pub(super) fn new(table: &TableSpec) -> Result<Self> {
        let common = CommonOptions::new(table)?;
        let options = Options::of(table, OPTIONS);
        let topic = match &common.topics {
            Topics::Names(names) if names.len() == 1 => names[0].clone(),
            Topics::Names(_) => {
                let reason = "a table that is written has exactly one topic".to_owned();
                return Err(options.error("topic", reason, None));
            }
            Topics::Pattern(_) => {
                let reason = "a table that is written needs a `topic`".to_owned();
                return Err(options.error("topic-pattern", reason, None));
            }
        };
        let partitioner = match options.one_of("sink.partitioner")? {
            Some("fixed") => Partitioner::Fixed,
            Some("round-robin") => Partitioner::RoundRobin,
            _ => Partitioner::Default,
        };
        // Left out, it depends on the job, whatever the reference calls the default.
        let asked = options.one_of(GUARANTEE)?.filter(|_| options.is_set(GUARANTEE));
        let guarantee = asked.map(|guarantee| match guarantee {
            "none" => Guarantee::None,
            "at-least-once" => Guarantee::AtLeastOnce,
            _ => Guarantee::ExactlyOnce,
        });
        let sink = SinkOptions {
            common,
            topic,
            partitioner,
            guarantee,
            id_prefix: options.text("sink.transactional-id-prefix").unwrap_or("millstream").into(),
            audit_headers: options.bool("sink.audit-headers")?,
        };
        if guarantee == Some(Guarantee::ExactlyOnce) {
            sink.check_transactional()?;
        }
        Ok(sink)
    }

    /// The guarantee in a job that has epochs, or has none.
    ///
    /// # Errors
    /// If it cannot be given.
    pub(super) fn guarantee_in(&self, has_epochs: bool) -> Result<Guarantee> {
        let guarantee = match (self.guarantee, has_epochs) {
            (None, true) => Guarantee::ExactlyOnce,
            (None, false) => Guarantee::AtLeastOnce,
            (Some(Guarantee::ExactlyOnce), false) => {
                return Err(ConnectorError::Options {
                    message: format!(
                        "topic `{}`: '{GUARANTEE}' = 'exactly-once' needs epochs, which this job \
                         does not have",
                        self.topic
                    ),
                    option: Some(GUARANTEE.to_owned()),
                    hint: Some(format!(
                        "SET 'execution.checkpointing.interval' = '1 s', or use '{GUARANTEE}' = \
                         'at-least-once'"
                    )),
                });
            }
            (Some(guarantee), _) => guarantee,
        };
        if guarantee == Guarantee::ExactlyOnce {
            self.check_transactional()?;
        } else if self.audit_headers {
            return Err(ConnectorError::Options {
                message: "option 'sink.audit-headers' has no effect without exactly-once".into(),
                option: Some("sink.audit-headers".to_owned()),
                hint: Some(format!("leave it out, or use '{GUARANTEE}' = 'exactly-once'")),
            });
        }
        Ok(guarantee)
    }

    /// Refuses settings that would make a transaction unsafe.
    fn check_transactional(&self) -> Result<()> {
        let set = |name: &&&str| self.common.properties.get(name).is_some();
        match TRANSACTION_OWN.iter().find(set) {
            None => Ok(()),
            Some(name) => Err(ConnectorError::Options {
                message: format!("option 'properties.{name}' cannot be set for exactly-once"),
                option: Some(format!("properties.{name}")),
                hint: Some(format!(
                    "leave it out: it follows from the transaction's time-out; or use \
                     '{GUARANTEE}' = 'at-least-once'"
                )),
            }),
        }
    }
}

fn startup(options: &Options<'_>) -> Result<Startup> {
    const OFFSETS: &str = "scan.startup.specific-offsets";
    const TIMESTAMP: &str = "scan.startup.timestamp-millis";
    let mode = options.one_of("scan.startup.mode")?.unwrap_or("group-offsets");
    check_companions(options, "scan.startup.mode", mode, [OFFSETS, TIMESTAMP])?;
    Ok(match mode {
        "earliest-offset" => Startup::Earliest,
        "latest-offset" => Startup::Latest,
        "timestamp" => Startup::Timestamp(timestamp(options, TIMESTAMP)?),
        "specific-offsets" => Startup::Specific(specific_offsets(options, OFFSETS)?),
        _ => Startup::Group,
    })
}

fn bounded(options: &Options<'_>) -> Result<Bounded> {
    const OFFSETS: &str = "scan.bounded.specific-offsets";
    const TIMESTAMP: &str = "scan.bounded.timestamp-millis";
    let mode = options.one_of("scan.bounded.mode")?.unwrap_or("unbounded");
    check_companions(options, "scan.bounded.mode", mode, [OFFSETS, TIMESTAMP])?;
    Ok(match mode {
        "latest-offset" => Bounded::Latest,
        "group-offsets" => Bounded::Group,
        "timestamp" => Bounded::Timestamp(timestamp(options, TIMESTAMP)?),
        "specific-offsets" => Bounded::Specific(specific_offsets(options, OFFSETS)?),
        _ => Bounded::Unbounded,
    })
}

/// An option that belongs to another mode would be silently without effect: refuse it.
fn check_companions(
    options: &Options<'_>,
    name: &str,
    mode: &str,
    companions: [&str; 2],
) -> Result<()> {
    for (companion, of) in companions.into_iter().zip(["specific-offsets", "timestamp"]) {
        if mode == of {
            options.required(companion)?;
        } else if options.is_set(companion) {
            let reason = format!("has no effect with '{name}' = '{mode}'");
            let hint = Some(format!("set '{name}' = '{of}', or leave it out"));
            return Err(options.error(companion, reason, hint));
        }
    }
    Ok(())
}

fn timestamp(options: &Options<'_>, name: &str) -> Result<i64> {
    let millis = options.at_least(name, 0)?.unwrap_or_default();
    i64::try_from(millis).map_err(|_| options.error(name, format!("{millis} is too large"), None))
}

/// `partition:0,offset:42;partition:1,offset:300`
fn specific_offsets(options: &Options<'_>, name: &str) -> Result<BTreeMap<i32, i64>> {
    let text = options.required(name)?;
    let mut offsets = BTreeMap::new();
    for entry in split_list(text) {
        let pair = entry.split_once(',').and_then(|(partition, offset)| {
            let partition = partition.trim().strip_prefix("partition:")?.trim().parse::<u16>();
            let offset = offset.trim().strip_prefix("offset:")?.trim().parse::<u64>();
            Some((i32::from(partition.ok()?), i64::try_from(offset.ok()?).ok()?))
        });
        let Some((partition, offset)) = pair else {
            let hint = "write it as 'partition:0,offset:42;partition:1,offset:300'".to_owned();
            let reason = format!("`{entry}` is not a partition and an offset");
            return Err(options.error(name, reason, Some(hint)));
        };
        if offsets.insert(partition, offset).is_some() {
            return Err(options.error(name, format!("names partition {partition} twice"), None));
        }
    }
    Ok(offsets)
}

fn refuse_aliases(table: &TableSpec, options: &Options<'_>) -> Result<()> {
    match ALIASES.iter().find(|(alias, _)| table.options.contains_key(*alias)) {
        None => Ok(()),
        Some((alias, name)) => Err(options.error(
            alias,
            "is not an option of connector `kafka`".to_owned(),
            Some(format!("use `{name}`")),
        )),
    }
}

/// The parts of `a;b`, without blanks around them.
pub(super) fn split_list(text: &str) -> Vec<String> {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
