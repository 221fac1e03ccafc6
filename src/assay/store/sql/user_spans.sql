-- name: add
SELECT assay.add_spans(%(project)s, %(spans)s)
