-- Bids with a table on the side.
CREATE TABLE side (k BIGINT, v STRING) WITH ('connector' = 'filesystem', 'path' = 'side.csv', 'format' = 'csv');
SELECT b.auction, b.bidder, b.price, b.`dateTime`, s.v
FROM (SELECT *, PROCTIME() AS at_ FROM bid) AS b
JOIN side FOR SYSTEM_TIME AS OF b.at_ AS s ON MOD(b.auction, 10000) = s.k;
