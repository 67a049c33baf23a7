-- weather as a versioned table: at any event time, the latest observation of each airport.
CREATE VIEW weather_now AS
SELECT origin, observed_at, temp, wind_speed, precip, visib
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY origin ORDER BY observed_at DESC) AS newest
  FROM weather
)
WHERE newest = 1;
