"""The dashboard: pages under `/p/{project}/`, rendered here, without Node, CDN or inline code.

Entry point: `site.add_dashboard`. To add a page: write `pages/<noun>.py` with a function from an
`Ask` to a frozen dataclass (the view) and a tuple `PAGES`, name the module in `registry.py`, and
write `templates/<noun>.html`, which gets the dataclass as `view` and the macros of
`templates/parts/`. A list asks the API within this process (`ask.items`): the same query gives the
same rows on the page, as `.json` and as `.csv`. What else it shows it reads from `store` and the
rooms above it, under row security (`ask.read`).
"""
