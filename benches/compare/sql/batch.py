"""The same queries for batch engines, which have no window functions in FROM: windows by arithmetic."""

# Epoch milliseconds of the event time; {ms} is the engine's own way to say it.
BATCH = {
    "q7": "SELECT max(price) AS maxprice, {ms} // 10000 * 10000 + 10000 AS window_end FROM bid GROUP BY 2",
    "tumble": "SELECT auction, {ms} // 10000 * 10000 + 10000 AS window_end, count(*) AS bids, max(price) AS highest "
              "FROM bid GROUP BY 1, 2",
    "hop": "SELECT auction, {ms} // 2000 * 2000 + 2000 * k AS window_end, count(*) AS bids, max(price) AS highest "
           "FROM bid, (VALUES (1), (2), (3), (4), (5)) AS windows(k) GROUP BY 1, 2",
}
