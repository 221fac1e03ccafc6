-- name: add
INSERT INTO assay.keys (id, project_id, name, hash, prefix, created_at)
VALUES (%(id)s, %(project)s, %(name)s, %(hash)s, %(prefix)s, %(now)s)

-- name: list
SELECT id, project_id, name, prefix, created_at, revoked_at FROM assay.keys
WHERE project_id = %(project)s ORDER BY created_at, id

-- name: find
SELECT id, project_id, name, prefix, created_at, revoked_at FROM assay.keys
WHERE hash = %(hash)s AND revoked_at IS NULL

-- name: revoke
UPDATE assay.keys SET revoked_at = %(now)s
WHERE project_id = %(project)s AND revoked_at IS NULL AND (prefix = %(key)s OR id::text = %(key)s)
RETURNING id, project_id, name, prefix, created_at, revoked_at

-- name: any_live
SELECT EXISTS (SELECT FROM assay.keys WHERE revoked_at IS NULL)

-- name: project
SELECT id FROM assay.projects WHERE name = %(name)s

-- name: project_name
SELECT name FROM assay.projects WHERE id = %(project)s

-- name: live
SELECT id, project_id, name, prefix, created_at, revoked_at, hash FROM assay.keys
WHERE id = %(key)s AND revoked_at IS NULL
