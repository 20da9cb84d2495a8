-- wrong
CREATE TABLE order (a INT) WITH ('connector' = 'datagen');
-- right
CREATE TABLE `order` (a INT) WITH ('connector' = 'datagen');
