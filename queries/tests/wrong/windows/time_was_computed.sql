CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE VIEW later AS SELECT id, ts + INTERVAL '1' HOUR AS ts FROM orders;
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE later, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0331]: `ts` is not an event-time attribute
--  --> time_was_computed.sql:5:37
--   |
-- 5 | FROM TUMBLE(TABLE later, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
--   |                                     ^^ a plain TIMESTAMP(3) column
--   |
--   = help: declare WATERMARK FOR ts AS ts - INTERVAL '5' SECOND in CREATE TABLE, and select the column unchanged
