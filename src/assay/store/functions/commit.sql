-- One flush of one worker for one project: everything that its runs did since the last, in one
-- transaction. The lock on the turns' rows, compared with the worker and the generations, is the fence:
-- where any of the runs has lost its turn, nothing is written and those that hold theirs are given as
-- `alive`, for the caller to send again without the others. The generation alone would not do: a claim that the
-- server forgot in a crash is made again, by whoever it may be, with the same one.
--
-- Gives null or, by run, how often those that were ever woken were, whether they are to be cancelled, and
-- what was collected. The ids of runs come in ascending order, each kind's other arrays in the order of its ids. Rows are
-- found by `= ANY` and their values by `width_bucket`, a binary search, rather than by a join, which a
-- plan made on empty tables would drive from the wrong side. BETWEEN is for the partitions: where a plan
-- is reused, only comparisons like this leave out of a statement's start those it has no business with.
CREATE OR REPLACE FUNCTION assay.commit(
    p_project int, p_now double precision, p_worker uuid, p_ids uuid[], p_generations int[], p_survived uuid[],
    p_memos assay.memo_row[],
    p_finished uuid[], p_statuses text[], p_results text[], p_failures text[], p_warnings text[],
    p_begun float8[], p_waited uuid[], p_exposed uuid[], p_answers text,
    p_parked uuid[], p_wakes int[], p_due float8[], p_collect uuid[],
    p_tries text, p_waits text, p_closed text, p_defers text, p_outcomes text, p_exposures text, p_scores text,
    p_events text, p_children assay.run_row[], p_sessions boolean)
RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := to_timestamp(p_now);
    v_alive uuid[];
    v_woken json;
    v_collected json;
