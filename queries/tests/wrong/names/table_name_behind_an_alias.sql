CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT orders.id FROM orders AS o;
-- says:
-- error[M0301]: there is no relation `orders` in FROM
--  --> table_name_behind_an_alias.sql:3:8
--   |
-- 3 | SELECT orders.id FROM orders AS o;
--   |        ^^^^^^^^^ unknown relation
--   |
--   = help: write `o.id`: in FROM it is called `o`
