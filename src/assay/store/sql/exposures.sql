-- name: of_runs
SELECT x.run_id, x.experiment, x.idx AS index, x.variant, x.unit, x.p AS probability, x.epoch, x.forced, x.at
FROM assay.exposures x
WHERE x.project_id = %(project)s AND x.run_id = ANY (%(runs)s)
ORDER BY x.run_id, x.experiment, x.idx
