-- name: work_mem
SET LOCAL work_mem = '128MB'

-- name: jit
SET LOCAL jit = off

-- name: parallel
-- Nearly every row of a worker is a group of its own: handing them on costs more than it saves.
SET LOCAL max_parallel_workers_per_gather = 0

-- name: merge
-- How many units there are is not known to the planner; hash joins are right for few and for many.
SET LOCAL enable_mergejoin = off

-- name: nested
SET LOCAL enable_nestloop = off

-- name: planned
-- A plan for any units is one for all of them: it takes a minute where that for these takes a tenth of a second.
SET LOCAL plan_cache_mode = force_custom_plan

-- name: of_all
WITH

-- name: of_units
-- In place of the tables their rows of some runs, found by index: those that served the units that are asked for.
WITH runs AS MATERIALIZED (
    SELECT array_agg(DISTINCT x.run_id) AS ids FROM assay.exposures x
    WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced
        AND x.unit = ANY (%(units)s) AND x.at < %(cutoff)s
), exposures AS NOT MATERIALIZED (
    SELECT x.* FROM assay.exposures x
    WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s
        AND x.run_id = ANY ((SELECT r.ids FROM runs r)::uuid[])
), experiment_scores AS NOT MATERIALIZED (
    SELECT s.* FROM assay.experiment_scores s
    WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s
        AND s.run_id = ANY ((SELECT r.ids FROM runs r)::uuid[])
), run_usage AS NOT MATERIALIZED (
    SELECT u.* FROM assay.run_usage u
    WHERE u.project_id = %(project)s AND u.run_id = ANY ((SELECT r.ids FROM runs r)::uuid[])
),

