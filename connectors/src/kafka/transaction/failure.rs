//! What may go wrong in a transaction, by what it means for the epoch.
//!
//! | the client says | it means | error |
//! |---|---|---|
//! | a newer producer has our id | another instance, or the broker ended a transaction that took too long: whose the pointer is tells | `Fenced`, `Aborted` |
//! | no right, a limit of the broker | it will say so again | `Refused` |
//! | a record is too large | the next incarnation would make the same record | `Data` |
//! | anything else, fatal or not | the outcome is what the decider says | `Aborted` |
//!
//! Not even a fatal error says that an epoch was *not* committed: librdkafka reports one if the
//! broker committed a transaction that had failed locally before.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::error::ConnectorError;
use crate::kafka::client::{self, Lost};
use crate::kafka::options::CommonOptions;

/// What was being done.
#[derive(Clone, Debug)]
pub(super) enum WhatFailed {
    /// Fencing predecessors.
    Init,
    /// Beginning a transaction.
    Begin,
    /// Handing over a record.
    Record { topic: String, size: usize },
    /// A record did not arrive.
    Delivery(Lost),
    /// Waiting for all of them.
    Deliveries,
    /// Committing offsets of a group.
    Offsets { group: String },
    /// Committing.
    Commit,
    /// Nothing: the client as a whole failed.
    Client,
}

/// A failure, before it is known who owns the transactional id now.
#[derive(Debug)]
pub(super) enum Failure {
    /// An error that is already in words.
    Told(ConnectorError),
    /// What the client said.
    Client {
        what: WhatFailed,
        /// Its code, and that of the fatal error behind it.
        codes: Vec<RDKafkaErrorCode>,
        text: String,
    },
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        Failure::Told(error)
    }
}

impl Failure {
    /// What the client said; `fatal` is the error that made it useless, if one did.
    pub(super) fn new(
        what: WhatFailed,
        error: KafkaError,
        fatal: Option<(RDKafkaErrorCode, String)>,
    ) -> Self {
        let mut codes: Vec<_> = error.rdkafka_error_code().into_iter().collect();
        let mut text = match &error {
            KafkaError::Transaction(error) => error.string(),
            error => codes.first().map_or_else(|| error.to_string(), ToString::to_string),
        };
        if let Some((code, reason)) = fatal
            && !codes.contains(&code)
        {
            codes.push(code);
            text = format!("{text} ({reason})");
        }
        Failure::Client { what, codes, text }
    }

    /// An error that is about no call in particular.
    pub(super) fn client(error: KafkaError) -> Self {
        Failure::new(WhatFailed::Client, error, None)
    }

    /// True if the broker knows a newer producer with our id.
    pub(super) fn is_fenced(&self) -> bool {
        use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
        let Failure::Client { codes, .. } = self else { return false };
        codes.iter().any(|code| matches!(code, Fenced | ProducerFenced | InvalidProducerEpoch))
    }

    /// The error in words, for a transactional id that is still ours.
    pub(super) fn explain(self, id: &str, options: &CommonOptions) -> ConnectorError {
        use RDKafkaErrorCode as Code;
        let (what, codes, text) = match self {
            Failure::Told(error) => return error,
            Failure::Client { what, codes, text } => (what, codes, text),
        };
        let text = options.properties.redact(&text);
        let servers = options.servers();
        let has = |wanted: Code| codes.contains(&wanted);
        let place = what.place();
        if has(Code::MessageSizeTooLarge) || has(Code::MessageBatchTooLarge) {
            return ConnectorError::Data {
                place,
                reason: match &what {
                    WhatFailed::Record { size, .. } | WhatFailed::Delivery(Lost { size, .. }) => {
                        format!("a record of {size} bytes is too large")
                    }
                    _ => text,
                },
                hint: client::hint_for(Code::MessageSizeTooLarge),
            };
        }
        let refused = [
            (
                Code::TransactionalIdAuthorizationFailed,
                format!("the user needs the ACLs WRITE and DESCRIBE for transactional id `{id}`"),
            ),
            (
                Code::InvalidTransactionTimeout,
                "shorten 'execution.checkpointing.interval', set \
                 'properties.transaction.timeout.ms', or raise the broker's \
                 transaction.max.timeout.ms"
                    .to_owned(),
            ),
            (
                Code::GroupAuthorizationFailed,
                "the user needs the ACL READ for the consumer group".to_owned(),
            ),
            (
                Code::TopicAuthorizationFailed,
                "the user needs the ACLs WRITE and READ for the topic".to_owned(),
            ),
            (
                Code::ClusterAuthorizationFailed,
                "the user needs the ACL IDEMPOTENT_WRITE for the cluster".to_owned(),
            ),
        ];
        if let Some((_, hint)) = refused.into_iter().find(|(code, _)| has(*code)) {
            let message = format!("{place} at {servers}: {text}");
            return ConnectorError::Refused { message, hint: Some(hint) };
        }
        ConnectorError::Aborted {
            message: format!("{place} at {servers}: {text}"),
            hint: codes.iter().find_map(|code| client::hint_for(*code)),
        }
    }
}

impl WhatFailed {
    /// Where it failed, for messages.
    fn place(&self) -> String {
        match self {
            WhatFailed::Init => "Kafka does not give the transactional id".to_owned(),
            WhatFailed::Begin => "a transaction could not begin".to_owned(),
            WhatFailed::Record { topic, .. } => format!("topic `{topic}`"),
            WhatFailed::Delivery(lost) => {
                format!("topic `{}`, partition {}", lost.topic, lost.partition)
            }
            WhatFailed::Deliveries => "records of the epoch have not arrived".to_owned(),
            WhatFailed::Offsets { group } => {
                format!("offsets of consumer group `{group}` were not taken")
            }
            WhatFailed::Commit => "the epoch's transaction was not committed".to_owned(),
            WhatFailed::Client => "the Kafka client failed".to_owned(),
        }
    }
}
