-- name: recent
WITH recent AS (
    SELECT n.* FROM (
        SELECT r.id, r.app, r.fn, r.status, r.queued_at, r.started_at, r.ended_at FROM assay.runs r
        WHERE r.project_id = %(project)s AND r.id >= %(first)s AND r.id < %(last)s
            AND r.queued_at >= %(since)s AND r.queued_at < %(until)s
        ORDER BY r.id DESC LIMIT %(most)s) n
    WHERE (%(app)s::text IS NULL OR n.app = %(app)s) AND (%(fn)s::text IS NULL OR n.fn = %(fn)s))

-- name: volume
SELECT c.app, c.fn, floor(extract(epoch FROM c.queued_at - %(since)s) / %(width_s)s)::int AS bucket,
    coalesce(c.status, 'live') AS status, count(*) AS n
FROM recent c GROUP BY 1, 2, 3, 4

-- name: durations
SELECT c.app, c.fn, count(*) AS n,
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM c.ended_at - c.started_at)) AS quantiles_s
FROM recent c WHERE c.ended_at IS NOT NULL AND c.started_at IS NOT NULL
GROUP BY GROUPING SETS ((c.app, c.fn), ())

-- name: scores
SELECT u.name, u.bucket, count(*) AS n, avg(u.value) AS mean, coalesce(stddev_samp(u.value), 0) AS sd,
    count(*) FILTER (WHERE u.is_bool) AS n_bool, count(*) FILTER (WHERE u.is_bool AND u.value = 1) AS n_true
FROM (SELECT l.name, l.run_id, min(floor(extract(epoch FROM c.queued_at - %(since)s) / %(width_s)s))::int AS bucket,
          avg(l.value) AS value, bool_and(l.is_bool) AS is_bool
      FROM recent c JOIN assay.scores_latest l ON l.project_id = %(project)s AND l.run_id = c.id
      GROUP BY l.name, l.run_id) u
GROUP BY GROUPING SETS ((u.name, u.bucket), (u.name))

-- name: promises
SELECT o.name, o.state, count(*) AS n
FROM recent c JOIN assay.outcomes o ON o.project_id = %(project)s AND o.run_id = c.id
GROUP BY o.name, o.state

-- name: live
SELECT t.app, t.fn, count(*) FILTER (WHERE t.generation = 0) AS queued, count(*) FILTER (WHERE t.state = 1) AS running,
    count(*) FILTER (WHERE t.state = 0 AND t.generation > 0) AS waiting
FROM assay.turns t WHERE t.project_id = %(project)s
GROUP BY t.app, t.fn

-- name: events
SELECT n.name, count(*) AS n, max(n.received_at) AS last_at
FROM (SELECT e.name, e.received_at FROM assay.events e
      WHERE e.project_id = %(project)s AND e.id >= %(first)s
      ORDER BY e.id DESC LIMIT %(most)s) n
GROUP BY n.name ORDER BY count(*) DESC, n.name LIMIT 200
