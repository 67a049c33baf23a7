-- The network of mlp.sql, all its sixteen inputs and its output monitored for drift.
CREATE MODEL monitored
INPUT (
  x0 FLOAT, x1 FLOAT, x2 FLOAT, x3 FLOAT,
  x4 FLOAT, x5 FLOAT, x6 FLOAT, x7 FLOAT,
  x8 FLOAT, x9 FLOAT, x10 FLOAT, x11 FLOAT,
  x12 FLOAT, x13 FLOAT, x14 FLOAT, x15 FLOAT
)
OUTPUT (y FLOAT)
WITH (
  'provider' = 'onnx',
  'monitor.time' = 'sent_at',
  'monitor.window' = '1 MINUTE'
);
