-- name: arms
-- Each narrow table is summed by unit before they are joined. A run is counted where its first use of
-- the experiment is, its scores where they belong.
WITH served AS (
    SELECT x.unit, x.epoch, x.variant, min(x.at) AS first_at, min(x.idx) AS first_idx,
        count(*) FILTER (WHERE x.idx = 0) AS runs,
        count(*) FILTER (WHERE x.idx = 0 AND x.at < %(mature)s) AS mature
    FROM assay.exposures x
    WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced
        AND x.unit IS NOT NULL AND x.at < %(cutoff)s
    GROUP BY x.unit, x.epoch, x.variant
), firsts AS (
    SELECT DISTINCT ON (s.unit) s.unit, s.epoch, s.variant, s.first_at
    FROM served s ORDER BY s.unit, s.first_at, s.first_idx, s.epoch, s.variant
), owned AS (
    SELECT f.unit, f.epoch, f.variant,
        sum(s.runs) FILTER (WHERE %(sticky)s OR s.epoch = f.epoch) AS exposed,
        coalesce(sum(s.mature) FILTER (WHERE %(sticky)s OR s.epoch = f.epoch), 0) AS m,
        coalesce(sum(s.runs) FILTER (WHERE NOT %(sticky)s AND s.epoch <> f.epoch), 0) AS after_epoch,
        coalesce(sum(s.runs) FILTER (WHERE NOT %(sticky)s AND s.epoch <> f.epoch
            AND s.variant <> f.variant), 0) AS moved
    FROM firsts f JOIN served s ON s.unit = f.unit
    WHERE f.first_at >= %(since)s
    GROUP BY f.unit, f.epoch, f.variant
), latest AS (
    SELECT DISTINCT ON (s.run_id, s.idx) s.run_id, s.unit, s.epoch, s.value,
        s.recorded_at > s.exposed_at + %(maturity)s AS backdated
    FROM assay.experiment_scores s
    WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric = %(metric)s
        AND s.unit IS NOT NULL AND s.exposed_at < %(mature)s
        AND s.at >= s.exposed_at AND s.at <= s.exposed_at + %(maturity)s
    ORDER BY s.run_id, s.idx, s.at DESC, s.score_id DESC
), scored AS (
    SELECT l.run_id, l.unit, l.epoch, avg(l.value) AS y, bool_or(l.backdated) AS backdated
    FROM latest l GROUP BY l.run_id, l.unit, l.epoch
), answers AS (
    SELECT r.unit, r.epoch, count(*) AS n, sum(r.y) AS y, count(*) FILTER (WHERE r.backdated) AS backdated
    FROM scored r GROUP BY r.unit, r.epoch
), failed AS (
    SELECT x.unit, x.epoch, count(*) AS f
    FROM assay.exposures x
    WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced
        AND x.unit IS NOT NULL AND x.idx = 0 AND x.at < %(mature)s AND x.failed_at IS NOT NULL
        AND x.failed_at <= x.at + %(maturity)s
        AND NOT EXISTS (
            SELECT FROM assay.experiment_scores s
            WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric = %(metric)s
                AND s.run_id = x.run_id AND s.exposed_at < %(mature)s
                AND s.at >= s.exposed_at AND s.at <= s.exposed_at + %(maturity)s)
    GROUP BY x.unit, x.epoch
), units AS (
    SELECT o.epoch, o.variant, o.exposed, o.m::float8 AS m, o.after_epoch, o.moved,
        coalesce(a.n, 0)::float8 AS n, coalesce(a.y, 0) AS y, coalesce(a.backdated, 0) AS backdated,
        coalesce(f.f, 0)::float8 AS f
    FROM owned o
    LEFT JOIN (
        SELECT a.unit, CASE WHEN %(sticky)s THEN 0 ELSE a.epoch END AS epoch, sum(a.n) AS n,
            sum(a.y) AS y, sum(a.backdated) AS backdated
        FROM answers a GROUP BY 1, 2
    ) a ON a.unit = o.unit AND (%(sticky)s OR a.epoch = o.epoch)
    LEFT JOIN (
        SELECT f.unit, CASE WHEN %(sticky)s THEN 0 ELSE f.epoch END AS epoch, sum(f.f) AS f
        FROM failed f GROUP BY 1, 2
    ) f ON f.unit = o.unit AND (%(sticky)s OR f.epoch = o.epoch)
), totals AS (
    SELECT u.epoch, u.variant, sum(u.n) AS n, sum(u.y) AS y, sum(u.m) AS m, sum(u.f) AS f,
        count(*) FILTER (WHERE u.n > 0) AS scored,
        avg(u.y / nullif(u.n, 0)) AS mean
    FROM units u GROUP BY u.epoch, u.variant
), errors AS (
    SELECT u.*, t.n AS t_n, t.y AS t_y, t.m AS t_m, t.f AS t_f, t.scored AS t_scored, t.mean AS t_mean,
        CASE WHEN u.n > 0 AND u.n < t.n THEN (u.y - t.y / t.n * u.n) / sqrt(1 - u.n / t.n) ELSE 0 END AS e,
        CASE WHEN u.m > 0 AND u.m < t.m THEN (u.f - t.f / t.m * u.m) / sqrt(1 - u.m / t.m) ELSE 0 END AS d,
        CASE WHEN u.m > 0 AND u.m < t.m THEN (u.y - t.y / t.m * u.m) / sqrt(1 - u.m / t.m) ELSE 0 END AS b,
        CASE WHEN u.m > 0 AND u.m < t.m THEN (u.n + u.f - (t.n + t.f) / t.m * u.m) / sqrt(1 - u.m / t.m) ELSE 0 END AS c
    FROM units u JOIN totals t ON t.epoch = u.epoch AND t.variant = u.variant
)
SELECT e.epoch, e.variant, count(*) AS units, sum(e.exposed)::bigint AS exposed,
    sum(e.after_epoch)::bigint AS after_epoch, sum(e.moved)::bigint AS moved,
    sum(e.backdated)::bigint AS backdated, count(*) FILTER (WHERE e.m > 0) AS units_mature,
    max(e.t_scored) AS units_scored, max(e.t_n) AS n, max(e.t_y) AS y, max(e.t_m) AS m, max(e.t_f) AS f,
    sum(e.n * e.n) AS n_squares, sum(e.m * e.m) AS m_squares,
    sum(e.e * e.e) AS ee, sum(e.e * e.d) AS ed, sum(e.d * e.d) AS dd, sum(e.c * e.c) AS cc,
    sum(e.b * e.b) AS bb, sum(e.b * e.d) AS bd, sum(e.b * e.c) AS bc, sum(e.d * e.c) AS dc,
    max(e.t_mean) AS mean,
    coalesce(sum((e.y / nullif(e.n, 0) - e.t_mean) ^ 2), 0) AS mean_squares
FROM errors e GROUP BY e.epoch, e.variant ORDER BY e.epoch, e.variant

-- name: strays
-- Scores outside their window, by the variant of their run.
SELECT s.epoch, s.variant,
    count(DISTINCT s.run_id) FILTER (WHERE s.at > s.exposed_at) AS late,
    count(DISTINCT s.run_id) FILTER (WHERE s.at < s.exposed_at) AS early
FROM assay.experiment_scores s
WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric = %(metric)s
    AND s.unit IS NOT NULL AND s.exposed_at < %(mature)s AND s.at < %(cutoff)s
    AND (s.at < s.exposed_at OR s.at > s.exposed_at + %(maturity)s)
GROUP BY s.epoch, s.variant

-- name: left_out
SELECT count(*) FILTER (WHERE x.forced) AS forced, count(*) FILTER (WHERE x.unit IS NULL) AS without_unit
FROM assay.exposures x
WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND (x.forced OR x.unit IS NULL)
    AND x.at < %(cutoff)s