BEGIN
    -- name: fence
    SELECT array_agg(f.run_id) FILTER (WHERE f.is_held),
        json_object_agg(f.run_id, json_build_array(f.wakes, f.is_cancelled)) FILTER (WHERE f.wakes > 0)
    INTO v_alive, v_woken
    FROM (SELECT t.run_id, t.wakes, t.cancelled_at IS NOT NULL AS is_cancelled,
              t.worker_id = p_worker AND t.generation = p_generations[width_bucket(t.run_id, p_ids)] AS is_held
          FROM assay.turns t
          WHERE t.project_id = p_project AND t.run_id = ANY (p_ids)
          ORDER BY t.run_id FOR UPDATE) f;
    IF v_alive IS DISTINCT FROM p_ids THEN
        RETURN json_build_object('alive', coalesce(v_alive, '{}'));
    END IF;

    IF p_memos IS NOT NULL THEN
        -- name: journal
        INSERT INTO assay.journal AS j (project_id, run_id, step, seq, kind, name, idx, input, output,
            error, span, attempts, started_at, ended_at)
        SELECT c.project_id, u.run, u.step, u.seq, u.kind, u.name, u.idx, u.input, u.output, u.error,
            u.span, u.attempts, to_timestamp(u.started), to_timestamp(u.ended)
        FROM assay.catalogs c, unnest(p_memos) AS u
        WHERE c.project_id = p_project;
    END IF;
    -- Each IF costs a microsecond: what most flushes do without is asked for at once.
    IF coalesce(p_tries, p_waits, p_closed, p_defers, p_exposures, p_scores, p_outcomes, p_events) IS NOT NULL
        OR p_children IS NOT NULL
    THEN
        IF p_tries IS NOT NULL THEN
            -- name: attempts
            INSERT INTO assay.attempts AS a (project_id, run_id, step, attempt, name, idx, error, worker_id,
                span, started_at, ended_at, retry_at)
            SELECT c.project_id, u.run, u.step, u.attempt, u.name, u.idx, u.error, p_worker, u.span,
                to_timestamp(u.started), to_timestamp(u.ended), to_timestamp(u.retry)
            FROM assay.catalogs c, json_to_recordset(p_tries::json) AS u(run uuid, step uuid, attempt int,
                name text, idx int, error text, span bigint, started float8, ended float8, retry float8)
            WHERE c.project_id = p_project
            ON CONFLICT (project_id, run_id, step, attempt) DO UPDATE
                SET error = excluded.error, ended_at = excluded.ended_at, retry_at = excluded.retry_at;
        END IF;
        IF p_waits IS NOT NULL THEN
            -- name: waits
            INSERT INTO assay.waits AS w (project_id, run_id, step, kind, name, idx, input, span, event_name,
                shape, hash, condition, since, registered_at, expires_at, child_run)
            SELECT c.project_id, u.run, u.step, u.kind, u.name, u.idx, u.input, u.span, u.event_name,
                u.shape, u.hash, u.condition, to_timestamp(u.since), to_timestamp(u.registered),
                to_timestamp(u.expires), u.child
            FROM assay.catalogs c, json_to_recordset(p_waits::json) AS u(run uuid, step uuid, kind text, name text,
                idx int, input text, span bigint, event_name text, shape bigint, hash bigint, condition text,
                since float8, registered float8, expires float8, child uuid)
            WHERE c.project_id = p_project;
        END IF;
        IF p_closed IS NOT NULL THEN
            -- name: closed
            DELETE FROM assay.waits w
            USING json_to_recordset(p_closed::json) AS u(run uuid, step uuid)
            WHERE w.project_id = p_project AND w.run_id = ANY (p_ids) AND w.run_id = u.run AND w.step = u.step;
        END IF;
        IF p_defers IS NOT NULL THEN
            -- name: defers
            INSERT INTO assay.defers AS d (project_id, run_id, defer_id, scorer, names, payload, experiment,
                sessions, state, reason, child_run, promised_at)
            SELECT c.project_id, u.run, u.id, u.scorer, u.names, u.payload, u.experiment, u.sessions,
                u.state, u.reason, u.child, v_at
            FROM assay.catalogs c, json_to_recordset(p_defers::json) AS u(run uuid, id text, scorer text, names text[],
                payload text, experiment text, sessions jsonb, state text, reason text, child uuid)
            WHERE c.project_id = p_project
            ON CONFLICT (project_id, run_id, defer_id) DO UPDATE
                SET state = excluded.state, reason = excluded.reason, child_run = excluded.child_run;
        END IF;
        IF p_exposures IS NOT NULL THEN
            PERFORM assay.expose(p_project, p_exposures);
        END IF;
        IF p_scores IS NOT NULL THEN
            PERFORM assay.record_scores(p_project, p_now, p_scores, p_ids);
        END IF;
        IF p_outcomes IS NOT NULL THEN
            PERFORM assay.change_outcomes(p_project, p_now, p_outcomes, p_ids);
        END IF;
        IF p_events IS NOT NULL THEN
            -- name: sent_events
            INSERT INTO assay.events AS e (project_id, id, name, data, sessions, ts, received_at, key,
                source_run, warning, force, matched)
            SELECT c.project_id, u.id, u.name, u.data, u.sessions, to_timestamp(u.ts), v_at, u.key, u.run,
                u.warning, u.force, u.matched
            FROM assay.catalogs c, json_to_recordset(p_events::json) AS u(run uuid, id uuid, name text, data jsonb,
                sessions jsonb, ts float8, key text, warning text, force jsonb, matched boolean)
            WHERE c.project_id = p_project
            ON CONFLICT (project_id, id) DO NOTHING;
        END IF;
        IF p_children IS NOT NULL THEN
            PERFORM assay.start_runs(p_project, p_now, NULL, p_children, p_sessions);
        END IF;
    END IF;
    IF p_collect IS NOT NULL THEN
        -- Nothing of these runs is in flight but this flush, so their next sequence number is known here.
        SELECT json_agg(json_build_array(c.run_id, c.step, c.seq, c.kind, c.name, c.idx, c.output, c.error)
            ORDER BY c.run_id, c.seq)
        INTO v_collected
        FROM assay.collect(p_project, p_now, p_collect) c;
    END IF;
    IF p_finished IS NOT NULL THEN
        -- Wrapped, for Citus crashes on SET of an array's element alone.
        -- name: result
        UPDATE assay.runs r SET
            status = coalesce(p_statuses[width_bucket(r.id, p_finished)], NULL),
            output = coalesce(p_results[width_bucket(r.id, p_finished)], NULL),
            error = coalesce(p_failures[width_bucket(r.id, p_finished)], NULL),
            warnings = coalesce(p_warnings[width_bucket(r.id, p_finished)], NULL),
            started_at = to_timestamp(p_begun[width_bucket(r.id, p_finished)]),
            ended_at = to_timestamp(p_now)
        WHERE r.project_id = p_project AND r.id = ANY (p_finished)
            AND r.id BETWEEN p_finished[1] AND p_finished[cardinality(p_finished)];
        IF p_exposed IS NOT NULL THEN
            PERFORM assay.end_exposed(p_project, p_now, p_exposed, p_finished, p_statuses, p_begun);
        END IF;
        IF p_finished[1] < assay.id_floor(p_now - 3600) THEN
            PERFORM assay.mark_hours(p_project, 'ended', p_finished, p_finished);
        END IF;
        -- name: end_turns
        DELETE FROM assay.turns t WHERE t.project_id = p_project AND t.run_id = ANY (p_finished);
        IF p_waited IS NOT NULL THEN
            PERFORM assay.give_up_waits(p_project, p_now, p_waited);
        END IF;
        IF p_answers IS NOT NULL THEN
            PERFORM assay.answer_parents(p_project, p_now, p_answers);
        END IF;
    END IF;
    IF p_parked IS NOT NULL THEN
        -- name: park
        UPDATE assay.turns t SET state = 0, worker_id = NULL, losses = 0,
            due_at = to_timestamp(
                CASE WHEN t.wakes <> p_wakes[width_bucket(t.run_id, p_parked)] OR t.cancelled_at IS NOT NULL
                     THEN p_now ELSE p_due[width_bucket(t.run_id, p_parked)] END)
        WHERE t.project_id = p_project AND t.run_id = ANY (p_parked);
    END IF;
    IF p_survived IS NOT NULL THEN
        -- name: survived
        UPDATE assay.turns t SET losses = 0
        WHERE t.project_id = p_project AND t.run_id = ANY (p_survived);
    END IF;
    -- Most flushes have nothing to tell, and that is quickly told.
    IF v_woken IS NULL AND v_collected IS NULL THEN RETURN NULL; END IF;
    RETURN json_build_object('woken', v_woken, 'collected', v_collected);
