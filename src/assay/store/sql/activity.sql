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
