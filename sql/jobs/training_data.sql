-- The rows that a model is trained on: the features of the scoring job, with the label of each flight.
INSERT INTO training_data
SELECT
  f.flight_id, f.departed_ms, CAST(f.departed_at AS TIMESTAMP_LTZ(3)) AS departed_at, f.origin,
  f.dep_delay, f.distance, f.scheduled_hour, f.weekday,
  f.origin_departures_1h, f.origin_delay_1h, f.origin_late_share_1h,
  f.carrier_departures_3h, f.carrier_delay_3h,
  f.temp, f.wind_speed, f.precip, f.visib,
  a.late
FROM flight_features AS f
JOIN arrivals AS a
  ON f.flight_id = a.flight_id
  AND a.arrived_at BETWEEN f.departed_at AND f.departed_at + INTERVAL '24' HOUR;
