CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE VIEW v AS SELECT id FROM orders;
INSERT INTO v SELECT id FROM orders;
-- says:
-- error[M0322]: `v` is a view
--  --> into_a_view.sql:4:13
--   |
-- 4 | INSERT INTO v SELECT id FROM orders;
--   |             ^
--   |
--   = help: insert into a table: CREATE TABLE … WITH ('connector' = '…')
