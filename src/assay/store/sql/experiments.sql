-- name: list
SELECT e.name, e.first_seen, e.stopped_at, e.stopped_by, e.stop_reason, e.decision, o.strategy, o.variants,
    o.epoch, p.version AS plan_version, p.spec AS plan, EXISTS (
        SELECT FROM assay.experiment_epochs r
        WHERE r.project_id = %(project)s AND r.experiment = e.name AND r.unit_kind = 'run'
            AND r.strategy <> 'fixed' AND r.weights IS NOT NULL) AS is_by_run
FROM assay.experiments e
LEFT JOIN LATERAL (
    SELECT o.strategy, o.variants, o.epoch FROM assay.experiment_epochs o
    WHERE o.project_id = %(project)s AND o.experiment = e.name ORDER BY o.epoch DESC LIMIT 1) o ON true
LEFT JOIN LATERAL (
    SELECT p.version, p.spec FROM assay.experiment_plans p
    WHERE p.project_id = %(project)s AND p.experiment = e.name ORDER BY p.version DESC LIMIT 1) p ON true
WHERE e.project_id = %(project)s

-- name: one
    AND e.name = %(experiment)s

-- name: after
    AND e.name > %(after)s

-- name: by_name
ORDER BY e.name LIMIT %(limit)s

-- name: epochs
SELECT o.epoch, o.strategy, o.variants, o.weights, o.salt, o.unit_kind, o.sticky, o.app, o.version, o.worker,
    o.author, o.opened_at
FROM assay.experiment_epochs o
WHERE o.project_id = %(project)s AND o.experiment = %(experiment)s
ORDER BY o.epoch

-- name: plans
SELECT p.version, p.spec, p.app, p.app_version, p.worker, p.author, p.declared_at
FROM assay.experiment_plans p
WHERE p.project_id = %(project)s AND p.experiment = %(experiment)s
ORDER BY p.version

-- name: declarations
SELECT d.app, d.spec, d.app_version, d.worker, d.author, d.declared_at
FROM assay.experiment_declarations d
WHERE d.project_id = %(project)s AND d.experiment = %(experiment)s
ORDER BY d.app

-- name: looks
SELECT l.plan_version, l.mode, l.variant, l.cutoff, l.result, l.looked_at
FROM assay.looks l
WHERE l.project_id = %(project)s AND l.experiment = %(experiment)s

-- name: words
SELECT l.experiment, l.variant, l.cutoff, l.tested, l.word, l.reason, l.spending_time, x.n_units, x.estimate, x.se,
    x.df, x.alpha, x.ci, x.log_e_balance
FROM assay.looks l
CROSS JOIN LATERAL jsonb_to_record(l.result) AS x(n_units int, estimate float8, se float8, df float8, alpha float8,
    ci jsonb, log_e_balance float8)
JOIN unnest(%(experiments)s::text[], %(versions)s::int[], %(modes)s::text[]) AS u(experiment, version, mode)
    ON u.experiment = l.experiment AND u.version = l.plan_version AND u.mode = l.mode
WHERE l.project_id = %(project)s
ORDER BY l.experiment, l.cutoff, l.variant

-- name: of_version
    AND l.plan_version = %(version)s

-- name: looks_after
    AND (l.cutoff, l.mode, l.variant) > (%(after_cutoff)s, %(after_mode)s, %(after_variant)s)

-- name: oldest_first
ORDER BY l.cutoff, l.mode, l.variant

-- name: limited
LIMIT %(limit)s

-- name: add_looks
INSERT INTO assay.looks AS l (project_id, experiment, plan_version, mode, variant, cutoff, spending_time,
    information, boundary, z, alpha_spent, tested, reason, word, result, looked_at)
SELECT c.project_id, %(experiment)s, %(version)s, u.mode, u.variant, u.cutoff, u.time, u.information, u.boundary,
    u.deviate, u.spent, u.tested, u.reason, u.word, u.result, %(now)s
FROM assay.catalogs c, json_to_recordset(%(looks)s::json) AS u(mode text, variant text, cutoff timestamptz,
    time float8, information float8, boundary float8, deviate float8, spent float8, tested boolean,
    reason text, word text, result jsonb)
