CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT /*+ BROADCAST(orders) */ id FROM orders;
-- says:
-- warning[M0111]: the hint is ignored
--  --> hint_without_meaning.sql:3:8
--   |
-- 3 | SELECT /*+ BROADCAST(orders) */ id FROM orders;
--   |        ^^^^^^^^^^^^^^^^^^^^^^^^ has no effect here
