-- Prices of an auction by day.
SELECT auction, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd') AS day_, COUNT(*) AS bids, MIN(price) AS least, MAX(price) AS most, AVG(price) AS mean,
  SUM(price) AS total
FROM bid GROUP BY auction, DATE_FORMAT(`dateTime`, 'yyyy-MM-dd');
