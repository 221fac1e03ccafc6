-- name: disconnect
SELECT pg_terminate_backend(a.pid, 1000) FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()

-- name: empty
DO $$
DECLARE v_table text;
BEGIN
    FOR v_table IN
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'assay' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relname NOT IN ('schema_versions', 'catalogs', 'projects')
    LOOP
        EXECUTE format('DELETE FROM assay.%I', v_table);
    END LOOP;
    DELETE FROM assay.catalogs WHERE project_id <> 1;
    DELETE FROM assay.projects WHERE id <> 1;
END $$
