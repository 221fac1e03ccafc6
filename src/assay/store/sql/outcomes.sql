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
    AND o.run_id = %(run)s

-- name: by_runs
    AND o.run_id = ANY (%(runs)s)

-- name: by_name
    AND o.name = %(name)s

-- name: by_state
    AND o.state = %(state)s

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
    AND o.scorer = %(scorer)s

-- name: overdue
    AND o.state = 'pending' AND EXISTS (SELECT FROM assay.waits w
        WHERE w.project_id = %(project)s AND w.run_id = d.child_run AND w.kind = 'wait'
            AND w.resolved_at IS NULL AND w.expires_at < %(overdue)s)

-- name: ledger
SELECT o.run_id, o.name, o.scorer, o.state, o.promised_at, o.changed_at, r.sessions::text AS sessions,
    CASE WHEN o.state = 'pending' THEN (
        SELECT max(w.expires_at) FROM assay.defers d
        JOIN assay.waits w ON w.project_id = %(project)s AND w.run_id = d.child_run AND w.kind = 'wait'
            AND w.resolved_at IS NULL AND w.expires_at < '9999-01-01'
        WHERE d.project_id = %(project)s AND d.run_id = o.run_id AND d.defer_id = o.defer_id) END AS due_at
FROM (SELECT o.run_id, o.defer_id, o.name, o.scorer, o.state, o.promised_at, o.changed_at
      FROM assay.outcomes o
      WHERE o.project_id = %(project)s AND o.run_id >= %(first_id)s AND o.run_id < %(last_id)s
      ORDER BY o.run_id DESC, o.defer_id DESC, o.name DESC LIMIT %(limit)s) o
JOIN assay.runs r ON r.project_id = %(project)s AND r.id = o.run_id
WHERE r.project_id = %(project)s AND r.queued_at >= %(after)s AND r.queued_at < %(before)s
ORDER BY o.scorer, o.name
