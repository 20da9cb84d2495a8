//! The columns of persons, auctions and bids: each a function of the event's number.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, PrimitiveArray, StringBuilder, TimestampMillisecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Int64Type};
use arrow::error::ArrowError;

use super::CYCLE;
use crate::error::{ConnectorError, Result};
use crate::options::did_you_mean;
use crate::random::{Random, below, letters, mix, unit};

/// Ids start here, so that queries with constants of the benchmark find matches in small data.
const FIRST_PERSON: u64 = 1000;
const FIRST_AUCTION: u64 = 1000;
const FIRST_CATEGORY: u64 = 10;
const CATEGORIES: u64 = 5;
/// Auctions of each [`CYCLE`]; there is one person, and the rest are bids.
const AUCTIONS: u64 = 3;
/// Persons who may open auctions or bid, and auctions that may be bid on, besides the hot ones.
const ACTIVE_PERSONS: u64 = 1000;
const OPEN_AUCTIONS: u64 = 100;
/// Ids that do not exist yet may be named as well, as in the benchmark.
const LEAD: u64 = 10;
/// Every so many persons or auctions one is hot.
const HOT_EVERY: u64 = 100;

const CHANNELS: u64 = 10_000;
const HOT_CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];
const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES: [&str; 10] = [
    "Phoenix",
    "Los Angeles",
    "San Francisco",
    "Boise",
    "Portland",
    "Bend",
    "Redmond",
    "Seattle",
    "Kent",
    "Cheyenne",
];
const FIRST_NAMES: [&str; 11] = [
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter",
];
const LAST_NAMES: [&str; 9] =
    ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];

/// Mean lengths of `extra`; that of bids makes a bid about 213 bytes of JSON.
const PERSON_EXTRA: u64 = 100;
const AUCTION_EXTRA: u64 = 300;
const BID_EXTRA: u64 = 20;

/// The three kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Person,
    Auction,
    Bid,
}

impl Event {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "person" => Some(Event::Person),
            "auction" => Some(Event::Auction),
            "bid" => Some(Event::Bid),
            _ => None,
        }
    }

    /// Which events of each [`CYCLE`] are of this kind.
    pub(super) fn places(self) -> Range<u64> {
        match self {
            Event::Person => 0..1,
            Event::Auction => 1..1 + AUCTIONS,
            Event::Bid => 1 + AUCTIONS..CYCLE,
        }
    }

    fn columns(self) -> &'static [(&'static str, Value)] {
        use Value::{Number, Text, Time};
        match self {
            Event::Person => &[
                ("id", Number(|_, n| FIRST_PERSON + last_person(n))),
                ("name", Text(person_name)),
                ("emailAddress", Text(email_address)),
                ("creditCard", Text(credit_card)),
                ("city", Text(|m, n, out| pick(&CITIES, m.random(n, Draw::City), out))),
                ("state", Text(|m, n, out| pick(&STATES, m.random(n, Draw::State), out))),
                ("dateTime", Time(|m, n| m.time_ms(n))),
                ("extra", Text(|m, n, out| extra(m, n, PERSON_EXTRA, out))),
            ],
            Event::Auction => &[
                ("id", Number(|_, n| FIRST_AUCTION + last_auction(n))),
                ("itemName", Text(|m, n, out| text(m.random(n, Draw::ItemName), 20, out))),
                ("description", Text(|m, n, out| text(m.random(n, Draw::Description), 100, out))),
                ("initialBid", Number(|m, n| price(m.random(n, Draw::InitialBid)))),
                ("reserve", Number(reserve)),
                ("dateTime", Time(|m, n| m.time_ms(n))),
                ("expires", Time(expires)),
                ("seller", Number(|m, n| person(n, m.random(n, Draw::Seller), 0))),
                ("category", Number(category)),
                ("extra", Text(|m, n, out| extra(m, n, AUCTION_EXTRA, out))),
            ],
            Event::Bid => &[
                ("auction", Number(|m, n| auction(n, m.random(n, Draw::Auction)))),
                // Hot bidders are not the hot sellers.
                ("bidder", Number(|m, n| person(n, m.random(n, Draw::Bidder), 1))),
                ("price", Number(|m, n| price(m.random(n, Draw::Price)))),
                ("channel", Text(channel)),
                ("url", Text(url)),
                ("dateTime", Time(|m, n| m.time_ms(n))),
                ("extra", Text(|m, n, out| extra(m, n, BID_EXTRA, out))),
            ],
        }
    }
}

/// How the values of a column follow from an event's number.
#[derive(Clone, Copy, Debug)]
enum Value {
    Number(fn(&Model, u64) -> u64),
    Text(fn(&Model, u64, &mut Vec<u8>)),
    /// Milliseconds after the first event.
    Time(fn(&Model, u64) -> u64),
}

/// What is drawn by lot: each has its own stream of random numbers, so that columns do not depend
/// on which other columns are read.
#[derive(Clone, Copy, Debug)]
enum Draw {
    City,
    State,
    ItemName,
    Description,
    InitialBid,
    Seller,
    Auction,
    Bidder,
    Price,
    Reserve,
    Category,
    Expires,
    Extra,
    Name,
    EmailAddress,
    CreditCard,
    Channel,
    HotUrl,
    Url,
}

