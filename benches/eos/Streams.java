// The job of window.sql as a Kafka Streams program, for `./x bench eos`: highest price and number of bids by auction in tumbling windows.
//
// Its best form we know: the topic is keyed by auction, so nothing is repartitioned; a window is emitted once, when it is complete
// (EmitStrategy.onWindowClose, without the usual pause of a second between looks); stores are in memory (RocksDB, its default, took half as
// much CPU again) with their changelogs in Kafka.
// Standard input has a command a line, answers are JSON objects:
//   run   ID BOOTSTRAP INPUT OUTPUT INTERVAL_MS GUARANTEE WINDOW_MS GRACE_MS    until all that was in INPUT is committed
//   start …the same                                                            until `stop`

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

public final class Streams {
    private record Bid(long price, long time) { }
    private record Sum(long bids, long highest) { }
    private record Job(String id, String bootstrap, String input, String output, String interval, String guarantee, long windowMs, long graceMs) {
        static Job of(String[] w) {
            return new Job(w[1], w[2], w[3], w[4], w[5], w[6], Long.parseLong(w[7]), Long.parseLong(w[8]));
        }
    }

    private static final JsonFactory JSON = new JsonFactory();

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        KafkaStreams running = null;
        for (String line; (line = commands.readLine()) != null; ) {
            String[] words = line.trim().split(" ");
            switch (words[0]) {
                case "run" -> run(Job.of(words));
                case "start" -> {
                    running = streams(Job.of(words));
                    running.start();
                    System.out.println("{\"started\":true}");
                }
                case "stop" -> {
                    running.close(Duration.ofSeconds(20));
                    System.out.println("{\"stopped\":true}");
                }
                default -> throw new IllegalArgumentException(line);
            }
        }
    }

    private static void run(Job job) throws Exception {
        TopicPartition partition = new TopicPartition(job.input, 0);
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", job.bootstrap))) {
            long end = admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all().get().get(partition).offset();
            long cpu = cpu(), start = System.nanoTime();
            KafkaStreams streams = streams(job);
            streams.start();
            while (true) {
                var offsets = admin.listConsumerGroupOffsets(job.id).partitionsToOffsetAndMetadata().get();
                if (offsets.get(partition) != null && offsets.get(partition).offset() >= end) break;
                if (streams.state() == KafkaStreams.State.ERROR) throw new IllegalStateException("Kafka Streams failed");
                Thread.sleep(20);
            }
            double wall = (System.nanoTime() - start) / 1e9, used = (cpu() - cpu) / 1e9;
            streams.close(Duration.ofSeconds(20));
            streams.cleanUp();
            System.out.println("{\"wall\":" + wall + ",\"cpu\":" + used + ",\"rss\":" + peakMib() + "}");
        }
    }

    private static KafkaStreams streams(Job job) throws IOException {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, job.id);
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.bootstrap);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, job.guarantee);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, job.interval);
        properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("streams").toString());
        // As the others have it; the default of ten seconds is too short for a busy machine.
        properties.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), "60000");
        properties.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        properties.put(StreamsConfig.consumerPrefix("max.poll.records"), "10000");
        properties.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, "0");
        properties.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(job.input, Consumed.with(Serdes.String(), serde(Streams::write, Streams::bid))
                .withTimestampExtractor((record, partitionTime) -> ((Bid) record.value()).time()))
            .groupByKey(Grouped.with(Serdes.String(), serde(Streams::write, Streams::bid)))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMillis(job.windowMs), Duration.ofMillis(job.graceMs)))
            .emitStrategy(EmitStrategy.onWindowClose())
            .aggregate(() -> new Sum(0, Long.MIN_VALUE),
                (auction, bid, sum) -> new Sum(sum.bids() + 1, Math.max(sum.highest(), bid.price())),
                Materialized.with(Serdes.String(), serde(Streams::write, Streams::sum)))
            .toStream((window, sum) -> window.key() + '|' + window.window().end())
            .mapValues((key, sum) -> row(key, sum))
            .to(job.output, Produced.with(Serdes.String(), Serdes.String()));
        return new KafkaStreams(builder.build(properties), properties);
    }

    private static String row(String key, Sum sum) {
        int bar = key.indexOf('|');
        long end = Long.parseLong(key.substring(bar + 1));
        LocalDateTime moment = LocalDateTime.ofEpochSecond(Math.floorDiv(end, 1000), (int) Math.floorMod(end, 1000L) * 1_000_000, ZoneOffset.UTC);
        return "{\"auction\":" + key.substring(0, bar) + ",\"window_end\":\"" + moment + "\",\"bids\":" + sum.bids() + ",\"highest\":" + sum.highest() + "}";
    }

    private interface Read<T> { T from(byte[] bytes) throws IOException; }

    private static <T> Serde<T> serde(Serializer<T> write, Read<T> read) {
        Deserializer<T> deserializer = (topic, bytes) -> {
            try {
                return bytes == null ? null : read.from(bytes);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        };
        return Serdes.serdeFrom(write, deserializer);
    }

    private static byte[] write(String topic, Bid bid) {
        throw new UnsupportedOperationException("nothing is repartitioned");
    }

    private static byte[] write(String topic, Sum sum) {
        return sum == null ? null : ByteBuffer.allocate(16).putLong(sum.bids()).putLong(sum.highest()).array();
    }

    private static Sum sum(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new Sum(buffer.getLong(), buffer.getLong());
    }

    private static Bid bid(byte[] bytes) throws IOException {
        long price = 0, time = 0;
        try (JsonParser parser = JSON.createParser(bytes)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals("price")) price = parser.getLongValue();
                if (name.equals("dateTime")) time = millis(parser.getTextCharacters(), parser.getTextOffset(), parser.getTextLength());
            }
        }
        return new Bid(price, time);
    }

    // `2024-01-01 00:00:00[.123]`, without the objects of java.time.
    private static long millis(char[] text, int at, int length) {
        long day = java.time.LocalDate.of(digits(text, at, 4), digits(text, at + 5, 2), digits(text, at + 8, 2)).toEpochDay();
        long ms = ((day * 24 + digits(text, at + 11, 2)) * 60 + digits(text, at + 14, 2)) * 60_000L + digits(text, at + 17, 2) * 1000L;
        int scale = 100;
        for (int i = at + 20; i < at + length; i++, scale /= 10) ms += (text[i] - '0') * scale;
        return ms;
    }

    private static int digits(char[] text, int at, int count) {
        int number = 0;
        for (int i = at; i < at + count; i++) number = number * 10 + text[i] - '0';
        return number;
    }

    private static long cpu() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static long peakMib() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"), StandardCharsets.UTF_8)) {
            if (line.startsWith("VmHWM")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
        }
        return 0;
    }
}
