-- Durations apart from the counts of runs, which then are few rows; outcomes by the hour of the run that
-- promised them; session keys. All is counted again.
DROP TABLE assay.rollup_runs;
DELETE FROM assay.rollup_scores;
UPDATE assay.rollup_states SET next_hour = 0;

CREATE TABLE assay.rollup_runs (
    project_id int NOT NULL,
    hour int NOT NULL,
    app text NOT NULL,
    fn text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    n bigint NOT NULL,
    total_us bigint NOT NULL,
    PRIMARY KEY (project_id, hour, app, fn, kind, status)
);
SELECT assay.distribute('assay.rollup_runs');

-- Of `hours` from `hour` on: 1, and 24 from each midnight, the sum of what is counted of that day. bucket:
-- of the duration of runs that have begun and ended (`assay.duration_bucket`).
CREATE TABLE assay.rollup_durations (
    project_id int NOT NULL,
    hours int NOT NULL,
    hour int NOT NULL,
    app text NOT NULL,
    fn text NOT NULL,
    bucket int NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (project_id, hours, hour, app, fn, bucket)
);
SELECT assay.distribute('assay.rollup_durations');

CREATE TABLE assay.rollup_outcomes (
    project_id int NOT NULL,
    hour int NOT NULL,
    app text NOT NULL,
    fn text NOT NULL,
    scorer text NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (project_id, hour, app, fn, scorer, name, state)
);
SELECT assay.distribute('assay.rollup_outcomes');

-- `sessions` have their first run in that hour.
CREATE TABLE assay.rollup_sessions (
    project_id int NOT NULL,
    hour int NOT NULL,
    key text NOT NULL,
    runs bigint NOT NULL,
    sessions bigint NOT NULL,
    PRIMARY KEY (project_id, hour, key)
);
SELECT assay.distribute('assay.rollup_sessions');

DO $$
DECLARE v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['rollup_runs', 'rollup_durations', 'rollup_outcomes', 'rollup_sessions'] LOOP
        EXECUTE format('ALTER TABLE assay.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON assay.%I FOR SELECT TO assay_api USING '
            '(project_id = nullif(current_setting(''assay.project'', true), '''')::int)', v_table);
        EXECUTE format('GRANT SELECT ON assay.%I TO assay_api', v_table);
    END LOOP;
END $$;
