-- name: list
SELECT e.id, e.name, CASE WHEN %(with_data)s THEN e.data::text ELSE '{}' END AS data, e.sessions, e.ts, e.received_at, e.key, e.duplicate_of, e.source_run, e.warning
FROM assay.events e
WHERE e.project_id = %(project)s

-- name: by_id
    AND e.id = %(event)s

-- name: by_name
    AND e.name = %(name)s

-- name: received_after
    AND e.received_at >= %(received_after)s

-- name: received_before
    AND e.received_at < %(received_before)s

-- name: after_id
    AND e.id < %(after)s

-- name: newest_ids
ORDER BY e.id DESC LIMIT %(limit)s

-- name: after_received
    AND (e.received_at, e.id) < (%(after_at)s, %(after)s)

-- name: newest_received
ORDER BY e.received_at DESC, e.id DESC LIMIT %(limit)s

-- name: names
SELECT e.id, e.name FROM assay.events e
WHERE e.project_id = %(project)s AND e.id = ANY (%(events)s)

-- name: previews
SELECT e.id, left(e.data::text, %(most)s) AS preview FROM assay.events e
WHERE e.project_id = %(project)s AND e.id = ANY (%(events)s)

-- name: started
SELECT r.event_id AS id, count(*) AS n FROM assay.runs r
WHERE r.project_id = %(project)s AND r.event_id = ANY (%(events)s) GROUP BY r.event_id

-- name: woken
SELECT w.event_id AS id, count(*) AS n FROM assay.run_events w
WHERE w.project_id = %(project)s AND w.event_id = ANY (%(events)s) GROUP BY w.event_id
