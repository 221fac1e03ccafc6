-- Give events to the waits that they match: the first of event, timeout and cancel wins. Each run is
-- named once, in ascending order. Gives the runs that took one.
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
    -- Wrapped, for Citus crashes on SET of an array's element alone.
    -- name: answer_waits
    WITH answered AS (
        UPDATE assay.waits w SET resolved_at = to_timestamp(p_now),
            event_id = coalesce(p_events[width_bucket(w.run_id, p_runs)], NULL),
            output = coalesce(p_outputs[width_bucket(w.run_id, p_runs)], NULL)
        WHERE w.project_id = p_project AND w.run_id = ANY (p_runs)
            AND w.step = p_steps[width_bucket(w.run_id, p_runs)] AND w.resolved_at IS NULL
            AND (w.expires_at IS NULL OR w.expires_at > to_timestamp(p_now))
            AND NOT EXISTS (
                SELECT FROM assay.run_events e
                WHERE e.project_id = p_project AND e.run_id = w.run_id
                    AND e.event_id = p_events[width_bucket(w.run_id, p_runs)])
        RETURNING w.run_id, w.event_id)
    SELECT array_agg(a.run_id), array_agg(a.event_id) INTO v_runs, v_events FROM answered a;
    IF v_runs IS NULL THEN RETURN '{}'; END IF;
    -- name: taken
    INSERT INTO assay.run_events AS e (project_id, run_id, event_id)
    SELECT c.project_id, u.run, u.event
    FROM assay.catalogs c, unnest(v_runs, v_events) AS u(run, event)
    WHERE c.project_id = p_project;
    -- name: wake_waiting
    UPDATE assay.turns t SET wakes = t.wakes + 1,
        due_at = CASE WHEN t.state = 0 THEN least(t.due_at, to_timestamp(p_now)) ELSE t.due_at END
    WHERE t.project_id = p_project AND t.run_id = ANY (v_runs);
    RETURN v_runs;
END $$;

-- Start what an event sent by a run matches, once, and mark it as matched.
CREATE OR REPLACE FUNCTION assay.start_matched(
    p_project int, p_now double precision, p_catalog bigint, p_keys text, p_matched uuid[], p_runs assay.run_row[],
    p_sessions boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_catalog bigint;
    v_won uuid[] := '{}';
    v_new uuid[];
    v_marked uuid[];
BEGIN
    -- name: catalog
    SELECT c.version INTO v_catalog FROM assay.catalogs c WHERE c.project_id = p_project;
    IF v_catalog IS DISTINCT FROM p_catalog THEN RETURN 'stale'; END IF;
    IF p_keys IS NOT NULL THEN
        v_won := assay.win_keys(p_project, p_now, p_keys);
    END IF;
    -- name: mark_matched
    WITH marked AS (
        UPDATE assay.events e SET matched = true
        WHERE e.project_id = p_project AND e.id = ANY (p_matched) AND NOT e.matched
        RETURNING e.id, e.key)
    SELECT coalesce(array_agg(m.id) FILTER (WHERE m.key IS NULL OR m.id = ANY (v_won)), '{}'),
        array_agg(m.id)
    INTO v_new, v_marked FROM marked m;
    IF p_keys IS NOT NULL AND cardinality(v_new) < cardinality(v_marked) THEN
        PERFORM assay.mark_duplicates(p_project, v_marked);
    END IF;
    IF p_runs IS NOT NULL AND cardinality(v_new) > 0 THEN
        PERFORM assay.start_runs(p_project, p_now, v_new, p_runs, p_sessions);
    END IF;
    RETURN 'ok';
END $$;

-- What follows the commit of events: hints to an idle worker of each app, where nothing but new runs may
-- have come. Gives the wait shapes of their names, as (name, shape, paths).
CREATE OR REPLACE FUNCTION assay.follow(p_project int, p_names text[], p_apps text[])
RETURNS json LANGUAGE plpgsql AS $$
BEGIN
    PERFORM assay.hint(p_project, p_apps, 'due');
    -- name: shapes
    RETURN (
        SELECT json_agg(json_build_array(s.event_name, s.shape, s.paths))
        FROM assay.wait_shapes s
        WHERE s.project_id = p_project AND s.event_name = ANY (p_names));
END $$;

-- What follows the commit of resolved waits.
CREATE OR REPLACE FUNCTION assay.hint_woken(p_project int, p_runs uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_apps text[];
BEGIN
    -- name: apps
    SELECT array_agg(DISTINCT t.app) INTO v_apps FROM assay.turns t
    WHERE t.project_id = p_project AND t.run_id = ANY (p_runs);
    PERFORM assay.hint(p_project, v_apps, '');
END $$;

-- Wake an idle worker of each of these apps, if there is one; p_what is 'due' or says nothing.
CREATE OR REPLACE FUNCTION assay.hint(p_project int, p_apps text[], p_what text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_apps IS NULL OR p_apps = '{}' THEN RETURN; END IF;
    -- A hint need not wait for the disk.
    PERFORM set_config('synchronous_commit', 'off', true),
        pg_notify('assay_' || replace(i.id::text, '-', ''), p_what)
    FROM (SELECT DISTINCT ON (w.app) w.id FROM assay.workers w
          WHERE w.project_id = p_project AND w.app = ANY (p_apps) AND w.idle AND NOT w.lost
          ORDER BY w.app, w.id) i;
END $$;
