-- name: list
SELECT e.id, e.name, e.data::text AS data, e.sessions, e.ts, e.received_at, e.key, e.source_run, e.warning
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
