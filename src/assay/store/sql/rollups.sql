-- What is counted, of the ids from one to another: of one hour, of those that are not counted yet or only
-- in part asked for (`live_hours`), or of slots of any width (`live_slots`).

-- name: into_runs
INSERT INTO assay.rollup_runs (hour, project_id, app, fn, kind, status, n, total_us)

-- name: into_durations
INSERT INTO assay.rollup_durations (hour, project_id, app, fn, bucket, n, hours)

-- name: into_scores
INSERT INTO assay.rollup_scores (hour, project_id, app, fn, name, n, n_bool, n_true, total, squares, least,
    greatest, runs, runs_bool, means, mean_squares, total_squares, total_counts, count_squares)

-- name: into_outcomes
INSERT INTO assay.rollup_outcomes (hour, project_id, app, fn, scorer, name, state, n)

-- name: into_sessions
INSERT INTO assay.rollup_sessions (hour, project_id, key, runs, sessions)

-- name: into_exposures
INSERT INTO assay.rollup_exposures (hour, project_id, experiment, epoch, variant, n)

-- name: one_hour
WITH live AS MATERIALIZED (SELECT %(hour)s::int AS hour, %(first)s::uuid AS first, %(next)s::uuid AS next)

-- name: live_hours
WITH state AS (
    SELECT coalesce(max(s.next_hour), 0) AS next_hour FROM assay.rollup_states s WHERE s.project_id = %(project)s),
live AS MATERIALIZED (
    SELECT h.hour, greatest(assay.id_floor(h.hour * 3600.0), %(first)s::uuid) AS first,
        least(assay.id_floor((h.hour + 1) * 3600.0), %(next)s::uuid) AS next
    FROM (SELECT m.hour FROM assay.rollup_marks m
          WHERE m.project_id = %(project)s AND m.hour >= %(from)s AND m.hour < %(to)s
          UNION SELECT generate_series(greatest(s.next_hour, %(from)s), %(to)s - 1) FROM state s
          UNION SELECT unnest(%(edges)s::int[])) h)

-- name: live_slots
WITH live AS MATERIALIZED (
    SELECT h.hour, greatest(assay.id_floor(h.hour * %(width_s)s::float8), %(first)s::uuid) AS first,
        least(assay.id_floor((h.hour + 1) * %(width_s)s::float8), %(next)s::uuid) AS next
    FROM generate_series(%(from)s::int, %(to)s::int - 1) AS h(hour))

-- name: counted_runs
SELECT l.hour, c.project_id, c.app, c.fn, c.kind, c.status, c.n, c.total_us
FROM live l
CROSS JOIN LATERAL (
    SELECT r.project_id, r.app, r.fn, r.kind, coalesce(r.status, 'live') AS status, count(*) AS n,
        coalesce(sum(round(date_part('epoch', r.ended_at - r.started_at) * 1e6)), 0)::bigint AS total_us
    FROM assay.runs r
    WHERE r.project_id = %(project)s AND r.id >= l.first AND r.id < l.next
    GROUP BY 1, 2, 3, 4, 5) c

-- name: counted_durations
SELECT l.hour, c.project_id, c.app, c.fn, c.bucket, c.n, 1 AS hours
FROM live l
CROSS JOIN LATERAL (
    SELECT r.project_id, r.app, r.fn, count(*) AS n,
        assay.duration_bucket(round(date_part('epoch', r.ended_at - r.started_at) * 1e6)::bigint) AS bucket
    FROM assay.runs r
    WHERE r.project_id = %(project)s AND r.id >= l.first AND r.id < l.next
        AND r.started_at IS NOT NULL AND r.ended_at IS NOT NULL
    GROUP BY 1, 2, 3, 5) c

-- name: counted_scores
SELECT l.hour, c.project_id, c.app, c.fn, c.name, c.n, c.n_bool, c.n_true, c.total, c.squares, c.least,
    c.greatest, c.runs, c.runs_bool, c.means, c.mean_squares, c.total_squares, c.total_counts, c.count_squares
