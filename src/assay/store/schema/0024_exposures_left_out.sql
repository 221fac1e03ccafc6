-- What experiments leave out is counted without reading all that they served: rows are stored about in the
-- order of their time, so that the range of each stretch says enough, and the others are few.
CREATE INDEX exposures_by_time ON assay.exposures USING brin (at);
CREATE INDEX exposures_apart ON assay.exposures (project_id, experiment) WHERE forced OR unit IS NULL;
