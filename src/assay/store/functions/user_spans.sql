-- Append spans of user code, each once by day, trace and span id, and add what they used to their runs.
CREATE OR REPLACE FUNCTION assay.add_spans(p_project int, p_spans text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_runs uuid[];
    v_tokens bigint[];
BEGIN
    WITH added AS (
        -- name: user_spans
        INSERT INTO assay.user_spans AS s (project_id, day, trace, span, parent, run_id, step, attempt, name,
            kind, started_at, ended_at, status, message, attributes, events, tokens)
        SELECT c.project_id, u.day, u.trace, u.span, u.parent, u.run, u.step, u.attempt, u.name, u.kind,
            to_timestamp(u.started), to_timestamp(u.ended), u.status, u.message, u.attributes, u.events, u.tokens
        FROM assay.catalogs c, json_to_recordset(p_spans::json) AS u(day date, trace uuid, span bigint,
            parent bigint, run uuid, step uuid, attempt int, name text, kind text, started float8, ended float8,
            status text, message text, attributes text, events text, tokens bigint)
        WHERE c.project_id = p_project
        ON CONFLICT (project_id, day, trace, span) DO NOTHING
        RETURNING s.run_id, s.tokens)
    SELECT array_agg(a.run_id ORDER BY a.run_id), array_agg(a.tokens ORDER BY a.run_id)
    INTO v_runs, v_tokens
    FROM (SELECT d.run_id, sum(d.tokens)::bigint AS tokens FROM added d
          WHERE d.run_id IS NOT NULL AND d.tokens IS NOT NULL GROUP BY d.run_id) a;
    IF v_runs IS NOT NULL THEN
        -- name: usage
        INSERT INTO assay.run_usage AS r (project_id, run_id, tokens)
        SELECT c.project_id, u.run, u.tokens
        FROM assay.catalogs c, unnest(v_runs, v_tokens) AS u(run, tokens)
        WHERE c.project_id = p_project
        ON CONFLICT (project_id, run_id) DO UPDATE SET tokens = r.tokens + excluded.tokens;
    END IF;
END $$;
