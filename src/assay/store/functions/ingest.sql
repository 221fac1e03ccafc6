-- Take in events and start the runs that they match: one transaction, exactly once by the event's id.
-- Gives status 'stale' and writes nothing when the caller matched against an older catalog of functions.
CREATE OR REPLACE FUNCTION assay.ingest(
    p_project int, p_now double precision, p_catalog bigint, p_keys text,
    p_events assay.event_row[], p_runs assay.run_row[], p_sessions boolean)
RETURNS TABLE (status text, event_ids uuid[], started uuid[], known_runs uuid[], duplicates jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := to_timestamp(p_now);
    v_catalog bigint;
    v_won uuid[] := '{}';
BEGIN
    -- name: catalog
    SELECT c.version INTO v_catalog FROM assay.catalogs c WHERE c.project_id = p_project;
    IF v_catalog IS DISTINCT FROM p_catalog THEN
        RETURN QUERY SELECT 'stale', '{}'::uuid[], '{}'::uuid[], '{}'::uuid[], NULL::jsonb;
        RETURN;
    END IF;
    IF p_keys IS NOT NULL THEN
        v_won := assay.win_keys(p_project, p_now, p_keys);
    END IF;
    -- name: events
    WITH added AS (
        INSERT INTO assay.events AS e
            (project_id, id, name, data, sessions, ts, received_at, key, source_run, warning, force, matched)
        SELECT c.project_id, u.id, u.name, u.data, u.sessions, to_timestamp(u.ts), v_at, u.key,
            u.source_run, u.warning, u.force, true
        FROM assay.catalogs c, unnest(p_events) AS u
        WHERE c.project_id = p_project
        ON CONFLICT DO NOTHING
        RETURNING e.id, e.key)
    SELECT coalesce(array_agg(added.id), '{}'),
        coalesce(array_agg(added.id) FILTER (WHERE added.key IS NULL OR added.id = ANY (v_won)), '{}')
    INTO event_ids, started FROM added;
    IF p_runs IS NOT NULL AND cardinality(started) > 0 THEN
        PERFORM assay.start_runs(p_project, p_now,
            CASE WHEN cardinality(started) < cardinality(p_events) THEN started END, p_runs,
            p_sessions);
    END IF;
    IF cardinality(event_ids) < cardinality(p_events) THEN
        -- name: known
        SELECT coalesce(array_agg(r.id), '{}') INTO known_runs
        FROM assay.runs r
        WHERE r.project_id = p_project AND r.parent_run IS NULL AND r.event_id = ANY (ARRAY(
            SELECT u.id FROM unnest(p_events) AS u WHERE NOT (u.id = ANY (event_ids))));
    END IF;
    IF p_keys IS NOT NULL AND cardinality(started) < cardinality(p_events) THEN
        PERFORM assay.mark_duplicates(p_project, event_ids);
        -- name: duplicates
        SELECT jsonb_object_agg(e.id, e.duplicate_of) INTO duplicates
        FROM assay.events e
        WHERE e.project_id = p_project AND e.duplicate_of IS NOT NULL
            AND e.id = ANY (ARRAY(SELECT u.id FROM unnest(p_events) AS u));
    END IF;
    status := 'ok';
    RETURN NEXT;
END $$;

-- Take idempotency keys for events; gives the events whose keys were free, or their own already.
CREATE OR REPLACE FUNCTION assay.win_keys(p_project int, p_now double precision, p_keys text)
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE v_won uuid[];
BEGIN
    WITH won AS (
        -- name: keys
        INSERT INTO assay.event_keys AS k (project_id, key, event_id, expires_at)
        SELECT c.project_id, u.key, u.event, to_timestamp(u.expires)
        FROM assay.catalogs c, json_to_recordset(p_keys::json) AS u(key text, event uuid, expires float8)
        WHERE c.project_id = p_project
        ON CONFLICT (project_id, key) DO UPDATE
            SET event_id = excluded.event_id, expires_at = excluded.expires_at
            WHERE k.expires_at <= to_timestamp(p_now) OR k.event_id = excluded.event_id
        RETURNING k.event_id)
    SELECT coalesce(array_agg(won.event_id), '{}') INTO v_won FROM won;
    RETURN v_won;
END $$;

-- Tell those of some new events whose key another event has that they are duplicates of it.
CREATE OR REPLACE FUNCTION assay.mark_duplicates(p_project int, p_events uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- name: duplicates_of
    UPDATE assay.events e SET duplicate_of = k.event_id
    FROM assay.event_keys k
    WHERE e.project_id = p_project AND e.id = ANY (p_events)
        AND k.project_id = p_project AND k.key = e.key AND k.event_id <> e.id;
END $$;

-- Insert queued runs with their turns, for those of the events named (all where p_only is null);
-- p_sessions: whether any of the runs is in a session.
CREATE OR REPLACE FUNCTION assay.start_runs(
    p_project int, p_now double precision, p_only uuid[], p_runs assay.run_row[], p_sessions boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_young uuid := assay.id_floor(p_now - 3600);
    v_next uuid[];
    v_next_of uuid[];
    v_ids uuid[];
BEGIN
    -- name: runs
    INSERT INTO assay.runs AS r (project_id, id, app, fn, kind, version, event_id, parent_run, parent_step,
        parent_defer, trace, parent_span, sessions, queued_at)
    SELECT c.project_id, u.id, u.app, u.fn, u.kind, u.version, u.event, u.parent_run, u.parent_step,
        u.parent_defer, u.trace, u.parent_span, u.sessions, to_timestamp(p_now)
    FROM assay.catalogs c, unnest(p_runs) AS u
    WHERE c.project_id = p_project AND (p_only IS NULL OR u.event = ANY (p_only));
    -- name: turns
    INSERT INTO assay.turns AS t (project_id, run_id, app, fn, state, due_at, generation, wakes, losses)
    SELECT c.project_id, u.id, u.app, u.fn, 0, to_timestamp(u.due), 0, 0, 0
    FROM assay.catalogs c, unnest(p_runs) AS u
    WHERE c.project_id = p_project AND (p_only IS NULL OR u.event = ANY (p_only));
    IF p_sessions THEN
        -- name: run_sessions
        INSERT INTO assay.run_sessions AS s (project_id, key, value, run_id)
        SELECT c.project_id, p.key, p.value, u.id
        FROM assay.catalogs c, unnest(p_runs) AS u, jsonb_each_text(u.sessions) AS p
        WHERE c.project_id = p_project AND (p_only IS NULL OR u.event = ANY (p_only));
        IF (p_runs[1]).id < v_young THEN
            -- A session counts in the hour of its first run, and these may come before what was the first.
            -- name: next_of_sessions
            SELECT array_agg(n.run_id), array_agg(u.id) INTO v_next, v_next_of
            FROM unnest(p_runs) AS u
            CROSS JOIN LATERAL jsonb_each_text(u.sessions) AS p
            CROSS JOIN LATERAL (
                SELECT e.run_id FROM assay.run_sessions e
                WHERE e.project_id = p_project AND e.key = p.key AND e.value = p.value AND e.run_id > u.id
                ORDER BY e.run_id LIMIT 1) n
            WHERE n.run_id < v_young;
            IF v_next IS NOT NULL THEN
                PERFORM assay.mark_hours(p_project, 'session', v_next, v_next_of);
            END IF;
        END IF;
    END IF;
    IF (p_runs[1]).id < v_young THEN
        v_ids := ARRAY(SELECT u.id FROM unnest(p_runs) AS u);
        PERFORM assay.mark_hours(p_project, 'queued', v_ids, v_ids);
    END IF;
END $$;
