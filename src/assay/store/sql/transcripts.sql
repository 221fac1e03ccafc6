-- name: spans
SELECT u.run_id, u.step, u.span, u.started_at, NULL AS input, NULL AS output,
    CASE WHEN octet_length(u.attributes) <= %(most_bytes)s THEN u.attributes END AS attributes,
    octet_length(u.attributes) > %(most_bytes)s AS is_large
FROM assay.user_spans u
WHERE u.project_id = %(project)s AND u.run_id = ANY (%(runs)s) AND u.day >= %(since)s
    AND (u.attributes LIKE '%%"gen_ai.input.messages"%%' OR u.attributes LIKE '%%"gen_ai.output.messages"%%'
        OR u.attributes LIKE '%%"gen_ai.prompt.%%' OR u.attributes LIKE '%%"gen_ai.completion.%%'
        OR u.attributes LIKE '%%"llm.input_messages.%%' OR u.attributes LIKE '%%"llm.output_messages.%%')
ORDER BY u.started_at, u.span
LIMIT %(limit)s

-- name: steps
SELECT j.run_id, j.step, j.span, j.started_at, NULL AS attributes,
    CASE WHEN size.bytes <= %(most_bytes)s THEN j.input END AS input,
    CASE WHEN size.bytes <= %(most_bytes)s THEN j.output END AS output,
    size.bytes > %(most_bytes)s AS is_large
FROM assay.journal j
CROSS JOIN LATERAL (
    SELECT coalesce(octet_length(j.input), 0) + coalesce(octet_length(j.output), 0) AS bytes) size
WHERE j.project_id = %(project)s AND j.run_id = ANY (%(runs)s) AND j.kind = 'step'
    AND (j.input LIKE '%%"role"%%' OR j.output LIKE '%%"role"%%')
ORDER BY j.started_at, j.span
LIMIT %(limit)s
