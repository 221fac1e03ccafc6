-- What the tables need: the Citus switch, the scope of a reader, the readers' role.
CREATE FUNCTION assay.distribute(p_table regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
        EXECUTE format('SELECT create_distributed_table(%L, %L, %s)', p_table::text, 'project_id',
            CASE WHEN p_table = 'assay.catalogs'::regclass THEN 'shard_count := 16, colocate_with := ''none'''
                 ELSE 'colocate_with := ''assay.catalogs''' END);
    END IF;
END $$;

CREATE FUNCTION assay.scope(p_project int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SET LOCAL assay.project = %L', p_project);
END $$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'assay_api') THEN
        BEGIN
            CREATE ROLE assay_api LOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'assay_api', 'member') THEN
        EXECUTE format('GRANT assay_api TO %I', current_user);
    END IF;
END $$;
GRANT USAGE ON SCHEMA assay TO assay_api;
