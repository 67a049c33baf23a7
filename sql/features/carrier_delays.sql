-- Each departure with its carrier's last three hours, this flight included.
CREATE VIEW carrier_delays AS
SELECT
  flight_id, carrier, origin, dest, distance, scheduled_local, departed_ms, dep_delay, departed_at,
  departure_partition, departure_offset,
  CAST(COUNT(*) OVER last_3h AS INT)                                            AS carrier_departures_3h,
  CAST(CAST(SUM(dep_delay) OVER last_3h AS DOUBLE) / COUNT(dep_delay) OVER last_3h AS FLOAT) AS carrier_delay_3h  -- mean, minutes
FROM departures
WINDOW last_3h AS (PARTITION BY carrier ORDER BY departed_at RANGE BETWEEN INTERVAL '3' HOUR PRECEDING AND CURRENT ROW);
