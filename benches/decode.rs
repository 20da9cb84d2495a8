//! What decoding costs: JSON payloads to Arrow columns, a row of a Nexmark bid at a time.
//!
//! `cargo bench --bench decode`. The throughput is in rows, so 10 Melem/s are 100 ns a row. The
//! rows are 213 bytes long on average and have seven fields, of which most queries read three.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millstream::connectors::format::Decoder;
use millstream::connectors::format::json::{EncodeOptions, JsonDecoder, JsonEncoder, Options};

const ROWS: u64 = 8192;

/// Bids as the `nexmark` connector writes them, from a fixed seed.
fn bids() -> Vec<u8> {
    let mut state = 42_u64;
    let mut random = |below: u64| {
        // Marsaglia's xorshift: the bench shall not depend on a generator's version.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut lines = Vec::new();
    for row in 0..ROWS {
        let letters = |random: &mut dyn FnMut(u64) -> u64, length: u64| -> String {
            (0..length).map(|_| char::from(b'a' + random(26) as u8)).collect()
        };
        let (auction, bidder, price) =
            (1000 + random(2000), 1000 + random(5000), random(10_000_000));
        let millis = row / 10;
        let time = format!(
            "2024-01-01 00:{:02}:{:02}.{:03}",
            millis / 60_000,
            millis / 1000 % 60,
            millis % 1000
        );
        let (path, extra_bytes) = (letters(&mut random, 3), 41 + random(12));
        let extra = letters(&mut random, extra_bytes);
        let line = format!(
            "{{\"auction\":{auction},\"bidder\":{bidder},\"price\":{price},\"channel\":\"Google\",\
             \"url\":\"https://www.nexmark.com/{path}/item.htm?query=1\",\
             \"dateTime\":\"{time}\",\"extra\":\"{extra}\"}}\n"
        );
        lines.extend_from_slice(line.as_bytes());
    }
    lines
}

fn schema(columns: &[&str]) -> SchemaRef {
    let field = |name: &&str| {
        let data_type = match *name {
            "auction" | "bidder" | "price" => DataType::Int64,
            "dateTime" => DataType::Timestamp(TimeUnit::Millisecond, None),
            _ => DataType::Utf8,
        };
        Field::new(*name, data_type, true)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

fn decode(c: &mut Criterion) {
    let lines = bids();
    assert_eq!(lines.len() as u64 / ROWS, 213, "rows are as long as the head says");
    let all = ["auction", "bidder", "price", "channel", "url", "dateTime", "extra"];
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(ROWS));
    for columns in [&["auction", "price", "dateTime"][..], &["auction"], &all] {
        let schema = schema(columns);
        let name = format!("{} of 7 columns", columns.len());
        let mut decoder = JsonDecoder::new(schema.clone(), Options::default()).expect("types");
        group.bench_function(BenchmarkId::new("lines", &name), |b| {
            b.iter(|| {
                decoder.decode_lines(&lines, &mut |_, _| ControlFlow::Break(()));
                black_box(decoder.finish().expect("rows"))
            });
        });
        group.bench_function(BenchmarkId::new("records", &name), |b| {
            let records: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
            b.iter(|| {
                for record in &records {
                    decoder.decode(record).expect("a bid");
                }
                black_box(decoder.finish().expect("rows"))
            });
        });
        group.bench_function(BenchmarkId::new("arrow-json", &name), |b| {
            let builder = arrow_json::ReaderBuilder::new(schema.clone()).with_batch_size(8192);
            let mut decoder = builder.build_decoder().expect("types");
            b.iter(|| {
                decoder.decode(&lines).expect("bids");
                black_box(decoder.flush().expect("rows"))
            });
        });
    }
    group.finish();
}

fn encode(c: &mut Criterion) {
    use millstream::connectors::format::Encoder;
    let schema = schema(&["auction", "price", "dateTime"]);
    let mut decoder = JsonDecoder::new(schema.clone(), Options::default()).expect("types");
    decoder.decode_lines(&bids(), &mut |_, _| ControlFlow::Break(()));
    let batch = decoder.finish().expect("rows");
    let mut encoder = JsonEncoder::new(&schema, EncodeOptions::default());
    let mut group = c.benchmark_group("encode");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("3 columns", |b| {
        let mut out = Vec::new();
        b.iter(|| {
            out.clear();
            for row in 0..batch.num_rows() {
                encoder.encode(&batch, row, &mut out).expect("JSON");
                out.push(b'\n');
            }
            black_box(out.len())
        });
    });
    group.finish();
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
