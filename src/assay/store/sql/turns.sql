-- name: claim
SELECT run_id, fn, generation, wakes, losses, started_at, cancelled, trace, parent_run, parent_step, parent_defer,
    event_id, event_name, event_data, event_ts, force, sessions, journal, attempts, waits, defers, parent
FROM assay.claim(%(project)s, %(app)s, %(fns)s, %(worker)s, %(now)s, %(limit)s, %(run)s)

-- name: commit
SELECT assay.commit(%s, %s, %s, %s, %s, %s, %s,
    %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, %s, %s, %s,
    %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)

-- name: live
SELECT t.run_id, t.generation, t.wakes, t.cancelled_at IS NOT NULL
FROM assay.turns t
WHERE t.project_id = %(project)s AND t.run_id = ANY (%(runs)s) AND t.state = 1

-- name: take_over
UPDATE assay.turns t SET state = 0, worker_id = NULL, generation = t.generation + 1,
    losses = t.losses + 1, due_at = %(now)s
WHERE t.project_id = %(project)s AND t.worker_id = ANY (%(workers)s) AND t.state = 1
RETURNING t.run_id

-- name: cancel
UPDATE assay.turns t SET cancelled_at = coalesce(t.cancelled_at, %(now)s), wakes = t.wakes + 1,
    due_at = least(t.due_at, %(now)s)
WHERE t.project_id = %(project)s AND t.run_id = %(run)s
RETURNING t.state, t.worker_id, t.app

-- name: next_due
SELECT min(t.due_at) FROM assay.turns t
WHERE t.project_id = %(project)s AND t.app = %(app)s AND t.fn = ANY (%(fns)s) AND t.state = 0
    AND t.due_at < %(horizon)s

-- name: give_back
UPDATE assay.turns t SET state = 0, worker_id = NULL, generation = t.generation + 1, due_at = %(now)s
FROM unnest(%(runs)s::uuid[], %(generations)s::int[]) AS u(run, gen)
WHERE t.project_id = %(project)s AND t.run_id = u.run AND t.generation = u.gen AND t.state = 1

-- name: held
SELECT t.run_id, t.generation FROM assay.turns t
WHERE t.project_id = %(project)s AND t.worker_id = %(worker)s AND t.state = 1

-- name: holders
SELECT DISTINCT t.worker_id FROM assay.turns t WHERE t.project_id = %(project)s AND t.state = 1
