-- name: live
SELECT t.app, t.fn, count(*) FILTER (WHERE t.generation = 0) AS queued, count(*) FILTER (WHERE t.state = 1) AS running,
    count(*) FILTER (WHERE t.state = 0 AND t.generation > 0) AS waiting
FROM assay.turns t WHERE t.project_id = %(project)s
GROUP BY t.app, t.fn

-- name: ended
SELECT r.app, r.fn, r.status = 'failed' AS is_failed, r.sessions
FROM unnest(%(firsts)s::uuid[], %(nexts)s::uuid[], %(limits)s::int[]) AS u(first, next, most)
CROSS JOIN LATERAL (
    SELECT x.app, x.fn, x.status, x.sessions::text AS sessions FROM assay.runs x
    WHERE x.project_id = %(project)s AND x.id >= u.first AND x.id < u.next AND x.status IS NOT NULL
    ORDER BY x.id DESC LIMIT u.most) r

-- name: events
SELECT n.name, count(*) AS n, max(n.received_at) AS last_at
FROM (SELECT e.name, e.received_at FROM assay.events e
      WHERE e.project_id = %(project)s AND e.id >= %(first)s
      ORDER BY e.id DESC LIMIT %(most)s) n
GROUP BY n.name ORDER BY count(*) DESC, n.name LIMIT 200
