-- Write exposures with what their runs were scored before: in the flush of the choice.
CREATE OR REPLACE FUNCTION assay.expose(p_project int, p_exposures text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_old uuid[];
    v_old_ids uuid[];
BEGIN
    -- name: exposures
    INSERT INTO assay.exposures AS x (project_id, experiment, run_id, idx, variant, unit, cluster, p, epoch,
        forced, at)
    SELECT c.project_id, u.experiment, u.run, u.idx, u.variant, u.unit, u.cluster, u.p, u.epoch, u.forced,
        to_timestamp(u.at)
    FROM assay.catalogs c, json_to_recordset(p_exposures::json) AS u(experiment text, run uuid, idx int,
        variant text, unit text, cluster text, p float8, epoch int, forced boolean, at float8)
    WHERE c.project_id = p_project;
    PERFORM assay.take_over_scores(p_project, array_agg(u.experiment), array_agg(u.run), array_agg(u.idx))
    FROM json_to_recordset(p_exposures::json) AS u(experiment text, run uuid, idx int);
    SELECT array_agg(u.run), array_agg(md5(concat_ws('/', u.run, u.experiment, u.idx))::uuid)
    INTO v_old, v_old_ids
    FROM json_to_recordset(p_exposures::json) AS u(experiment text, run uuid, idx int, at float8)
    WHERE u.run < assay.id_floor(u.at - 3600);
    IF v_old IS NOT NULL THEN
        PERFORM assay.mark_hours(p_project, 'exposed', v_old, v_old_ids);
    END IF;
END $$;

-- What the end of exposed runs says without a score: that they failed, and how long they took, which counts
-- as a score of the run would, for all uses of an experiment of which it was served one variant only. The
-- score's id is the run's, so that there is one whoever writes it.
CREATE OR REPLACE FUNCTION assay.end_exposed(
    p_project int, p_now double precision, p_exposed uuid[], p_finished uuid[], p_statuses text[],
    p_begun float8[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- name: failed_exposures
    UPDATE assay.exposures x SET failed_at = to_timestamp(p_now)
    WHERE x.project_id = p_project AND x.run_id = ANY (p_exposed)
        AND coalesce(p_statuses[width_bucket(x.run_id, p_finished)], '') = 'failed';
    -- name: durations
    INSERT INTO assay.experiment_scores AS e (project_id, experiment, metric, run_id, idx, score_id, variant,
        epoch, unit, exposed_at, value, at, recorded_at, is_first)
    SELECT x.project_id, x.experiment, 'run.duration', x.run_id, x.idx, x.run_id, x.variant, x.epoch,
        CASE WHEN NOT x.forced THEN x.unit END, x.at,
        greatest(p_now - p_begun[width_bucket(x.run_id, p_finished)], 0), to_timestamp(p_now), to_timestamp(p_now),
        x.idx = 0
    FROM assay.exposures x
    WHERE x.project_id = p_project AND x.run_id = ANY (p_exposed) AND NOT EXISTS (
        SELECT FROM assay.exposures o
        WHERE o.project_id = p_project AND o.experiment = x.experiment AND o.run_id = x.run_id
            AND o.variant <> x.variant)
    ON CONFLICT (project_id, experiment, metric, run_id, idx, score_id) DO NOTHING;
END $$;

-- The epoch that a way of choosing falls in: that of the newest if it is the same way, else a new one.
CREATE OR REPLACE FUNCTION assay.open_epoch(
    p_project int, p_experiment text, p_fingerprint text, p_strategy text, p_variants text[], p_weights jsonb,
    p_salt text, p_unit_kind text, p_sticky boolean, p_app text, p_version text, p_worker text, p_author text,
    p_now timestamptz)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_epoch int;
    v_fingerprint text;
BEGIN
    -- name: experiment
    INSERT INTO assay.experiments AS e (project_id, name, first_seen)
    VALUES (p_project, p_experiment, p_now) ON CONFLICT (project_id, name) DO NOTHING;
    -- Whoever else opens one waits for this one.
    -- name: lock_experiment
    PERFORM e.name FROM assay.experiments e
    WHERE e.project_id = p_project AND e.name = p_experiment FOR UPDATE;
    -- name: newest_epoch
    SELECT o.epoch, o.fingerprint INTO v_epoch, v_fingerprint
    FROM assay.experiment_epochs o
    WHERE o.project_id = p_project AND o.experiment = p_experiment
    ORDER BY o.epoch DESC LIMIT 1;
    IF v_fingerprint = p_fingerprint THEN RETURN v_epoch; END IF;
    v_epoch := coalesce(v_epoch, 0) + 1;
    -- name: open_epoch
    INSERT INTO assay.experiment_epochs AS o (project_id, experiment, epoch, fingerprint, strategy, variants,
        weights, salt, unit_kind, sticky, app, version, worker, author, opened_at)
    VALUES (p_project, p_experiment, v_epoch, p_fingerprint, p_strategy, p_variants, p_weights, p_salt,
        p_unit_kind, p_sticky, p_app, p_version, p_worker, p_author, p_now);
    RETURN v_epoch;
END $$;

-- The variant that a unit keeps, and the epoch whose weights gave it that: the first that it was assigned,
-- unless that is gone from the code.
CREATE OR REPLACE FUNCTION assay.assign(
    p_project int, p_experiment text, p_unit text, p_variant text, p_epoch int, p_variants text[],
    p_now timestamptz, OUT variant text, OUT epoch int)
LANGUAGE plpgsql AS $$
BEGIN
    -- name: assignment
    SELECT a.variant, a.epoch INTO variant, epoch FROM assay.assignments a
    WHERE a.project_id = p_project AND a.experiment = p_experiment AND a.unit = p_unit;
    IF variant = ANY (p_variants) THEN RETURN; END IF;
    -- name: assign
    INSERT INTO assay.assignments AS a (project_id, experiment, unit, variant, epoch, assigned_at)
    VALUES (p_project, p_experiment, p_unit, p_variant, p_epoch, p_now)
    ON CONFLICT (project_id, experiment, unit) DO UPDATE
        SET variant = CASE WHEN a.variant = ANY (p_variants) THEN a.variant ELSE excluded.variant END,
            epoch = CASE WHEN a.variant = ANY (p_variants) THEN a.epoch ELSE excluded.epoch END,
            assigned_at = CASE WHEN a.variant = ANY (p_variants) THEN a.assigned_at ELSE excluded.assigned_at END
    RETURNING a.variant, a.epoch INTO variant, epoch;
END $$;

-- The version of an experiment's plan. A changed one replaces the last as long as no unit was exposed,
-- and is a new version afterwards. An app that declares what it declared last changes nothing, though
-- another app's plan may have come into force since, as long as that one stands by it: else each restart
-- of either would begin anew. So it is with a plan that a later one of the same app has replaced, which an old
-- version of its code still declares, until the app has declared none in between. Plans are the same whose fields are, where p_defaults stands for what one that
-- was stored by older code does not say.
CREATE OR REPLACE FUNCTION assay.declare_plan(
    p_project int, p_experiment text, p_spec jsonb, p_defaults jsonb, p_app text, p_version text, p_worker text, p_author text,
    p_source text, p_now timestamptz)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_version int;
    v_force jsonb;
    v_app text;
    v_own jsonb;
    v_spec jsonb := p_defaults || p_spec;
BEGIN
    -- name: planned_experiment
    INSERT INTO assay.experiments AS e (project_id, name, first_seen)
    VALUES (p_project, p_experiment, p_now) ON CONFLICT (project_id, name) DO NOTHING;
    -- name: lock_planned
    PERFORM e.name FROM assay.experiments e
    WHERE e.project_id = p_project AND e.name = p_experiment FOR UPDATE;
    -- name: newest_plan
    SELECT n.version, n.app, p_defaults || n.spec INTO v_version, v_app, v_force
    FROM assay.experiment_plans n
    WHERE n.project_id = p_project AND n.experiment = p_experiment
    ORDER BY n.version DESC LIMIT 1;
    -- name: own_declaration
    SELECT p_defaults || d.spec INTO v_own FROM assay.experiment_declarations d
    WHERE d.project_id = p_project AND d.experiment = p_experiment AND d.app = p_app;
    -- name: declaration
    INSERT INTO assay.experiment_declarations AS d (project_id, experiment, app, spec, app_version, worker,
        author, source, declared_at)
    VALUES (p_project, p_experiment, p_app, p_spec, p_version, p_worker, p_author, p_source, p_now)
    ON CONFLICT (project_id, experiment, app) DO UPDATE
        SET spec = excluded.spec, app_version = excluded.app_version, worker = excluded.worker,
            author = excluded.author, source = excluded.source, declared_at = excluded.declared_at;
    IF v_force = v_spec THEN RETURN v_version; END IF;
    IF v_own = v_spec AND EXISTS (
        -- name: stands_by_it
        SELECT FROM assay.experiment_declarations d
        WHERE d.project_id = p_project AND d.experiment = p_experiment AND d.app <> p_app
            AND p_defaults || d.spec = v_force
    ) THEN RETURN v_version; END IF;
    IF v_own IS NOT NULL AND v_app = p_app AND EXISTS (
        -- name: was_replaced
        SELECT FROM assay.experiment_plans n
        WHERE n.project_id = p_project AND n.experiment = p_experiment AND n.app = p_app
            AND n.version < v_version AND p_defaults || n.spec = v_spec
    ) THEN RETURN v_version; END IF;
    IF EXISTS (
        -- name: any_exposed
        SELECT FROM assay.exposures x
        WHERE x.project_id = p_project AND x.experiment = p_experiment AND NOT x.forced
    ) OR v_version IS NULL THEN
        v_version := coalesce(v_version, 0) + 1;
    END IF;
    -- name: declare_plan
    INSERT INTO assay.experiment_plans AS n (project_id, experiment, version, spec, app, app_version, worker,
        author, declared_at)
    VALUES (p_project, p_experiment, v_version, p_spec, p_app, p_version, p_worker, p_author, p_now)
    ON CONFLICT (project_id, experiment, version) DO UPDATE
        SET spec = excluded.spec, app = excluded.app, app_version = excluded.app_version,
            worker = excluded.worker, author = excluded.author, declared_at = excluded.declared_at;
    RETURN v_version;
END $$;
