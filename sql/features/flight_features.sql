-- The model's features: one row per departure, at its event time.
CREATE VIEW flight_features AS
SELECT
  d.flight_id,
  d.carrier,
  d.origin,
  d.dest,
  d.departed_ms,
  d.departed_at,
  d.departure_partition,
  d.departure_offset,
  CAST(d.dep_delay AS FLOAT)             AS dep_delay,                -- minutes
  CAST(d.distance AS FLOAT)              AS distance,                 -- miles
  CAST(HOUR(d.scheduled_local) AS FLOAT) AS scheduled_hour,           -- 0 to 23, New York
  CAST(DAYOFWEEK(d.scheduled_local) AS FLOAT) AS weekday,             -- 1 is Sunday, New York
  -- An airport without departures in the last hour keeps its last row: it is not valid after five minutes.
  CASE WHEN c.window_time > d.departed_at - INTERVAL '5' MINUTE THEN CAST(c.departures AS FLOAT) ELSE 0 END AS origin_departures_1h,
  CASE WHEN c.window_time > d.departed_at - INTERVAL '5' MINUTE THEN c.mean_delay END                       AS origin_delay_1h,       -- mean, minutes
  CASE WHEN c.window_time > d.departed_at - INTERVAL '5' MINUTE THEN c.late_share END                       AS origin_late_share_1h,  -- 0 to 1
  CAST(d.carrier_departures_3h AS FLOAT) AS carrier_departures_3h,
  d.carrier_delay_3h,                                                 -- mean, minutes
  w.temp, w.wind_speed, w.precip, w.visib                             -- weather in force at departure
FROM carrier_delays AS d
LEFT JOIN origin_congestion_now FOR SYSTEM_TIME AS OF d.departed_at AS c ON d.origin = c.origin
LEFT JOIN weather FOR SYSTEM_TIME AS OF d.departed_at AS w ON d.origin = w.origin;
