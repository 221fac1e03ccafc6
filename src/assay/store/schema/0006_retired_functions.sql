-- What each worker serves and from which files, so that a function which is gone from them is retired.
-- `registration` is the catalog's version at which a function, or a worker with all of its own, was made
-- known: a later one is a greater number.
ALTER TABLE assay.functions ADD COLUMN source text NOT NULL DEFAULT '';
ALTER TABLE assay.functions ADD COLUMN registration bigint NOT NULL DEFAULT 0;
ALTER TABLE assay.functions ADD COLUMN retired_at timestamptz;
ALTER TABLE assay.workers ADD COLUMN source text NOT NULL DEFAULT '';
ALTER TABLE assay.workers ADD COLUMN fns text[] NOT NULL DEFAULT '{}';
ALTER TABLE assay.workers ADD COLUMN registration bigint NOT NULL DEFAULT 0;
