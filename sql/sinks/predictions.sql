-- One record per departure, keyed by flight.
CREATE TABLE predictions (
  flight_id     STRING,            -- as in departures
  departed_at   TIMESTAMP_LTZ(3),  -- event time
  p_late        DOUBLE,            -- P(more than 15 minutes late); NULL if the model refused the row
  model_version STRING,            -- the folder under models/late_arrival/
  departure_partition INT,         -- the record of departures that was scored: for `millstream audit`
  departure_offset    BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = 'predictions',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'key.format' = 'raw',
  'key.fields' = 'flight_id',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);
