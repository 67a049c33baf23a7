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
SELECT *
FROM `merge_m_1`(
  input => TABLE `m_partials_1` PARTITION BY (`slice`, `feature_group`),
  on_time => DESCRIPTOR(`event_time`),
  uid => 'm_merged_1'
);

CREATE TEMPORARY VIEW `m_compared_1` AS
SELECT
  `rowtime` AS `event_time`, `level`, `window_start`, `slice`, `feature_group`, `arrival`,
  `compare_m_1`(`level`, `window_start`, `slice`, `feature_group`, `counts`, `late`) AS `compared`
FROM `m_merged_1`;

CREATE TEMPORARY VIEW `m_windows_1` AS
SELECT *
FROM `gather_m_1`(
  input => TABLE `m_compared_1`,
  on_time => DESCRIPTOR(`event_time`),
  uid => 'm_windows_1'
);

CREATE TEMPORARY VIEW `m_new_results_1` AS
SELECT `judged`.`results` AS `results`, `judged`.`alerts` AS `alerts`
FROM (
  SELECT `judge_m_1`(`follows`, `memory`, `history`, `window_start`, `arrival`, `compared`) AS `judged`
  FROM `m_windows_1`
);

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
