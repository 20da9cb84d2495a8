// What feeds and watches a job in `./x bench eos`: it fills topics, digests results, and holds a steady load while it measures latency.
//
//   create  BOOTSTRAP TOPIC…                     makes topics of one partition
//   delete  BOOTSTRAP TOPIC…
//   fill    BOOTSTRAP TOPIC FILE                 sends a file of bids, keyed by auction, then the sentinel, a bid an hour later
//   wide    BOOTSTRAP TOPIC ROWS LENGTH          sends rows that each have a key of their own, LENGTH incompressible characters
//   digest  BOOTSTRAP TOPIC                      count and order-independent digest of the committed rows
//   paced   BOOTSTRAP INPUT OUTPUT FILE RATE DELAY_MS
//           sends RATE bids a second by schedule, watches OUTPUT with read_committed; a line on standard input each:
//             reset        forget the latencies so far
//             report       print the latencies since the last reset
//             mark         print how long it takes from now until a row is seen that was produced after now
//             churn ROWS   besides, send so many bids of auctions that never come again, as fast as possible
//             stop
//
// Open loop: when each bid is due follows from the clock alone, its event time is when it was due, and what is late is sent at once. The
// latency of a row is when the watcher had it, less when the bid that completed its window was due (window end + DELAY_MS). Both ends
// are in this process, so there is one clock. Answers are a JSON object a line.

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.HdrHistogram.Histogram;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Load {
    private static final JsonFactory JSON = new JsonFactory();

    public static void main(String[] args) throws Exception {
        String bootstrap = args[1];
        switch (args[0]) {
            case "create" -> create(bootstrap, Arrays.asList(args).subList(2, args.length));
            case "delete" -> delete(bootstrap, Arrays.asList(args).subList(2, args.length));
            case "fill" -> fill(bootstrap, args[2], args[3]);
            case "wide" -> wide(bootstrap, args[2], Long.parseLong(args[3]), Integer.parseInt(args[4]));
            case "digest" -> digest(bootstrap, args[2]);
            case "paced" -> new Paced(bootstrap, args[2], args[3], args[4], Integer.parseInt(args[5]), Long.parseLong(args[6])).run();
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void create(String bootstrap, List<String> topics) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(topics.stream().map(t -> new NewTopic(t, Optional.of(1), Optional.empty())).toList()).all().get();
        }
    }

    private static void delete(String bootstrap, List<String> topics) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.deleteTopics(topics).all().get();
        }
    }

    private static KafkaProducer<byte[], byte[]> producer(String bootstrap, int lingerMs, String compression) {
        return new KafkaProducer<>(
            Map.of("bootstrap.servers", bootstrap, "acks", "all", "linger.ms", lingerMs, "batch.size", 256 * 1024,
                "compression.type", compression, "buffer.memory", 64L << 20),
            new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static KafkaConsumer<byte[], byte[]> committed(String bootstrap, String topic) {
        KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
            Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed", "fetch.min.bytes", 1,
                "max.poll.records", 20_000, "max.partition.fetch.bytes", 8 << 20),
            new ByteArrayDeserializer(), new ByteArrayDeserializer());
        TopicPartition partition = new TopicPartition(topic, 0);
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        return consumer;
    }

    private static void fill(String bootstrap, String topic, String file) throws Exception {
        long rows = 0;
        String last = null;
        try (KafkaProducer<byte[], byte[]> producer = producer(bootstrap, 20, "lz4");
             BufferedReader lines = new BufferedReader(new InputStreamReader(
                 new BufferedInputStream(new FileInputStream(file), 1 << 20), StandardCharsets.UTF_8), 1 << 20)) {
            for (String line; (line = lines.readLine()) != null; last = line) {
                producer.send(new ProducerRecord<>(topic, auction(line).getBytes(StandardCharsets.UTF_8), line.getBytes(StandardCharsets.UTF_8)));
                rows++;
            }
            // Kafka Streams emits a window only when a later record arrives; the end of the input completes the others' windows.
            long end = millis(text(last, "\"dateTime\":\"")) + 3_600_000;
            String sentinel = "{\"auction\":-1,\"bidder\":0,\"price\":0,\"channel\":\"\",\"url\":\"\",\"dateTime\":\"" + Clock.text(end) + "\",\"extra\":\"\"}";
            producer.send(new ProducerRecord<>(topic, "-1".getBytes(StandardCharsets.UTF_8), sentinel.getBytes(StandardCharsets.UTF_8)));
        }
        System.out.println("{\"rows\":" + (rows + 1) + "}");
    }

    private static void wide(String bootstrap, String topic, long rows, int length) throws Exception {
        byte[] alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".getBytes(StandardCharsets.US_ASCII);
        byte[] head = "{\"pad\":\"".getBytes(StandardCharsets.US_ASCII);
        byte[] tail = "\",\"dateTime\":\"2024-01-01 00:00:00.000\"}".getBytes(StandardCharsets.US_ASCII);
        Random random = new Random(1);
        byte[] bits = new byte[length];
        try (KafkaProducer<byte[], byte[]> producer = producer(bootstrap, 20, "none")) {
            for (long row = 0; row < rows; row++) {
                random.nextBytes(bits);
                byte[] value = new byte[head.length + length + tail.length];
                System.arraycopy(head, 0, value, 0, head.length);
                for (int i = 0; i < length; i++) value[head.length + i] = alphabet[bits[i] & 63];
                System.arraycopy(tail, 0, value, head.length + length, tail.length);
                producer.send(new ProducerRecord<>(topic, value));
            }
        }
        System.out.println("{\"rows\":" + rows + "}");
    }

    private static void digest(String bootstrap, String topic) throws Exception {
        long rows = 0, sum = 0, end;
        TopicPartition partition = new TopicPartition(topic, 0);
        // The end behind open transactions: their markers may still be on the way when a job already knows that it has committed.
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            end = admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all().get().get(partition).offset();
        }
        try (KafkaConsumer<byte[], byte[]> consumer = committed(bootstrap, topic)) {
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    long hash = hash(record.value());
                    if (hash != 0) {
                        rows++;
                        sum += hash;
                    }
                }
            }
        }
        System.out.println("{\"rows\":" + rows + ",\"digest\":\"" + Long.toHexString(sum) + "\"}");
    }

    // Of one result; 0 for that of the sentinel, which Kafka Streams never emits. eos.py computes the same from DuckDB's rows.
    private static long hash(byte[] value) throws IOException {
        long auction = 0, bids = 0, highest = 0, end = 0;
        try (JsonParser parser = JSON.createParser(value)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                switch (name) {
                    case "auction" -> auction = parser.getLongValue();
                    case "bids" -> bids = parser.getLongValue();
                    case "highest" -> highest = parser.getLongValue();
                    case "window_end" -> end = millis(parser.getText());
                    default -> throw new IOException("unexpected field " + name);
                }
            }
        }
        if (auction < 0) return 0;
        long x = auction * 0x9E3779B97F4A7C15L + end * 0xC2B2AE3D27D4EB4FL + bids * 0x165667B19E3779F9L + highest * 0x27D4EB2F165667C5L;
        x = (x ^ (x >>> 32)) * 0xD6E8FEB86659FD93L;
        return x ^ (x >>> 32);
    }

    private static String auction(String line) {
        int start = line.indexOf("\"auction\":") + 10;
        return line.substring(start, line.indexOf(',', start));
    }

    private static String text(String line, String before) {
        int start = line.indexOf(before) + before.length();
        return line.substring(start, line.indexOf('"', start));
    }

    private static long millis(String text) {
        return LocalDateTime.parse(text.replace(' ', 'T')).toInstant(ZoneOffset.UTC).toEpochMilli();
    }

    // The one clock of a measurement: monotonic, anchored to wall time once; nanoseconds since 1970.
    private static final class Clock {
        private static final long ANCHOR = System.currentTimeMillis() * 1_000_000 - System.nanoTime();

        static long now() {
            return System.nanoTime() + ANCHOR;
        }

        static String text(long ms) {
            return String.format("%tF %<tT.%<tL", LocalDateTime.ofEpochSecond(Math.floorDiv(ms, 1000), (int) Math.floorMod(ms, 1000L) * 1_000_000, ZoneOffset.UTC));
        }
    }

    private static final class Paced {
        private final String bootstrap, input, output;
        private final List<byte[]> heads = new ArrayList<>(), tails = new ArrayList<>(), keys = new ArrayList<>();
        private final int rate;
        private final long delayMs;
        private final Histogram latencies = new Histogram(3_600_000_000L, 3);
        private final AtomicLong markMs = new AtomicLong(Long.MAX_VALUE);
        private long markedAt, sent, latestSend;
        private volatile boolean stopped;
        private volatile long churn;

        Paced(String bootstrap, String input, String output, String file, int rate, long delayMs) throws IOException {
            this.bootstrap = bootstrap;
            this.input = input;
            this.output = output;
            this.rate = rate;
            this.delayMs = delayMs;
            String field = "\"dateTime\":\"";
            try (var lines = Files.lines(Path.of(file))) {
                for (String line : lines.limit(100_000).collect(Collectors.toList())) {
                    int start = line.indexOf(field) + field.length();
                    heads.add(line.substring(0, start).getBytes(StandardCharsets.UTF_8));
                    tails.add(line.substring(line.indexOf('"', start)).getBytes(StandardCharsets.UTF_8));
                    keys.add(auction(line).getBytes(StandardCharsets.UTF_8));
                }
            }
        }

        void run() throws Exception {
            Thread send = new Thread(guarded(this::send)), watch = new Thread(guarded(this::watch));
            send.start();
            watch.start();
            BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
            for (String line; (line = commands.readLine()) != null; ) {
                String[] words = line.trim().split(" ");
                switch (words[0]) {
                    case "reset" -> { synchronized (latencies) { latencies.reset(); latestSend = 0; } }
                    case "report" -> report();
                    case "mark" -> { markedAt = Clock.now(); markMs.set(System.currentTimeMillis()); }
                    case "churn" -> churn = Long.parseLong(words[1]);
                    default -> { }
                }
                if (words[0].equals("stop")) stopped = true;
                if (stopped) break;
            }
            // Who started us is gone, and perhaps the broker too: nothing to be closed in order.
            if (!stopped) Runtime.getRuntime().halt(1);
            send.join();
            watch.join();
        }

        private interface Work { void run() throws Exception; }

        private static Runnable guarded(Work work) {
            return () -> {
                try {
                    work.run();
                } catch (Throwable error) {
                    error.printStackTrace();
                    Runtime.getRuntime().halt(1);
                }
            };
        }

        private void send() throws Exception {
            long start = Clock.now(), sentAll = 0, writtenMs = -1;
            byte[] moment = new byte[0];
            // What never came before and never comes again.
            long unique = 1_000_000_000L;
            try (KafkaProducer<byte[], byte[]> producer = producer(bootstrap, 2, "none")) {
                while (!stopped) {
                    long now = Clock.now(), due = (long) ((now - start) * (rate / 1e9));
                    for (; sentAll < due; sentAll++) {
                        long dueNs = start + (long) (sentAll * (1e9 / rate)), ms = dueNs / 1_000_000;
                        if (ms != writtenMs) {
                            moment = Clock.text(ms).getBytes(StandardCharsets.US_ASCII);
                            writtenMs = ms;
                        }
                        int i = (int) (sentAll % heads.size());
                        producer.send(new ProducerRecord<>(input, keys.get(i), joined(heads.get(i), moment, tails.get(i))));
                        latestSend = Math.max(latestSend, now - dueNs);
                    }
                    sent = sentAll;
                    if (churn > 0) {
                        long some = Math.min(churn, 500);
                        for (long end = unique + some; unique < end; unique++) {
                            byte[] key = Long.toString(unique).getBytes(StandardCharsets.US_ASCII);
                            producer.send(new ProducerRecord<>(input, key, joined(CHURN_HEAD, key, CHURN_MIDDLE, moment, CHURN_TAIL)));
                        }
                        churn -= some;
                        if (churn == 0) {
                            producer.flush();
                            System.out.println("{\"churned\":" + (unique - 1_000_000_000L) + "}");
                        }
                    } else {
                        LockSupport.parkNanos(500_000);
                    }
                }
            }
        }

        private static final byte[] CHURN_HEAD = "{\"auction\":".getBytes(StandardCharsets.US_ASCII);
        private static final byte[] CHURN_MIDDLE = ",\"price\":1,\"dateTime\":\"".getBytes(StandardCharsets.US_ASCII);
        private static final byte[] CHURN_TAIL = "\"}".getBytes(StandardCharsets.US_ASCII);

        private static byte[] joined(byte[]... parts) {
            int length = 0;
            for (byte[] part : parts) length += part.length;
            byte[] whole = new byte[length];
            int at = 0;
            for (byte[] part : parts) {
                System.arraycopy(part, 0, whole, at, part.length);
                at += part.length;
            }
            return whole;
        }

        private void watch() {
            String seenText = "";
            long seenMs = 0;
            try (KafkaConsumer<byte[], byte[]> consumer = committed(bootstrap, output)) {
                while (!stopped) {
                    var records = consumer.poll(Duration.ofMillis(100));
                    long now = Clock.now();
                    synchronized (latencies) {
                        for (ConsumerRecord<byte[], byte[]> record : records) {
                            String end = text(new String(record.value(), StandardCharsets.UTF_8), "\"window_end\":\"");
                            if (!end.equals(seenText)) {
                                seenText = end;
                                seenMs = millis(end);
                            }
                            long latencyUs = now / 1000 - (seenMs + delayMs) * 1000;
                            latencies.recordValue(Math.max(0, Math.min(latencyUs, 3_600_000_000L)));
                            if (record.timestamp() >= markMs.get()) {
                                markMs.set(Long.MAX_VALUE);
                                System.out.println("{\"after_mark_ms\":" + (now - markedAt) / 1_000_000 + "}");
                            }
                        }
                    }
                }
            }
        }

        private void report() {
            synchronized (latencies) {
                double cpu = ((com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
                System.out.println("{\"rows\":" + latencies.getTotalCount()
                    + ",\"p50_ms\":" + latencies.getValueAtPercentile(50) / 1e3 + ",\"p99_ms\":" + latencies.getValueAtPercentile(99) / 1e3
                    + ",\"p999_ms\":" + latencies.getValueAtPercentile(99.9) / 1e3 + ",\"max_ms\":" + latencies.getMaxValue() / 1e3
                    + ",\"sent\":" + sent + ",\"latest_send_ms\":" + latestSend / 1_000_000 + ",\"cpu_s\":" + cpu + "}");
            }
        }
    }
}
