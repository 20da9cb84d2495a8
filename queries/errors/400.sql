CREATE TABLE orders (id BIGINT, items ARRAY<STRING>, customer ROW<name STRING, city STRING>) WITH (
  'connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
-- wrong
CREATE VIEW ids AS SELECT id FROM orders;
SELECT id FROM ids /*+ OPTIONS('path' = 'more.json') */;
-- right
SELECT id FROM orders /*+ OPTIONS('path' = 'more.json') */;
