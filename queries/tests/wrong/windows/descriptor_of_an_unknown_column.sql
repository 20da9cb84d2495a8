CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(tss), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0301]: there is no column `tss`
--  --> descriptor_of_an_unknown_column.sql:4:38
--   |
-- 4 | FROM TUMBLE(TABLE orders, DESCRIPTOR(tss), INTERVAL '1' MINUTE)
--   |                                      ^^^ unknown column
--   |
--   = help: did you mean `ts`?
