-- What runs were served that count in experiments, by the hour of their run. All is counted again.
CREATE TABLE assay.rollup_exposures (
    project_id int NOT NULL,
    hour int NOT NULL,
    experiment text NOT NULL,
    epoch int NOT NULL,
    variant text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (project_id, hour, experiment, epoch, variant)
);
SELECT assay.distribute('assay.rollup_exposures');
UPDATE assay.rollup_states SET next_hour = 0;

ALTER TABLE assay.rollup_exposures ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON assay.rollup_exposures FOR SELECT TO assay_api USING
    (project_id = nullif(current_setting('assay.project', true), '')::int);
GRANT SELECT ON assay.rollup_exposures TO assay_api;
