"""The server's process: start it, ask whether it answers, stop it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from psycopg import pq

from assay.errors import AssayError
from assay.store.embedded.cluster import DATABASE, PORT, USER

if TYPE_CHECKING:
    import signal
    from pathlib import Path

    from assay.store.embedded.cluster import Cluster
    from assay.store.embedded.locks import FileLock

LOG_LIMIT_BYTES = 10 * 2**20

SETTINGS = {
    "cluster_name": "assay",
    "fsync": "on",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "lc_messages": "C",
    "listen_addresses": "",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "port": str(PORT),
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "unix_socket_permissions": "0700",
    # What was committed without waiting (claims) is on the disk soon after, lest a server that
    # crashes forget a claim whose steps have begun.
    "wal_writer_delay": "10ms",
}


def ping(socket_dir: Path | None) -> pq.Ping:
    """Ask the server itself: OK, REJECT (it starts or stops), or NO_RESPONSE."""
    if socket_dir is None or not (socket_dir / f".s.PGSQL.{PORT}").exists():
        return pq.Ping.NO_RESPONSE
    asked = f"host='{socket_dir}' port={PORT} user={USER} dbname={DATABASE} connect_timeout=5"
    return pq.Ping(pq.PGconn.ping(asked.encode()))


def launch(cluster: Cluster, socket_dir: Path, lock: FileLock) -> None:
    """Start the server in the background; it holds *lock* for as long as it lives."""
    options = SETTINGS | {"unix_socket_directories": str(socket_dir)}
    command = [str(cluster.binaries / "postgres"), "-D", cluster.directory_argument]
    for name, value in options.items():
        command += ["-c", f"{name}={value}"]
    if cluster.log.exists() and cluster.log.stat().st_size > LOG_LIMIT_BYTES:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
    log = os.open(
        cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        if os.geteuid() == 0:
            owner = cluster.data_dir.stat()
            os.fchown(log, owner.st_uid, owner.st_gid)
        # The shell leaves at once, so that the server is no child of ours: a child that dies
        # stays as a zombie until it is waited for, and PostgreSQL takes a zombie for alive.
        in_background = ["/bin/sh", "-c", '"$@" &', "sh", *command]
        cluster.run(in_background, cwd=cluster.directory, keep=[lock.fd], output=log)
    finally:
        os.close(log)


def clear_stale_pid_file(cluster: Cluster) -> None:
    """Remove `postmaster.pid` where PostgreSQL would wrongly take its pid for a server.

    Called with `server.lock` held alone, so no server that we started lives. PostgreSQL sees by
    itself that a pid is gone; it can't see that the pid is a zombie, or was given to another
    process of the same account. A file without a pid, left by a full disk, it refuses too.
    """
    pid = read_pid(cluster)
    if pid is None:
        (cluster.directory / "postmaster.pid").unlink(missing_ok=True)
        return
    try:
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(cluster.directory):
            raise AssayError(
                f"another PostgreSQL (pid {pid}) works in {cluster.directory}",
                code="embedded_in_use",
                hint=f"stop it first: kill -INT {pid}",
            )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return
    (cluster.directory / "postmaster.pid").unlink(missing_ok=True)


def read_pid(cluster: Cluster) -> int | None:
    """The pid that `postmaster.pid` names, true or not."""
    try:
        text = (cluster.directory / "postmaster.pid").read_text("utf-8")
        return abs(int(text.split("\n", 1)[0]))
    except (FileNotFoundError, ValueError):
        return None


def signal_server(cluster: Cluster, number: signal.Signals) -> None:
    """Send a signal to the server, and to nothing else that happens to have its pid."""
    pid = read_pid(cluster)
    if pid is None:
        return
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError):
        if psutil.Process(pid).cwd() == str(cluster.directory):
            os.kill(pid, number)


def log_tail(cluster: Cluster, lines: int = 15) -> str:
    """The last that the server said."""
    try:
        text = cluster.log.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
