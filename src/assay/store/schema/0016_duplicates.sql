-- Which event had an event's idempotency key when it came: that one started, and this one nothing. The key
-- itself is free again after a day, and so says nothing of days that are past.
ALTER TABLE assay.events ADD COLUMN duplicate_of uuid;
UPDATE assay.events e SET duplicate_of = k.event_id
FROM assay.event_keys k
WHERE k.project_id = e.project_id AND k.key = e.key AND k.event_id < e.id;
DROP FUNCTION IF EXISTS assay.ingest;