-- name: sums
-- Exposures are summed by unit once, scores by unit for each metric, before they are joined. A run is
-- counted once for each unit that it served, at the first use for it; nearly all uses are the only one of
-- their run (idx 0), the others are looked up. Nearly every run has one score of a metric: only those that
-- may have several, or were used more than once, are sorted.
served AS MATERIALIZED (
    SELECT x.unit, x.epoch, x.variant, min(x.at) AS first_at,
        count(*) FILTER (WHERE x.is_first)::int AS runs,
        count(*) FILTER (WHERE x.is_first AND x.at < %(mature)s)::int AS mature,
        count(*) FILTER (WHERE x.is_first AND x.at < %(mature)s
            AND x.failed_at <= x.at + %(maturity)s::interval)::int AS failed
    FROM (
        SELECT x.unit, x.epoch, x.variant, x.at, x.failed_at, x.idx = 0 OR NOT EXISTS (
            SELECT FROM assay.exposures y
            WHERE y.project_id = %(project)s AND y.experiment = %(experiment)s AND y.run_id = x.run_id
                AND y.idx < x.idx AND y.unit = x.unit AND NOT y.forced AND (%(sticky)s OR y.epoch = x.epoch)) AS is_first
        FROM assay.exposures x
        WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced
            AND x.unit IS NOT NULL AND x.at < %(cutoff)s
        OFFSET 0) x
    GROUP BY x.unit, x.epoch, x.variant
), mixed AS MATERIALIZED (
    -- Units that were not served alike all the time: some, or all of them once weights have changed.
    SELECT s.unit FROM served s GROUP BY s.unit HAVING count(*) > 1
), firsts AS (
    -- Of ways that begin at the same instant, that of the least run and use is the first.
    SELECT DISTINCT ON (x.unit, x.at) x.unit, x.at, x.epoch, x.variant
    FROM (
        SELECT s.unit, s.first_at FROM served s JOIN mixed m ON m.unit = s.unit
        GROUP BY s.unit, s.first_at HAVING count(*) > 1) t
    JOIN assay.exposures x ON x.unit = t.unit AND x.at = t.first_at
    WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced
    ORDER BY x.unit, x.at, x.run_id, x.idx
), placed AS (
    SELECT s.*, first_value(s.epoch) OVER w AS own_epoch, first_value(s.variant) OVER w AS own_variant,
        first_value(s.first_at) OVER w AS unit_first_at
    FROM served s JOIN mixed m ON m.unit = s.unit
    LEFT JOIN firsts f ON f.unit = s.unit AND f.at = s.first_at AND f.epoch = s.epoch AND f.variant = s.variant
    WINDOW w AS (PARTITION BY s.unit ORDER BY s.first_at, f.unit IS NULL)
), owned AS MATERIALIZED (
    SELECT s.unit, s.epoch, s.variant, s.first_at, s.runs AS exposed, s.mature::float8 AS m, s.failed::float8 AS failed,
        0 AS after_epoch, 0 AS moved, 0 AS crossed
    FROM served s
    WHERE s.unit NOT IN (SELECT m.unit FROM mixed m) AND s.first_at >= %(since)s
    UNION ALL
    SELECT p.unit, min(p.own_epoch), min(p.own_variant), min(p.first_at),
        coalesce(sum(p.runs) FILTER (WHERE %(sticky)s OR p.epoch = p.own_epoch), 0)::int,
        coalesce(sum(p.mature) FILTER (WHERE %(sticky)s OR p.epoch = p.own_epoch), 0)::float8,
        coalesce(sum(p.failed) FILTER (WHERE %(sticky)s OR p.epoch = p.own_epoch), 0)::float8,
        coalesce(sum(p.runs) FILTER (WHERE NOT %(sticky)s AND p.epoch <> p.own_epoch), 0)::int,
        coalesce(sum(p.runs) FILTER (WHERE NOT %(sticky)s AND p.epoch <> p.own_epoch
            AND p.variant <> p.own_variant), 0)::int,
        coalesce(sum(p.runs) FILTER (WHERE (%(sticky)s OR p.epoch = p.own_epoch)
            AND p.variant <> p.own_variant), 0)::int
    FROM placed p
    WHERE p.unit_first_at >= %(since)s
    GROUP BY p.unit
), failing AS MATERIALIZED (
    SELECT x.run_id, x.unit, CASE WHEN %(sticky)s THEN 0 ELSE x.epoch END AS epoch
    FROM assay.exposures x
    WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced
        AND x.unit IS NOT NULL AND x.at < %(mature)s AND x.failed_at IS NOT NULL
        AND x.failed_at <= x.at + %(maturity)s::interval AND (x.idx = 0 OR NOT EXISTS (
                SELECT FROM assay.exposures y
                WHERE y.project_id = %(project)s AND y.experiment = %(experiment)s AND y.run_id = x.run_id
                    AND y.idx < x.idx AND y.unit = x.unit AND NOT y.forced AND (%(sticky)s OR y.epoch = x.epoch)))
), answers AS MATERIALIZED (
    SELECT k.metric, a.*
    FROM unnest(%(metrics)s::text[]) AS k(metric) CROSS JOIN LATERAL (
        WITH several AS MATERIALIZED (
            SELECT s.run_id FROM assay.experiment_scores s
            WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric = k.metric AND NOT s.is_first
            UNION
            SELECT x.run_id FROM assay.exposures x
            WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND x.idx > 0
        ), given AS NOT MATERIALIZED (
            SELECT s.run_id, s.idx, s.score_id, s.unit, CASE WHEN %(sticky)s THEN 0 ELSE s.epoch END AS epoch,
                -- So that no square is too large or too small for a number.
                CASE WHEN s.value = 0 OR s.value = 1 THEN s.value
                    WHEN abs(s.value) > 1e140 THEN 1e140 * sign(s.value)
                    WHEN abs(s.value) < 1e-100 THEN 0 ELSE s.value END AS value,
                s.at,
                -- The first that is true of it: 0 in time, 1 backdated, 2 late, 3 early. The first two count.
                CASE WHEN s.at < s.exposed_at THEN 3
                    WHEN greatest(s.at, s.recorded_at) <= s.exposed_at + %(maturity)s::interval THEN 0
                    WHEN s.at <= s.exposed_at + %(maturity)s::interval THEN 1 ELSE 2 END AS kind
            FROM assay.experiment_scores s
            WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric = k.metric
                AND s.unit IS NOT NULL AND s.exposed_at < %(mature)s AND s.at < %(cutoff)s
        ), repeated AS MATERIALIZED (
            SELECT g.* FROM several v JOIN given g ON g.run_id = v.run_id
        ), latest AS (
            SELECT DISTINCT ON (r.run_id, r.idx) r.*
            FROM repeated r WHERE r.kind <= 1
            ORDER BY r.run_id, r.idx, r.at DESC, r.score_id DESC
        ), entering AS (
            -- With what failed and yet has a value, which counts by that.
            SELECT g.unit, g.epoch, g.value AS y, g.kind, g.value = 0 OR g.value = 1 AS is_binary,
                g.kind <= 1 AND g.run_id IN (SELECT f.run_id FROM failing f) AS failed
            FROM (
                SELECT g.run_id, g.unit, g.epoch, g.value, g.kind FROM given g
                WHERE g.run_id NOT IN (SELECT v.run_id FROM several v)
                OFFSET 0) g
            UNION ALL
            SELECT l.unit, l.epoch, avg(l.value), max(l.kind), bool_and(l.value IN (0, 1)), false
            FROM latest l GROUP BY l.run_id, l.unit, l.epoch
            UNION ALL
            SELECT r.unit, r.epoch, 0, r.kind, true, false
            FROM repeated r WHERE r.kind > 1 GROUP BY r.run_id, r.unit, r.epoch, r.kind
            UNION ALL
            SELECT f.unit, f.epoch, 0, NULL, true, true
            FROM repeated r JOIN failing f ON f.run_id = r.run_id AND f.unit = r.unit
            WHERE r.kind <= 1 GROUP BY f.run_id, f.unit, f.epoch
        )
        SELECT e.unit, e.epoch, count(*) FILTER (WHERE e.kind <= 1)::float8 AS n, sum(e.y) FILTER (WHERE e.kind <= 1) AS y,
            count(*) FILTER (WHERE e.failed) AS failed,
            count(*) FILTER (WHERE e.kind = 2)::int AS late, count(*) FILTER (WHERE e.kind = 3)::int AS early,
            count(*) FILTER (WHERE e.kind = 1)::int AS backdated,
            bool_and(e.is_binary) FILTER (WHERE e.kind <= 1) AS is_binary
        FROM entering e GROUP BY e.unit, e.epoch) a
    WHERE k.metric NOT IN (%(failure)s, %(tokens)s)
    UNION ALL
    SELECT %(tokens)s::text, p.unit, p.epoch, count(*) FILTER (WHERE p.counts)::float8,
        sum(p.y) FILTER (WHERE p.counts), count(*) FILTER (WHERE p.failed), count(*) FILTER (WHERE NOT p.counts)::int,
        0, 0, false
    FROM (
        -- What a run used counts as a score at its end would: where its duration does.
        SELECT s.run_id, s.unit, CASE WHEN %(sticky)s THEN 0 ELSE s.epoch END AS epoch, r.tokens::float8 AS y,
            bool_or(s.at <= s.exposed_at + %(maturity)s::interval) AS counts, false AS failed
        FROM assay.experiment_scores s JOIN assay.run_usage r ON r.run_id = s.run_id
        WHERE s.project_id = %(project)s AND s.experiment = %(experiment)s AND s.metric = %(duration)s
            AND r.project_id = %(project)s AND %(tokens)s::text = ANY (%(metrics)s::text[])
            AND s.unit IS NOT NULL AND s.exposed_at < %(mature)s AND s.at < %(cutoff)s
        GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT f.run_id, f.unit, f.epoch, 0, NULL, true
        FROM failing f JOIN assay.run_usage r ON r.run_id = f.run_id
        WHERE r.project_id = %(project)s AND %(tokens)s::text = ANY (%(metrics)s::text[])) p
    GROUP BY p.unit, p.epoch
), units AS NOT MATERIALIZED (
    SELECT k.metric, o.unit, o.epoch, o.variant, o.first_at, o.exposed, o.m, o.after_epoch, o.moved, o.crossed,
        coalesce(a.n, 0) AS n, coalesce(a.y, 0) AS y, o.failed - coalesce(a.failed, 0) AS f,
        coalesce(a.late, 0) AS late, coalesce(a.early, 0) AS early, coalesce(a.backdated, 0) AS backdated, a.is_binary
    FROM unnest(%(metrics)s::text[]) AS k(metric) CROSS JOIN owned o
    LEFT JOIN answers a ON a.metric = k.metric AND a.unit = o.unit AND a.epoch = CASE WHEN %(sticky)s THEN 0 ELSE o.epoch END
    WHERE k.metric <> %(failure)s
    UNION ALL
    SELECT %(failure)s::text, o.unit, o.epoch, o.variant, o.first_at, o.exposed, o.m, o.after_epoch, o.moved, o.crossed,
        o.m, o.failed, 0, 0, 0, 0, true
    FROM owned o WHERE %(failure)s::text = ANY (%(metrics)s::text[])
)

