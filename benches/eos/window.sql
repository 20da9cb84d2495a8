-- Counts and highest prices by auction in tumbling windows, from Kafka to Kafka: the job of `./x bench eos`, for Millstream and Flink.
-- eos.py fills in the braces.
SET 'execution.checkpointing.interval' = '{interval}';
CREATE TABLE bid (
  auction BIGINT, price BIGINT, `dateTime` TIMESTAMP(3),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '{delay}' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '{input}', 'properties.bootstrap.servers' = '{bootstrap}', 'properties.group.id' = '{name}',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = '{bounded}', 'format' = 'json'
);
CREATE TABLE counted (
  auction BIGINT, window_end TIMESTAMP(3), bids BIGINT, highest BIGINT
) WITH (
  'connector' = 'kafka', 'topic' = '{output}', 'properties.bootstrap.servers' = '{bootstrap}', 'format' = 'json',
  'sink.delivery-guarantee' = '{guarantee}'{transaction}
);
INSERT INTO counted
SELECT auction, window_end, COUNT(*) AS bids, MAX(price) AS highest
FROM TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '{window}' SECOND)
GROUP BY auction, window_start, window_end;
