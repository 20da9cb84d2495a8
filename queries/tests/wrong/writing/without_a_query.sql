CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO totals;
-- says:
-- error[M0100]: expected a query, but the text ends
--  --> without_a_query.sql:4:19
--   |
-- 4 | INSERT INTO totals;
--   |                   ^ something is missing here
