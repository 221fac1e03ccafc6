-- name: names
-- One name after the other, since there are few of them and many scores and promises.
WITH RECURSIVE names AS (
    SELECT %(after)s::text AS name
    UNION ALL
    SELECT least((SELECT l.name FROM assay.scores_latest l
                  WHERE l.project_id = %(project)s AND l.name > n.name ORDER BY l.name LIMIT 1),
                 (SELECT o.name FROM assay.outcomes o
                  WHERE o.project_id = %(project)s AND o.name > n.name ORDER BY o.name LIMIT 1))
    FROM names n WHERE n.name IS NOT NULL
)
SELECT n.name FROM names n WHERE n.name > %(after)s ORDER BY n.name LIMIT %(limit)s

-- name: values
SELECT u.name, v.run_id, v.value, v.is_bool, v.at, r.app, r.fn, r.queued_at, r.sessions::text AS sessions
FROM unnest(%(names)s::text[], %(firsts)s::uuid[], %(nexts)s::uuid[], %(limits)s::int[])
    AS u(name, first, next, most)
CROSS JOIN LATERAL (
    SELECT l.run_id, sum(l.value) / count(*) AS value, bool_and(l.is_bool) AS is_bool, max(l.at) AS at
    FROM assay.scores_latest l
    WHERE l.project_id = %(project)s AND l.name = u.name AND l.run_id >= u.first AND l.run_id < u.next
    GROUP BY l.run_id

-- name: newest
    ORDER BY l.run_id DESC

-- name: extreme
    ORDER BY %(sign)s * sum(l.value) / count(*), l.run_id DESC

-- name: of_runs
    LIMIT u.most) v
CROSS JOIN LATERAL (
    SELECT r.app, r.fn, r.queued_at, r.sessions FROM assay.runs r
    WHERE r.project_id = %(project)s AND r.id = v.run_id AND r.queued_at >= %(after)s AND r.queued_at < %(before)s
    OFFSET 0) r
ORDER BY u.name, v.run_id DESC

-- name: served
SELECT x.run_id, x.experiment, min(x.variant) AS variant
FROM assay.exposures x
WHERE x.project_id = %(project)s AND x.run_id = ANY (%(runs)s) AND NOT x.forced
GROUP BY x.run_id, x.experiment
HAVING min(x.variant) = max(x.variant)

-- name: is_known
SELECT 1 AS known
WHERE EXISTS (SELECT FROM assay.scores_latest l WHERE l.project_id = %(project)s AND l.name = %(name)s)
    OR EXISTS (SELECT FROM assay.outcomes o WHERE o.project_id = %(project)s AND o.name = %(name)s)
