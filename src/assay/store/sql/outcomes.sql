-- name: list
SELECT o.run_id, o.defer_id, o.name, o.scorer, o.state, o.reason, o.score_id, o.promised_at, o.changed_at,
    d.child_run AS scorer_run,
    CASE WHEN o.state = 'pending' THEN (
        SELECT max(w.expires_at) FROM assay.waits w
        WHERE w.project_id = %(project)s AND w.run_id = d.child_run AND w.kind = 'wait'
            AND w.resolved_at IS NULL AND w.expires_at < '9999-01-01') END AS due_at
FROM assay.outcomes o
LEFT JOIN assay.defers d ON d.project_id = %(project)s AND d.run_id = o.run_id AND d.defer_id = o.defer_id
WHERE o.project_id = %(project)s

-- name: by_run
    AND o.run_id = %(by_run)s

-- name: by_runs
    AND o.run_id = ANY (%(runs)s)

-- name: by_name
    AND o.name = %(by_name)s

-- name: by_state
    AND o.state = %(by_state)s

-- name: after
    AND (o.run_id, o.defer_id, o.name) < (%(after_run)s, %(after_defer)s, %(after_name)s)

-- name: newest_first
ORDER BY o.run_id DESC, o.defer_id DESC, o.name DESC LIMIT %(limit)s

-- name: changes
SELECT c.run_id, c.defer_id, c.name, c.state, c.changed_at, c.reason, c.score_id
FROM assay.outcome_changes c
WHERE c.project_id = %(project)s AND c.run_id = ANY (%(runs)s)
ORDER BY c.run_id, c.defer_id, c.name, c.changed_at, c.state <> 'pending'

-- name: by_scorer
    AND o.scorer = %(by_scorer)s

-- name: by_function
    AND EXISTS (SELECT FROM assay.runs r WHERE r.project_id = %(project)s AND r.id = o.run_id AND r.fn = %(by_function)s)

-- name: by_app
    AND EXISTS (SELECT FROM assay.runs r WHERE r.project_id = %(project)s AND r.id = o.run_id AND r.app = %(by_app)s)

-- name: in_session
    AND EXISTS (SELECT FROM assay.run_sessions s WHERE s.project_id = %(project)s AND s.run_id = o.run_id
        AND s.key = (%(in_session)s::text[])[1] AND s.value = (%(in_session)s::text[])[2])

-- name: since
    AND o.run_id >= %(since)s

-- name: until
    AND o.run_id < %(until)s

-- name: promised_since
    AND o.promised_at >= %(promised_since)s

-- name: promised_until
    AND o.promised_at < %(promised_until)s

-- name: overdue
    AND o.state = 'pending' AND (
        SELECT max(w.expires_at) FROM assay.waits w
        WHERE w.project_id = %(project)s AND w.run_id = d.child_run AND w.kind = 'wait'
            AND w.resolved_at IS NULL AND w.expires_at < '9999-01-01') < %(overdue)s

-- name: ledger
SELECT o.run_id, o.name, o.scorer, o.state, o.promised_at, o.changed_at, r.sessions::text AS sessions
FROM assay.outcomes o
CROSS JOIN LATERAL (
    SELECT r.sessions FROM assay.runs r WHERE r.project_id = %(project)s AND r.id = o.run_id OFFSET 0) r
WHERE o.project_id = %(project)s AND o.run_id >= %(first)s AND o.run_id < %(next)s
    AND get_byte(uuid_send(o.run_id), 14) * 256 + get_byte(uuid_send(o.run_id), 15) < %(share)s
ORDER BY o.scorer, o.name

-- name: ledger_counts
SELECT o.scorer, o.name, o.state,
    width_bucket(extract(epoch FROM %(now)s - o.promised_at)::float8, %(ages)s::float8[]) AS age,
    count(*) AS n, min(o.promised_at) AS oldest
FROM assay.outcomes o
WHERE o.project_id = %(project)s AND o.run_id >= %(first)s AND o.run_id < %(next)s
GROUP BY 1, 2, 3, 4

-- name: ledger_overdue
-- From the waits that should have ended, which are few.
SELECT o.scorer, o.name, width_bucket(extract(epoch FROM %(now)s - o.promised_at)::float8, %(ages)s::float8[]) AS age,
    count(*) AS n
FROM (
    SELECT w.run_id FROM assay.waits w
    WHERE w.project_id = %(project)s AND w.kind = 'wait' AND w.resolved_at IS NULL AND w.expires_at < '9999-01-01'
    GROUP BY w.run_id HAVING max(w.expires_at) < %(now)s) w
CROSS JOIN LATERAL (
    SELECT r.parent_run, r.parent_defer FROM assay.runs r
    WHERE r.project_id = %(project)s AND r.id = w.run_id AND r.parent_defer IS NOT NULL OFFSET 0) r
JOIN assay.outcomes o ON o.project_id = %(project)s AND o.run_id = r.parent_run AND o.defer_id = r.parent_defer
WHERE o.project_id = %(project)s AND o.state = 'pending' AND o.run_id >= %(first)s AND o.run_id < %(next)s
GROUP BY 1, 2, 3
