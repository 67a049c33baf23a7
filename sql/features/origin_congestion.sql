-- How busy and how late each airport was in the last hour, every five minutes.
CREATE VIEW origin_congestion AS
SELECT
  origin,
  window_time,                                                                        -- end of the hour
  CAST(COUNT(*) AS INT)                                       AS departures,   -- flights that left
  CAST(CAST(SUM(dep_delay) AS DOUBLE) / COUNT(dep_delay) AS FLOAT) AS mean_delay,   -- minutes
  CAST(CAST(COUNT(*) FILTER (WHERE dep_delay > 15) AS DOUBLE) / NULLIF(COUNT(dep_delay), 0) AS FLOAT) AS late_share  -- over 15 minutes late, 0 to 1
FROM TABLE(HOP(TABLE departures, DESCRIPTOR(departed_at), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
GROUP BY origin, window_start, window_end, window_time;
