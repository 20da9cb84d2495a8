-- wrong
SET 'parallelism.default';
-- right
SET 'parallelism.default' = '4';
