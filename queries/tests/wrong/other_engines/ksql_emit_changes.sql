CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT customer FROM orders EMIT CHANGES;
-- says:
-- error[M0100]: expected the end of the statement, found `CHANGES`
--  --> ksql_emit_changes.sql:3:34
--   |
-- 3 | SELECT customer FROM orders EMIT CHANGES;
--   |                                  ^^^^^^^ not expected here
--   |
--   = help: EMIT is not supported yet; windows fire when the watermark passes them
