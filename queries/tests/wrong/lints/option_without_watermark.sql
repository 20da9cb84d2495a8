CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'scan.watermark.emit.strategy' = 'on-event');
-- says:
-- warning[M0517]: the option 'scan.watermark.emit.strategy' does nothing
--  --> option_without_watermark.sql:1:59
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'scan.watermark.emit.strategy' = 'on-event');
--   |                                                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `t` has no watermark
--   |
--   = help: declare WATERMARK FOR …, or remove the option
