-- wrong
CREATE TABLE g (ts TIMESTAMP(3), WATERMARK FOR ts AS ts + INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
SELECT ts FROM g;
-- right
CREATE TABLE g (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
SELECT ts FROM g;
