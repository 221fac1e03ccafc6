-- name: list
SELECT f.app, f.fn, f.kind, f.version, f.triggers, f.options, f.registered_at, f.retired_at
FROM assay.functions f
WHERE f.project_id = %(project)s

-- name: after
    AND (f.app, f.fn) > (%(after_app)s, %(after_fn)s)

-- name: by_id
ORDER BY f.app, f.fn LIMIT %(limit)s

-- name: one
    AND f.app = %(app)s AND f.fn = %(fn)s
