CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders; // the large ones
-- says:
-- error[M0108]: `//` begins no comment in Flink SQL
--  --> slash_comment.sql:3:25
--   |
-- 3 | SELECT id FROM orders; // the large ones
--   |                         ^
--   |
--   = help: write `-- comment` or `/* comment */`
