CREATE TABLE orders (id BIGINT, items ARRAY<STRING>, customer ROW<name STRING, city STRING>) WITH (
  'connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
-- wrong
SELECT id, item FROM orders CROSS JOIN UNNEST(id) AS i (item);
-- right
SELECT id, item FROM orders CROSS JOIN UNNEST(items) AS i (item);
