-- Score each flight when it departs.
INSERT INTO predictions
SELECT flight_id, departed_at, p_late, model_version, departure_partition, departure_offset
FROM ML_PREDICT(
  TABLE flight_features,
  MODEL late_arrival,
  DESCRIPTOR(dep_delay, distance, scheduled_hour, weekday,
             origin_departures_1h, origin_delay_1h, origin_late_share_1h,
             carrier_departures_3h, carrier_delay_3h,
             temp, wind_speed, precip, visib));
