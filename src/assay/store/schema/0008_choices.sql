-- The variants that an event asks for, by experiment.
ALTER TABLE assay.events ADD COLUMN force jsonb;

-- Their arguments and results have changed.
DROP FUNCTION IF EXISTS assay.ingest;
DROP FUNCTION IF EXISTS assay.claim;
DROP FUNCTION IF EXISTS assay.commit;
