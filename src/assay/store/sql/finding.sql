-- name: functions
SELECT f.app, f.fn, f.kind FROM assay.functions f
WHERE f.project_id = %(project)s AND position(lower(%(text)s) IN lower(f.fn)) > 0
ORDER BY NOT starts_with(lower(f.fn), lower(%(text)s)), f.fn, f.app LIMIT %(limit)s

-- name: experiments
SELECT e.name FROM assay.experiments e
WHERE e.project_id = %(project)s AND position(lower(%(text)s) IN lower(e.name)) > 0
ORDER BY NOT starts_with(lower(e.name), lower(%(text)s)), e.name LIMIT %(limit)s

-- name: event_names
-- Those that functions start on, that runs have waited for, of the newest events, and the very name.
SELECT n.name FROM (
    SELECT t.name FROM (
        SELECT jsonb_path_query(f.triggers, '$[*].event') #>> '{}' AS name FROM assay.functions f
        WHERE f.project_id = %(project)s) t
    WHERE position('*' IN t.name) = 0
    UNION
    SELECT w.event_name FROM assay.wait_shapes w WHERE w.project_id = %(project)s
    UNION
    SELECT e.name FROM (SELECT x.name FROM assay.events x
                        WHERE x.project_id = %(project)s ORDER BY x.id DESC LIMIT %(most)s) e
    UNION
    SELECT %(text)s::text WHERE EXISTS (
        SELECT FROM assay.events e WHERE e.project_id = %(project)s AND e.name = %(text)s)) n
WHERE position(lower(%(text)s) IN lower(n.name)) > 0
ORDER BY NOT starts_with(lower(n.name), lower(%(text)s)), n.name LIMIT %(limit)s

-- name: session_keys
-- One key after the other, since there are few of them and many sessions.
WITH RECURSIVE keys AS (
    SELECT ''::text AS key
    UNION ALL
    SELECT (SELECT s.key FROM assay.run_sessions s
            WHERE s.project_id = %(project)s AND s.key > k.key ORDER BY s.key LIMIT 1)
    FROM keys k WHERE k.key IS NOT NULL
)
SELECT k.key FROM keys k WHERE k.key > '' LIMIT %(limit)s

-- name: sessions
-- Of each key one id after the other, from the text on: each looked up in the index.
WITH RECURSIVE found AS (
    SELECT k.key, (SELECT s.value FROM assay.run_sessions s
                   WHERE s.project_id = %(project)s AND s.key = k.key AND s.value >= %(text)s
                   ORDER BY s.value LIMIT 1) AS value, 1 AS n
    FROM unnest(%(keys)s::text[]) AS k(key)
    UNION ALL
    SELECT f.key, (SELECT s.value FROM assay.run_sessions s
                   WHERE s.project_id = %(project)s AND s.key = f.key AND s.value > f.value
                   ORDER BY s.value LIMIT 1), f.n + 1
    FROM found f WHERE f.value IS NOT NULL AND f.n < %(limit)s
)
SELECT f.key, f.value AS id FROM found f WHERE starts_with(f.value, %(text)s)
ORDER BY f.value <> %(text)s, f.n, f.key LIMIT %(limit)s

-- name: runs
SELECT r.id, r.fn AS name FROM assay.runs r
WHERE r.project_id = %(project)s

-- name: events
SELECT r.id, r.name FROM assay.events r
WHERE r.project_id = %(project)s

-- name: within
    AND r.id >= %(first)s AND r.id <= %(last)s

-- name: ending_runs
    AND r.id = ANY (ARRAY(
        SELECT n.id FROM (SELECT x.id FROM assay.runs x WHERE x.project_id = %(project)s
                          ORDER BY x.id DESC LIMIT %(most)s) n
        WHERE right(n.id::text, %(digits)s) = %(tail)s))

-- name: ending_events
    AND r.id = ANY (ARRAY(
        SELECT n.id FROM (SELECT x.id FROM assay.events x WHERE x.project_id = %(project)s
                          ORDER BY x.id DESC LIMIT %(most)s) n
        WHERE right(n.id::text, %(digits)s) = %(tail)s))

-- name: newest
ORDER BY r.id DESC LIMIT %(limit)s
