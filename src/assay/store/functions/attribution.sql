-- Which scores count for which exposures. `experiment_scores` holds at any time what follows from the
-- scores and exposures that there are, whatever the order in which they came:
-- * a score that names an exposure counts for that one, if it is there with that variant, and stands in
--   `score_references` until it is;
-- * any other score of a run counts for all uses of each experiment of which the run was served one
--   variant only.
-- Whoever writes either holds the run's turn, so that of a score and an exposure that come at the same
-- time one sees the other. Who gives a run two scores of one name at the same time has waited for that
-- name's row of `scores_latest`, so that one of the two is the first (`is_first`).

-- Attribute new scores about runs. p_new: their ids. p_exposed: those of their runs that were exposed.
CREATE OR REPLACE FUNCTION assay.attribute_scores(
    p_project int, p_now double precision, p_scores text, p_new uuid[], p_exposed uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_exposed IS NOT NULL THEN
        -- name: attributed
        INSERT INTO assay.experiment_scores AS e (project_id, experiment, metric, run_id, idx, score_id,
            variant, epoch, unit, exposed_at, value, at, recorded_at, is_first)
        SELECT x.project_id, x.experiment, u.name, x.run_id, x.idx, u.id, x.variant, x.epoch,
            CASE WHEN NOT x.forced THEN x.unit END, x.at, u.value, to_timestamp(u.at), to_timestamp(p_now),
            row_number() OVER (PARTITION BY x.experiment, u.name, x.run_id) = 1 AND NOT EXISTS (
                SELECT FROM assay.experiment_scores b
                WHERE b.project_id = p_project AND b.experiment = x.experiment AND b.metric = u.name
                    AND b.run_id = x.run_id)
        FROM assay.exposures x
        JOIN json_to_recordset(p_scores::json) AS u(id uuid, subject text, run uuid, name text,
            value float8, at float8, ref_experiment text, ref_variant text, ref_idx int)
            ON u.run = x.run_id
        WHERE x.project_id = p_project AND x.run_id = ANY (p_exposed)
            AND u.subject = 'run' AND u.id = ANY (p_new)
            AND CASE WHEN u.ref_experiment IS NULL THEN NOT EXISTS (
                    SELECT FROM assay.exposures o
                    WHERE o.project_id = p_project AND o.experiment = x.experiment
                        AND o.run_id = x.run_id AND o.variant <> x.variant)
                ELSE u.ref_experiment = x.experiment AND u.ref_variant = x.variant AND u.ref_idx = x.idx END
        ON CONFLICT (project_id, experiment, metric, run_id, idx, score_id) DO NOTHING;
    END IF;
    -- name: unserved
    INSERT INTO assay.score_references AS r (project_id, experiment, run_id, idx, score_id, variant, metric,
        value, is_bool, at, recorded_at)
    SELECT c.project_id, u.ref_experiment, u.run, u.ref_idx, u.id, u.ref_variant, u.name, u.value, u.is_bool,
        to_timestamp(u.at), to_timestamp(p_now)
    FROM assay.catalogs c, json_to_recordset(p_scores::json) AS u(id uuid, subject text, run uuid, name text,
        value float8, is_bool boolean, at float8, ref_experiment text, ref_variant text, ref_idx int)
    WHERE c.project_id = p_project AND u.subject = 'run' AND u.id = ANY (p_new)
        AND u.ref_experiment IS NOT NULL AND NOT EXISTS (
            SELECT FROM assay.exposures x
            WHERE x.project_id = p_project AND x.experiment = u.ref_experiment AND x.run_id = u.run
                AND x.idx = u.ref_idx AND x.variant = u.ref_variant)
    ON CONFLICT (project_id, experiment, run_id, idx, score_id) DO NOTHING;
END $$;

-- Have new exposures take over what their runs were scored before: call it in the transaction that
-- inserts them, with the key of each. Where they show a run more than one variant of an experiment, that
-- run's scores no longer count for it, but for those that name the exposure that they are about.
CREATE OR REPLACE FUNCTION assay.take_over_scores(
    p_project int, p_experiments text[], p_runs uuid[], p_idxs int[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_scored uuid[];
    v_runs uuid[];
    v_experiments text[];
BEGIN
    -- name: scored
    SELECT array_agg(DISTINCT l.run_id) INTO v_scored
    FROM assay.scores_latest l
    WHERE l.project_id = p_project AND l.run_id = ANY (p_runs) AND l.subject = 'run';
    IF v_scored IS NULL THEN RETURN; END IF;
    -- name: taken_over
    INSERT INTO assay.experiment_scores AS e (project_id, experiment, metric, run_id, idx, score_id,
        variant, epoch, unit, exposed_at, value, at, recorded_at, is_first)
    SELECT x.project_id, x.experiment, s.name, x.run_id, x.idx, s.id, x.variant, x.epoch,
        CASE WHEN NOT x.forced THEN x.unit END, x.at, s.value, s.at, s.recorded_at,
        row_number() OVER (PARTITION BY x.experiment, s.name, x.run_id) = 1 AND NOT EXISTS (
            SELECT FROM assay.experiment_scores b
            WHERE b.project_id = p_project AND b.experiment = x.experiment AND b.metric = s.name
                AND b.run_id = x.run_id)
    FROM assay.exposures x
    JOIN unnest(p_experiments, p_runs, p_idxs) AS u(experiment, run, idx)
        ON u.experiment = x.experiment AND u.run = x.run_id AND u.idx = x.idx
    JOIN assay.scores s ON s.project_id = p_project AND s.run_id = x.run_id AND s.subject = 'run'
    WHERE x.project_id = p_project AND x.run_id = ANY (v_scored)
        AND CASE WHEN s.ref_experiment IS NULL THEN NOT EXISTS (
                SELECT FROM assay.exposures o
                WHERE o.project_id = p_project AND o.experiment = x.experiment
                    AND o.run_id = x.run_id AND o.variant <> x.variant)
            ELSE s.ref_experiment = x.experiment AND s.ref_variant = x.variant AND s.ref_idx = x.idx END
    ON CONFLICT (project_id, experiment, metric, run_id, idx, score_id) DO NOTHING;
    -- name: served
    DELETE FROM assay.score_references r
    USING assay.exposures x
    WHERE r.project_id = p_project AND r.run_id = ANY (v_scored) AND x.project_id = p_project
        AND x.experiment = r.experiment AND x.run_id = r.run_id AND x.idx = r.idx AND x.variant = r.variant;
    -- name: split
    SELECT array_agg(d.run_id), array_agg(d.experiment) INTO v_runs, v_experiments
    FROM (SELECT x.run_id, x.experiment FROM assay.exposures x
          WHERE x.project_id = p_project AND x.run_id = ANY (v_scored)
          GROUP BY x.run_id, x.experiment HAVING min(x.variant) <> max(x.variant)) d;
    IF v_runs IS NULL THEN RETURN; END IF;
    -- name: withdrawn
    DELETE FROM assay.experiment_scores e
    USING assay.scores s, unnest(v_experiments, v_runs) AS u(experiment, run)
    WHERE e.project_id = p_project AND e.experiment = u.experiment AND e.metric = s.name
        AND e.run_id = u.run AND e.score_id = s.id
        AND s.project_id = p_project AND s.run_id = u.run AND s.subject = 'run'
        AND s.ref_experiment IS NULL;
END $$;
