-- name: add
INSERT INTO assay.user_spans AS s (project_id, day, trace, span, parent, run_id, step, attempt, name, kind,
    started_at, ended_at, status, message, attributes, events)
SELECT c.project_id, u.day, u.trace, u.span, u.parent, u.run, u.step, u.attempt, u.name, u.kind,
    to_timestamp(u.started), to_timestamp(u.ended), u.status, u.message, u.attributes, u.events
FROM assay.catalogs c, json_to_recordset(%(spans)s::json) AS u(day date, trace uuid, span bigint,
    parent bigint, run uuid, step uuid, attempt int, name text, kind text, started float8, ended float8,
    status text, message text, attributes text, events text)
WHERE c.project_id = %(project)s
ON CONFLICT (project_id, day, trace, span) DO NOTHING
