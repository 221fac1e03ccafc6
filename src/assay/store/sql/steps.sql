-- name: journal
SELECT j.run_id, j.step, j.seq, j.kind, j.name, j.idx, j.span, j.attempts, j.started_at, j.ended_at,
    j.error, j.event_id, j.child_run, j.output IS NULL AND j.error IS NULL AS is_cancelled,
    CASE WHEN %(values)s THEN j.input END AS input, CASE WHEN %(values)s THEN j.output END AS output
FROM assay.journal j
WHERE j.project_id = %(project)s AND j.run_id = ANY (%(runs)s)
    AND (%(step)s::uuid IS NULL OR j.step = %(step)s)
ORDER BY j.run_id, j.seq

-- name: attempts
SELECT a.run_id, a.step, a.attempt, a.name, a.idx, a.error, a.span, a.started_at,
    coalesce(a.ended_at, r.ended_at) AS ended_at, a.retry_at, r.ended_at AS run_ended_at
FROM assay.attempts a
JOIN assay.runs r ON r.project_id = %(project)s AND r.id = a.run_id AND r.id = ANY (%(runs)s)
WHERE a.project_id = %(project)s AND a.run_id = ANY (%(runs)s)
    AND (%(step)s::uuid IS NULL OR a.step = %(step)s)
ORDER BY a.run_id, a.step, a.attempt

-- name: waits
SELECT w.run_id, w.step, w.kind, w.name, w.idx, w.span, w.event_name, w.registered_at, w.expires_at,
    w.child_run, w.resolved_at, w.event_id, w.error,
    CASE WHEN %(values)s THEN w.input END AS input, CASE WHEN %(values)s THEN w.output END AS output
FROM assay.waits w
WHERE w.project_id = %(project)s AND w.run_id = ANY (%(runs)s)
    AND (%(step)s::uuid IS NULL OR w.step = %(step)s)
ORDER BY w.run_id, w.registered_at, w.step

-- name: user_spans
SELECT u.run_id, u.step, u.attempt, u.span, u.parent, u.name, u.kind, u.started_at, u.ended_at, u.status,
    u.message, u.attributes, u.events
FROM assay.user_spans u
WHERE u.project_id = %(project)s AND u.run_id = ANY (%(runs)s) AND u.day >= %(since)s
    AND (%(span)s::bigint IS NULL OR u.span = %(span)s) AND (%(step)s::uuid IS NULL OR u.step = %(step)s)
ORDER BY u.started_at, u.span LIMIT %(limit)s
