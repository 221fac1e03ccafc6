"""What processes are made of: a database, the API, workers; started and stopped in good order.

Entry points: `database.database`, `serving.serving`, `working.working`, `process.run`. They are
imported one by one: a command that asks one question starts neither a server nor a worker.
"""
