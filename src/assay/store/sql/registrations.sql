-- name: bump
UPDATE assay.catalogs c SET version = c.version + 1 WHERE c.project_id = %(project)s
RETURNING c.version

-- name: register
INSERT INTO assay.functions AS f (project_id, app, fn, kind, version, triggers, options, registered_at,
    source, registration)
VALUES (%(project)s, %(app)s, %(fn)s, %(kind)s, %(version)s, %(triggers)s, %(options)s, %(now)s,
    %(source)s, %(registration)s)
ON CONFLICT (project_id, app, fn) DO UPDATE
    SET kind = excluded.kind, version = excluded.version, triggers = excluded.triggers,
        options = excluded.options, registered_at = excluded.registered_at, source = excluded.source,
        registration = excluded.registration, retired_at = NULL

-- name: serving
SELECT w.source, w.fns, w.registration FROM assay.workers w
WHERE w.project_id = %(project)s AND w.app = %(app)s AND NOT w.lost

-- name: retire
UPDATE assay.functions f SET retired_at = %(now)s
FROM unnest(%(sources)s::text[], %(newest)s::bigint[]) AS u(source, newest)
WHERE f.project_id = %(project)s AND f.app = %(app)s AND f.retired_at IS NULL
    AND f.source = u.source AND f.registration < u.newest AND f.fn <> ALL (%(served)s::text[])
RETURNING f.fn
