CREATE TABLE t (id BIGINT) WITH (
  'connector' = 'datagen',
);
-- says:
-- error[M0105]: a comma with nothing behind it
--  --> trailing_comma_in_options.sql:2:26
--   |
-- 2 |   'connector' = 'datagen',
--   |                          ^
--   |
--   = help: remove the comma