WHERE c.project_id = %(project)s
ON CONFLICT (project_id, experiment, plan_version, mode, variant, cutoff) DO NOTHING

-- name: hold
SELECT e.name FROM assay.experiments e
WHERE e.project_id = %(project)s AND e.name = %(experiment)s FOR UPDATE SKIP LOCKED

-- name: planned
SELECT e.name FROM assay.experiments e
WHERE e.project_id = %(project)s AND e.stopped_at IS NULL AND EXISTS (
    SELECT FROM assay.experiment_plans p WHERE p.project_id = %(project)s AND p.experiment = e.name)
    AND NOT EXISTS (
        SELECT FROM assay.looks l WHERE l.project_id = %(project)s AND l.experiment = e.name
            AND l.cutoff >= %(cutoff)s)
ORDER BY e.name

-- name: span
SELECT min(x.at) AS first, max(x.at) AS last FROM assay.exposures x
WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced AND x.unit IS NOT NULL
    AND x.at >= %(since)s

-- name: metrics
-- One name after the other, since there are few of them and many scores.
WITH RECURSIVE names AS (
    (SELECT s.metric FROM assay.experiment_scores s
     WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s ORDER BY s.metric LIMIT 1)
    UNION ALL
    SELECT (SELECT s.metric FROM assay.experiment_scores s
            WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric > n.metric
            ORDER BY s.metric LIMIT 1)
    FROM names n WHERE n.metric IS NOT NULL
)
SELECT n.metric FROM names n WHERE n.metric IS NOT NULL

-- name: has_usage
-- Asked of the newest runs, since where there is no use to be found all would be looked at.
SELECT EXISTS (
    SELECT FROM (
        SELECT s.run_id FROM assay.experiment_scores s
        WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric = 'run.duration'
        ORDER BY s.run_id DESC LIMIT 1000) n
    JOIN assay.run_usage r ON r.project_id = %(project)s AND r.run_id = n.run_id) AS found

-- name: unserved
SELECT count(*) AS n FROM assay.score_references r
WHERE r.project_id = %(project)s AND r.experiment = %(experiment)s AND r.metric = %(metric)s

-- name: beyond
SELECT s.metric, count(*) AS n FROM assay.experiment_scores s
WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric = ANY (%(metrics)s)
    AND abs(s.value) > 1e140 AND s.at < %(cutoff)s
GROUP BY s.metric

-- name: units
SELECT u.unit, u.variant, u.epoch, u.first_at, u.runs, a.variant AS assigned
FROM (
    SELECT x.unit, (array_agg(x.variant ORDER BY x.at, x.run_id, x.idx))[1] AS variant,
        (array_agg(x.epoch ORDER BY x.at, x.run_id, x.idx))[1] AS epoch, min(x.at) AS first_at,
        count(DISTINCT x.run_id) AS runs
    FROM assay.exposures x
    WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced
        AND x.unit > %(after)s AND (%(before)s::timestamptz IS NULL OR x.at < %(before)s)

-- name: among
        AND x.unit = ANY (%(units)s)

-- name: by_unit
    GROUP BY x.unit
    HAVING (%(variant)s::text IS NULL OR (array_agg(x.variant ORDER BY x.at, x.run_id, x.idx))[1] = %(variant)s)
        AND (%(epoch)s::int IS NULL OR (array_agg(x.epoch ORDER BY x.at, x.run_id, x.idx))[1] = %(epoch)s)
    ORDER BY x.unit LIMIT %(limit)s) u
LEFT JOIN assay.assignments a ON a.project_id = %(project)s AND a.experiment = %(experiment)s AND a.unit = u.unit
ORDER BY u.unit

-- name: stop
UPDATE assay.experiments e SET stopped_at = %(now)s, stopped_by = %(author)s, stop_reason = %(reason)s,
    decision = %(decision)s
WHERE e.project_id = %(project)s AND e.name = %(experiment)s
    AND (e.stopped_at IS NULL OR (e.stopped_at = %(now)s AND e.stop_reason = %(reason)s))
RETURNING e.name
