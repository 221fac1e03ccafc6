-- name: list
SELECT r.id, r.app, r.fn, r.kind, r.version, r.event_id, r.parent_run, r.parent_defer, r.trace, r.parent_span, r.sessions,
    r.queued_at, coalesce(r.started_at, t.started_at) AS started_at, r.ended_at,
    CASE WHEN %(with_output)s THEN r.output END AS output, r.error, r.warnings,
    coalesce(r.status, CASE WHEN t.generation = 0 THEN 'queued' WHEN t.state = 1 THEN 'running'
                            ELSE 'waiting' END) AS status
FROM assay.runs r
LEFT JOIN assay.turns t ON t.project_id = %(project)s AND t.run_id = r.id
WHERE r.project_id = %(project)s

-- name: list_live
-- From turns on, which are few, the newest first: each is looked up as the list is read.
SELECT r.id, r.app, r.fn, r.kind, r.version, r.event_id, r.parent_run, r.parent_defer, r.trace, r.parent_span, r.sessions,
    r.queued_at, coalesce(r.started_at, t.started_at) AS started_at, r.ended_at,
    CASE WHEN %(with_output)s THEN r.output END AS output, r.error, r.warnings,
    CASE WHEN t.generation = 0 THEN 'queued' WHEN t.state = 1 THEN 'running' ELSE 'waiting' END AS status
FROM assay.turns t
CROSS JOIN LATERAL (
    SELECT x.* FROM assay.runs x
    WHERE x.project_id = %(project)s AND x.id = t.run_id AND x.status IS NULL OFFSET 0) r
WHERE t.project_id = %(project)s

-- name: after_live
    AND t.run_id < %(after)s

-- name: newest_live_first
ORDER BY t.run_id DESC LIMIT %(limit)s

-- name: ends
SELECT (SELECT r.id FROM assay.runs r WHERE r.project_id = %(project)s ORDER BY r.id LIMIT 1) AS first,
    (SELECT r.id FROM assay.runs r WHERE r.project_id = %(project)s ORDER BY r.id DESC LIMIT 1) AS last

-- name: list_counted
-- The newest hours in which enough such runs were counted, and those that are not counted: each one's newest.
WITH state AS (
    SELECT coalesce(max(s.next_hour), 0) AS next_hour FROM assay.rollup_states s WHERE s.project_id = %(project)s),
open AS MATERIALIZED (
    SELECT m.hour FROM assay.rollup_marks m
    WHERE m.project_id = %(project)s AND m.hour >= %(first_hour)s AND m.hour < %(last_hour)s
    UNION SELECT generate_series(greatest(s.next_hour, %(first_hour)s::int), %(last_hour)s::int) FROM state s
    UNION SELECT %(last_hour)s::int),
hours AS MATERIALIZED (
    SELECT o.hour FROM open o
    UNION ALL
    SELECT b.hour FROM (
        SELECT c.hour, sum(c.n) OVER (ORDER BY c.hour DESC) - c.n AS before FROM (
            SELECT x.hour, sum(x.n) AS n FROM assay.rollup_runs x
            WHERE x.project_id = %(project)s AND x.hour >= %(first_hour)s AND x.hour < %(last_hour)s
                AND x.hour NOT IN (SELECT o.hour FROM open o)
                AND (%(function)s::text IS NULL OR x.fn = %(function)s)
                AND (%(app)s::text IS NULL OR x.app = %(app)s)
                AND (%(status)s::text IS NULL OR x.status = %(status)s)
            GROUP BY x.hour ORDER BY x.hour DESC LIMIT %(limit)s) c) b
    WHERE b.before < %(limit)s)
SELECT r.id, r.app, r.fn, r.kind, r.version, r.event_id, r.parent_run, r.parent_defer, r.trace, r.parent_span, r.sessions,
    r.queued_at, coalesce(r.started_at, t.started_at) AS started_at, r.ended_at,
    CASE WHEN %(with_output)s THEN r.output END AS output, r.error, r.warnings,
    coalesce(r.status, CASE WHEN t.generation = 0 THEN 'queued' WHEN t.state = 1 THEN 'running'
                            ELSE 'waiting' END) AS status
FROM hours h
CROSS JOIN LATERAL (
    SELECT x.* FROM assay.runs x
    WHERE x.project_id = %(project)s AND x.id >= assay.id_floor(h.hour * 3600.0)
        AND x.id < assay.id_floor((h.hour + 1) * 3600.0)
        AND (%(after)s::uuid IS NULL OR x.id < %(after)s)
        AND (%(function)s::text IS NULL OR x.fn = %(function)s)
        AND (%(app)s::text IS NULL OR x.app = %(app)s)
        AND (%(status)s::text IS NULL OR x.status = %(status)s)
    ORDER BY x.id DESC LIMIT %(limit)s) r
LEFT JOIN assay.turns t ON t.project_id = %(project)s AND t.run_id = r.id
WHERE true

-- name: by_function
    AND r.fn = %(function)s

