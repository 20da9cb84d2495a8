CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT amount * 2 AS twice FROM orders WHERE twice > 5;
-- says:
-- error[M0301]: there is no column `twice`
--  --> alias_in_where.sql:3:46
--   |
-- 3 | SELECT amount * 2 AS twice FROM orders WHERE twice > 5;
--   |                                              ^^^^^ unknown column
--   |
--   = help: the name `twice` is given only after WHERE: write amount * 2 again, or a subquery
