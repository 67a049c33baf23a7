INSERT INTO kafka_scores
SELECT id, sent_us, y
FROM ML_PREDICT(
  TABLE records,
  MODEL monitored,
  DESCRIPTOR(x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15));
