-- Who declared: which worker of which app, and a short name for all that this app declares.
ALTER TABLE assay.experiment_epochs ADD COLUMN version text;
ALTER TABLE assay.experiment_epochs ADD COLUMN worker text;
ALTER TABLE assay.experiment_plans ADD COLUMN app text;
ALTER TABLE assay.experiment_plans ADD COLUMN app_version text;
ALTER TABLE assay.experiment_plans ADD COLUMN worker text;

-- The plan that each app declared last, in force or not.
CREATE TABLE assay.experiment_declarations (
    project_id int NOT NULL,
    experiment text NOT NULL,
    app text NOT NULL,
    spec jsonb NOT NULL,
    app_version text NOT NULL,
    worker text NOT NULL,
    author text,
    source text NOT NULL,
    declared_at timestamptz NOT NULL,
    PRIMARY KEY (project_id, experiment, app)
);
SELECT assay.distribute('assay.experiment_declarations');
ALTER TABLE assay.experiment_declarations ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON assay.experiment_declarations FOR SELECT TO assay_api
    USING (project_id = nullif(current_setting('assay.project', true), '')::int);
GRANT SELECT ON assay.experiment_declarations TO assay_api;

-- Their arguments have changed.
DROP FUNCTION IF EXISTS assay.open_epoch;
DROP FUNCTION IF EXISTS assay.declare_plan;
