-- Its arguments have changed.
DROP FUNCTION IF EXISTS assay.declare_plan;
