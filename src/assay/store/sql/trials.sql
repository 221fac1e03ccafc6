-- name: trials
SELECT g.value AS unit, count(s.id) AS n, count(s.id) FILTER (WHERE s.value > 0) AS passes
FROM assay.run_sessions b
JOIN assay.runs r ON r.project_id = %(project)s AND r.id = b.run_id AND r.kind = 'function'
JOIN assay.run_sessions g ON g.project_id = %(project)s AND g.run_id = b.run_id AND g.key = %(by)s
LEFT JOIN assay.scores_latest l ON l.project_id = %(project)s AND l.run_id = b.run_id AND l.subject = 'run'
    AND l.name = %(name)s
LEFT JOIN assay.scores s ON s.project_id = %(project)s AND s.id = l.score_id
WHERE b.project_id = %(project)s AND b.key = %(key)s AND b.value = %(id)s
GROUP BY g.value
ORDER BY g.value

-- name: runs
SELECT coalesce(r.status, 'live') AS status, count(*) AS n
FROM assay.run_sessions b
JOIN assay.runs r ON r.project_id = %(project)s AND r.id = b.run_id AND r.kind = 'function'
WHERE b.project_id = %(project)s AND b.key = %(key)s AND b.value = %(id)s
GROUP BY r.status

-- name: outcomes
SELECT o.state, count(*) AS n
FROM assay.run_sessions b
JOIN assay.outcomes o ON o.project_id = %(project)s AND o.run_id = b.run_id
WHERE b.project_id = %(project)s AND b.key = %(key)s AND b.value = %(id)s
GROUP BY o.state

-- name: volume
WITH batch AS MATERIALIZED (
    SELECT b.run_id FROM assay.run_sessions b
    WHERE b.project_id = %(project)s AND b.key = %(key)s AND b.value = %(id)s),
memos AS MATERIALIZED (
    SELECT j.run_id, j.step, j.kind, j.attempts FROM assay.journal j
    JOIN batch ON batch.run_id = j.run_id WHERE j.project_id = %(project)s),
tries AS MATERIALIZED (
    SELECT a.run_id, a.step, a.attempt FROM assay.attempts a
    JOIN batch ON batch.run_id = a.run_id WHERE a.project_id = %(project)s)
SELECT (SELECT count(*) FROM memos) AS steps,
    (SELECT count(*) FROM batch)
        + (SELECT count(*) FROM memos)
        + (SELECT count(*) FROM memos m WHERE m.kind = 'step')
        + (SELECT count(*) FROM tries t WHERE NOT EXISTS (
            SELECT FROM memos m
            WHERE m.run_id = t.run_id AND m.step = t.step AND m.attempts = t.attempt))
        + (SELECT count(*) FROM assay.user_spans u JOIN batch ON batch.run_id = u.run_id
           WHERE u.project_id = %(project)s) AS spans,
    (SELECT count(*) FROM assay.scores s JOIN batch ON batch.run_id = s.run_id
     WHERE s.project_id = %(project)s) AS scores

-- name: served
SELECT x.variant, count(*) AS runs, count(s.id) AS answered,
    count(s.id) FILTER (WHERE s.value > 0) AS passes
FROM assay.exposures x
LEFT JOIN assay.scores_latest l ON l.project_id = %(project)s AND l.run_id = x.run_id AND l.subject = 'run'
    AND l.name = %(name)s
LEFT JOIN assay.scores s ON s.project_id = %(project)s AND s.id = l.score_id
WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND x.idx = 0
GROUP BY x.variant