END $$;

-- Give the results of runs that ended to the parents that invoked them.
CREATE OR REPLACE FUNCTION assay.answer_parents(p_project int, p_now double precision, p_answers text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_parents uuid[] := ARRAY(SELECT DISTINCT u.parent FROM json_to_recordset(p_answers::json) AS u(parent uuid));
BEGIN
    -- Turns before their waits, as everywhere: who collects a parent's waits holds its turn.
    -- name: lock_parents
    PERFORM t.run_id FROM assay.turns t
    WHERE t.project_id = p_project AND t.run_id = ANY (v_parents) ORDER BY t.run_id FOR UPDATE;
    -- name: answer_parent
    WITH answered AS (
        UPDATE assay.waits w SET resolved_at = to_timestamp(p_now),
            output = u.answer, error = u.answer_error
        FROM json_to_recordset(p_answers::json) AS u(parent uuid, parent_step uuid, answer text,
            answer_error text)
        WHERE w.project_id = p_project AND w.run_id = ANY (v_parents) AND w.run_id = u.parent
            AND w.step = u.parent_step AND w.resolved_at IS NULL
        RETURNING w.run_id)
    SELECT array_agg(DISTINCT a.run_id) INTO v_parents FROM answered a;
    IF v_parents IS NOT NULL THEN
        PERFORM assay.wake(p_project, p_now, v_parents);
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
