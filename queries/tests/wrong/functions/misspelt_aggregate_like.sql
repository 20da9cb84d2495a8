CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT TO_TIMESTMP(customer) FROM orders;
-- says:
-- error[M0302]: there is no function `TO_TIMESTMP`
--  --> misspelt_aggregate_like.sql:3:8
--   |
-- 3 | SELECT TO_TIMESTMP(customer) FROM orders;
--   |        ^^^^^^^^^^^ unknown function
--   |
--   = help: did you mean `TO_TIMESTAMP`?