-- name: by_unit
SELECT u.unit, u.exposed, u.m, u.n, u.y, u.f, u.late, u.early, u.backdated, u.after_epoch, u.moved, u.crossed
FROM units u

-- name: among
WHERE u.unit = ANY (%(units)s)

-- name: counted
WHERE u.unit > %(after)s AND (%(variant)s::text IS NULL OR u.variant = %(variant)s)
    AND (%(epoch)s::int IS NULL OR u.epoch = %(epoch)s)
    AND CASE %(having)s
        WHEN 'exposed' THEN u.exposed WHEN 'mature' THEN u.m WHEN 'pending' THEN u.exposed - u.m
        WHEN 'scored' THEN u.n WHEN 'failed' THEN u.f WHEN 'no_response' THEN u.m - u.n - u.f
        WHEN 'late' THEN u.late WHEN 'early' THEN u.early WHEN 'backdated' THEN u.backdated
        WHEN 'after_epoch' THEN u.after_epoch WHEN 'moved' THEN u.moved WHEN 'crossed' THEN u.crossed END > 0
ORDER BY u.unit LIMIT %(limit)s

-- name: apart
-- Units vary by themselves. Many are alike, with the same few runs and values: those are one row, which
-- counts as often (`alike`) in the sums of squares.
, grouped AS MATERIALIZED (
    SELECT u.metric, u.epoch, u.variant, count(*)::float8 AS alike, count(*) AS size,
        count(*) FILTER (WHERE u.m > 0) AS mature_size, count(*) FILTER (WHERE u.n > 0) AS scored_size,
        min(u.first_at) AS first_at,
        sum(u.exposed) AS exposed, u.m, sum(u.after_epoch) AS after_epoch, sum(u.moved) AS moved,
        sum(u.crossed) AS crossed, u.n, u.y, u.f, sum(u.late) AS late, sum(u.early) AS early,
        sum(u.backdated) AS backdated, bool_and(u.is_binary) AS is_binary
    FROM units u
    GROUP BY u.metric, u.epoch, u.variant, u.n, u.y, u.m, u.f
)

