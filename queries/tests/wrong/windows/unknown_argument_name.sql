CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(DATA => TABLE orders, TIMECOL => DESCRIPTOR(ts), WIDTH => INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0330]: TUMBLE has no argument `WIDTH`
--  --> unknown_argument_name.sql:4:6
--   |
-- 4 | FROM TUMBLE(DATA => TABLE orders, TIMECOL => DESCRIPTOR(ts), WIDTH => INTERVAL '1' MINUTE)
--   |      ^^^^^^
--   |
--   = help: one of `DATA`, `TIMECOL`, `SIZE`, `OFFSET`