FROM live l
CROSS JOIN LATERAL (
    SELECT u.project_id, u.app, u.fn, u.name, sum(u.k)::bigint AS n, sum(u.n_bool)::bigint AS n_bool,
        sum(u.n_true)::bigint AS n_true, sum(u.s) AS total, sum(u.q) AS squares, min(u.least) AS least,
        max(u.greatest) AS greatest, count(*) AS runs, count(*) FILTER (WHERE u.n_bool = u.k) AS runs_bool,
        sum(u.s / u.k) AS means, sum((u.s / u.k) * (u.s / u.k)) AS mean_squares, sum(u.s * u.s) AS total_squares,
        sum(u.s * u.k) AS total_counts, sum(u.k * u.k)::float8 AS count_squares
    FROM (
        -- What is beyond the bound counts as it, so that no square overflows.
        SELECT r.project_id, r.app, r.fn, v.name, v.run_id, count(*) AS k,
            sum(CASE WHEN abs(v.value) < 1e140 THEN v.value ELSE 1e140 * sign(v.value) END) AS s,
            sum(CASE WHEN abs(v.value) < 1e140 THEN v.value * v.value ELSE 1e280 END) AS q, min(v.value) AS least, max(v.value) AS greatest,
            count(*) FILTER (WHERE v.is_bool) AS n_bool,
            count(*) FILTER (WHERE v.is_bool AND v.value <> 0) AS n_true
        FROM assay.scores_latest v
        JOIN assay.runs r ON r.project_id = %(project)s AND r.id = v.run_id AND r.id >= l.first AND r.id < l.next
        WHERE v.project_id = %(project)s AND v.run_id >= l.first AND v.run_id < l.next
        GROUP BY 1, 2, 3, 4, 5) u
    GROUP BY 1, 2, 3, 4) c

-- name: counted_outcomes
SELECT l.hour, c.project_id, c.app, c.fn, c.scorer, c.name, c.state, c.n
FROM live l
CROSS JOIN LATERAL (
    SELECT r.project_id, r.app, r.fn, o.scorer, o.name, o.state, count(*) AS n
    FROM assay.outcomes o
    JOIN assay.runs r ON r.project_id = %(project)s AND r.id = o.run_id AND r.id >= l.first AND r.id < l.next
    WHERE o.project_id = %(project)s AND o.run_id >= l.first AND o.run_id < l.next
    GROUP BY 1, 2, 3, 4, 5, 6) c

-- name: counted_sessions
SELECT l.hour, c.project_id, c.key, c.runs, c.sessions
FROM live l
CROSS JOIN LATERAL (
    SELECT g.project_id, g.key, sum(g.n)::bigint AS runs, count(*) FILTER (WHERE NOT EXISTS (
            SELECT FROM assay.run_sessions e WHERE e.project_id = %(project)s AND e.key = g.key
                AND e.value = g.value AND e.run_id < l.first)) AS sessions
    FROM (
        SELECT r.project_id, p.key, p.value, count(*) AS n
        FROM assay.runs r, jsonb_each_text(r.sessions) AS p
        WHERE r.project_id = %(project)s AND r.id >= l.first AND r.id < l.next
        GROUP BY 1, 2, 3) g
    GROUP BY 1, 2) c

-- name: counted_exposures
SELECT l.hour, c.project_id, c.experiment, c.epoch, c.variant, c.n
FROM live l
CROSS JOIN LATERAL (
    SELECT x.project_id, x.experiment, x.epoch, x.variant, count(*) AS n
    FROM assay.exposures x
    WHERE x.project_id = %(project)s AND x.run_id >= l.first AND x.run_id < l.next
        AND NOT x.forced AND x.unit IS NOT NULL
    GROUP BY 1, 2, 3, 4) c

