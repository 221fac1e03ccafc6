-- Experiments: what was declared, who was served what, which scores count for it, what was seen when.
CREATE TABLE assay.experiments (
    project_id int NOT NULL,
    name text NOT NULL,
    first_seen timestamptz NOT NULL,
    stopped_at timestamptz,
    stopped_by text,
    stop_reason text,
    decision text,
    PRIMARY KEY (project_id, name)
);
SELECT assay.distribute('assay.experiments');

-- A change of weights, variants, strategy or salt opens an epoch; units belong to that of their first
-- exposure.
CREATE TABLE assay.experiment_epochs (
    project_id int NOT NULL,
    experiment text NOT NULL,
    epoch int NOT NULL,
    fingerprint text NOT NULL,
    strategy text NOT NULL,
    variants text[] NOT NULL,
    weights jsonb,
    salt text NOT NULL,
    unit_kind text NOT NULL,
    sticky boolean NOT NULL,
    app text NOT NULL,
    author text,
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, experiment, epoch)
);
SELECT assay.distribute('assay.experiment_epochs');

CREATE TABLE assay.experiment_plans (
    project_id int NOT NULL,
    experiment text NOT NULL,
    version int NOT NULL,
    spec jsonb NOT NULL,
    author text,
    declared_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, experiment, version)
);
SELECT assay.distribute('assay.experiment_plans');

-- The variant that a unit keeps, where the choice is stored.
CREATE TABLE assay.assignments (
    project_id int NOT NULL,
    experiment text NOT NULL,
    unit text NOT NULL,
    variant text NOT NULL,
    epoch int NOT NULL,
    assigned_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, experiment, unit)
);
SELECT assay.distribute('assay.assignments');

CREATE TABLE assay.exposures (
    project_id int NOT NULL,
    experiment text NOT NULL,
    run_id uuid NOT NULL,
    idx int NOT NULL,
    variant text NOT NULL,
    unit text,
    cluster text,
    p double precision,
    epoch int NOT NULL,
    forced boolean NOT NULL,
    at timestamptz NOT NULL,
    failed_at timestamptz,
    PRIMARY KEY (project_id, experiment, run_id, idx)
);
SELECT assay.distribute('assay.exposures');
CREATE INDEX exposures_by_run ON assay.exposures (run_id, project_id);

-- Append-only: the scores that count for an exposure, with what the analysis needs of it.
CREATE TABLE assay.experiment_scores (
    project_id int NOT NULL,
    experiment text NOT NULL,
    metric text NOT NULL,
    run_id uuid NOT NULL,
    idx int NOT NULL,
    score_id uuid NOT NULL,
    variant text NOT NULL,
    epoch int NOT NULL,
    unit text,
    exposed_at timestamptz NOT NULL,
    value double precision NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, experiment, metric, run_id, idx, score_id)
);
SELECT assay.distribute('assay.experiment_scores');

-- Scores that named an exposure that does not exist: kept, left out of the analysis, reported; taken
-- over should the exposure still come.
CREATE TABLE assay.score_references (
    project_id int NOT NULL,
    experiment text NOT NULL,
    run_id uuid NOT NULL,
    idx int NOT NULL,
    score_id uuid NOT NULL,
    variant text NOT NULL,
    metric text NOT NULL,
    value double precision NOT NULL,
    is_bool boolean NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, experiment, run_id, idx, score_id)
);
SELECT assay.distribute('assay.score_references');
CREATE INDEX score_references_by_run ON assay.score_references (project_id, run_id);

CREATE TABLE assay.looks (
    project_id int NOT NULL,
    experiment text NOT NULL,
    plan_version int NOT NULL,
    mode text NOT NULL,
    variant text NOT NULL,
    cutoff timestamptz NOT NULL,
    spending_time double precision,
    information double precision,
    boundary double precision,
    z double precision,
    alpha_spent double precision,
    tested boolean NOT NULL,
    reason text,
    word text,
    result jsonb NOT NULL,
    looked_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, experiment, plan_version, mode, variant, cutoff)
);
SELECT assay.distribute('assay.looks');

DO $$
DECLARE v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['experiments', 'experiment_epochs', 'experiment_plans', 'assignments',
        'exposures', 'experiment_scores', 'score_references', 'looks'] LOOP
        EXECUTE format('ALTER TABLE assay.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON assay.%I FOR SELECT TO assay_api USING '
            '(project_id = nullif(current_setting(''assay.project'', true), '''')::int)', v_table);
        EXECUTE format('GRANT SELECT ON assay.%I TO assay_api', v_table);
    END LOOP;
END $$;
