-- Views for people: the words of the field in place of the tables' own, ids as pages show them. They are
-- run with the rights of whoever asks (security_invoker), so that row security holds.
--
-- An id is text there, and beside it stands the uuid that tables have: conditions, joins and orders go by
-- that one, which has the indexes and says which partitions are read.
CREATE SCHEMA IF NOT EXISTS insights;
GRANT USAGE ON SCHEMA insights TO assay_api;

CREATE OR REPLACE FUNCTION insights.ulid(p_uuid uuid) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    v_bits bit varying := B'00' || ('x' || replace(p_uuid::text, '-', ''))::bit(128);
    v_text text := '';
BEGIN
    FOR v_place IN 0..25 LOOP
        v_text := v_text || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ',
            substring(v_bits FROM 5 * v_place + 1 FOR 5)::bit(5)::int + 1, 1);
    END LOOP;
    RETURN v_text;
END $$;
COMMENT ON FUNCTION insights.ulid(uuid) IS 'The id as pages and the API write it, in 26 characters.';

CREATE OR REPLACE FUNCTION insights.uuid_of(p_id text) RETURNS uuid LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    v_bits text := '';
    v_place int;
BEGIN
    IF length(p_id) <> 26 THEN
        RETURN p_id::uuid;
    END IF;
    FOR v_at IN 1..26 LOOP
        v_place := strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', upper(substr(p_id, v_at, 1)));
        IF v_place = 0 OR (v_at = 1 AND v_place > 8) THEN
            RAISE EXCEPTION '% is no id of 26 characters', p_id USING ERRCODE = 'invalid_text_representation';
        END IF;
        v_bits := v_bits || (v_place - 1)::bit(5)::text;
    END LOOP;
    RETURN (lpad(to_hex(substr(v_bits, 3, 64)::bit(64)::bigint), 16, '0')
        || lpad(to_hex(substr(v_bits, 67, 64)::bit(64)::bigint), 16, '0'))::uuid;
END $$;
COMMENT ON FUNCTION insights.uuid_of(text) IS 'The uuid of an id as pages and the API write it: WHERE uuid = insights.uuid_of(''01…'').';

CREATE OR REPLACE FUNCTION insights.first_uuid(p_at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM p_at - timestamptz '1970-01-01 00:00:00+00') * 1000)::bigint), 12, '0')
        || '00000000000000000000')::uuid
$$;
COMMENT ON FUNCTION insights.first_uuid(timestamptz) IS 'The least uuid of an instant: what was made from then on has a greater one.';

CREATE VIEW insights.runs WITH (security_invoker = true) AS
SELECT r.project_id, insights.ulid(r.id) AS id, r.app AS app_id, r.fn AS function_id, r.kind,
    coalesce(r.status, CASE WHEN t.generation = 0 THEN 'queued' WHEN t.state = 1 THEN 'running'
                            ELSE 'waiting' END) AS status,
    r.queued_at, coalesce(r.started_at, t.started_at) AS started_at, r.ended_at,
    extract(epoch FROM r.ended_at - r.started_at)::float8 AS duration_s,
    u.tokens, r.sessions, r.output, r.error, r.warnings, r.version,
    insights.ulid(r.event_id) AS event_id, insights.ulid(r.parent_run) AS parent_run_id,
    replace(r.trace::text, '-', '') AS trace_id,
    r.id AS uuid, r.event_id AS event_uuid, r.parent_run AS parent_run_uuid
