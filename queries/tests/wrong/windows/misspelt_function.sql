CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBEL(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0302]: `TUMBEL` cannot be called in FROM
--  --> misspelt_function.sql:4:6
--   |
-- 4 | FROM TUMBEL(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
--   |      ^^^^^^ unknown function of relations
--   |
--   = help: did you mean `TUMBLE`?
