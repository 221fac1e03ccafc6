-- name: list
SELECT r.id, r.app, r.fn, r.kind, r.version, r.event_id, r.parent_run, r.parent_defer, r.trace, r.parent_span, r.sessions,
    r.queued_at, coalesce(r.started_at, t.started_at) AS started_at, r.ended_at,
    CASE WHEN %(with_output)s THEN r.output END AS output, r.error, r.warnings,
    coalesce(r.status, CASE WHEN t.generation = 0 THEN 'queued' WHEN t.state = 1 THEN 'running'
                            ELSE 'waiting' END) AS status
FROM assay.runs r
LEFT JOIN assay.turns t ON t.project_id = %(project)s AND t.run_id = r.id
WHERE r.project_id = %(project)s

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
