-- wrong
CREATE TABLE g (ts TIMESTAMP(3), WATERMARK FOR tss AS tss) WITH ('connector' = 'datagen');
-- right
CREATE TABLE g (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
