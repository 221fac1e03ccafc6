-- name: ingest
SELECT status, event_ids, started, known_runs, duplicates
FROM assay.ingest(%s, %s, %s, %s, %s, %s, %s)

-- name: start_matched
SELECT assay.start_matched(%s, %s, %s, %s, %s, %s, %s)

-- name: follow
SELECT assay.follow(%s, %s, %s)

-- name: hint
SELECT assay.hint(%s, %s, '')

-- name: hint_woken
SELECT assay.hint_woken(%s, %s)

-- name: add_shape
INSERT INTO assay.wait_shapes (project_id, event_name, shape, paths)
VALUES (%(project)s, %(name)s, %(shape)s, %(paths)s)
ON CONFLICT (project_id, event_name, shape) DO NOTHING

-- name: waiting
SELECT w.run_id, w.step, w.hash, w.condition, w.since
FROM assay.waits w
WHERE w.project_id = %(project)s AND w.hash = ANY (%(hashes)s) AND w.resolved_at IS NULL
    AND w.kind = 'wait' AND (w.run_id, w.step) > (%(run)s, %(step)s)
ORDER BY w.run_id, w.step LIMIT %(limit)s

-- name: resolve
SELECT assay.resolve(%(project)s, %(now)s, %(runs)s, %(steps)s, %(events)s, %(outputs)s)

-- name: since
SELECT e.id, e.name, e.data::text AS data, e.ts, e.sessions, e.received_at
FROM assay.events e
WHERE e.project_id = %(project)s AND e.name = ANY (%(names)s)
    AND (e.received_at, e.id) > (%(since)s, %(after)s)
    AND (e.key IS NULL OR e.matched) AND e.duplicate_of IS NULL
ORDER BY e.received_at, e.id LIMIT %(limit)s

-- name: received
SELECT e.id, e.received_at
FROM assay.events e
WHERE e.project_id = %(project)s AND e.id = ANY (%(events)s) AND e.duplicate_of IS NULL

-- name: duplicates
SELECT e.id FROM assay.events e
WHERE e.project_id = %(project)s AND e.id = ANY (%(events)s) AND e.duplicate_of IS NOT NULL

-- name: warn
UPDATE assay.events e SET warning = coalesce(e.warning || '; ', '') || u.warning
FROM unnest(%(events)s::uuid[], %(warnings)s::text[]) AS u(event, warning)
WHERE e.project_id = %(project)s AND e.id = u.event
    AND (e.warning IS NULL OR position(u.warning IN e.warning) = 0)

-- name: unmatched
SELECT e.id, e.name, e.data::text AS data, e.ts, e.sessions, e.key, e.source_run, e.received_at
FROM assay.events e
WHERE e.project_id = %(project)s AND NOT e.matched AND e.received_at <= %(before)s
ORDER BY e.received_at LIMIT %(limit)s

-- name: taken
SELECT r.run_id, r.event_id FROM assay.run_events r
WHERE r.project_id = %(project)s AND r.run_id = ANY (%(runs)s)

-- name: catalog
SELECT c.version FROM assay.catalogs c WHERE c.project_id = %(project)s

-- name: functions
SELECT f.app, f.fn, f.kind, f.version, f.triggers FROM assay.functions f
WHERE f.project_id = %(project)s AND f.retired_at IS NULL

-- name: runs_exist
SELECT r.id FROM assay.runs r WHERE r.project_id = %(project)s AND r.id = ANY (%(runs)s)

-- name: all_shapes
SELECT s.event_name, s.shape, s.paths FROM assay.wait_shapes s WHERE s.project_id = %(project)s

-- name: registered_since
SELECT w.run_id, w.step, w.event_name, w.shape, w.hash, w.condition, w.since
FROM assay.waits w
WHERE w.project_id = %(project)s AND w.kind = 'wait' AND w.resolved_at IS NULL
    AND w.registered_at >= %(since)s

-- name: traces
SELECT r.id, r.trace FROM assay.runs r WHERE r.project_id = %(project)s AND r.id = ANY (%(runs)s)