FROM assay.runs r
LEFT JOIN assay.turns t ON t.project_id = r.project_id AND t.run_id = r.id
LEFT JOIN assay.run_usage u ON u.project_id = r.project_id AND u.run_id = r.id;
COMMENT ON VIEW insights.runs IS 'Executions of functions.';
COMMENT ON COLUMN insights.runs.kind IS 'function or scorer';
COMMENT ON COLUMN insights.runs.status IS 'queued, running, waiting, completed, failed or cancelled';
COMMENT ON COLUMN insights.runs.duration_s IS 'Seconds from its start to its end.';
COMMENT ON COLUMN insights.runs.tokens IS 'What the spans of its model calls say that they used; null where none does.';
COMMENT ON COLUMN insights.runs.sessions IS 'Session ids by their key.';
COMMENT ON COLUMN insights.runs.output IS 'JSON text';
COMMENT ON COLUMN insights.runs.error IS 'JSON text with type, message and traceback.';
COMMENT ON COLUMN insights.runs.event_id IS 'The event that started it.';
COMMENT ON COLUMN insights.runs.parent_run_id IS 'The run that invoked it, sent its event, or promised it.';
COMMENT ON COLUMN insights.runs.uuid IS 'The id as tables have it: compare, join and order by it, since it has the index; by it is also by time.';

CREATE VIEW insights.run_sessions WITH (security_invoker = true) AS
SELECT s.project_id, s.key, s.value AS id, insights.ulid(s.run_id) AS run_id, s.run_id AS run_uuid
FROM assay.run_sessions s;
COMMENT ON VIEW insights.run_sessions IS 'Which runs are in which session, a pair of key and id.';

CREATE VIEW insights.sessions WITH (security_invoker = true) AS
SELECT s.project_id, s.key, s.value AS id, count(*) AS run_count,
    count(*) FILTER (WHERE r.status = 'failed') AS failed_run_count,
    count(*) FILTER (WHERE r.status IS NOT NULL) AS ended_run_count,
    max(coalesce(r.ended_at, r.started_at, t.started_at, r.queued_at)) AS last_active_at,
    array_agg(DISTINCT r.fn ORDER BY r.fn) AS functions,
    (array_agg(s.run_id ORDER BY s.run_id DESC))[1] AS newest_run_uuid
FROM assay.run_sessions s
JOIN assay.runs r ON r.project_id = s.project_id AND r.id = s.run_id
LEFT JOIN assay.turns t ON t.project_id = s.project_id AND t.run_id = s.run_id
GROUP BY s.project_id, s.key, s.value;
COMMENT ON VIEW insights.sessions IS 'Sessions with their runs counted.';
COMMENT ON COLUMN insights.sessions.ended_run_count IS 'What a rate of failures is a share of: the others have no end yet.';
COMMENT ON COLUMN insights.sessions.functions IS 'Ids of the functions that its runs are of.';

CREATE VIEW insights.steps WITH (security_invoker = true) AS
SELECT j.project_id, insights.ulid(j.run_id) AS run_id, j.seq, j.kind, j.name AS step_id, j.idx AS index,
    CASE WHEN j.error IS NOT NULL THEN 'failed' WHEN j.output IS NULL THEN 'cancelled' ELSE 'completed' END AS status,
    j.attempts, j.started_at, j.ended_at,
    extract(epoch FROM j.ended_at - j.started_at)::float8 AS duration_s, j.input, j.output, j.error,
    insights.ulid(j.event_id) AS event_id, insights.ulid(j.child_run) AS child_run_id,
    j.run_id AS run_uuid, j.event_id AS event_uuid, j.child_run AS child_run_uuid
FROM assay.journal j;
COMMENT ON VIEW insights.steps IS 'Steps that have ended.';
COMMENT ON COLUMN insights.steps.seq IS 'Its place in its run.';
COMMENT ON COLUMN insights.steps.kind IS 'step, sleep, wait, send, invoke, score or experiment';
COMMENT ON COLUMN insights.steps.index IS 'Which use of the id in its run, from 0.';
COMMENT ON COLUMN insights.steps.status IS 'completed, failed, or cancelled: given up when its run ended';
COMMENT ON COLUMN insights.steps.duration_s IS 'Seconds';
COMMENT ON COLUMN insights.steps.input IS 'JSON text';
COMMENT ON COLUMN insights.steps.output IS 'JSON text';
COMMENT ON COLUMN insights.steps.error IS 'JSON text with type, message and traceback.';
COMMENT ON COLUMN insights.steps.event_id IS 'The event that a wait took.';
COMMENT ON COLUMN insights.steps.child_run_id IS 'The run that it invoked.';

