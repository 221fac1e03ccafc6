-- A project of {count} runs in the four weeks before {now}, one each {gap} seconds; the last {live} live.

CREATE FUNCTION pg_temp.at(i bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT to_timestamp({now} - ({count} - i) * {gap}) $$;
CREATE FUNCTION pg_temp.id(i bigint, kind text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((({now} - ({count} - i) * {gap}) * 1000)::bigint), 12, '0')
        || substr(md5(kind || i), 1, 20))::uuid $$;
CREATE FUNCTION pg_temp.fn(i bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN i % 5000 = 7 THEN 'rare' ELSE 'agent-' || (i % 97) % 20 END $$;

INSERT INTO assay.functions (project_id, app, fn, kind, version, triggers, options, registered_at)
SELECT 1, 'support', f, 'function', 'v1', '[{{"event": "ticket"}}]', '{{"retries": 4}}', to_timestamp({now})
FROM (SELECT 'agent-' || g AS f FROM generate_series(0, 19) g UNION SELECT 'rare') s;

INSERT INTO assay.runs (project_id, id, app, fn, kind, version, event_id, status, trace, sessions, queued_at,
    started_at, ended_at, output, error)
SELECT 1, pg_temp.id(i, 'run'), 'support', pg_temp.fn(i), 'function', 'v1', pg_temp.id(i, 'event'),
    CASE WHEN i > {count} - {live} THEN NULL WHEN i % 50 = 0 THEN 'failed' WHEN i % 20011 = 1 THEN 'cancelled'
         ELSE 'completed' END,
    pg_temp.id(i, 'run'), jsonb_build_object('conversation', 'c' || i / 5, 'account', 'a' || i % 10007),
    pg_temp.at(i), pg_temp.at(i), CASE WHEN i <= {count} - {live}
        THEN pg_temp.at(i) + (1 + i * 7919 % 9973) * interval '1 ms' END,
    '"' || repeat('answer ', 20) || '"',
    CASE WHEN i % 50 = 0 THEN '{{"type": "ToolError", "message": "no such user", "bases": []}}' END
FROM generate_series(1, {count}::bigint) i;

INSERT INTO assay.turns (project_id, run_id, app, fn, state, due_at, generation, wakes, losses)
SELECT 1, pg_temp.id(i, 'run'), 'support', pg_temp.fn(i), 0, to_timestamp({now}) + interval '1 day', i % 2, 0, 0
FROM generate_series({count}::bigint - {live} + 1, {count}) i;

INSERT INTO assay.events (project_id, id, name, data, ts, received_at, matched)
SELECT 1, pg_temp.id(i, 'event'), CASE WHEN i % 3 = 0 THEN 'ticket' ELSE 'message' END,
    jsonb_build_object('n', i, 'text', repeat('word ', 20)), pg_temp.at(i), pg_temp.at(i), true
FROM generate_series(1, {count}::bigint) i;

INSERT INTO assay.run_sessions (project_id, key, value, run_id)
SELECT 1, k.key, CASE k.key WHEN 'account' THEN 'a' || i % 10007 ELSE 'c' || i / 5 END, pg_temp.id(i, 'run')
FROM generate_series(1, {count}::bigint) i, (VALUES ('account'), ('conversation')) k(key);

INSERT INTO assay.scores (project_id, id, subject, run_id, idx, name, value, is_bool, at, recorded_at, source)
SELECT 1, pg_temp.id(i, s.name), 'run', pg_temp.id(i, 'run'), 0, s.name,
    CASE WHEN s.is_bool THEN (i % 7 <> 0)::int ELSE (i % 101) / 100.0 END, s.is_bool, pg_temp.at(i),
    pg_temp.at(i), 'step'
FROM generate_series(1, {count}::bigint) i, (VALUES ('helpful', true, 2), ('quality', false, 3), ('rare', true, 5003))
    s(name, is_bool, every)
WHERE i % s.every = 0;

INSERT INTO assay.scores_latest (project_id, run_id, subject, step, idx, name, score_id, value, is_bool, at)
SELECT s.project_id, s.run_id, s.subject, s.step, s.idx, s.name, s.id, s.value, s.is_bool, s.at
FROM assay.scores s WHERE s.project_id = 1;

INSERT INTO assay.defers (project_id, run_id, defer_id, scorer, names, state, promised_at)
SELECT 1, pg_temp.id(i, 'run'), 'feedback', 'feedback-scorer', '{{liked}}', 'started', pg_temp.at(i)
FROM generate_series(1, {count}::bigint, 4) i;

INSERT INTO assay.outcomes (project_id, run_id, defer_id, name, scorer, state, promised_at, changed_at)
SELECT 1, pg_temp.id(i, 'run'), 'feedback', 'liked', 'feedback-scorer',
    CASE WHEN i > {count} * 3 / 4 AND i % 3 = 0 THEN 'pending' WHEN i % 3 = 1 THEN 'observed'
         ELSE 'timed_out' END, pg_temp.at(i), pg_temp.at(i)
FROM generate_series(1, {count}::bigint, 4) i;

INSERT INTO assay.journal (project_id, run_id, step, seq, kind, name, idx, output, span, attempts, started_at,
    ended_at)
SELECT 1, pg_temp.id(i, 'run'), md5('model')::uuid, 1, 'step', 'model', 0, '"yes"', i, 1, pg_temp.at(i),
    pg_temp.at(i) + interval '1 ms'
FROM generate_series({count}::bigint - {count} / 10, {count}) i;

-- Of one run 50,000 spans: models call tools that query.
INSERT INTO assay.user_spans (project_id, day, trace, span, parent, run_id, name, kind, started_at, ended_at,
    status, attributes, events)
SELECT 1, r.queued_at::date, r.id, g, CASE WHEN (g - 1) % 3 > 0 THEN g - 1 END, r.id,
    CASE (g - 1) % 3 WHEN 0 THEN 'chat gpt-5' WHEN 1 THEN 'execute_tool search_' || g % 9 ELSE 'query ' || g % 40 END,
    'client', r.queued_at + g / 3 * interval '3 ms', r.queued_at + (g / 3 * 3 + 1 + g % 97) * interval '1 ms',
    CASE WHEN g % 997 = 0 THEN 'error' ELSE 'unset' END, '{{}}', '[]'
FROM assay.runs r, generate_series(1, 50000) g
WHERE r.project_id = 1 AND r.id = pg_temp.id({count}::bigint - {live} - 6, 'run');
