-- Give events to the waits that they match: the first of event, timeout and cancel wins. No two of the
-- pairs given may share a wait, or a run and an event. Gives the runs that took one.
CREATE OR REPLACE FUNCTION assay.resolve(
    p_project int, p_now double precision, p_runs uuid[], p_steps uuid[], p_events uuid[], p_outputs text[])
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_runs uuid[];
    v_events uuid[];
BEGIN
    -- name: lock_waiting
    PERFORM t.run_id FROM assay.turns t
    WHERE t.project_id = p_project AND t.run_id = ANY (p_runs) ORDER BY t.run_id FOR UPDATE;
    -- name: answer_waits
    WITH answered AS (
        UPDATE assay.waits w SET resolved_at = to_timestamp(p_now), event_id = u.event, output = u.output
        FROM unnest(p_runs, p_steps, p_events, p_outputs) AS u(run, step, event, output)
        WHERE w.project_id = p_project AND w.run_id = u.run AND w.step = u.step AND w.resolved_at IS NULL
            AND (w.expires_at IS NULL OR w.expires_at > to_timestamp(p_now))
            AND NOT EXISTS (
                SELECT FROM assay.run_events e
                WHERE e.project_id = p_project AND e.run_id = u.run AND e.event_id = u.event)
        RETURNING w.run_id, w.event_id)
    SELECT array_agg(a.run_id), array_agg(a.event_id) INTO v_runs, v_events FROM answered a;
    IF v_runs IS NULL THEN RETURN '{}'; END IF;
    -- name: taken
    INSERT INTO assay.run_events AS e (project_id, run_id, event_id)
    SELECT t.project_id, t.run_id, u.event
    FROM unnest(v_runs, v_events) AS u(run, event)
    JOIN assay.turns t ON t.run_id = u.run
    WHERE t.project_id = p_project;
    -- name: wake_waiting
    UPDATE assay.turns t SET wakes = t.wakes + 1,
        due_at = CASE WHEN t.state = 0 THEN least(t.due_at, to_timestamp(p_now)) ELSE t.due_at END
    WHERE t.project_id = p_project AND t.run_id = ANY (v_runs);
    RETURN v_runs;
END $$;

-- Start what an event sent by a run matches, once, and mark it as matched.
CREATE OR REPLACE FUNCTION assay.start_matched(
    p_project int, p_now double precision, p_catalog bigint, p_keys text, p_events uuid[], p_runs text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_catalog bigint;
    v_won text[] := '{}';
    v_new uuid[];
BEGIN
    -- name: catalog
    SELECT c.version INTO v_catalog FROM assay.catalogs c WHERE c.project_id = p_project;
    IF v_catalog IS DISTINCT FROM p_catalog THEN RETURN 'stale'; END IF;
    IF p_keys IS NOT NULL THEN
        WITH won AS (
            INSERT INTO assay.event_keys AS k (project_id, key, event_id, expires_at)
            SELECT c.project_id, u.key, u.event, to_timestamp(u.expires)
            FROM assay.catalogs c, json_to_recordset(p_keys::json) AS u(key text, event uuid, expires float8)
            WHERE c.project_id = p_project
            ON CONFLICT (project_id, key) DO UPDATE
                SET event_id = excluded.event_id, expires_at = excluded.expires_at
                WHERE k.expires_at <= to_timestamp(p_now) OR k.event_id = excluded.event_id
            RETURNING k.key)
        SELECT coalesce(array_agg(won.key), '{}') INTO v_won FROM won;
    END IF;
    -- name: mark_matched
    WITH marked AS (
        UPDATE assay.events e SET matched = true
        WHERE e.project_id = p_project AND e.id = ANY (p_events) AND NOT e.matched
        RETURNING e.id, e.key)
    SELECT coalesce(array_agg(m.id) FILTER (WHERE m.key IS NULL OR m.key = ANY (v_won)), '{}')
    INTO v_new FROM marked m;
    IF p_runs IS NOT NULL AND cardinality(v_new) > 0 THEN
        PERFORM assay.start_runs(p_project, p_now, p_runs, v_new);
    END IF;
    RETURN 'ok';
END $$;
