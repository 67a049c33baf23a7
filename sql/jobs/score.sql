-- Score each flight as it leaves.
INSERT INTO predictions
SELECT flight_id, departed_at, p_late, model_version
FROM ML_PREDICT(
  TABLE flight_features,
  MODEL late_arrival,
  DESCRIPTOR(dep_delay, distance, scheduled_hour, weekday,
             origin_departures_1h, origin_delay_1h, origin_late_share_1h,
             carrier_departures_3h, carrier_delay_3h,
             temp, wind_speed, precip, visib));

-- A departure without a time, or of a time that cannot be, is in no window.
INSERT INTO quarantine
SELECT
  'departures' AS source,
  'departed_ms is NULL, or not a time from 1990 to 2099' AS reason,
  JSON_OBJECT(
    'flight_id' VALUE flight_id, 'carrier' VALUE carrier, 'flight' VALUE flight, 'tailnum' VALUE tailnum,
    'origin' VALUE origin, 'dest' VALUE dest, 'distance' VALUE distance,
    'scheduled_ms' VALUE scheduled_ms, 'departed_ms' VALUE departed_ms, 'dep_delay' VALUE dep_delay) AS record
FROM departures
WHERE departed_at IS NULL;
