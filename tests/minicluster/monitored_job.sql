CREATE TEMPORARY VIEW `m_scored_1` AS
SELECT
  `id`, `happened`,
  `score_m`(
    CAST(`x` AS FLOAT),
    CAST(`y` AS FLOAT),
    CAST(`z` AS FLOAT),
    COALESCE(EXTRACT(EPOCH FROM `happened`), 0),
    CAST(`place` AS STRING)
  ) AS `_score`
FROM `events`;

CREATE TEMPORARY VIEW `m_predictions_1` AS
SELECT
  `id`,
  `_score`.`score` AS `score`,
  '1' AS `model_version`
FROM `m_scored_1`;

CREATE TEMPORARY VIEW `m_partials_1` AS
SELECT
  `event_time`, `window_start`, DECODE(`partials`[1], 'UTF-8') AS `slice`,
  `ordinality` - 2 AS `feature_group`, `partial`, `arrival`
FROM (
  SELECT
    `happened` AS `event_time`, EXTRACT(EPOCH FROM `happened`) / 60 * 60 AS `window_start`, `_score`.`_partials` AS `partials`,
    CASE
      WHEN CURRENT_WATERMARK(`happened`) >= TO_TIMESTAMP_LTZ((EXTRACT(EPOCH FROM `happened`) / 60 * 60 + 60) * 1000 - 1, 3) THEN 'lost'
      ELSE 'in time'
    END AS `arrival`
  FROM `m_scored_1`
  WHERE `_score`.`_partials` IS NOT NULL
) AS `carried`
CROSS JOIN UNNEST(`carried`.`partials`) WITH ORDINALITY AS `partial` (`partial`, `ordinality`)
WHERE `ordinality` > 1;

CREATE TEMPORARY VIEW `m_merged_1` AS
SELECT
  TUMBLE_ROWTIME(`event_time`, INTERVAL '1' MINUTE) AS `window_time`, `slice`, `feature_group`,
  `merge_m_1`(`slice`, `feature_group`, `window_start`, `partial`) AS `merged`
FROM `m_partials_1`
WHERE `arrival` = 'in time'
GROUP BY TUMBLE(`event_time`, INTERVAL '1' MINUTE), `slice`, `feature_group`;

CREATE TEMPORARY VIEW `m_windows_1` AS
SELECT
  EXTRACT(EPOCH FROM TUMBLE_START(`window_time`, INTERVAL '1' MINUTE)) AS `window_start`, 'in time' AS `arrival`,
  ARRAY_AGG(CAST(ROW(`slice`, `feature_group`, `merged`.`comparisons`, `merged`.`counts`) AS ROW<`slice` STRING, `feature_group` INT, `comparisons` STRING, `counts` BYTES>)) AS `merged`
FROM `m_merged_1`
WHERE `merged` IS NOT NULL
GROUP BY TUMBLE(`window_time`, INTERVAL '1' MINUTE)
UNION ALL
SELECT
  `window_start`, `arrival`,
  ARRAY[CAST(ROW(`slice`, `feature_group`, CAST(NULL AS STRING), `partial`) AS ROW<`slice` STRING, `feature_group` INT, `comparisons` STRING, `counts` BYTES>)]
FROM `m_partials_1`
WHERE `arrival` <> 'in time';

CREATE TEMPORARY VIEW `m_followed_1` AS
SELECT `model`, `follow_m_1`(`window_start`, `arrival`, `merged`) AS `followed`
FROM (SELECT 'm' AS `model`, `window_start`, `arrival`, `merged` FROM `m_windows_1`)
GROUP BY `model`;

CREATE TEMPORARY VIEW `m_new_results_1` AS
SELECT `followed`.`results` AS `results`, `followed`.`alerts` AS `alerts`
FROM TO_CHANGELOG(input => TABLE `m_followed_1`)
WHERE `op` IN ('INSERT', 'UPDATE_AFTER');

INSERT INTO scored SELECT id, score
FROM `m_predictions_1`;

INSERT INTO `drift` (`model`, `version`, `window_start`, `window_end`, `slice`, `feature`, `n`, `nulls`, `late`, `d_lo`, `d_hi`, `margin`, `p`, `q`, `rank`, `psi`, `wasserstein`, `verdict`, `quantiles`, `reference_quantiles`, `reference`)
SELECT
  'm' AS `model`,
  '1' AS `version`,
  TO_TIMESTAMP_LTZ(`window_start`, 3) AS `window_start`,
  TO_TIMESTAMP_LTZ(`window_end`, 3) AS `window_end`,
  `slice`,
  `feature`,
  `n`,
  `nulls`,
  `late`,
  `d_lo`,
  `d_hi`,
  `margin`,
  `p`,
  `q`,
  `rank`,
  `psi`,
  `wasserstein`,
  `verdict`,
  `quantiles`,
  `reference_quantiles`,
  '<reference>' AS `reference`
FROM `m_new_results_1`
CROSS JOIN UNNEST(`m_new_results_1`.`results`) AS `results` (`slice`, `feature`, `window_start`, `window_end`, `n`, `nulls`, `late`, `d_lo`, `d_hi`, `margin`, `p`, `q`, `rank`, `psi`, `wasserstein`, `verdict`, `reference_n`, `reference_nulls`, `quantiles`, `reference_quantiles`, `categories`, `shares`, `reference_shares`);

INSERT INTO `alerts` (`slice`, `feature`, `event`, `message`)
SELECT
  `slice`,
  `feature`,
  `event`,
  `message`
FROM `m_new_results_1`
CROSS JOIN UNNEST(`m_new_results_1`.`alerts`) AS `results` (`slice`, `feature`, `event`, `since`, `window_start`, `window_end`, `message`, `defined_at`);
