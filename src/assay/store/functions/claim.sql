-- Claim due turns for a worker: raises their generation, moves resolved waits into the journal, and
-- gives all that the worker needs to replay them. Runs in their first turn, which have nothing to replay,
-- are read by themselves, since a statement opens every table that it names. Lateral subqueries keep the
-- order of the joins, whatever a plan was made on; BETWEEN leaves partitions out (`assay.commit`).
CREATE OR REPLACE FUNCTION assay.claim(
    p_project int, p_app text, p_fns text[], p_worker uuid, p_now double precision, p_limit int, p_run uuid)
RETURNS TABLE (run_id uuid, fn text, generation int, wakes int, losses int, started_at float8,
    cancelled boolean, trace uuid, parent_run uuid, parent_step uuid, parent_defer text, event_id uuid,
    event_name text, event_data text, event_ts float8, force jsonb, sessions jsonb, journal json, attempts json,
    waits json, defers json, parent json)
LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := to_timestamp(p_now);
    v_all uuid[];
    v_old uuid[];
    v_rest uuid[];
BEGIN
    IF p_run IS NULL THEN
        -- name: due
        SELECT array_agg(d.run_id ORDER BY d.run_id),
            array_agg(d.run_id ORDER BY d.run_id) FILTER (WHERE d.generation > 0)
        INTO v_all, v_old
        FROM (SELECT t.run_id, t.generation FROM assay.turns t
              WHERE t.project_id = p_project AND t.app = p_app AND t.fn = ANY (p_fns)
                  AND t.state = 0 AND t.due_at <= v_at
              ORDER BY t.due_at LIMIT p_limit FOR UPDATE SKIP LOCKED) d;
    ELSE
        -- name: one
        SELECT array_agg(d.run_id) INTO v_all
        FROM (SELECT t.run_id FROM assay.turns t
              WHERE t.project_id = p_project AND t.run_id = p_run AND t.state = 0 FOR UPDATE) d;
        v_old := v_all;
    END IF;
    IF v_all IS NULL THEN RETURN; END IF;
    -- name: claim
    UPDATE assay.turns t SET state = 1, worker_id = p_worker, generation = t.generation + 1,
        started_at = coalesce(t.started_at, v_at)
    WHERE t.project_id = p_project AND t.run_id = ANY (v_all);
    IF v_old IS NOT NULL THEN
        PERFORM assay.collect(p_project, p_now, v_old);
    END IF;
    v_rest := v_old;
    IF v_old IS NULL OR cardinality(v_old) < cardinality(v_all) THEN
        FOR run_id, fn, generation, wakes, losses, started_at, cancelled, trace, parent_run, parent_step,
            parent_defer, event_id, event_name, event_data, event_ts, force, sessions IN
            -- name: claimed_first
            SELECT t.run_id, t.fn, t.generation, t.wakes, t.losses,
                extract(epoch FROM t.started_at)::float8, t.cancelled_at IS NOT NULL, r.trace, r.parent_run,
                r.parent_step, r.parent_defer, r.event_id, e.name, e.data::text,
                extract(epoch FROM e.ts)::float8, e.force, r.sessions
            FROM assay.turns t
            LEFT JOIN LATERAL (
                SELECT r.trace, r.parent_run, r.parent_step, r.parent_defer, r.event_id, r.sessions
                FROM assay.runs r WHERE r.project_id = p_project AND r.id = t.run_id
                    AND r.id BETWEEN v_all[1] AND v_all[cardinality(v_all)] LIMIT 1) r ON true
            LEFT JOIN LATERAL (
                SELECT e.name, e.data, e.ts, e.force
                FROM assay.events e WHERE e.project_id = p_project AND e.id = r.event_id LIMIT 1) e ON true
            WHERE t.project_id = p_project AND t.run_id = ANY (v_all) AND t.generation = 1
            ORDER BY t.due_at, t.run_id
        LOOP
            IF parent_defer IS NULL THEN
                RETURN NEXT;
            ELSE
                v_rest := v_rest || run_id;
            END IF;
        END LOOP;
    END IF;
    IF v_rest IS NULL THEN RETURN; END IF;
    v_rest := ARRAY(SELECT u.id FROM unnest(v_rest) AS u(id) ORDER BY u.id);
    RETURN QUERY
    -- name: claimed
    SELECT t.run_id, t.fn, t.generation, t.wakes, t.losses, extract(epoch FROM t.started_at)::float8,
        t.cancelled_at IS NOT NULL,
        r.trace, r.parent_run, r.parent_step, r.parent_defer, r.event_id, e.name, e.data::text,
        extract(epoch FROM e.ts)::float8, e.force, r.sessions,
        j.entries, a.tries, w.open, d.promises, p.parent
    FROM assay.turns t
    LEFT JOIN LATERAL (
        SELECT r.trace, r.parent_run, r.parent_step, r.parent_defer, r.event_id, r.sessions
        FROM assay.runs r WHERE r.project_id = p_project AND r.id = t.run_id
            AND r.id BETWEEN v_rest[1] AND v_rest[cardinality(v_rest)] LIMIT 1) r ON true
    LEFT JOIN LATERAL (
        SELECT e.name, e.data, e.ts, e.force
        FROM assay.events e WHERE e.project_id = p_project AND e.id = r.event_id LIMIT 1) e ON true
    LEFT JOIN LATERAL (
        SELECT json_agg(json_build_array(j.step, j.seq, j.kind, j.name, j.idx, j.output, j.error)
            ORDER BY j.seq) AS entries
        FROM assay.journal j
        WHERE t.generation > 1 AND j.project_id = p_project AND j.run_id = t.run_id
            AND j.run_id BETWEEN v_rest[1] AND v_rest[cardinality(v_rest)]) j ON true
    LEFT JOIN LATERAL (
        SELECT json_agg(json_build_array(a.step, a.attempt, extract(epoch FROM a.retry_at)::float8,
            a.ended_at IS NULL, a.span, extract(epoch FROM a.started_at)::float8, a.name, a.idx)
            ORDER BY a.step, a.attempt) AS tries
        FROM assay.attempts a
        WHERE t.generation > 1 AND a.project_id = p_project AND a.run_id = t.run_id
            AND a.run_id BETWEEN v_rest[1] AND v_rest[cardinality(v_rest)]) a ON true
    LEFT JOIN LATERAL (
        SELECT json_agg(json_build_array(w.step, extract(epoch FROM w.expires_at)::float8, w.kind)) AS open
        FROM assay.waits w
        WHERE t.generation > 1 AND w.project_id = p_project AND w.run_id = t.run_id) w ON true
    LEFT JOIN LATERAL (
        SELECT json_agg(json_build_object('id', d.defer_id, 'scorer', d.scorer, 'names', d.names,
            'payload', d.payload, 'experiment', d.experiment, 'sessions', d.sessions, 'state', d.state)
            ORDER BY d.promised_at, d.defer_id) AS promises
        FROM assay.defers d
        WHERE t.generation > 1 AND d.project_id = p_project AND d.run_id = t.run_id) d ON true
    LEFT JOIN LATERAL (
        SELECT f.experiment, f.names
        FROM assay.defers f WHERE f.project_id = p_project AND f.run_id = r.parent_run
            AND f.defer_id = r.parent_defer LIMIT 1) f ON true
    LEFT JOIN LATERAL (
        SELECT json_build_object('function', q.fn, 'status', q.status, 'output', q.output, 'error', q.error,
            'started_at', extract(epoch FROM q.started_at)::float8, 'experiment', f.experiment,
            'names', f.names) AS parent
        FROM assay.runs q
        WHERE r.parent_defer IS NOT NULL AND q.project_id = p_project AND q.id = r.parent_run LIMIT 1) p ON true
    WHERE t.project_id = p_project AND t.run_id = ANY (v_rest)
    ORDER BY t.due_at, t.run_id;
