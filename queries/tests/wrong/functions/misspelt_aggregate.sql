CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT CONT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0302]: there is no function `CONT`
--  --> misspelt_aggregate.sql:3:8
--   |
-- 3 | SELECT CONT(*) AS n
--   |        ^^^^ unknown function
--   |
--   = help: did you mean `COUNT`?
