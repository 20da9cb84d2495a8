-- wrong
CREATE TABLE g (a TIMESTAMP(3) WITH TIME ZONE) WITH ('connector' = 'datagen');
-- right
CREATE TABLE g (a TIMESTAMP_LTZ(3)) WITH ('connector' = 'datagen');
