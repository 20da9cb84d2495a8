CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE INDEX by_id ON orders (id);
-- says:
-- error[M0102]: CREATE INDEX is not supported yet
--  --> create_index.sql:3:1
--   |
-- 3 | CREATE INDEX by_id ON orders (id);
--   | ^^^^^^^^^^^^
--   |
--   = help: a job has tables and views
