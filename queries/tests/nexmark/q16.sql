-- The same by channel.
SELECT channel, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd') AS day_, MAX(DATE_FORMAT(`dateTime`, 'HH:mm')) AS minute_, COUNT(*) AS bids,
  COUNT(DISTINCT bidder) FILTER (WHERE price < 10000) AS rank1_bidders
FROM bid GROUP BY channel, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd');
