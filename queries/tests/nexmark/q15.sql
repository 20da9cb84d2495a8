-- Bids of a day, by ranks of price.
SELECT DATE_FORMAT(`dateTime`, 'yyyy-MM-dd') AS day_, COUNT(*) AS bids,
  COUNT(*) FILTER (WHERE price < 10000) AS rank1, COUNT(DISTINCT bidder) AS bidders,
  COUNT(DISTINCT auction) FILTER (WHERE price >= 1000000) AS rank3_auctions
FROM bid GROUP BY DATE_FORMAT(`dateTime`, 'yyyy-MM-dd');
