"""PostgreSQL: the embedded server, connections, migrations, and one thin file a resource.

All SQL of the project stands below this room: tables in `schema/`, the functions that write
several tables in one call in `functions/`, named queries in `sql/`. Entry points: `pool.connect`,
`migrations.migrate`.
"""
