-- Hourly weather observations at the three airports, as a versioned table: at any event time, the latest of each airport.
CREATE TABLE weather (
  origin      STRING,   -- EWR, JFK or LGA
  observed_ms BIGINT,   -- time of observation, UTC epoch milliseconds
  temp        FLOAT,    -- degrees Fahrenheit
  dewp        FLOAT,    -- dew point, degrees Fahrenheit
  humid       FLOAT,    -- relative humidity, percent
  wind_dir    FLOAT,    -- degrees
  wind_speed  FLOAT,    -- miles an hour
  wind_gust   FLOAT,    -- miles an hour; NULL without gusts
  precip      FLOAT,    -- inches in the hour
  pressure    FLOAT,    -- millibar
  visib       FLOAT,    -- visibility, miles
  observed_at AS TO_TIMESTAMP_LTZ(observed_ms, 3),
  WATERMARK FOR observed_at AS observed_at - INTERVAL '5' MINUTE,
  PRIMARY KEY (origin) NOT ENFORCED   -- the record's key
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = 'weather',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'scan.parallelism' = '1',   -- the topic has one partition; a reader without a partition would delay event time
  'key.format' = 'raw',
  'value.format' = 'json'
);
