CREATE TABLE n (id INT) WITH ('connector' = 'datagen', 'number-of-rows' = '3');
SELECT id FROM n WHERE id <> NULL;
