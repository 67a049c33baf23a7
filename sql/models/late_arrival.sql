-- P(arrives more than 15 minutes late), at the time of departure.
CREATE MODEL late_arrival
INPUT (
  dep_delay             FLOAT,   -- minutes
  distance              FLOAT,   -- miles
  scheduled_hour        FLOAT,   -- 0 to 23, New York
  weekday               FLOAT,   -- 1 is Sunday
  origin_departures_1h  FLOAT,   -- flights
  origin_delay_1h       FLOAT,   -- mean, minutes
  origin_late_share_1h  FLOAT,   -- 0 to 1
  carrier_departures_3h FLOAT,   -- flights
  carrier_delay_3h      FLOAT,   -- mean, minutes
  temp                  FLOAT,   -- degrees Fahrenheit
  wind_speed            FLOAT,   -- miles an hour
  precip                FLOAT,   -- inches
  visib                 FLOAT    -- miles
)
OUTPUT (p_late DOUBLE)           -- 0 to 1
WITH (
  'provider' = 'onnx',
  'output.p_late' = 'probabilities[1]',
  'monitor.time' = 'departed_at',
  'monitor.window' = '1 DAY',
  'monitor.slice' = 'origin',
  'monitor.season' = 'day of week'   -- a Sunday is compared with Sundays
);
