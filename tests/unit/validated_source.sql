CREATE TABLE `events_unchecked` (
  id     BIGINT COMMENT 'required',
  delay  FLOAT  COMMENT 'range 0..9',   -- (a comment, with > and ,
  place  STRING COMMENT '',
  parts  ROW<a ARRAY<INT>, b MAP<STRING, INT>>,
  at     AS CASE WHEN delay < 5 THEN TO_TIMESTAMP_LTZ(id, 3) END,
  WATERMARK FOR at AS CASE WHEN `_error` IS NULL AND `id` IS NOT NULL AND (`delay` IS NULL OR (`delay` >= 0 AND `delay` <= 9)) AND (`at` IS NOT NULL AND CAST(`at` AS TIMESTAMP_LTZ(3)) BETWEEN TO_TIMESTAMP_LTZ(631152000000, 3) AND `_ingested_at` + INTERVAL '1' DAY) THEN at - INTERVAL '5' SECOND END, `_partition` INT METADATA FROM 'partition' VIRTUAL, `_offset` BIGINT METADATA FROM 'offset' VIRTUAL, `_ingested_at` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, `_error` STRING METADATA FROM 'value.error' VIRTUAL  -- last
) WITH ('properties.isolation.level' = 'read_committed', 'connector' = 'kafka', 'topic' = 'events', 'format' = 'checked-json');

SELECT *,
  CASE WHEN `_error` IS NULL
  THEN CASE WHEN `id` IS NOT NULL AND (`delay` IS NULL OR (`delay` >= 0 AND `delay` <= 9))
  THEN CASE WHEN (`at` IS NOT NULL AND CAST(`at` AS TIMESTAMP_LTZ(3)) BETWEEN TO_TIMESTAMP_LTZ(631152000000, 3) AND `_ingested_at` + INTERVAL '1' DAY)
  THEN CASE WHEN (CURRENT_WATERMARK(`at`) IS NULL OR `at` > CURRENT_WATERMARK(`at`))
  THEN CAST(NULL AS STRING) ELSE 'late' END ELSE 'invalid event time' END ELSE 'contract' END ELSE 'undecodable' END AS `_reason`
FROM `events_unchecked`;

SELECT `id`, `delay`, `place`, `parts`, `at`
FROM `events_checked`
WHERE `_reason` IS NULL;

INSERT INTO `quarantine` (`source`, `reason`, `detail`, `offset`, `columns`, `model`)
SELECT
  'events' AS `source`,
  `_count_events_checked`(`_reason`) AS `reason`,
  CASE `_reason`
    WHEN 'undecodable' THEN `_error`
    WHEN 'contract' THEN CONCAT_WS('; ',
      CASE WHEN `id` IS NOT NULL THEN CAST(NULL AS STRING) ELSE 'id is NULL, expected a value' END,
      CASE WHEN (`delay` IS NULL OR (`delay` >= 0 AND `delay` <= 9)) THEN CAST(NULL AS STRING) ELSE 'delay is ' || CAST(`delay` AS STRING) || ', expected 0 to 9' END)
    WHEN 'invalid event time' THEN 'at is ' || COALESCE(CAST(`at` AS STRING), 'NULL') || ', expected 1990-01-01 to a day after its time in Kafka'
    WHEN 'late' THEN 'at is ' || CAST(`at` AS STRING) || ', the watermark ' || CAST(CURRENT_WATERMARK(`at`) AS STRING) END AS `detail`,
  `_offset` AS `offset`,
  JSON_OBJECT('id' VALUE `id`, 'delay' VALUE `delay`, 'place' VALUE `place`, 'parts' VALUE CAST(`parts` AS STRING)) AS `columns`,
  CAST(NULL AS STRING) AS `model`
FROM `events_checked`
WHERE `_reason` IS NOT NULL;