-- name: exposures
SELECT a.hour - a.hour %% %(per)s AS hour, a.epoch, a.variant, sum(a.n)::bigint AS n
FROM (
    SELECT x.hour, x.experiment, x.epoch, x.variant, x.n FROM assay.rollup_exposures x
    WHERE x.project_id = %(project)s AND x.hour >= %(from)s AND x.hour < %(to)s
        AND x.hour NOT IN (SELECT l.hour FROM live l)
    UNION ALL
    SELECT c.hour, c.experiment, c.epoch, c.variant, c.n FROM counted c) a
WHERE a.experiment = %(experiment)s
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3

-- name: runs
SELECT a.hour - a.hour %% %(per)s AS hour, a.app, a.fn, a.kind, a.status, sum(a.n)::bigint AS n,
    sum(a.total_us)::bigint AS total_us
FROM (
    SELECT x.hour, x.app, x.fn, x.kind, x.status, x.n, x.total_us FROM assay.rollup_runs x
    WHERE x.project_id = %(project)s AND x.hour >= %(from)s AND x.hour < %(to)s
        AND x.hour NOT IN (SELECT l.hour FROM live l)
    UNION ALL
    SELECT c.hour, c.app, c.fn, c.kind, c.status, c.n, c.total_us FROM counted c) a
WHERE (%(app)s::text IS NULL OR a.app = %(app)s) AND (%(function)s::text IS NULL OR a.fn = %(function)s)
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5

-- name: durations
, days AS MATERIALIZED (
    SELECT d.hour FROM generate_series((%(from)s::int + 23) / 24 * 24, %(to)s::int - 24, 24) AS d(hour)
    WHERE NOT EXISTS (SELECT FROM live l WHERE l.hour >= d.hour AND l.hour < d.hour + 24)),
hours AS MATERIALIZED (
    SELECT h.hour FROM generate_series(%(from)s::int, %(to)s::int - 1) AS h(hour)
    WHERE h.hour NOT IN (SELECT l.hour FROM live l) AND h.hour - h.hour %% 24 NOT IN (SELECT d.hour FROM days d))
SELECT a.app, a.fn, a.bucket, sum(a.n)::bigint AS n
FROM (
    SELECT x.app, x.fn, x.bucket, x.n FROM assay.rollup_durations x
    WHERE x.project_id = %(project)s AND x.hours = 24 AND x.hour = ANY (ARRAY(SELECT d.hour FROM days d))
    UNION ALL
    SELECT x.app, x.fn, x.bucket, x.n FROM assay.rollup_durations x
    WHERE x.project_id = %(project)s AND x.hours = 1 AND x.hour = ANY (ARRAY(SELECT h.hour FROM hours h))
    UNION ALL
    SELECT c.app, c.fn, c.bucket, c.n FROM counted c) a
WHERE (%(app)s::text IS NULL OR a.app = %(app)s) AND (%(function)s::text IS NULL OR a.fn = %(function)s)
GROUP BY 1, 2, 3

-- name: outcomes
SELECT a.app, a.fn, a.scorer, a.name, a.state, sum(a.n)::bigint AS n
FROM (
    SELECT x.app, x.fn, x.scorer, x.name, x.state, x.n FROM assay.rollup_outcomes x
    WHERE x.project_id = %(project)s AND x.hour >= %(from)s AND x.hour < %(to)s
        AND x.hour NOT IN (SELECT l.hour FROM live l)
    UNION ALL
    SELECT c.app, c.fn, c.scorer, c.name, c.state, c.n FROM counted c) a
WHERE (%(app)s::text IS NULL OR a.app = %(app)s) AND (%(function)s::text IS NULL OR a.fn = %(function)s)
    AND (%(names)s::text[] IS NULL OR a.name = ANY (%(names)s))
GROUP BY 1, 2, 3, 4, 5

-- name: scores
SELECT a.hour - a.hour %% %(per)s AS hour, CASE WHEN %(by_function)s THEN a.app END AS app,
    CASE WHEN %(by_function)s THEN a.fn END AS fn, a.name, sum(a.n)::bigint AS n, sum(a.n_bool)::bigint AS n_bool, sum(a.n_true)::bigint AS n_true, sum(a.total) AS total,
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
WHERE (%(app)s::text IS NULL OR a.app = %(app)s) AND (%(function)s::text IS NULL OR a.fn = %(function)s)
    AND (%(names)s::text[] IS NULL OR a.name = ANY (%(names)s))
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4

