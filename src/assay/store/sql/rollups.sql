-- What is counted, of the ids from one to another. Between `counted_runs` or `counted_scores` and
-- `grouped_*` may stand where the hours come from.

-- name: into_runs
INSERT INTO assay.rollup_runs (hour, project_id, app, fn, kind, status, bucket, n, total_us)

-- name: into_scores
INSERT INTO assay.rollup_scores (hour, project_id, app, fn, name, n, n_bool, n_true, total, squares, least,
    greatest, runs, runs_bool, means, mean_squares, total_squares, total_counts, count_squares)

-- name: one_hour
WITH live AS MATERIALIZED (SELECT %(hour)s::int AS hour, %(first)s::uuid AS first, %(next)s::uuid AS next)

-- name: live_hours
WITH state AS (
    SELECT coalesce(max(s.next_hour), 0) AS next_hour FROM assay.rollup_states s WHERE s.project_id = %(project)s),
live AS MATERIALIZED (
    SELECT h.hour, assay.id_floor(h.hour * 3600.0) AS first, assay.id_floor((h.hour + 1) * 3600.0) AS next
    FROM (SELECT m.hour FROM assay.rollup_marks m
          WHERE m.project_id = %(project)s AND m.hour >= %(from)s AND m.hour < %(to)s
          UNION SELECT generate_series(greatest(s.next_hour, %(from)s), %(to)s - 1) FROM state s) h)

-- name: counted_runs
SELECT l.hour, r.project_id, r.app, r.fn, r.kind, r.status, r.bucket, count(*) AS n,
    coalesce(sum(r.us), 0)::bigint AS total_us
FROM live l
CROSS JOIN LATERAL (
    SELECT r.project_id, r.app, r.fn, r.kind, coalesce(r.status, 'live') AS status, d.us,
        assay.duration_bucket(d.us) AS bucket
    FROM assay.runs r
    CROSS JOIN LATERAL (
        SELECT round(date_part('epoch', r.ended_at - r.started_at) * 1e6)::bigint AS us) d
    WHERE r.project_id = %(project)s AND r.id >= l.first AND r.id < l.next) r
GROUP BY 1, 2, 3, 4, 5, 6, 7

-- name: counted_scores
SELECT u.hour, u.project_id, u.app, u.fn, u.name, sum(u.k)::bigint AS n, sum(u.n_bool)::bigint AS n_bool,
    sum(u.n_true)::bigint AS n_true, sum(u.s) AS total, sum(u.q) AS squares, min(u.least) AS least,
    max(u.greatest) AS greatest, count(*) AS runs, count(*) FILTER (WHERE u.n_bool = u.k) AS runs_bool,
    sum(u.s / u.k) AS means, sum((u.s / u.k) * (u.s / u.k)) AS mean_squares, sum(u.s * u.s) AS total_squares,
    sum(u.s * u.k) AS total_counts, sum(u.k * u.k)::float8 AS count_squares
FROM (
    SELECT l.hour, r.project_id, r.app, r.fn, v.name, v.run_id, count(*) AS k, sum(v.value) AS s,
        sum(v.value * v.value) AS q, min(v.value) AS least, max(v.value) AS greatest,
        count(*) FILTER (WHERE v.is_bool) AS n_bool,
        count(*) FILTER (WHERE v.is_bool AND v.value <> 0) AS n_true
    FROM live l
    JOIN assay.scores_latest v ON v.project_id = %(project)s AND v.run_id >= l.first AND v.run_id < l.next
    JOIN assay.runs r ON r.project_id = %(project)s AND r.id = v.run_id AND r.id >= l.first AND r.id < l.next
    GROUP BY 1, 2, 3, 4, 5, 6) u
GROUP BY 1, 2, 3, 4, 5

-- name: runs
SELECT a.hour - a.hour %% %(per)s AS hour, a.app, a.fn, a.kind, a.status, a.bucket, sum(a.n)::bigint AS n,
    sum(a.total_us)::bigint AS total_us