CREATE VIEW insights.events WITH (security_invoker = true) AS
SELECT e.project_id, insights.ulid(e.id) AS id, e.name, e.data, e.sessions, e.ts, e.received_at, e.key,
    insights.ulid(e.source_run) AS source_run_id, insights.ulid(e.duplicate_of) AS duplicate_of_id, e.warning,
    e.id AS uuid, e.source_run AS source_run_uuid, e.duplicate_of AS duplicate_of_uuid
FROM assay.events e;
COMMENT ON VIEW insights.events IS 'Events as they were received.';
COMMENT ON COLUMN insights.events.sessions IS 'Session ids by their key.';
COMMENT ON COLUMN insights.events.ts IS 'When it happened, as its sender says.';
COMMENT ON COLUMN insights.events.key IS 'Its idempotency key.';
COMMENT ON COLUMN insights.events.source_run_id IS 'The run that sent it.';
COMMENT ON COLUMN insights.events.duplicate_of_id IS 'The event that had its key, so that this one did nothing.';
COMMENT ON COLUMN insights.events.warning IS 'Why it did less than it might have.';

CREATE VIEW insights.scores WITH (security_invoker = true) AS
SELECT l.project_id, insights.ulid(l.score_id) AS id, insights.ulid(l.run_id) AS run_id, l.subject,
    nullif(l.step, '') AS step_id, CASE WHEN l.subject = 'step' THEN l.idx END AS index,
    l.name, l.value, l.is_bool AS is_boolean, l.at, s.recorded_at, s.source, s.author, s.rationale,
    l.score_id AS uuid, l.run_id AS run_uuid
FROM assay.scores_latest l
LEFT JOIN assay.scores s ON s.project_id = l.project_id AND s.id = l.score_id;
COMMENT ON VIEW insights.scores IS 'The latest score of each subject and name: the ones that count.';
COMMENT ON COLUMN insights.scores.subject IS 'What it is about: run or step.';
COMMENT ON COLUMN insights.scores.value IS 'A boolean reads as 1 or 0.';
COMMENT ON COLUMN insights.scores.is_boolean IS 'Whether it was given as a boolean.';
COMMENT ON COLUMN insights.scores.at IS 'When it holds.';
COMMENT ON COLUMN insights.scores.source IS 'step, api, scorer, evaluator or human';

CREATE VIEW insights.run_scores WITH (security_invoker = true) AS
SELECT v.project_id, insights.ulid(v.run_id) AS run_id, r.app AS app_id, r.fn AS function_id, r.queued_at,
    v.name, v.value, v.is_boolean, v.at, v.run_id AS run_uuid
FROM (SELECT l.project_id, l.run_id, l.name, sum(l.value) / count(*) AS value, bool_and(l.is_bool) AS is_boolean,
          max(l.at) AS at
      FROM assay.scores_latest l
      GROUP BY l.project_id, l.run_id, l.name) v
JOIN assay.runs r ON r.project_id = v.project_id AND r.id = v.run_id;
COMMENT ON VIEW insights.run_scores IS 'What a run was scored, once by name: the mean of its latest scores, about itself and its steps.';
COMMENT ON COLUMN insights.run_scores.queued_at IS 'Of the run.';
COMMENT ON COLUMN insights.run_scores.at IS 'Of the newest of those scores.';

CREATE VIEW insights.outcomes WITH (security_invoker = true) AS
SELECT o.project_id, insights.ulid(o.run_id) AS run_id, o.defer_id, o.name, o.scorer, o.state, o.reason,
    o.promised_at, o.changed_at,
    w.due_at,
    r.app AS app_id, r.fn AS function_id, insights.ulid(o.score_id) AS score_id,
    insights.ulid(d.child_run) AS scorer_run_id,
    o.run_id AS run_uuid, o.score_id AS score_uuid, d.child_run AS scorer_run_uuid
