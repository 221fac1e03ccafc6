-- Whether a row is the first of its run for the metric: written when that is known. Runs of which all rows
-- are have one each, so that readers need not look for the latest.
ALTER TABLE assay.experiment_scores ADD COLUMN is_first boolean NOT NULL DEFAULT false;
UPDATE assay.experiment_scores e SET is_first = true
WHERE NOT EXISTS (
    SELECT FROM assay.experiment_scores o
    WHERE o.project_id = e.project_id AND o.experiment = e.experiment AND o.metric = e.metric
        AND o.run_id = e.run_id AND (o.idx, o.score_id) < (e.idx, e.score_id));
CREATE INDEX experiment_scores_again ON assay.experiment_scores (project_id, experiment, metric, run_id)
    WHERE NOT is_first;
-- Uses of an experiment beyond a run's first: rare.
CREATE INDEX exposures_again ON assay.exposures (project_id, experiment, run_id) WHERE idx > 0;
