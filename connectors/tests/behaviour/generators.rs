//! `datagen` and `nexmark`: what their options promise.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::DataType::{self, Float64, Int32, Int64, Utf8};
use arrow::datatypes::{
    Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use millstream_connectors::registry::{Environment, open_source};
use millstream_connectors::{Polled, TableSpec};

use crate::common::{TIMESTAMP, drain, environment, project, read_sorted, table};

fn here() -> Environment {
    environment(std::path::Path::new("."))
}

fn columns(table: &TableSpec, environment: &Environment) -> arrow::array::RecordBatch {
    let source = open_source(table, environment).unwrap();
    let splits = source.splits().unwrap();
    let count = splits.len();
    let steps = drain(&mut *source.reader(splits).unwrap(), count);
    arrow::compute::concat_batches(&table.schema, steps.iter().map(|step| &step.batch)).unwrap()
}

#[test]
fn a_sequence_comes_in_sequence_and_ends_the_table() {
    let options = [
        ("connector", "datagen"),
        ("number-of-rows", "1000"),
        ("fields.id.kind", "sequence"),
        ("fields.id.start", "-2"),
        ("fields.id.end", "17"),
        ("fields.name.kind", "sequence"),
        ("fields.name.start", "1"),
        ("fields.name.end", "500"),
    ];
    let rows = columns(&table(&options, &[("id", Int32), ("name", Utf8)]), &here());
    let ids: Vec<i32> = rows.column(0).as_primitive::<Int32Type>().values().to_vec();
    assert_eq!(ids, (-2..=17).collect::<Vec<_>>());
    assert_eq!(rows.column(1).as_string::<i32>().value(19), "20");
}

#[test]
fn random_values_keep_their_bounds() {
    let options = [
        ("connector", "datagen"),
        ("number-of-rows", "5000"),
        ("fields.n.min", "-3"),
        ("fields.n.max", "4"),
        ("fields.x.min", "0.5"),
        ("fields.x.max", "2"),
        ("fields.d.min", "1"),
        ("fields.d.max", "9.99"),
        ("fields.s.length", "8"),
        ("fields.s.var-len", "true"),
        ("fields.s.null-rate", "0.25"),
        ("fields.c.values", "DE;FR;US"),
        ("fields.ts.max-past", "10 s"),
    ];
    let kinds = [
        ("n", Int64),
        ("x", Float64),
        ("d", DataType::Decimal128(10, 2)),
        ("s", Utf8),
        ("c", Utf8),
        ("ts", TIMESTAMP),
    ];
    let environment = here();
    let rows = columns(&table(&options, &kinds), &environment);
    assert_eq!(rows.num_rows(), 5000);
    let n = rows.column(0).as_primitive::<Int64Type>().values();
    assert_eq!((n.iter().min(), n.iter().max()), (Some(&-3), Some(&4)));
    let x = rows.column(1).as_primitive::<Float64Type>().values();
    assert!(x.iter().all(|x| (0.5..2.0).contains(x)));
    let d = rows.column(2).as_primitive::<Decimal128Type>().values();
    assert!(d.iter().all(|d| (100..=999).contains(d)));
    let s = rows.column(3).as_string::<i32>();
    assert!(s.iter().flatten().all(|s| (1..=8).contains(&s.len())));
    let nulls = s.iter().filter(Option::is_none).count();
    assert!((1000..1500).contains(&nulls), "{nulls} of 5000 are null");
    let mut countries = BTreeMap::new();
    for country in rows.column(4).as_string::<i32>().iter().flatten() {
        *countries.entry(country).or_insert(0) += 1;
    }
    assert_eq!(countries.keys().copied().collect::<Vec<_>>(), ["DE", "FR", "US"]);
    // The session is in Berlin: its wall clock is an hour ahead of UTC in January.
    let now_ms = environment.clock.unix_ms() + 3_600_000;
    let ts = rows.column(5).as_primitive::<TimestampMillisecondType>().values();
    assert!(ts.iter().all(|ts| (now_ms - 10_000..=now_ms).contains(ts)));
    assert!(ts.iter().max() != ts.iter().min());
}

#[test]
fn a_seed_names_the_rows() {
    let with_seed = |seed: &str| {
        let options = [("connector", "datagen"), ("number-of-rows", "100"), ("seed", seed)];
        let both = table(&options, &[("a", Int64), ("b", Utf8)]);
        let alone = read_sorted(&*open_source(&project(&both, &[0]), &here()).unwrap());
        let mut of_both: Vec<String> = read_sorted(&*open_source(&both, &here()).unwrap());
        of_both.iter_mut().for_each(|row| row.truncate(row.find('|').unwrap()));
        of_both.sort();
        assert_eq!(of_both, alone, "a column does not depend on those read beside it");
        alone
    };
    assert_eq!(with_seed("1"), with_seed("1"));
    assert_ne!(with_seed("1"), with_seed("2"));
}

#[test]
fn nested_and_extreme_types_are_made_up() {
    let element = std::sync::Arc::new(arrow::datatypes::Field::new("element", Utf8, true));
    let kinds = [
        ("list", DataType::List(element)),
        ("huge", DataType::Decimal128(38, 0)),
        ("flag", DataType::Boolean),
        ("day", DataType::Date32),
        ("bytes", DataType::Binary),
    ];
    let options = [
        ("connector", "datagen"),
        ("number-of-rows", "50"),
        ("fields.list.length", "2"),
        ("fields.list.element.length", "4"),
    ];
    let rows = columns(&table(&options, &kinds), &here());
    let list = rows.column(0).as_list::<i32>();
    assert!((0..50).all(|row| list.value(row).len() == 2));
    assert!(list.values().as_string::<i32>().iter().flatten().all(|text| text.len() == 4));
}

#[test]
fn a_rate_is_kept_by_the_clock() {
    let options = [("connector", "datagen"), ("rows-per-second", "100")];
    let environment = here();
    let source = open_source(&table(&options, &[("id", Int64)]), &environment).unwrap();
    let mut reader = source.reader(source.splits().unwrap()).unwrap();
    let mut rows = 0;
    while environment.clock.elapsed() < Duration::from_secs(2) {
        if let Polled::Rows(found) = reader.poll(Duration::from_millis(15)).unwrap() {
            rows += found.batch.num_rows();
        }
    }
    assert!((200..=203).contains(&rows), "{rows} rows in 2 s");
}

fn nexmark(event: &str, columns: &[(&str, DataType)], more: &[(&str, &str)]) -> TableSpec {
    let base = [("connector", "nexmark"), ("nexmark.event", event), ("nexmark.events", "100000")];
    table(&[&base[..], more].concat(), columns)
}

#[test]
fn nexmark_has_the_benchmarks_shares() {
    for (event, id, share) in
        [("person", "id", 2_000), ("auction", "id", 6_000), ("bid", "price", 92_000)]
    {
        let rows = columns(&nexmark(event, &[(id, Int64)], &[]), &here());
        assert_eq!(rows.num_rows(), share, "{event}");
    }
}

#[test]
fn nexmark_bids_are_hot_and_in_time() {
    let kinds = [("auction", Int64), ("bidder", Int64), ("price", Int64), ("dateTime", TIMESTAMP)];
    let table = nexmark("bid", &kinds, &[("nexmark.event-rate", "1000"), ("nexmark.splits", "1")]);
    let rows = columns(&table, &here());
    let share = |column: usize, hot: i64| {
        let ids = rows.column(column).as_primitive::<Int64Type>().values();
        ids.iter().filter(|id| *id % 100 == hot).count() as f64 / ids.len() as f64
    };
    assert!((0.48..0.54).contains(&share(0, 0)), "half of the bids are on hot auctions");
    assert!((0.72..0.80).contains(&share(1, 1)), "three quarters are by hot bidders");
    let prices = rows.column(2).as_primitive::<Int64Type>().values();
    assert!(prices.iter().all(|price| (100..=100_000_000).contains(price)));
    let times = rows.column(3).as_primitive::<TimestampMillisecondType>().values();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]), "one split is in order");
    assert_eq!(times[0], 1_704_067_200_000 + 4, "the fifth event is the first bid");
    assert_eq!(times[times.len() - 1], 1_704_067_200_000 + 99_999);
}

