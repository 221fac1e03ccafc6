-- One flush of one worker for one project: everything that its runs did since the last, in one
-- transaction. The lock on the turns' rows, joined on the generation, is the fence: what a run whose
-- turn was taken over sends is written nowhere. Gives the runs that were written, with wakes and the
-- sign of a cancellation.
CREATE OR REPLACE FUNCTION assay.commit(
    p_project int, p_now double precision, p_turns text, p_journal text, p_attempts text, p_waits text,
    p_closed text, p_defers text, p_outcomes text, p_scores text, p_events text, p_runs text,
    p_finish text, p_park text, p_collect text)
RETURNS TABLE (run_id uuid, wakes int, cancelled boolean, collected json)
LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := to_timestamp(p_now);
    v_alive uuid[];
    v_wakes int[];
    v_cancelled uuid[];
    v_collected json;
BEGIN
    -- name: fence
    SELECT coalesce(array_agg(f.run_id), '{}'), coalesce(array_agg(f.wakes), '{}'),
        coalesce(array_agg(f.run_id) FILTER (WHERE f.cancelled_at IS NOT NULL), '{}')
    INTO v_alive, v_wakes, v_cancelled
    FROM (SELECT t.run_id, t.wakes, t.cancelled_at
          FROM assay.turns t
          JOIN json_to_recordset(p_turns::json) AS u(run uuid, gen int)
              ON t.run_id = u.run AND t.generation = u.gen
          WHERE t.project_id = p_project AND t.state = 1
          ORDER BY t.run_id FOR UPDATE OF t) f;
    IF cardinality(v_alive) = 0 THEN RETURN; END IF;

    IF p_journal IS NOT NULL THEN
        -- name: journal
        INSERT INTO assay.journal AS j (project_id, run_id, step, seq, kind, name, idx, input, output,
            error, span, attempts, started_at, ended_at)
        SELECT t.project_id, t.run_id, u.step, u.seq, u.kind, u.name, u.idx, u.input, u.output, u.error,
            u.span, u.attempts, to_timestamp(u.started), to_timestamp(u.ended)
        FROM json_to_recordset(p_journal::json) AS u(run uuid, gen int, step uuid, seq int, kind text,
            name text, idx int, input text, output text, error text, span bigint, attempts int,
            started float8, ended float8)
        JOIN assay.turns t ON t.run_id = u.run AND t.generation = u.gen
        WHERE t.project_id = p_project;
    END IF;
    IF p_attempts IS NOT NULL THEN
        -- name: attempts
        INSERT INTO assay.attempts AS a (project_id, run_id, step, attempt, name, idx, error, worker_id,
            span, started_at, ended_at, retry_at)
        SELECT t.project_id, t.run_id, u.step, u.attempt, u.name, u.idx, u.error, t.worker_id, u.span,
            to_timestamp(u.started), to_timestamp(u.ended), to_timestamp(u.retry)
        FROM json_to_recordset(p_attempts::json) AS u(run uuid, gen int, step uuid, attempt int,
            name text, idx int, error text, span bigint, started float8, ended float8, retry float8)
        JOIN assay.turns t ON t.run_id = u.run AND t.generation = u.gen
        WHERE t.project_id = p_project
        ON CONFLICT (project_id, run_id, step, attempt) DO UPDATE
            SET error = excluded.error, ended_at = excluded.ended_at, retry_at = excluded.retry_at;
    END IF;
    IF p_waits IS NOT NULL THEN
        -- name: waits
        INSERT INTO assay.waits AS w (project_id, run_id, step, kind, name, idx, input, span, event_name,
            shape, hash, condition, since, registered_at, expires_at, child_run)
        SELECT t.project_id, t.run_id, u.step, u.kind, u.name, u.idx, u.input, u.span, u.event_name,
            u.shape, u.hash, u.condition, to_timestamp(u.since), to_timestamp(u.registered),
            to_timestamp(u.expires), u.child
        FROM json_to_recordset(p_waits::json) AS u(run uuid, gen int, step uuid, kind text, name text,
            idx int, input text, span bigint, event_name text, shape bigint, hash bigint, condition text,
            since float8, registered float8, expires float8, child uuid)
        JOIN assay.turns t ON t.run_id = u.run AND t.generation = u.gen
        WHERE t.project_id = p_project;
    END IF;
    IF p_closed IS NOT NULL THEN
        -- name: closed
        DELETE FROM assay.waits w
        USING json_to_recordset(p_closed::json) AS u(run uuid, step uuid)
        WHERE w.project_id = p_project AND w.run_id = u.run AND w.step = u.step AND u.run = ANY (v_alive);
    END IF;
    IF p_defers IS NOT NULL THEN
        -- name: defers
        INSERT INTO assay.defers AS d (project_id, run_id, defer_id, scorer, names, payload, experiment,
            sessions, state, reason, child_run, promised_at)
        SELECT t.project_id, t.run_id, u.id, u.scorer, u.names, u.payload, u.experiment, u.sessions,
            u.state, u.reason, u.child, v_at
        FROM json_to_recordset(p_defers::json) AS u(run uuid, gen int, id text, scorer text, names text[],
            payload text, experiment text, sessions jsonb, state text, reason text, child uuid)
        JOIN assay.turns t ON t.run_id = u.run AND t.generation = u.gen
        WHERE t.project_id = p_project
        ON CONFLICT (project_id, run_id, defer_id) DO UPDATE
            SET state = excluded.state, reason = excluded.reason, child_run = excluded.child_run;
    END IF;
    IF p_scores IS NOT NULL THEN
        PERFORM assay.record_scores(p_project, p_now, p_scores, v_alive);
    END IF;
    IF p_outcomes IS NOT NULL THEN
        PERFORM assay.change_outcomes(p_project, p_now, p_outcomes, v_alive);
    END IF;
    IF p_events IS NOT NULL THEN
        -- name: sent_events
        INSERT INTO assay.events AS e (project_id, id, name, data, sessions, ts, received_at, key,
            source_run, warning, matched)
        SELECT t.project_id, u.id, u.name, u.data, u.sessions, to_timestamp(u.ts), v_at, u.key, t.run_id,
            u.warning, u.matched
        FROM json_to_recordset(p_events::json) AS u(run uuid, gen int, id uuid, name text, data jsonb,
            sessions jsonb, ts float8, key text, warning text, matched boolean)
        JOIN assay.turns t ON t.run_id = u.run AND t.generation = u.gen
        WHERE t.project_id = p_project
        ON CONFLICT (project_id, id) DO NOTHING;
    END IF;
    IF p_runs IS NOT NULL THEN
        PERFORM assay.start_children(p_project, p_now, p_runs, v_alive);
    END IF;
    IF p_collect IS NOT NULL THEN
        -- Nothing of these runs is in flight but this flush, so their next sequence number is known here.
        SELECT json_agg(json_build_array(c.run_id, c.step, c.seq, c.kind, c.name, c.idx, c.output, c.error)
            ORDER BY c.run_id, c.seq)
        INTO v_collected
        FROM assay.collect(p_project, p_now, ARRAY(
            SELECT u.run FROM json_to_recordset(p_collect::json) AS u(run uuid) WHERE u.run = ANY (v_alive))) c;
    END IF;
    IF p_finish IS NOT NULL THEN
        PERFORM assay.finish(p_project, p_now, p_finish, v_alive);
    END IF;
    IF p_park IS NOT NULL THEN
        -- name: park
        UPDATE assay.turns t SET state = 0, worker_id = NULL, losses = 0,
            due_at = CASE WHEN t.wakes <> u.wakes OR t.cancelled_at IS NOT NULL THEN to_timestamp(p_now)
                          ELSE to_timestamp(u.due) END
        FROM json_to_recordset(p_park::json) AS u(run uuid, gen int, wakes int, due float8)
        WHERE t.project_id = p_project AND t.run_id = u.run AND t.generation = u.gen;
    END IF;
    IF position('"lost":true' IN p_turns) > 0 THEN
        -- name: survived
        UPDATE assay.turns t SET losses = 0
        FROM json_to_recordset(p_turns::json) AS u(run uuid, gen int, lost boolean)
        WHERE u.lost AND t.project_id = p_project AND t.run_id = u.run AND t.generation = u.gen;
    END IF;
    RETURN QUERY
    SELECT a.run_id, a.wakes, a.run_id = ANY (v_cancelled),
        CASE WHEN a.place = 1 THEN v_collected END
    FROM unnest(v_alive, v_wakes) WITH ORDINALITY AS a(run_id, wakes, place);
