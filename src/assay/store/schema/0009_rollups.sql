-- Hourly counts of runs and scores. An hour is that of a run's id, which never changes; scores count in
-- the hour of their run. Hours before `next_hour` are counted, save those that are marked.
CREATE TABLE assay.rollup_states (
    project_id int PRIMARY KEY,
    next_hour int NOT NULL
);
SELECT assay.distribute('assay.rollup_states');

-- An hour in which something changed long after it: written with the change, each mark once, so that
-- nobody waits for another's. `what` and `id` only make it one of its own.
CREATE TABLE assay.rollup_marks (
    project_id int NOT NULL,
    hour int NOT NULL,
    what text NOT NULL,
    id uuid NOT NULL,
    PRIMARY KEY (project_id, hour, what, id)
);
SELECT assay.distribute('assay.rollup_marks');

-- bucket: of the duration (`assay.duration_bucket`), 0 where there is none.
CREATE TABLE assay.rollup_runs (
    project_id int NOT NULL,
    hour int NOT NULL,
    app text NOT NULL,
    fn text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    bucket int NOT NULL,
    n bigint NOT NULL,
    total_us bigint NOT NULL,
    PRIMARY KEY (project_id, hour, app, fn, kind, status, bucket)
);
SELECT assay.distribute('assay.rollup_runs');

-- Of a score's latest values; `runs` are the clusters, of which `means` sums the means, `total_squares`
-- the squares of their totals, and so on.
CREATE TABLE assay.rollup_scores (
    project_id int NOT NULL,
    hour int NOT NULL,
    app text NOT NULL,
    fn text NOT NULL,
    name text NOT NULL,
    n bigint NOT NULL,
    n_bool bigint NOT NULL,
    n_true bigint NOT NULL,
    total double precision NOT NULL,
    squares double precision NOT NULL,
    least double precision NOT NULL,
    greatest double precision NOT NULL,
    runs bigint NOT NULL,
    runs_bool bigint NOT NULL,
    means double precision NOT NULL,
    mean_squares double precision NOT NULL,
    total_squares double precision NOT NULL,
    total_counts double precision NOT NULL,
    count_squares double precision NOT NULL,
    PRIMARY KEY (project_id, hour, app, fn, name)
);
SELECT assay.distribute('assay.rollup_scores');

DO $$
DECLARE v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['rollup_states', 'rollup_marks', 'rollup_runs', 'rollup_scores'] LOOP
        EXECUTE format('ALTER TABLE assay.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON assay.%I FOR SELECT TO assay_api USING '
            '(project_id = nullif(current_setting(''assay.project'', true), '''')::int)', v_table);
        EXECUTE format('GRANT SELECT ON assay.%I TO assay_api', v_table);
    END LOOP;
END $$;
