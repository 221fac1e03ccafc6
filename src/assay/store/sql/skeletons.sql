-- Columns of narrow rows, each statement one row of arrays in one order. Instants are microseconds since
-- 1970; a double holds those of this millennium exactly. Runs come in ascending order and are told by
-- their places, from 0.

-- name: trace
SELECT r.trace FROM assay.runs r WHERE r.project_id = %(project)s AND r.id = %(run)s

-- name: runs
SELECT array_agg(r.id) AS id, array_agg(r.fn) AS fn, array_agg(r.kind) AS kind, array_agg(r.status) AS status,
    array_agg(r.parent_run) AS parent_run, array_agg(r.parent_span) AS parent_span,
    array_agg(r.is_failed) AS is_failed, array_agg(r.queued_at) AS queued_at,
    array_agg(round(date_part('epoch', r.started_at) * 1e6)::bigint) AS started,
    array_agg(round(date_part('epoch', r.ended_at) * 1e6)::bigint) AS ended
FROM (SELECT r.id, r.fn, r.kind, r.parent_run, r.parent_span, r.error IS NOT NULL AS is_failed, r.queued_at,
          coalesce(r.started_at, t.started_at, r.queued_at) AS started_at, r.ended_at,
          coalesce(r.status, CASE WHEN t.generation = 0 THEN 'queued' WHEN t.state = 1 THEN 'running'
                                  ELSE 'waiting' END) AS status
      FROM assay.runs r
      LEFT JOIN assay.turns t ON t.project_id = %(project)s AND t.run_id = r.id
      WHERE r.project_id = %(project)s AND r.id = ANY (ARRAY(
          SELECT x.id FROM assay.runs x
          WHERE x.project_id = %(project)s AND x.trace = %(trace)s AND x.parent_run IS NOT NULL
          UNION SELECT unnest(%(runs)s::uuid[])))
      ORDER BY r.id LIMIT %(limit)s) r

-- name: memos
SELECT array_agg(j.run) AS run, array_agg(j.span) AS span, array_agg(j.name) AS name,
    array_agg(j.idx) AS idx, array_agg(j.kind) AS kind, array_agg(j.attempts) AS attempts,
    array_agg(j.is_failed) AS is_failed, array_agg(j.is_cancelled) AS is_cancelled,
    array_agg(round(date_part('epoch', j.started_at) * 1e6)::bigint) AS started,
    array_agg(round(date_part('epoch', j.ended_at) * 1e6)::bigint) AS ended
FROM (SELECT width_bucket(j.run_id, %(runs)s::uuid[]) - 1 AS run, j.span, j.name, j.idx, j.kind, j.attempts, j.error IS NOT NULL AS is_failed,
          j.output IS NULL AND j.error IS NULL AS is_cancelled, j.started_at, j.ended_at
      FROM assay.journal j
      WHERE j.project_id = %(project)s AND j.run_id = ANY (%(runs)s)
      ORDER BY j.run_id, j.seq LIMIT %(limit)s) j

-- name: attempts
SELECT array_agg(a.run) AS run, array_agg(a.span) AS span, array_agg(a.name) AS name,
    array_agg(a.idx) AS idx, array_agg(a.attempt) AS attempt, array_agg(a.is_failed) AS is_failed,
    array_agg(round(date_part('epoch', a.started_at) * 1e6)::bigint) AS started,
    array_agg(round(date_part('epoch', a.ended_at) * 1e6)::bigint) AS ended
FROM (SELECT width_bucket(a.run_id, %(runs)s::uuid[]) - 1 AS run, a.span, a.name, a.idx, a.attempt, a.error IS NOT NULL AS is_failed, a.started_at,
          a.ended_at
      FROM assay.attempts a
      WHERE a.project_id = %(project)s AND a.run_id = ANY (%(runs)s)
      ORDER BY a.run_id, a.step, a.attempt LIMIT %(limit)s) a

-- name: waits
SELECT array_agg(w.run) AS run, array_agg(w.span) AS span, array_agg(w.name) AS name,
    array_agg(w.idx) AS idx, array_agg(w.kind) AS kind, array_agg(w.is_failed) AS is_failed,
    array_agg(round(date_part('epoch', w.registered_at) * 1e6)::bigint) AS started,
    array_agg(round(date_part('epoch', w.resolved_at) * 1e6)::bigint) AS ended
FROM (SELECT width_bucket(w.run_id, %(runs)s::uuid[]) - 1 AS run, w.span, w.name, w.idx, w.kind, w.error IS NOT NULL AS is_failed, w.registered_at,
          w.resolved_at
      FROM assay.waits w
      WHERE w.project_id = %(project)s AND w.run_id = ANY (%(runs)s)
      ORDER BY w.run_id, w.registered_at LIMIT %(limit)s) w

-- name: user_spans
SELECT array_agg(u.run) AS run, array_agg(u.span) AS span, array_agg(u.parent) AS parent,
    array_agg(u.name) AS name, array_agg(u.status) AS status,
    array_agg(round(date_part('epoch', u.started_at) * 1e6)::bigint) AS started,
    array_agg(round(date_part('epoch', u.ended_at) * 1e6)::bigint) AS ended
FROM (SELECT width_bucket(u.run_id, %(runs)s::uuid[]) - 1 AS run, u.span, u.parent, u.name, u.status, u.started_at, u.ended_at
      FROM assay.user_spans u
      WHERE u.project_id = %(project)s AND u.run_id = ANY (%(runs)s) AND u.day >= %(since)s
      ORDER BY u.run_id LIMIT %(limit)s) u

-- name: scores
SELECT array_agg(l.run) AS run, array_agg(l.subject) AS subject, array_agg(l.step) AS step,
    array_agg(l.idx) AS idx, array_agg(l.name) AS name, array_agg(l.value) AS value,
    array_agg(l.is_bool) AS is_bool, array_agg(round(date_part('epoch', l.at) * 1e6)::bigint) AS at
FROM (SELECT width_bucket(l.run_id, %(runs)s::uuid[]) - 1 AS run, l.subject, l.step, l.idx, l.name, l.value, l.is_bool, l.at
      FROM assay.scores_latest l
      WHERE l.project_id = %(project)s AND l.run_id = ANY (%(runs)s)
      ORDER BY l.run_id, l.subject, l.step, l.idx, l.name LIMIT %(limit)s) l
