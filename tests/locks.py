"""Looks at who waits for a lock, on one server or on a cluster."""

from __future__ import annotations

IS_CITUS = "SELECT count(*) = 1 FROM pg_extension WHERE extname = 'citus'"

_HERE = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database() AND query LIKE %(words)s"
)
# Rows are locked on the nodes; the statements that came from here are known there.
_ON_NODES = (
    " UNION SELECT (waiting_gpid %% 10000000000)::int FROM citus_lock_waits"
    " WHERE blocked_statement LIKE %(words)s"
)


def blocked_query(*, is_citus: bool) -> str:
    """Gives the backends that wait for a lock in a statement like `words`."""
    return _HERE + _ON_NODES if is_citus else _HERE
