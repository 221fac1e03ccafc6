-- Units are read page by page. They repeat, so that the index is small.
CREATE INDEX exposures_by_unit ON assay.exposures (project_id, experiment, unit) WHERE NOT forced;
