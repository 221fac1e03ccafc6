-- name: newest
-- Of the newest runs those that are the newest of their session.
SELECT %(key)s::text AS key, n.value, n.run_id
FROM (SELECT r.id AS run_id, r.sessions ->> %(key)s::text AS value FROM assay.runs r
      WHERE r.project_id = %(project)s AND (%(after_run)s::uuid IS NULL OR r.id < %(after_run)s)
      ORDER BY r.id DESC LIMIT %(most)s) n
WHERE n.value IS NOT NULL AND NOT EXISTS (
    SELECT FROM assay.run_sessions s WHERE s.project_id = %(project)s AND s.key = %(key)s AND s.value = n.value
        AND s.run_id > n.run_id

-- name: as_of_newest
        AND s.run_id <= %(as_of)s

-- name: newest_end
    )
ORDER BY n.run_id DESC LIMIT %(limit)s

-- name: list
SELECT v.key, v.value, v.run_id
FROM (SELECT DISTINCT ON (s.key, s.value) s.key, s.value, s.run_id
      FROM assay.run_sessions s
      WHERE s.project_id = %(project)s AND s.key = %(key)s

-- name: as_of
          AND s.run_id <= %(as_of)s

-- name: latest_runs
      ORDER BY s.key DESC, s.value DESC, s.run_id DESC) v

-- name: after
WHERE (v.run_id, v.key, v.value) < (%(after_run)s, %(after_key)s, %(after_value)s)

-- name: newest_first
ORDER BY v.run_id DESC, v.key DESC, v.value DESC LIMIT %(limit)s

-- name: summaries
SELECT u.key, u.value, count(*) AS run_count, count(*) FILTER (WHERE r.status = 'failed') AS failed_run_count,
    count(*) FILTER (WHERE r.status IS NOT NULL) AS ended_run_count,
    max(coalesce(r.ended_at, r.started_at, t.started_at, r.queued_at)) AS last_active_at,
    array_agg(DISTINCT r.fn ORDER BY r.fn) AS functions
FROM unnest(%(keys)s::text[], %(ids)s::text[]) AS u(key, value)
JOIN assay.run_sessions s ON s.project_id = %(project)s AND s.key = u.key AND s.value = u.value
JOIN assay.runs r ON r.project_id = %(project)s AND r.id = s.run_id
LEFT JOIN assay.turns t ON t.project_id = %(project)s AND t.run_id = s.run_id
WHERE s.project_id = %(project)s
GROUP BY u.key, u.value

-- name: scores
SELECT u.key, u.value AS id, u.name, count(*) AS n, sum(u.score) / count(*) AS mean, min(u.score) AS least,
    max(u.score) AS greatest, count(*) FILTER (WHERE u.is_bool) AS n_bool,
    avg(u.score) FILTER (WHERE u.is_bool) AS true_share
FROM (SELECT p.key, p.value, l.run_id, l.name, sum(l.value) / count(*) AS score, bool_and(l.is_bool) AS is_bool
      FROM unnest(%(keys)s::text[], %(ids)s::text[]) AS p(key, value)
      JOIN assay.run_sessions s ON s.project_id = %(project)s AND s.key = p.key AND s.value = p.value
      JOIN assay.scores_latest l ON l.project_id = %(project)s AND l.run_id = s.run_id
      WHERE s.project_id = %(project)s
      GROUP BY p.key, p.value, l.run_id, l.name) u
GROUP BY u.key, u.value, u.name
ORDER BY u.key, u.value, u.name

-- name: promises
SELECT o.name, o.state, count(*) AS n
FROM assay.run_sessions s
JOIN assay.outcomes o ON o.project_id = %(project)s AND o.run_id = s.run_id
WHERE s.project_id = %(project)s AND s.key = %(key)s AND s.value = %(id)s
GROUP BY o.name, o.state
ORDER BY o.name, o.state
