-- wrong
CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'number-of-row' = '10');
-- right
CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
