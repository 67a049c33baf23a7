-- The label: arrivals. One record per arrival, keyed by flight; diverted flights have none.
CREATE TABLE arrivals (
  flight_id  STRING,    -- as in departures
  arrived_ms BIGINT,    -- at the gate, UTC epoch milliseconds
  arr_delay  INT,       -- actual minus scheduled arrival, minutes
  late       BOOLEAN,   -- arr_delay > 15
  arrived_at AS TO_TIMESTAMP_LTZ(arrived_ms, 3),
  WATERMARK FOR arrived_at AS arrived_at - INTERVAL '5' MINUTE
) WITH (
  'connector' = 'kafka',
  'topic' = 'arrivals',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);
