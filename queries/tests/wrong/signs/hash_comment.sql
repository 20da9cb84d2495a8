CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
# the large ones
SELECT id FROM orders;
-- says:
-- error[M0108]: `#` begins no comment in Flink SQL
--  --> hash_comment.sql:3:1
--   |
-- 3 | # the large ones
--   | ^
--   |
--   = help: write `-- comment` or `/* comment */`