#[test]
fn nexmark_bids_are_about_213_bytes_of_json() {
    let directory = tempfile::tempdir().unwrap();
    let environment = environment(directory.path());
    let kinds = [
        ("auction", Int64),
        ("bidder", Int64),
        ("price", Int64),
        ("channel", Utf8),
        ("url", Utf8),
        ("dateTime", TIMESTAMP),
        ("extra", Utf8),
    ];
    // Ids grow by a few digits until the millions of a benchmark.
    let bids = nexmark("bid", &kinds, &[]);
    let rows = columns(&bids, &environment);
    let out = table(&[("connector", "filesystem"), ("path", "bids"), ("format", "json")], &kinds);
    let sink = millstream_connectors::registry::open_sink(&out, &environment).unwrap();
    let mut writer = sink.writer(0).unwrap();
    writer.write(&millstream_operators::Batch::inserts(rows.clone())).unwrap();
    writer.finish().unwrap();
    let file = directory.path().join("bids/part-0-0.json");
    let mean = std::fs::metadata(file).unwrap().len() as f64 / rows.num_rows() as f64;
    assert!((205.0..221.0).contains(&mean), "a bid has {mean} bytes");
}

#[test]
fn nexmark_persons_and_auctions_belong_together() {
    let auctions = [
        ("id", Int64),
        ("itemName", Utf8),
        ("description", Utf8),
        ("initialBid", Int64),
        ("reserve", Int64),
        ("dateTime", TIMESTAMP),
        ("expires", TIMESTAMP),
        ("seller", Int64),
        ("category", Int32),
        ("extra", Utf8),
    ];
    let rows = columns(&nexmark("auction", &auctions, &[("nexmark.splits", "1")]), &here());
    let number = |column: usize| rows.column(column).as_primitive::<Int64Type>().values();
    assert_eq!(number(0)[..4], [1000, 1001, 1002, 1003]);
    assert!(number(3).iter().zip(number(4)).all(|(initial, reserve)| initial < reserve));
    let time =
        |column: usize| rows.column(column).as_primitive::<TimestampMillisecondType>().values();
    assert!(time(5).iter().zip(time(6)).all(|(now, expires)| now < expires));
    assert!(number(7).iter().all(|seller| (1000..1000 + 2000 + 11).contains(seller)));
    let persons = [
        ("id", Int64),
        ("name", Utf8),
        ("emailAddress", Utf8),
        ("creditCard", Utf8),
        ("city", Utf8),
        ("state", Utf8),
        ("dateTime", TIMESTAMP),
        ("extra", Utf8),
    ];
    let rows = columns(&nexmark("person", &persons, &[("nexmark.splits", "1")]), &here());
    let ids = rows.column(0).as_primitive::<Int64Type>().values();
    assert_eq!(ids.to_vec(), (1000..3000).collect::<Vec<i64>>());
    assert_eq!(rows.column(3).as_string::<i32>().value(7).len(), 19);
}

#[test]
fn nexmark_at_a_rate_is_one_split_in_the_order_of_time() {
    let table = nexmark("bid", &[("dateTime", TIMESTAMP)], &[("nexmark.rate", "100000")]);
    let environment = here();
    let source = open_source(&table, &environment).unwrap();
    assert_eq!(source.splits().unwrap().len(), 1);
    assert_eq!(columns(&table, &environment).num_rows(), 92_000);
    assert!(environment.clock.elapsed() >= Duration::from_millis(999));
}
