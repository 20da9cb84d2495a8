CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT INTERVAL '5' MINUTE AS five FROM orders;
-- says:
-- error[M0340]: column `five` is an interval, which cannot be shown
--  --> interval_selected.sql:3:1
--   |
-- 3 | SELECT INTERVAL '5' MINUTE AS five FROM orders;
--   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
--   |
--   = help: compare it, or add it to a timestamp, instead of selecting it
