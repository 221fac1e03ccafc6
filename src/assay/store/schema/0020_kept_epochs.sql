-- Its results have changed.
DROP FUNCTION IF EXISTS assay.assign;
