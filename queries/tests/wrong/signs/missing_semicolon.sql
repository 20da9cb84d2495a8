CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE VIEW large AS SELECT id FROM orders WHERE amount > 100
SELECT * FROM large;
-- says:
-- error[M0103]: `;` is missing before SELECT
--  --> missing_semicolon.sql:4:1
--   |
-- 4 | SELECT * FROM large;
--   | ^^^^^^ a new statement seems to begin here
--   |
--   = help: end the statement before it with `;`
