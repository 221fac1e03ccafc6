-- name: forget
-- As an array, so that each is found by its key, however many there are.
WITH old AS (
    SELECT k.key FROM assay.event_keys k
    WHERE k.project_id = %(project)s AND k.expires_at <= %(now)s
    ORDER BY k.expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
DELETE FROM assay.event_keys k
WHERE k.project_id = %(project)s AND k.key = ANY (ARRAY(SELECT o.key FROM old o))