END $$;

-- Child runs of a flush: started by an invoke or, at the end of their parent, by its promises.
CREATE OR REPLACE FUNCTION assay.start_children(p_project int, p_now double precision, p_runs text, p_alive uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_runs text;
BEGIN
    SELECT json_agg(r.child)::text INTO v_runs
    FROM json_array_elements(p_runs::json) AS r(child) WHERE (r.child ->> 'parent_run')::uuid = ANY (p_alive);
    IF v_runs IS NOT NULL THEN
        PERFORM assay.start_runs(p_project, p_now, v_runs, NULL);
    END IF;
END $$;

-- End runs: their result, their turns and waits, and the wait of a parent that invoked them.
CREATE OR REPLACE FUNCTION assay.finish(p_project int, p_now double precision, p_finish text, p_alive uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := to_timestamp(p_now);
    v_parents uuid[];
BEGIN
    -- name: result
    UPDATE assay.runs r SET status = u.status, output = u.output, error = u.error, warnings = u.warnings,
        started_at = to_timestamp(u.started), ended_at = to_timestamp(p_now)
    FROM json_to_recordset(p_finish::json) AS u(run uuid, status text, output text, error text,
        warnings text, started float8)
    WHERE r.project_id = p_project AND r.id = u.run AND u.run = ANY (p_alive);
    IF position('"parent":"' IN p_finish) > 0 THEN
        -- name: answer_parent
        WITH answered AS (
            UPDATE assay.waits w SET resolved_at = to_timestamp(p_now),
                output = u.answer, error = u.answer_error
            FROM json_to_recordset(p_finish::json) AS u(run uuid, parent uuid, parent_step uuid,
                answer text, answer_error text)
            WHERE w.project_id = p_project AND w.run_id = u.parent AND w.step = u.parent_step
                AND w.resolved_at IS NULL AND u.run = ANY (p_alive)
            RETURNING w.run_id)
        SELECT array_agg(DISTINCT a.run_id) INTO v_parents FROM answered a;
        IF v_parents IS NOT NULL THEN
            PERFORM assay.wake(p_project, p_now, v_parents);
        END IF;
    END IF;
    -- name: end_turns
    DELETE FROM assay.turns t
    USING json_to_recordset(p_finish::json) AS u(run uuid)
    WHERE t.project_id = p_project AND t.run_id = u.run AND u.run = ANY (p_alive);
    IF position('"waited":true' IN p_finish) > 0 THEN
        -- name: end_waits
        DELETE FROM assay.waits w
        USING json_to_recordset(p_finish::json) AS u(run uuid, waited boolean)
        WHERE u.waited AND w.project_id = p_project AND w.run_id = u.run AND u.run = ANY (p_alive);
    END IF;
END $$;

-- Make parked turns due, and let live ones know that something came.
CREATE OR REPLACE FUNCTION assay.wake(p_project int, p_now double precision, p_runs uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- name: lock_woken
    PERFORM t.run_id FROM assay.turns t
    WHERE t.project_id = p_project AND t.run_id = ANY (p_runs) ORDER BY t.run_id FOR UPDATE;
    -- name: wake
    UPDATE assay.turns t SET wakes = t.wakes + 1,
        due_at = CASE WHEN t.state = 0 THEN least(t.due_at, to_timestamp(p_now)) ELSE t.due_at END
    WHERE t.project_id = p_project AND t.run_id = ANY (p_runs);
END $$;
