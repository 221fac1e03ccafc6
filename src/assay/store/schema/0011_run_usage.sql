ALTER TABLE assay.user_spans ADD COLUMN tokens bigint;

-- What the spans of a run used, each added when it is stored first. A run whose spans say nothing has no row.
CREATE TABLE assay.run_usage (
    project_id int NOT NULL,
    run_id uuid NOT NULL,
    tokens bigint NOT NULL,
    PRIMARY KEY (project_id, run_id)
);
SELECT assay.distribute('assay.run_usage');

ALTER TABLE assay.run_usage ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON assay.run_usage FOR SELECT TO assay_api USING
    (project_id = nullif(current_setting('assay.project', true), '')::int);
GRANT SELECT ON assay.run_usage TO assay_api;
