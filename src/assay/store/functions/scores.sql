-- Append scores, each id once, keep the latest of each subject and name whatever the order of arrival,
-- and attribute those about runs to experiments. p_alive: only scores given by these runs (null: all).
CREATE OR REPLACE FUNCTION assay.record_scores(p_project int, p_now double precision, p_scores text, p_alive uuid[])
RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_new uuid[];
    v_runs uuid[];
    v_others uuid[];
    v_exposed uuid[];
    v_refers boolean;
    v_young uuid := assay.id_floor(p_now - 3600);
    v_old uuid[];
    v_old_ids uuid[];
BEGIN
    WITH added AS (
        -- name: scores
        INSERT INTO assay.scores AS s (project_id, id, subject, run_id, step, idx, attempt, name, value,
            is_bool, at, recorded_at, source, source_run, author, rationale, ref_experiment, ref_variant,
            ref_idx)
        SELECT c.project_id, u.id, u.subject, u.run, u.step, u.idx, u.attempt, u.name, u.value, u.is_bool,
            to_timestamp(u.at), to_timestamp(p_now), u.source, u.giver, u.author, u.rationale,
            u.ref_experiment, u.ref_variant, u.ref_idx
        FROM assay.catalogs c, json_to_recordset(p_scores::json) AS u(id uuid, subject text, run uuid,
            step text, idx int, attempt int, name text, value float8, is_bool boolean, at float8,
            source text, giver uuid, author text, rationale text, ref_experiment text, ref_variant text,
            ref_idx int)
        WHERE c.project_id = p_project AND (p_alive IS NULL OR u.giver = ANY (p_alive))
        ON CONFLICT (project_id, id) DO NOTHING
        RETURNING s.id, s.subject, s.run_id, s.source_run, s.ref_experiment)
    SELECT coalesce(array_agg(a.id), '{}'),
        array_agg(a.run_id) FILTER (WHERE a.subject = 'run'),
        array_agg(a.run_id) FILTER (WHERE a.subject = 'run' AND a.run_id IS DISTINCT FROM a.source_run),
        bool_or(a.ref_experiment IS NOT NULL),
        array_agg(a.run_id) FILTER (WHERE a.run_id < v_young),
        array_agg(a.id) FILTER (WHERE a.run_id < v_young)
    INTO v_new, v_runs, v_others, v_refers, v_old, v_old_ids
    FROM added a;
    IF v_others IS NOT NULL THEN
        -- Whoever commits for a live run holds its turn: exposures that come now are seen below, or see
        -- these scores. The turns of runs that score themselves are held already.
        -- name: hold_scored
        PERFORM t.run_id FROM assay.turns t
        WHERE t.project_id = p_project AND t.run_id = ANY (v_others) ORDER BY t.run_id FOR KEY SHARE;
    END IF;
    -- name: latest
    INSERT INTO assay.scores_latest AS l (project_id, run_id, subject, step, idx, name, score_id, value,
        is_bool, at)
    SELECT DISTINCT ON (u.run, u.subject, u.step, u.idx, u.name) c.project_id, u.run, u.subject, u.step,
        u.idx, u.name, u.id, u.value, u.is_bool, to_timestamp(u.at)
    FROM assay.catalogs c, json_to_recordset(p_scores::json) AS u(id uuid, subject text, run uuid,
        step text, idx int, name text, value float8, is_bool boolean, at float8)
    WHERE c.project_id = p_project AND u.id = ANY (v_new)
    ORDER BY u.run, u.subject, u.step, u.idx, u.name, u.at DESC, u.id DESC
    ON CONFLICT (project_id, run_id, subject, step, idx, name) DO UPDATE
        SET score_id = excluded.score_id, value = excluded.value, is_bool = excluded.is_bool, at = excluded.at
        WHERE (excluded.at, excluded.score_id) > (l.at, l.score_id);
    IF v_runs IS NOT NULL THEN
        -- name: exposed
        SELECT array_agg(x.run_id) INTO v_exposed
        FROM assay.exposures x WHERE x.project_id = p_project AND x.run_id = ANY (v_runs);
        IF v_exposed IS NOT NULL OR v_refers THEN
            PERFORM assay.attribute_scores(p_project, p_now, p_scores, v_new, v_exposed);
        END IF;
    END IF;
    IF v_old IS NOT NULL THEN
        PERFORM assay.mark_hours(p_project, 'scored', v_old, v_old_ids);
    END IF;
    RETURN v_new;
END $$;

-- Open outcomes or move them to another state; every change is kept.
CREATE OR REPLACE FUNCTION assay.change_outcomes(p_project int, p_now double precision, p_outcomes text, p_alive uuid[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_young uuid := assay.id_floor(p_now - 3600);
    v_old uuid[];
    v_old_ids uuid[];
BEGIN
    WITH changed AS (
        -- name: outcomes
        INSERT INTO assay.outcomes AS o (project_id, run_id, defer_id, name, scorer, state, reason, score_id,
            promised_at, changed_at)
        SELECT c.project_id, u.run, u.defer, u.name, u.scorer, u.state, u.reason, u.score, to_timestamp(p_now),
            to_timestamp(p_now)
        FROM assay.catalogs c, json_to_recordset(p_outcomes::json) AS u(run uuid, defer text, name text,
            scorer text, state text, reason text, score uuid, giver uuid, is_last boolean)
        WHERE c.project_id = p_project AND u.is_last AND u.giver = ANY (p_alive)
        ON CONFLICT (project_id, run_id, defer_id, name) DO UPDATE
            SET state = excluded.state, reason = excluded.reason, score_id = excluded.score_id,
                changed_at = excluded.changed_at
        RETURNING o.run_id, o.defer_id, o.name, o.state)
    SELECT array_agg(d.run_id), array_agg(md5(concat_ws('/', d.run_id, d.defer_id, d.name, d.state, p_now))::uuid)
    INTO v_old, v_old_ids
    FROM changed d WHERE d.run_id < v_young;
    -- name: outcome_changes
    INSERT INTO assay.outcome_changes AS o (project_id, run_id, defer_id, name, state, changed_at, reason, score_id)
    SELECT c.project_id, u.run, u.defer, u.name, u.state, to_timestamp(p_now), u.reason, u.score
    FROM assay.catalogs c, json_to_recordset(p_outcomes::json) AS u(run uuid, defer text, name text,
        state text, reason text, score uuid, giver uuid)
    WHERE c.project_id = p_project AND u.giver = ANY (p_alive)
    ON CONFLICT (project_id, run_id, defer_id, name, state, changed_at) DO NOTHING;
    IF v_old IS NOT NULL THEN
        PERFORM assay.mark_hours(p_project, 'promised', v_old, v_old_ids);
    END IF;
END $$;
