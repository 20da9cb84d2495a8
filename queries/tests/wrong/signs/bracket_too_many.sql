CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT UPPER(customer)) FROM orders;
-- says:
-- error[M0104]: `)` closes nothing
--  --> bracket_too_many.sql:3:23
--   |
-- 3 | SELECT UPPER(customer)) FROM orders;
--   |                       ^
--   |
--   = help: remove it, or add the bracket that it should close
