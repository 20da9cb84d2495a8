CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
WITH large AS (SELECT id FROM orders WHERE amuont > 5) SELECT id FROM large;
-- says:
-- error[M0301]: there is no column `amuont`
--  --> unknown_column_in_cte.sql:3:44
--   |
-- 3 | WITH large AS (SELECT id FROM orders WHERE amuont > 5) SELECT id FROM large;
--   |                                            ^^^^^^ unknown column
--   |
--   = help: did you mean `amount`?
