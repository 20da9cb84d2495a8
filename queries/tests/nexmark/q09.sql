-- The winning bid of each auction.
SELECT id, auction, bidder, price
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY price DESC, bid_time ASC) AS place
  FROM (
    SELECT a.id, b.auction, b.bidder, b.price, b.`dateTime` AS bid_time
    FROM auction AS a, bid AS b
    WHERE a.id = b.auction AND b.`dateTime` BETWEEN a.`dateTime` AND a.expires
  )
)
WHERE place <= 1;
