CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE amont > 5;
-- says:
-- error[M0301]: there is no column `amont`
--  --> unknown_column_in_where.sql:3:29
--   |
-- 3 | SELECT id FROM orders WHERE amont > 5;
--   |                             ^^^^^ unknown column
--   |
--   = help: did you mean `amount`?