-- name: together
-- Runs that were assigned by themselves vary together within a session.
, sessions AS (
    SELECT x.unit, coalesce(min(x.cluster), x.unit) AS cluster
    FROM assay.exposures x
    WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND NOT x.forced
        AND x.unit IS NOT NULL AND x.at < %(cutoff)s
    GROUP BY x.unit
), grouped AS MATERIALIZED (
    SELECT u.metric, u.epoch, u.variant, s.cluster, 1::float8 AS alike, count(*) AS size,
        count(*) FILTER (WHERE u.m > 0) AS mature_size, count(*) FILTER (WHERE u.n > 0) AS scored_size,
        min(u.first_at) AS first_at,
        sum(u.exposed) AS exposed, sum(u.m) AS m, sum(u.after_epoch) AS after_epoch, sum(u.moved) AS moved,
        sum(u.crossed) AS crossed,
        sum(u.n) AS n, sum(u.y) AS y, sum(u.f) AS f, sum(u.late) AS late, sum(u.early) AS early,
        sum(u.backdated) AS backdated, bool_and(u.is_binary) AS is_binary
    FROM units u JOIN sessions s ON s.unit = u.unit
    GROUP BY u.metric, u.epoch, u.variant, s.cluster
)

-- name: errors
, totals AS (
    SELECT u.metric, u.epoch, u.variant, sum(u.alike * u.n) AS n, sum(u.alike * u.y) AS y, sum(u.alike * u.m) AS m,
        sum(u.alike * u.f) AS f, coalesce(sum(u.alike) FILTER (WHERE u.n > 0), 0)::bigint AS scored,
        sum(u.alike * (u.y / nullif(u.n, 0))) / sum(u.alike) FILTER (WHERE u.n > 0) AS mean
    FROM grouped u GROUP BY u.metric, u.epoch, u.variant
), errors AS (
    SELECT u.*, t.n AS t_n, t.y AS t_y, t.m AS t_m, t.f AS t_f, t.scored AS t_scored, t.mean AS t_mean,
        CASE WHEN u.n > 0 AND u.n < t.n THEN (u.y - t.y / t.n * u.n) / sqrt(1 - u.n / t.n) ELSE 0 END AS e,
        CASE WHEN u.m > 0 AND u.m < t.m THEN (u.f - t.f / t.m * u.m) / sqrt(1 - u.m / t.m) ELSE 0 END AS d,
        CASE WHEN u.m > 0 AND u.m < t.m THEN (u.y - t.y / t.m * u.m) / sqrt(1 - u.m / t.m) ELSE 0 END AS b,
        CASE WHEN u.m > 0 AND u.m < t.m THEN (u.n + u.f - (t.n + t.f) / t.m * u.m) / sqrt(1 - u.m / t.m) ELSE 0 END AS c,
        CASE WHEN u.n > 0 AND t.scored > 1 THEN (u.y / u.n - t.mean) / sqrt(1 - 1.0 / t.scored) ELSE 0 END AS u
    FROM grouped u JOIN totals t ON t.metric = u.metric AND t.epoch = u.epoch AND t.variant = u.variant
    OFFSET 0
)

