-- wrong
SET 'parallelism.default' = 'two';
-- right
SET 'parallelism.default' = '2';
