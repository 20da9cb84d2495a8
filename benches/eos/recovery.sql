-- The job of window.sql with a large state beside it: a window of a day, by long keys, that does not end.
SET 'execution.checkpointing.interval' = '{interval}';
CREATE TABLE bid (
  auction BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '0.001' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '{input}', 'properties.bootstrap.servers' = '{bootstrap}', 'properties.group.id' = '{name}',
  'scan.startup.mode' = 'earliest-offset', 'format' = 'json'
);
CREATE TABLE wide (
  pad STRING, `dateTime` TIMESTAMP(3), WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '0.001' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '{wide}', 'properties.bootstrap.servers' = '{bootstrap}', 'properties.group.id' = '{name}',
  'scan.startup.mode' = 'earliest-offset', 'format' = 'json'
);
CREATE TABLE counted (
  auction BIGINT, window_end TIMESTAMP(3), bids BIGINT, highest BIGINT
) WITH (
  'connector' = 'kafka', 'topic' = '{output}', 'properties.bootstrap.servers' = '{bootstrap}', 'format' = 'json',
  'sink.delivery-guarantee' = '{guarantee}'{transaction}
);
CREATE TABLE held (pad STRING, n BIGINT) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO counted
SELECT auction, window_end, COUNT(*) AS bids, MAX(price) AS highest
FROM TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '0.07' SECOND)
GROUP BY auction, window_start, window_end;
INSERT INTO held
SELECT pad, COUNT(*) AS n
FROM TUMBLE(TABLE wide, DESCRIPTOR(`dateTime`), INTERVAL '1' DAY)
GROUP BY pad, window_start, window_end;
END;
