-- Take in events and start the runs that they match: one transaction, exactly once by the event's id.
-- Gives status 'stale' and writes nothing when the caller matched against an older catalog of functions.
CREATE OR REPLACE FUNCTION assay.ingest(
    p_project int, p_now double precision, p_catalog bigint, p_keys text, p_events text, p_runs text)
RETURNS TABLE (status text, event_ids uuid[], started uuid[], known_runs uuid[])
LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := to_timestamp(p_now);
    v_catalog bigint;
    v_won text[] := '{}';
BEGIN
    -- name: catalog
    SELECT c.version INTO v_catalog FROM assay.catalogs c WHERE c.project_id = p_project;
    IF v_catalog IS DISTINCT FROM p_catalog THEN
        RETURN QUERY SELECT 'stale', '{}'::uuid[], '{}'::uuid[], '{}'::uuid[];
        RETURN;
    END IF;
    IF p_keys IS NOT NULL THEN
        -- name: keys
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
    -- name: events
    WITH added AS (
        INSERT INTO assay.events AS e
            (project_id, id, name, data, sessions, ts, received_at, key, source_run, warning, matched)
        SELECT c.project_id, u.id, u.name, u.data, u.sessions, to_timestamp(u.ts), v_at, u.key,
            u.source_run, u.warning, true
        FROM assay.catalogs c, json_to_recordset(p_events::json) AS u(id uuid, name text, data jsonb,
            sessions jsonb, ts float8, key text, source_run uuid, warning text)
        WHERE c.project_id = p_project
        ON CONFLICT (project_id, id) DO NOTHING
        RETURNING e.id, e.key)
    SELECT coalesce(array_agg(added.id), '{}'),
        coalesce(array_agg(added.id) FILTER (WHERE added.key IS NULL OR added.key = ANY (v_won)), '{}')
    INTO event_ids, started FROM added;
    IF p_runs IS NOT NULL AND cardinality(started) > 0 THEN
        PERFORM assay.start_runs(p_project, p_now, p_runs, started);
    END IF;
    IF cardinality(event_ids) < json_array_length(p_events::json) THEN
        -- name: known
        SELECT coalesce(array_agg(r.id), '{}') INTO known_runs
        FROM assay.runs r
        WHERE r.project_id = p_project AND r.parent_run IS NULL AND r.event_id = ANY (ARRAY(
            SELECT u.id FROM json_to_recordset(p_events::json) AS u(id uuid)
            WHERE NOT (u.id = ANY (event_ids))));
    END IF;
    status := 'ok';
    RETURN NEXT;
END $$;

-- Insert queued runs with their turns, for those of the events named (all where p_events is null).
CREATE OR REPLACE FUNCTION assay.start_runs(p_project int, p_now double precision, p_runs text, p_events uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- name: runs
    INSERT INTO assay.runs AS r (project_id, id, app, fn, kind, version, event_id, parent_run, parent_step,
        parent_defer, trace, parent_span, sessions, queued_at)
    SELECT c.project_id, u.id, u.app, u.fn, u.kind, u.version, u.event, u.parent_run, u.parent_step,
        u.parent_defer, u.trace, u.parent_span, u.sessions, to_timestamp(p_now)
    FROM assay.catalogs c, json_to_recordset(p_runs::json) AS u(id uuid, app text, fn text, kind text,
        version text, event uuid, parent_run uuid, parent_step uuid, parent_defer text, trace uuid,
        parent_span bigint, sessions jsonb)
    WHERE c.project_id = p_project AND (p_events IS NULL OR u.event = ANY (p_events));
    -- name: turns
    INSERT INTO assay.turns AS t (project_id, run_id, app, fn, state, due_at, generation, wakes, losses)
    SELECT c.project_id, u.id, u.app, u.fn, 0, to_timestamp(u.due), 0, 0, 0
    FROM assay.catalogs c, json_to_recordset(p_runs::json) AS u(id uuid, app text, fn text, event uuid, due float8)
    WHERE c.project_id = p_project AND (p_events IS NULL OR u.event = ANY (p_events));
    IF position('"sessions":{' IN p_runs) > 0 THEN
        -- name: run_sessions
        INSERT INTO assay.run_sessions AS s (project_id, key, value, run_id)
        SELECT c.project_id, p.key, p.value, u.id
        FROM assay.catalogs c, json_to_recordset(p_runs::json) AS u(id uuid, event uuid, sessions json),
            json_each_text(u.sessions) AS p
        WHERE c.project_id = p_project AND u.sessions IS NOT NULL
            AND (p_events IS NULL OR u.event = ANY (p_events));
    END IF;
END $$;
