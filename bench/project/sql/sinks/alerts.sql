-- Alarms of the monitored model; not read here.
CREATE TABLE alerts (
  feature STRING,
  message STRING
) WITH (
  'connector' = 'blackhole'
);
