CREATE TABLE orders (id BIGINT, items ARRAY<STRING>, customer ROW<name STRING, city STRING>) WITH (
  'connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
-- wrong
SELECT items[0] AS item FROM orders;
-- right
SELECT items[1] AS item FROM orders;