-- name: by_app
    AND r.app = %(app)s

-- name: by_event
    AND r.event_id = %(event)s

-- name: by_trace
    AND r.id = ANY (ARRAY(SELECT x.id FROM assay.runs x WHERE x.project_id = %(project)s
        AND x.trace = %(trace)s AND x.parent_run IS NOT NULL UNION ALL SELECT %(trace)s::uuid))

-- name: is_ended
    AND r.status = %(status)s

-- name: is_queued
    AND r.status IS NULL AND t.generation = 0

-- name: is_running
    AND r.status IS NULL AND t.state = 1

-- name: is_waiting
    AND r.status IS NULL AND t.state = 0 AND t.generation > 0

-- name: in_session
    AND EXISTS (SELECT FROM assay.run_sessions s WHERE s.project_id = %(project)s
        AND s.key = %(session_key)s AND s.value = %(session_id)s AND s.run_id = r.id)

-- name: with_session_key
    AND EXISTS (SELECT FROM assay.run_sessions s WHERE s.project_id = %(project)s
        AND s.key = %(session_key)s AND s.run_id = r.id)

-- name: of_key
SELECT count(*) AS n FROM (
    SELECT FROM assay.run_sessions s
    WHERE s.project_id = %(project)s AND s.key = %(session_key)s LIMIT %(common)s) k

-- name: carrying_key
    AND r.sessions ? %(session_key)s

-- name: with_score
    AND EXISTS (SELECT FROM assay.scores_latest l WHERE l.project_id = %(project)s
        AND l.name = %(score)s AND l.run_id = r.id

-- name: score_min
        AND l.value >= %(score_min)s

-- name: score_max
        AND l.value <= %(score_max)s

-- name: score_is
        AND l.is_bool AND l.value = %(score_is)s

-- name: score_end
    )

-- name: in_experiment
    AND EXISTS (SELECT FROM assay.exposures x WHERE x.project_id = %(project)s
        AND x.experiment = %(experiment)s AND x.run_id = r.id

-- name: as_variant
        AND x.variant = %(variant)s

-- name: as_unit
        AND x.unit = %(unit)s

-- name: as_forced
        AND x.forced = %(forced)s

-- name: as_no_unit
        AND (x.unit IS NULL) = %(without_unit)s

-- name: exposed_after
        AND x.at >= %(exposed_after)s

-- name: exposed_before
        AND x.at < %(exposed_before)s

-- name: experiment_end
    )

-- name: queued_after
    AND r.queued_at >= %(queued_after)s AND r.id >= %(first_id)s

-- name: queued_before
    AND r.queued_at < %(queued_before)s AND r.id < %(last_id)s

-- name: by_id
    AND r.id = %(run)s

-- name: after
    AND r.id < %(after)s

-- name: newest_first
ORDER BY r.id DESC LIMIT %(limit)s

-- name: in_time
SELECT count(*) AS n FROM (
    SELECT FROM assay.runs r
    WHERE r.project_id = %(project)s AND r.id >= %(first_id)s AND (%(last_id)s::uuid IS NULL OR r.id < %(last_id)s)
    LIMIT %(most)s) k

-- name: has_ended
    AND r.ended_at >= r.started_at

-- name: after_longer
    AND (r.ended_at - r.started_at, r.id) < (make_interval(secs => %(took)s / 1e6), %(after)s)

-- name: longest_first
ORDER BY r.ended_at - r.started_at DESC, r.id DESC LIMIT %(limit)s

-- name: woken_by
    AND r.id = ANY (ARRAY(SELECT e.run_id FROM assay.run_events e
        WHERE e.project_id = %(project)s AND e.event_id = %(event)s))

-- name: orphans
SELECT DISTINCT l.step, l.idx FROM assay.scores_latest l
WHERE l.project_id = %(project)s AND l.run_id = %(run)s AND l.subject = 'step'
    AND NOT EXISTS (SELECT FROM assay.journal j WHERE j.project_id = %(project)s
        AND j.run_id = %(run)s AND j.name = l.step AND j.idx = l.idx)
    AND NOT EXISTS (SELECT FROM assay.attempts a WHERE a.project_id = %(project)s
        AND a.run_id = %(run)s AND a.name = l.step AND a.idx = l.idx)
ORDER BY l.step, l.idx

-- name: unserved
SELECT DISTINCT s.experiment, s.variant, s.idx AS index FROM assay.score_references s
WHERE s.project_id = %(project)s AND s.run_id = %(run)s
ORDER BY 1, 2, 3

-- name: ambiguous
SELECT x.experiment FROM assay.exposures x
WHERE x.project_id = %(project)s AND x.run_id = %(run)s
GROUP BY x.experiment
HAVING min(x.variant) <> max(x.variant) AND EXISTS (
    SELECT FROM assay.scores s WHERE s.project_id = %(project)s AND s.run_id = %(run)s
        AND s.subject = 'run' AND s.ref_experiment IS NULL)
ORDER BY x.experiment
