-- The yardstick: the same columns in and out, and plain SQL in the model's place.
INSERT INTO kafka_scores
SELECT id, sent_us, x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11 + x12 + x13 + x14 + x15 AS y
FROM records;