-- name: sessions
, found AS (
    SELECT a.key, sum(a.runs)::bigint AS run_count, sum(a.sessions)::bigint AS session_count, max(a.hour) AS hour
    FROM (
        SELECT x.hour, x.key, x.runs, x.sessions FROM assay.rollup_sessions x
        WHERE x.project_id = %(project)s AND x.hour >= %(from)s AND x.hour < %(to)s
            AND x.hour NOT IN (SELECT l.hour FROM live l)
        UNION ALL
        SELECT c.hour, c.key, c.runs, c.sessions FROM counted c) a
    WHERE a.key > %(after)s
    GROUP BY a.key ORDER BY a.key LIMIT %(limit)s)
SELECT f.key, f.run_count, f.session_count, coalesce(n.at, to_timestamp(f.hour * 3600.0)) AS last_active_at
FROM found f
LEFT JOIN LATERAL (
    SELECT coalesce(r.ended_at, r.started_at, r.queued_at) AS at FROM assay.runs r
    WHERE r.project_id = %(project)s AND r.id >= assay.id_floor(f.hour * 3600.0)
        AND r.id < assay.id_floor((f.hour + 1) * 3600.0) AND r.sessions ? f.key
    ORDER BY r.id DESC LIMIT 1) n ON true
ORDER BY f.key

-- name: first_run
SELECT r.id FROM assay.runs r WHERE r.project_id = %(project)s AND r.id >= %(first)s ORDER BY r.id LIMIT 1

-- name: last_run
SELECT (SELECT r.id FROM assay.runs r WHERE r.project_id = %(project)s ORDER BY r.id DESC LIMIT 1) AS id

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

-- name: forget_durations
DELETE FROM assay.rollup_durations x
WHERE x.project_id = %(project)s AND x.hour = %(hour)s AND x.hours = 1

-- name: forget_day
DELETE FROM assay.rollup_durations x
WHERE x.project_id = %(project)s AND x.hour = %(day)s AND x.hours = 24

-- name: into_day
INSERT INTO assay.rollup_durations (hour, project_id, app, fn, bucket, n, hours)
SELECT %(day)s::int, x.project_id, x.app, x.fn, x.bucket, sum(x.n)::bigint, 24
FROM assay.rollup_durations x
WHERE x.project_id = %(project)s AND x.hours = 1 AND x.hour >= %(day)s AND x.hour < %(day)s + 24
GROUP BY 2, 3, 4, 5

-- name: forget_outcomes
DELETE FROM assay.rollup_outcomes x WHERE x.project_id = %(project)s AND x.hour = %(hour)s

-- name: forget_sessions
DELETE FROM assay.rollup_sessions x WHERE x.project_id = %(project)s AND x.hour = %(hour)s

-- name: forget_scores
DELETE FROM assay.rollup_scores x WHERE x.project_id = %(project)s AND x.hour = %(hour)s

-- name: forget_exposures
DELETE FROM assay.rollup_exposures x WHERE x.project_id = %(project)s AND x.hour = %(hour)s

-- name: restart
UPDATE assay.rollup_states s SET next_hour = 0 WHERE s.project_id = %(project)s

-- name: restart_runs
DELETE FROM assay.rollup_runs x WHERE x.project_id = %(project)s

-- name: restart_durations
DELETE FROM assay.rollup_durations x WHERE x.project_id = %(project)s

-- name: restart_outcomes
DELETE FROM assay.rollup_outcomes x WHERE x.project_id = %(project)s

-- name: restart_sessions
DELETE FROM assay.rollup_sessions x WHERE x.project_id = %(project)s

-- name: restart_exposures
DELETE FROM assay.rollup_exposures x WHERE x.project_id = %(project)s

-- name: restart_scores
DELETE FROM assay.rollup_scores x WHERE x.project_id = %(project)s
