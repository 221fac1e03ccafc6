-- The exposure that a score names, as its giver wrote it. A score that names none is about its run as a
-- whole: it counts for every experiment of which the run was served one variant only.
ALTER TABLE assay.scores ADD COLUMN ref_experiment text;
ALTER TABLE assay.scores ADD COLUMN ref_variant text;
ALTER TABLE assay.scores ADD COLUMN ref_idx int;
