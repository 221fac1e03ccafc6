-- name: server
SELECT current_setting('server_version'), clock_timestamp(), to_regclass('assay.schema_versions') IS NOT NULL

-- name: schema
SELECT max(version) FROM assay.schema_versions

-- name: workers
SELECT id, app, host, pid, extract(epoch FROM clock_timestamp() - lease_until)::float8 AS late_s
FROM assay.workers WHERE NOT lost AND app IS NOT NULL ORDER BY started_at
