-- wrong
CREATE TABLE g (a INT) WITH ('number-of-rows' = '10');
-- right
CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
