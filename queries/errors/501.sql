CREATE TABLE g (id INT) WITH ('connector' = 'datagen', 'number-of-rows' = '3',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '3');
-- run
SELECT 10 / (id - 2) AS share FROM g;
-- says
error[M0501]: operator `query.project`: a whole number is divided by 0
  = help: TRY_CAST gives NULL instead of an error, NULLIF(x, 0) guards a division
-- right
SELECT 10 / NULLIF(id - 2, 0) AS share FROM g;
