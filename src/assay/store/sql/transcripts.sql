-- name: spans
SELECT u.run_id, u.step, u.span, u.name, u.started_at, u.status,
    CASE WHEN octet_length(u.attributes) <= %(most_bytes)s THEN u.attributes END AS attributes
FROM assay.user_spans u
WHERE u.project_id = %(project)s AND u.run_id = ANY (%(runs)s) AND u.day >= %(since)s
    AND (u.attributes LIKE '%%"gen_ai.input.messages"%%' OR u.attributes LIKE '%%"gen_ai.output.messages"%%')
ORDER BY u.started_at, u.span
LIMIT %(limit)s
