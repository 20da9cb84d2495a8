-- wrong
CREATE TABLE g (a STRING, WATERMARK FOR a AS a) WITH ('connector' = 'datagen');
-- right
CREATE TABLE g (a STRING, ts AS TO_TIMESTAMP(a), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
