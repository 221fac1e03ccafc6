-- The smallest id of an instant, in seconds since 1970.
CREATE OR REPLACE FUNCTION assay.id_floor(p_seconds double precision) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((p_seconds * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- The hour in an id, counted since 1970.
CREATE OR REPLACE FUNCTION assay.hour_of(p_id uuid) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (('x' || translate(left(p_id::text, 13), '-', ''))::bit(48)::bigint / 3600000)::int
$$;

-- Durations by powers of 1.1, from 1 for those of a microsecond and less: the middle of a bucket is within
-- 5 % of all that is in it.
CREATE OR REPLACE FUNCTION assay.duration_bucket(p_us bigint) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_us IS NULL THEN 0 ELSE 1 + ceil(ln(greatest(p_us, 1)::float8) / ln(1.1::float8))::int END
$$;

-- Say that runs have changed in hours that may have been counted. Hours are counted two hours after their
-- end, so that nothing has to be said of runs that are younger than one hour.
CREATE OR REPLACE FUNCTION assay.mark_hours(p_project int, p_what text, p_runs uuid[], p_ids uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- name: marks
    INSERT INTO assay.rollup_marks AS m (project_id, hour, what, id)
    SELECT DISTINCT ON (assay.hour_of(u.run)) c.project_id, assay.hour_of(u.run), p_what, u.id
    FROM assay.catalogs c, unnest(p_runs, p_ids) AS u(run, id)
    WHERE c.project_id = p_project
    ORDER BY assay.hour_of(u.run), u.id;
END $$;
