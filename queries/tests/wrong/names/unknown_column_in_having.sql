CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end HAVING MAX(amont) > 5;
-- says:
-- error[M0301]: there is no column `amont`
--  --> unknown_column_in_having.sql:5:46
--   |
-- 5 | GROUP BY window_start, window_end HAVING MAX(amont) > 5;
--   |                                              ^^^^^ unknown column
--   |
--   = help: did you mean `amount`?
