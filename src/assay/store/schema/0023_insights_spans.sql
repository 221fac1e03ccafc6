-- What the panel of a trace shows of code that ran, for people: spans that it made, and tries of steps.
CREATE VIEW insights.spans WITH (security_invoker = true) AS
SELECT s.project_id, insights.ulid(s.run_id) AS run_id, lpad(to_hex(s.span), 16, '0') AS span_id,
    lpad(to_hex(s.parent), 16, '0') AS parent_span_id, replace(s.trace::text, '-', '') AS trace_id,
    j.name AS step_id, j.idx AS index, s.attempt, s.name, s.kind, s.status, s.message, s.started_at, s.ended_at,
    extract(epoch FROM s.ended_at - s.started_at)::float8 AS duration_s, s.attributes, s.events,
    s.run_id AS run_uuid
FROM assay.user_spans s
LEFT JOIN assay.journal j ON j.project_id = s.project_id AND j.run_id = s.run_id AND j.step = s.step;
COMMENT ON VIEW insights.spans IS 'Spans that code made, or that were sent; a run, a step and a try have views of their own.';
COMMENT ON COLUMN insights.spans.span_id IS '16 hexadecimal digits';
COMMENT ON COLUMN insights.spans.parent_span_id IS 'The span that it lies in: that of a run, step or try where it is the outermost.';
COMMENT ON COLUMN insights.spans.step_id IS 'The step whose code made it, once that has ended.';
COMMENT ON COLUMN insights.spans.index IS 'Which use of the step''s id in its run, from 0.';
COMMENT ON COLUMN insights.spans.status IS 'unset, ok or error';
COMMENT ON COLUMN insights.spans.message IS 'What its status says.';
COMMENT ON COLUMN insights.spans.duration_s IS 'Seconds';
COMMENT ON COLUMN insights.spans.attributes IS 'JSON text';
COMMENT ON COLUMN insights.spans.events IS 'JSON text';

CREATE VIEW insights.attempts WITH (security_invoker = true) AS
SELECT a.project_id, insights.ulid(a.run_id) AS run_id, a.name AS step_id, a.idx AS index, a.attempt,
    a.started_at, a.ended_at, extract(epoch FROM a.ended_at - a.started_at)::float8 AS duration_s, a.retry_at,
    a.error, lpad(to_hex(a.span), 16, '0') AS span_id, a.run_id AS run_uuid
FROM assay.attempts a;
COMMENT ON VIEW insights.attempts IS 'Tries of steps that failed, last, or were cut short.';
COMMENT ON COLUMN insights.attempts.index IS 'Which use of the id in its run, from 0.';
COMMENT ON COLUMN insights.attempts.attempt IS 'From 1.';
COMMENT ON COLUMN insights.attempts.duration_s IS 'Seconds';
COMMENT ON COLUMN insights.attempts.retry_at IS 'When it is tried again.';
COMMENT ON COLUMN insights.attempts.error IS 'JSON text with type, message and traceback.';

GRANT SELECT ON insights.spans TO assay_api;
GRANT SELECT ON insights.attempts TO assay_api;