FROM assay.outcomes o
LEFT JOIN assay.defers d ON d.project_id = o.project_id AND d.run_id = o.run_id AND d.defer_id = o.defer_id
LEFT JOIN assay.runs r ON r.project_id = o.project_id AND r.id = o.run_id
LEFT JOIN (
    SELECT w.project_id, w.run_id, max(w.expires_at) AS due_at FROM assay.waits w
    WHERE w.kind = 'wait' AND w.resolved_at IS NULL AND w.expires_at < '9999-01-01 00:00:00+00'
    GROUP BY w.project_id, w.run_id) w
    ON w.project_id = o.project_id AND w.run_id = d.child_run AND o.state = 'pending';
COMMENT ON VIEW insights.outcomes IS 'Scores that runs have promised, and what became of each.';
COMMENT ON COLUMN insights.outcomes.scorer IS 'The function that is to give it.';
COMMENT ON COLUMN insights.outcomes.state IS 'pending, observed, timed_out, skipped, failed or cancelled';
COMMENT ON COLUMN insights.outcomes.due_at IS 'When the wait of its scorer gives up.';
COMMENT ON COLUMN insights.outcomes.function_id IS 'Of the run that promised it.';

CREATE VIEW insights.functions WITH (security_invoker = true) AS
SELECT f.project_id, f.app AS app_id, f.fn AS id, f.kind, f.version, f.triggers, f.options, f.registered_at,
    f.retired_at
FROM assay.functions f;
COMMENT ON VIEW insights.functions IS 'Functions and scorers that apps have registered.';
COMMENT ON COLUMN insights.functions.retired_at IS 'Since when it is gone from the code of its app.';

CREATE VIEW insights.experiments WITH (security_invoker = true) AS
SELECT e.project_id, e.name AS id, o.epoch, o.strategy, o.variants, p.version AS plan_version, p.spec AS plan,
    e.first_seen, e.stopped_at, e.stopped_by, e.stop_reason, e.decision
FROM assay.experiments e
LEFT JOIN (
    SELECT DISTINCT ON (o.project_id, o.experiment) o.project_id, o.experiment, o.epoch, o.strategy, o.variants
    FROM assay.experiment_epochs o
    ORDER BY o.project_id, o.experiment, o.epoch DESC) o ON o.project_id = e.project_id AND o.experiment = e.name
LEFT JOIN (
    SELECT DISTINCT ON (p.project_id, p.experiment) p.project_id, p.experiment, p.version, p.spec
    FROM assay.experiment_plans p
    ORDER BY p.project_id, p.experiment, p.version DESC) p ON p.project_id = e.project_id AND p.experiment = e.name;
COMMENT ON VIEW insights.experiments IS 'Experiments with how variants are chosen now, and the newest plan.';

CREATE VIEW insights.exposures WITH (security_invoker = true) AS
SELECT x.project_id, x.experiment, insights.ulid(x.run_id) AS run_id, x.idx AS index, x.variant, x.unit, x.cluster,
    x.p AS probability, x.epoch, x.forced, x.at, x.failed_at, x.run_id AS run_uuid
FROM assay.exposures x;
COMMENT ON VIEW insights.exposures IS 'Which run was served which variant of which experiment.';
COMMENT ON COLUMN insights.exposures.index IS 'Which use of the experiment in the run, from 0.';
COMMENT ON COLUMN insights.exposures.unit IS 'What was assigned, such as an account.';
COMMENT ON COLUMN insights.exposures.probability IS 'With which it was chosen.';
COMMENT ON COLUMN insights.exposures.forced IS 'Whether the event asked for this variant: then it counts for nothing.';
COMMENT ON COLUMN insights.exposures.failed_at IS 'When its run failed.';

CREATE VIEW insights.assignments WITH (security_invoker = true) AS
SELECT a.project_id, a.experiment, a.unit, a.variant, a.epoch, a.assigned_at
FROM assay.assignments a;
COMMENT ON VIEW insights.assignments IS 'The variant that a unit keeps, where choices stick.';

GRANT SELECT ON ALL TABLES IN SCHEMA insights TO assay_api;