/// What all columns depend on.
#[derive(Clone, Debug)]
pub(super) struct Model {
    random: Random,
    events_per_second: u64,
    /// The first event's time in zoned columns and in columns without a zone.
    zoned_ms: i64,
    wall_ms: i64,
}

impl Model {
    pub(super) fn new(seed: u64, events_per_second: u64, zoned_ms: i64, wall_ms: i64) -> Self {
        Model { random: Random::new(seed), events_per_second, zoned_ms, wall_ms }
    }

    #[inline]
    fn random(&self, number: u64, draw: Draw) -> u64 {
        self.random.stream(draw as u64).at(number)
    }

    fn time_ms(&self, number: u64) -> u64 {
        let rate = self.events_per_second;
        // Seconds and rest apart: the product of all events and 1000 might not fit.
        (number / rate).saturating_mul(1000).saturating_add(number % rate * 1000 / rate)
    }
}

/// A column that a table asks for.
#[derive(Clone, Debug)]
pub(super) struct Column {
    value: Value,
    kind: DataType,
}

impl Column {
    /// The column that `field` names.
    ///
    /// # Errors
    /// If there is no such column, or its type is of another family.
    pub(super) fn new(event: Event, field: &Field) -> Result<Self> {
        let columns = event.columns();
        let name = field.name().as_str();
        let refuse = |message: String, hint: Option<String>| ConnectorError::Options {
            message,
            option: Some("nexmark.event".into()),
            hint,
        };
        let found = columns.iter().find(|(column, _)| *column == name);
        let Some((_, value)) = found else {
            let names: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
            let hint = did_you_mean(name, names.iter().copied())
                .unwrap_or_else(|| format!("there are {}", names.join(", ")));
            return Err(refuse(format!("this Nexmark event has no column `{name}`"), Some(hint)));
        };
        let kind = field.data_type();
        let (fits, wanted) = match value {
            Value::Number(_) => (kind.is_numeric(), "BIGINT"),
            Value::Text(_) => (*kind == DataType::Utf8, "STRING"),
            Value::Time(_) => (matches!(kind, DataType::Timestamp(..)), "TIMESTAMP(3)"),
        };
        if !fits {
            let hint = format!("declare it as {wanted}");
            return Err(refuse(format!("column `{name}` cannot be of type {kind}"), Some(hint)));
        }
        Ok(Column { value: *value, kind: kind.clone() })
    }

    pub(super) fn array(
        &self,
        model: &Model,
        numbers: &[u64],
    ) -> std::result::Result<ArrayRef, ArrowError> {
        let array: ArrayRef = match self.value {
            Value::Number(value) => {
                let values = numbers.iter().map(|n| value(model, *n).cast_signed());
                Arc::new(Int64Array::from_iter_values(values))
            }
            Value::Text(write) => {
                let mut builder = StringBuilder::with_capacity(numbers.len(), numbers.len() * 24);
                let mut buffer = Vec::new();
                for number in numbers {
                    buffer.clear();
                    write(model, *number, &mut buffer);
                    let text = std::str::from_utf8(&buffer);
                    builder.append_value(text.expect("every writer appends ASCII"));
                }
                Arc::new(builder.finish())
            }
            Value::Time(after_ms) => self.timestamps(model, numbers, after_ms),
        };
        let options = CastOptions { safe: false, ..CastOptions::default() };
        if *array.data_type() == self.kind {
            return Ok(array);
        }
        cast_with_options(&array, &self.kind, &options)
    }

    /// Milliseconds with the column's zone, so that a cast only changes the unit.
    fn timestamps(
        &self,
        model: &Model,
        numbers: &[u64],
        after_ms: fn(&Model, u64) -> u64,
    ) -> ArrayRef {
        let zone = match &self.kind {
            DataType::Timestamp(_, zone) => zone.clone(),
            _ => None,
        };
        let base_ms = if zone.is_some() { model.zoned_ms } else { model.wall_ms };
        let values = numbers.iter().map(|n| base_ms.saturating_add_unsigned(after_ms(model, *n)));
        let values = PrimitiveArray::<Int64Type>::from_iter_values(values);
        let moments = TimestampMillisecondArray::new(values.values().clone(), None);
        Arc::new(moments.with_timezone_opt(zone))
    }
}

/// The person who came last when event `number` happens, counted from 0.
fn last_person(number: u64) -> u64 {
    number / CYCLE
}

/// The auction that was opened last when event `number` happens, counted from 0.
fn last_auction(number: u64) -> u64 {
    let (cycle, place) = (number / CYCLE, number % CYCLE);
    match place {
        // A person comes before the auctions of its cycle.
        0 => (cycle * AUCTIONS).saturating_sub(1),
        place => cycle * AUCTIONS + (place - 1).min(AUCTIONS - 1),
    }
}

