-- origin_congestion as a versioned table: at any event time, the latest row of each airport.
CREATE VIEW origin_congestion_now AS
SELECT origin, window_time, departures, mean_delay, late_share
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY origin ORDER BY window_time DESC) AS newest
  FROM origin_congestion
)
WHERE newest = 1;
