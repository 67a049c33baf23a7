-- Alarms of the monitored model; nobody reads them here.
CREATE TABLE alerts (
  feature STRING,
  message STRING
) WITH (
  'connector' = 'blackhole'
);
