-- Scores too large to be squared count as the bound in experiments: counted where results are read. Rare.
CREATE INDEX experiment_scores_beyond ON assay.experiment_scores (project_id, experiment, metric)
    WHERE abs(value) > 1e140;
