-- Features with their labels, one JSON line per flight, for training.
CREATE TABLE training_data (
  flight_id             STRING,
  departed_ms           BIGINT,    -- event time, UTC epoch milliseconds
  departed_at           TIMESTAMP_LTZ(3),  -- same
  origin                STRING,
  dep_delay             FLOAT,
  distance              FLOAT,
  scheduled_hour        FLOAT,
  weekday               FLOAT,
  origin_departures_1h  FLOAT,
  origin_delay_1h       FLOAT,
  origin_late_share_1h  FLOAT,
  carrier_departures_3h FLOAT,
  carrier_delay_3h      FLOAT,
  temp                  FLOAT,
  wind_speed            FLOAT,
  precip                FLOAT,
  visib                 FLOAT,
  late                  BOOLEAN    -- arrived more than 15 minutes late
) WITH (
  'connector' = 'filesystem',
  'path' = '${TRAINING_DATA:-out/training_data}',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);