END $$;

-- Resolve what has timed out and move resolved waits into the journal, in the order of resolution.
-- Called under the lock of the turns' rows: by the claim, and by the owner for its live turns. The runs
-- come in ascending order.
CREATE OR REPLACE FUNCTION assay.collect(p_project int, p_now double precision, p_runs uuid[])
RETURNS TABLE (run_id uuid, step uuid, seq int, kind text, name text, idx int, output text, error text)
LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := to_timestamp(p_now);
    v_ids uuid[];
    v_last int[];
BEGIN
    -- name: time_out
    UPDATE assay.waits w SET resolved_at = w.expires_at,
        output = CASE WHEN w.kind = 'invoke' THEN NULL ELSE 'null' END,
        error = CASE WHEN w.kind = 'invoke' THEN '{"type":"InvokeTimeoutError","bases":["InvokeTimeoutError","AssayError","Exception","BaseException","object"],"message":"the invoked function did not end in time; it goes on","code":"invoke_timeout","retriable":false}' END
    WHERE w.project_id = p_project AND w.run_id = ANY (p_runs)
        AND w.resolved_at IS NULL AND w.expires_at <= v_at;
    IF NOT EXISTS (
        -- name: any_resolved
        SELECT FROM assay.waits w
        WHERE w.project_id = p_project AND w.run_id = ANY (p_runs) AND w.resolved_at IS NOT NULL
    ) THEN RETURN; END IF;
    -- name: last_seq
    SELECT coalesce(array_agg(m.run_id), '{}'), coalesce(array_agg(m.last), '{}') INTO v_ids, v_last
    FROM (SELECT j.run_id, max(j.seq) AS last FROM assay.journal j
          WHERE j.project_id = p_project AND j.run_id = ANY (p_runs)
              AND j.run_id BETWEEN p_runs[1] AND p_runs[cardinality(p_runs)] GROUP BY j.run_id) m;
    RETURN QUERY
    -- name: journal_waits
    INSERT INTO assay.journal AS j (project_id, run_id, step, seq, kind, name, idx, input, output, error,
        span, attempts, started_at, ended_at, event_id, child_run)
    SELECT w.project_id, w.run_id, w.step,
        coalesce(v_last[array_position(v_ids, w.run_id)], 0)
            + row_number() OVER (PARTITION BY w.run_id ORDER BY w.resolved_at, w.step)::int,
        w.kind, w.name, w.idx, w.input, w.output, w.error, w.span, 1, w.registered_at, w.resolved_at,
        w.event_id, w.child_run
    FROM assay.waits w
    WHERE w.project_id = p_project AND w.run_id = ANY (p_runs) AND w.resolved_at IS NOT NULL
    RETURNING j.run_id, j.step, j.seq, j.kind, j.name, j.idx, j.output, j.error;
    -- name: close_waits
    DELETE FROM assay.waits w
    WHERE w.project_id = p_project AND w.run_id = ANY (p_runs) AND w.resolved_at IS NOT NULL;
END $$;

-- Move what runs still wait for as they end into the journal, without a result: it was given up. The runs
-- come in ascending order.
CREATE OR REPLACE FUNCTION assay.give_up_waits(p_project int, p_now double precision, p_runs uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        -- name: any_waits
        SELECT FROM assay.waits w WHERE w.project_id = p_project AND w.run_id = ANY (p_runs)
    ) THEN RETURN; END IF;
    -- name: given_up
    UPDATE assay.waits w SET resolved_at = to_timestamp(p_now)
    WHERE w.project_id = p_project AND w.run_id = ANY (p_runs) AND w.resolved_at IS NULL
        AND (w.expires_at IS NULL OR w.expires_at > to_timestamp(p_now));
    PERFORM assay.collect(p_project, p_now, p_runs);
END $$;