FROM (
    SELECT x.hour, x.app, x.fn, x.kind, x.status, x.bucket, x.n, x.total_us
    FROM assay.rollup_runs x
    WHERE x.project_id = %(project)s AND x.hour >= %(from)s AND x.hour < %(to)s
        AND x.hour NOT IN (SELECT l.hour FROM live l)
    UNION ALL
    SELECT c.hour, c.app, c.fn, c.kind, c.status, c.bucket, c.n, c.total_us FROM counted c) a
WHERE %(function)s::text IS NULL OR a.fn = %(function)s
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6

-- name: scores
SELECT a.hour - a.hour %% %(per)s AS hour, a.app, a.fn, a.name, sum(a.n)::bigint AS n,
    sum(a.n_bool)::bigint AS n_bool, sum(a.n_true)::bigint AS n_true, sum(a.total) AS total,
    sum(a.squares) AS squares, min(a.least) AS least, max(a.greatest) AS greatest, sum(a.runs)::bigint AS runs,
    sum(a.runs_bool)::bigint AS runs_bool, sum(a.means) AS means, sum(a.mean_squares) AS mean_squares,
    sum(a.total_squares) AS total_squares, sum(a.total_counts) AS total_counts,
    sum(a.count_squares) AS count_squares
FROM (
    SELECT x.hour, x.app, x.fn, x.name, x.n, x.n_bool, x.n_true, x.total, x.squares, x.least, x.greatest,
        x.runs, x.runs_bool, x.means, x.mean_squares, x.total_squares, x.total_counts, x.count_squares
    FROM assay.rollup_scores x
    WHERE x.project_id = %(project)s AND x.hour >= %(from)s AND x.hour < %(to)s
        AND x.hour NOT IN (SELECT l.hour FROM live l)
    UNION ALL
    SELECT c.hour, c.app, c.fn, c.name, c.n, c.n_bool, c.n_true, c.total, c.squares, c.least, c.greatest,
        c.runs, c.runs_bool, c.means, c.mean_squares, c.total_squares, c.total_counts, c.count_squares
    FROM counted c) a
WHERE (%(function)s::text IS NULL OR a.fn = %(function)s) AND (%(name)s::text IS NULL OR a.name = %(name)s)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4

-- name: first_run
SELECT r.id FROM assay.runs r WHERE r.project_id = %(project)s AND r.id >= %(first)s ORDER BY r.id LIMIT 1

-- name: begin
INSERT INTO assay.rollup_states AS s (project_id, next_hour) VALUES (%(project)s, 0)
ON CONFLICT (project_id) DO NOTHING

-- name: state
SELECT s.next_hour FROM assay.rollup_states s WHERE s.project_id = %(project)s FOR UPDATE SKIP LOCKED

-- name: marked
SELECT DISTINCT m.hour FROM assay.rollup_marks m
WHERE m.project_id = %(project)s AND m.hour < %(next_hour)s ORDER BY m.hour LIMIT %(limit)s

-- name: advance
UPDATE assay.rollup_states s SET next_hour = %(next_hour)s WHERE s.project_id = %(project)s

-- name: unmark
DELETE FROM assay.rollup_marks m WHERE m.project_id = %(project)s AND m.hour = %(hour)s

-- name: forget_runs
DELETE FROM assay.rollup_runs x WHERE x.project_id = %(project)s AND x.hour = %(hour)s

-- name: forget_scores
DELETE FROM assay.rollup_scores x WHERE x.project_id = %(project)s AND x.hour = %(hour)s

-- name: restart
UPDATE assay.rollup_states s SET next_hour = 0 WHERE s.project_id = %(project)s

-- name: restart_runs
DELETE FROM assay.rollup_runs x WHERE x.project_id = %(project)s

-- name: restart_scores
DELETE FROM assay.rollup_scores x WHERE x.project_id = %(project)s
