CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer IS = NULL;
-- says:
-- error[M0100]: expected [NOT] NULL | TRUE | FALSE | DISTINCT | [form] NORMALIZED FROM after IS, found `=`
--  --> is_equal_null.sql:3:41
--   |
-- 3 | SELECT id FROM orders WHERE customer IS = NULL;
--   |                                         ^ not expected here
--   |
--   = help: write IS NULL or IS NOT NULL
