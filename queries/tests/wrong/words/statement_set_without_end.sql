CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO totals SELECT customer, amount, id FROM orders;
-- says:
-- error[M0120]: the statement set is not ended
--  --> statement_set_without_end.sql:4:1
--   |
-- 4 | EXECUTE STATEMENT SET BEGIN
--   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^ begins here
--   |
--   = help: add `END;` after its last INSERT
