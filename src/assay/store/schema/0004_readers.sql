-- Readers see one project: row security on every project table, for the role assay_api.
DO $$
DECLARE v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['catalogs', 'functions', 'event_keys', 'events', 'runs', 'run_sessions',
        'run_events', 'turns', 'journal', 'attempts', 'waits', 'wait_shapes', 'defers', 'outcomes',
        'outcome_changes', 'scores', 'scores_latest', 'user_spans'] LOOP
        EXECUTE format('ALTER TABLE assay.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY scope ON assay.%I FOR SELECT TO assay_api USING '
            '(project_id = nullif(current_setting(''assay.project'', true), '''')::int)', v_table);
        EXECUTE format('GRANT SELECT ON assay.%I TO assay_api', v_table);
    END LOOP;
END $$;
