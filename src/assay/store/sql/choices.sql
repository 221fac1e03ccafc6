-- name: project
SELECT p.name FROM assay.projects p WHERE p.id = %(project)s

-- name: open_epoch
SELECT assay.open_epoch(%(project)s, %(experiment)s, %(fingerprint)s, %(strategy)s, %(variants)s,
    %(weights)s, %(salt)s, %(unit_kind)s, %(sticky)s, %(app)s, %(version)s, %(worker)s, %(author)s, %(now)s)

-- name: earlier
SELECT count(*) AS n FROM assay.experiment_epochs o
WHERE o.project_id = %(project)s AND o.experiment = %(experiment)s AND o.fingerprint = %(fingerprint)s
    AND o.epoch < %(epoch)s AND o.opened_at > %(since)s

-- name: declare_plan
SELECT assay.declare_plan(%(project)s, %(experiment)s, %(spec)s, %(defaults)s, %(app)s, %(version)s, %(worker)s,
    %(author)s, %(source)s, %(now)s)

-- name: is_in_force
SELECT %(defaults)s::jsonb || p.spec = %(defaults)s::jsonb || %(spec)s::jsonb AS is_in_force
FROM assay.experiment_plans p
WHERE p.project_id = %(project)s AND p.experiment = %(experiment)s
ORDER BY p.version DESC LIMIT 1

-- name: withdraw
DELETE FROM assay.experiment_declarations d
WHERE d.project_id = %(project)s AND d.app = %(app)s AND d.source = %(source)s
    AND d.experiment <> ALL (%(declared)s::text[])

-- name: assign
SELECT a.variant, a.epoch
FROM assay.assign(%(project)s, %(experiment)s, %(unit)s, %(variant)s, %(epoch)s, %(variants)s, %(now)s) a

-- name: weights
SELECT o.weights FROM assay.experiment_epochs o
WHERE o.project_id = %(project)s AND o.experiment = %(experiment)s AND o.epoch = %(epoch)s
