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
FROM unnest(%(names)s::text[]) AS u(name)
CROSS JOIN LATERAL (
    SELECT l.run_id, avg(l.value) AS value, bool_and(l.is_bool) AS is_bool, max(l.at) AS at
    FROM assay.scores_latest l
    WHERE l.project_id = %(project)s AND l.name = u.name AND l.run_id >= %(first_id)s AND l.run_id < %(last_id)s
    GROUP BY l.run_id ORDER BY l.run_id DESC LIMIT %(limit)s) v
JOIN assay.runs r ON r.project_id = %(project)s AND r.id = v.run_id
WHERE r.project_id = %(project)s AND r.queued_at >= %(after)s AND r.queued_at < %(before)s
ORDER BY u.name, v.run_id DESC

-- name: promises
SELECT o.name, r.app, r.fn, o.state, count(*) AS n
FROM assay.outcomes o
JOIN assay.runs r ON r.project_id = %(project)s AND r.id = o.run_id
WHERE o.project_id = %(project)s AND o.name = ANY (%(names)s) AND o.run_id >= %(first_id)s
    AND o.run_id < %(last_id)s AND r.queued_at >= %(after)s AND r.queued_at < %(before)s
GROUP BY o.name, r.app, r.fn, o.state

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
