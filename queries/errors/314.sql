-- wrong
SET 'table.local-timezone' = 'UTC';
-- right
SET 'table.local-time-zone' = 'UTC';
