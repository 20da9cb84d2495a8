CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT customer.name FROM orders;
-- says:
-- error[M0402]: `.name` takes a ROW, not STRING
--  --> field_of_no_row.sql:3:8
--   |
-- 3 | SELECT customer.name FROM orders;
--   |        ^^^^^^^^^^^^^
--   |
--   = help: `DESCRIBE table;` shows the types of its columns
