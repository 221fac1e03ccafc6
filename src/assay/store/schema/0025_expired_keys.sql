-- Keys that no longer count are deleted by their age. Not by the project first, lest a plan made on empty
-- tables take it for the primary key.
CREATE INDEX IF NOT EXISTS event_keys_by_expiry ON assay.event_keys (expires_at, project_id);