/// Three quarters of the time the hot person, else any who is active.
fn person(number: u64, random: u64, hot_place: u64) -> u64 {
    let last = last_person(number);
    if below(random, 4) > 0 {
        return FIRST_PERSON + last / HOT_EVERY * HOT_EVERY + hot_place;
    }
    let active = (last + 1).min(ACTIVE_PERSONS);
    FIRST_PERSON + last + 1 - active + below(mix(random), active + LEAD)
}

/// Half of the time the hot auction, else any that is open.
fn auction(number: u64, random: u64) -> u64 {
    let last = last_auction(number);
    if below(random, 2) > 0 {
        return FIRST_AUCTION + last / HOT_EVERY * HOT_EVERY;
    }
    let first = last.saturating_sub(OPEN_AUCTIONS);
    FIRST_AUCTION + first + below(mix(random), last - first + 1 + LEAD)
}

/// From 1 to 1,000,000 dollars in cents, all orders of magnitude alike.
fn price(random: u64) -> u64 {
    (10f64.powf(unit(random) * 6.0) * 100.0).round() as u64
}

fn reserve(model: &Model, number: u64) -> u64 {
    price(model.random(number, Draw::InitialBid)) + price(model.random(number, Draw::Reserve))
}

fn category(model: &Model, number: u64) -> u64 {
    FIRST_CATEGORY + below(model.random(number, Draw::Category), CATEGORIES)
}

/// An auction lasts about as long as it takes to open as many as are open.
fn expires(model: &Model, number: u64) -> u64 {
    let now_ms = model.time_ms(number);
    let later_ms = model.time_ms(number.saturating_add(OPEN_AUCTIONS * CYCLE / AUCTIONS));
    let horizon_ms = (later_ms - now_ms).saturating_mul(2).max(1);
    now_ms + 1 + below(model.random(number, Draw::Expires), horizon_ms)
}

fn pick(words: &[&str], random: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(words[below(random, words.len() as u64) as usize].as_bytes());
}

fn text(random: u64, longest: u64, out: &mut Vec<u8>) {
    let length = 3 + below(random, longest - 2);
    letters(random, length as usize, out);
}

/// Filling whose length is within a fifth of `mean`.
fn extra(model: &Model, number: u64, mean: u64, out: &mut Vec<u8>) {
    let random = model.random(number, Draw::Extra);
    let length = mean - mean / 5 + below(random, mean / 5 * 2 + 1);
    letters(random, length as usize, out);
}

fn person_name(model: &Model, number: u64, out: &mut Vec<u8>) {
    let random = model.random(number, Draw::Name);
    pick(&FIRST_NAMES, random, out);
    out.push(b' ');
    pick(&LAST_NAMES, mix(random), out);
}

fn email_address(model: &Model, number: u64, out: &mut Vec<u8>) {
    let random = model.random(number, Draw::EmailAddress);
    letters(random, 7, out);
    out.push(b'@');
    letters(mix(random), 5, out);
    out.extend_from_slice(b".com");
}

fn credit_card(model: &Model, number: u64, out: &mut Vec<u8>) {
    let random = model.random(number, Draw::CreditCard);
    for group in 0..4 {
        if group > 0 {
            out.push(b' ');
        }
        decimal(below(mix(random.wrapping_add(group)), 10_000), 4, out);
    }
}

/// Half of the bids come by one of four channels, the others by one of ten thousand.
fn channel_number(model: &Model, number: u64) -> (bool, u64) {
    let random = model.random(number, Draw::Channel);
    match below(random, 2) {
        0 => (true, below(mix(random), HOT_CHANNELS.len() as u64)),
        _ => (false, below(mix(random), CHANNELS)),
    }
}

fn channel(model: &Model, number: u64, out: &mut Vec<u8>) {
    match channel_number(model, number) {
        (true, hot) => out.extend_from_slice(HOT_CHANNELS[hot as usize].as_bytes()),
        (false, other) => {
            out.extend_from_slice(b"channel-");
            decimal(other, 1, out);
        }
    }
}

/// A channel has one address; nine in ten of the many name the channel's id in it.
fn url(model: &Model, number: u64, out: &mut Vec<u8>) {
    let (hot, channel) = channel_number(model, number);
    let random = model.random(channel, if hot { Draw::HotUrl } else { Draw::Url });
    out.extend_from_slice(b"https://www.nexmark.com/");
    for part in 0..3 {
        letters(mix(random.wrapping_add(part)), 5, out);
        out.push(b'/');
    }
    out.extend_from_slice(b"item.htm?query=1");
    if !hot && below(random, 10) > 0 {
        out.extend_from_slice(b"&channel_id=");
        // Scattered over 31 bits, so that ids do not look like counters.
        decimal((channel.reverse_bits() >> 33).max(1), 1, out);
    }
}

/// Appends a number with at least `digits` digits.
fn decimal(number: u64, digits: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let mut start = text.len();
    let mut rest = number;
    while rest > 0 || text.len() - start < digits {
        start -= 1;
        text[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&text[start..]);
}