-- name: shared
-- What sessions with runs in two arms add to the errors of both.
, shared AS MATERIALIZED (
    SELECT e.metric, e.epoch, e.variant, o.variant AS other, sum(e.e * o.e) AS ee, sum(e.e * o.d) AS ed,
        sum(e.d * o.e) AS de, sum(e.d * o.d) AS dd, sum(e.c * o.c) AS cc, sum(e.u * o.u) AS uu, sum(e.b * o.b) AS bb,
        sum(e.b * o.d) AS bd, sum(e.d * o.b) AS db, sum(e.b * o.c) AS bc, sum(e.c * o.b) AS cb, sum(e.d * o.c) AS dc,
        sum(e.c * o.d) AS cd, count(*) FILTER (WHERE e.n > 0 AND o.n > 0) AS scored,
        count(*) FILTER (WHERE e.m > 0 AND o.m > 0) AS mature
    FROM errors e
    JOIN errors o ON o.metric = e.metric AND o.epoch = e.epoch AND o.cluster = e.cluster AND o.variant <> e.variant
    GROUP BY e.metric, e.epoch, e.variant, o.variant
)

-- name: arms
SELECT e.metric, e.epoch, e.variant, sum(e.size)::bigint AS units, min(e.first_at) AS first_at,
    bool_and(e.is_binary) AS is_binary, sum(e.exposed)::bigint AS exposed,
    sum(e.after_epoch)::bigint AS after_epoch, sum(e.moved)::bigint AS moved,
    sum(e.crossed)::bigint AS crossed,
    sum(e.late)::bigint AS late, sum(e.early)::bigint AS early, sum(e.backdated)::bigint AS backdated,
    sum(e.mature_size)::bigint AS units_mature, sum(e.scored_size)::bigint AS units_scored,
    coalesce(sum(e.alike) FILTER (WHERE e.m > 0), 0)::bigint AS mature,
    max(e.t_scored) AS scored, max(e.t_n) AS n, max(e.t_y) AS y, max(e.t_m) AS m, max(e.t_f) AS f,
    sum(e.alike * e.n * e.n) AS n_squares, sum(e.alike * e.m * e.m) AS m_squares,
    sum(e.alike * e.e * e.e) AS ee, sum(e.alike * e.e * e.d) AS ed, sum(e.alike * e.d * e.d) AS dd,
    sum(e.alike * e.c * e.c) AS cc,
    sum(e.alike * e.b * e.b) AS bb, sum(e.alike * e.b * e.d) AS bd, sum(e.alike * e.b * e.c) AS bc,
    sum(e.alike * e.d * e.c) AS dc,
    max(e.t_mean) AS mean,
    coalesce(sum(e.alike * (e.y / nullif(e.n, 0) - e.t_mean) ^ 2), 0) AS mean_squares

-- name: arms_shared
, (SELECT jsonb_agg(s) FROM shared s WHERE s.metric = e.metric AND s.epoch = e.epoch AND s.variant = e.variant) AS shared

-- name: of_errors
FROM errors e GROUP BY e.metric, e.epoch, e.variant

-- name: is_by_run
SELECT EXISTS (
    SELECT FROM assay.experiment_epochs o
    WHERE o.project_id = %(project)s AND o.experiment = %(experiment)s AND o.unit_kind = 'run') AS is_by_run

-- name: left_out
SELECT count(*) FILTER (WHERE x.forced) AS forced, count(*) FILTER (WHERE NOT x.forced) AS without_unit, (
        SELECT count(*) FROM assay.exposures y
        WHERE y.project_id = %(project)s AND y.experiment = %(experiment)s AND y.at >= %(cutoff)s) AS after_cutoff
FROM assay.exposures x
WHERE x.project_id = %(project)s AND x.experiment = %(experiment)s AND (x.forced OR x.unit IS NULL)
    AND x.at < %(cutoff)s
