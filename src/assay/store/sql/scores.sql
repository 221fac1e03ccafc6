-- name: record
SELECT assay.record_scores(%(project)s, %(now)s, %(scores)s, NULL)

-- name: latest
SELECT s.id, s.subject, s.run_id, s.step, s.idx, s.attempt, s.name, s.value, s.is_bool, s.at, s.recorded_at,
    s.source, s.source_run, s.author, s.rationale, true AS is_latest,
    s.subject = 'step'
        AND EXISTS (SELECT FROM assay.runs r WHERE r.project_id = %(project)s AND r.id = s.run_id
            AND r.status IS NOT NULL)
        AND NOT EXISTS (SELECT FROM assay.journal j WHERE j.project_id = %(project)s
            AND j.run_id = s.run_id AND j.name = s.step AND j.idx = s.idx)
        AND NOT EXISTS (SELECT FROM assay.attempts a WHERE a.project_id = %(project)s
            AND a.run_id = s.run_id AND a.name = s.step AND a.idx = s.idx) AS is_orphan
FROM assay.scores_latest l
JOIN assay.scores s ON s.project_id = %(project)s AND s.id = l.score_id
WHERE l.project_id = %(project)s

-- name: latest_of_run
    AND l.run_id = %(run)s

-- name: latest_of_runs
    AND l.run_id = ANY (%(runs)s)

-- name: latest_of_name
    AND l.name = %(name)s

-- name: latest_after
    AND (l.run_id, l.subject, l.step, l.idx, l.name)
        < (%(after_run)s, %(after_subject)s, %(after_step)s, %(after_idx)s, %(after_name)s)
    AND l.run_id <= %(after_run)s

-- name: latest_newest
ORDER BY l.run_id DESC, l.subject DESC, l.step DESC, l.idx DESC, l.name DESC LIMIT %(limit)s

-- name: all
SELECT s.id, s.subject, s.run_id, s.step, s.idx, s.attempt, s.name, s.value, s.is_bool, s.at, s.recorded_at,
    s.source, s.source_run, s.author, s.rationale, EXISTS (SELECT FROM assay.scores_latest l WHERE l.project_id = %(project)s
        AND l.run_id = s.run_id AND l.subject = s.subject AND l.step = s.step AND l.idx = s.idx
        AND l.name = s.name AND l.score_id = s.id) AS is_latest,
    s.subject = 'step'
        AND EXISTS (SELECT FROM assay.runs r WHERE r.project_id = %(project)s AND r.id = s.run_id
            AND r.status IS NOT NULL)
        AND NOT EXISTS (SELECT FROM assay.journal j WHERE j.project_id = %(project)s
            AND j.run_id = s.run_id AND j.name = s.step AND j.idx = s.idx)
        AND NOT EXISTS (SELECT FROM assay.attempts a WHERE a.project_id = %(project)s
            AND a.run_id = s.run_id AND a.name = s.step AND a.idx = s.idx) AS is_orphan
FROM assay.scores s
WHERE s.project_id = %(project)s

-- name: all_of_run
    AND s.run_id = %(run)s

-- name: all_of_runs
    AND s.run_id = ANY (%(runs)s)

-- name: all_of_name
    AND s.name = %(name)s

-- name: all_after
    AND s.id < %(after)s

-- name: all_newest
ORDER BY s.id DESC LIMIT %(limit)s

-- name: attributions
SELECT e.score_id, e.experiment, e.variant, e.idx AS index, true AS counted
FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(runs)s::uuid[]) AS u(id, name, run)
JOIN assay.exposures x ON x.project_id = %(project)s AND x.run_id = u.run
JOIN assay.experiment_scores e ON e.project_id = %(project)s AND e.experiment = x.experiment
    AND e.metric = u.name AND e.run_id = u.run AND e.idx = x.idx AND e.score_id = u.id
UNION ALL
SELECT r.score_id, r.experiment, r.variant, r.idx, false
FROM assay.score_references r
WHERE r.project_id = %(project)s AND r.run_id = ANY (%(runs)s) AND r.score_id = ANY (%(ids)s)
ORDER BY 2, 4
