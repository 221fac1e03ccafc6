-- name: pulse
SELECT (SELECT r.id FROM assay.runs r WHERE r.project_id = %(project)s ORDER BY r.id DESC LIMIT 1) AS run,
    (SELECT e.id FROM assay.events e WHERE e.project_id = %(project)s ORDER BY e.id DESC LIMIT 1) AS event,
    (SELECT s.id FROM assay.scores s WHERE s.project_id = %(project)s ORDER BY s.id DESC LIMIT 1) AS score,
    (SELECT bit_xor(hashtextextended(t.run_id::text, t.generation * 2 + t.state))
     FROM (SELECT l.run_id, l.generation, l.state FROM assay.turns l
           WHERE l.project_id = %(project)s ORDER BY l.run_id DESC LIMIT %(most)s) t) AS turns
