CREATE TABLE t (at TIMESTAMP(3)) WITH ('connector' = 'datagen');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE t, DESCRIPTOR(at), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0331]: `at` is not an event-time attribute
--  --> time_without_a_watermark.sql:3:33
--   |
-- 3 | FROM TUMBLE(TABLE t, DESCRIPTOR(at), INTERVAL '1' MINUTE)
--   |                                 ^^ a plain TIMESTAMP(3) column
--   |
--   = help: declare WATERMARK FOR at AS at - INTERVAL '5' SECOND in CREATE TABLE, and select the column unchanged
