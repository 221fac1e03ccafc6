"""What stands in a data directory, and how a new cluster is made there."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.store.embedded.account import Account

USER = "assay"
DATABASE = "assay"
PORT = 5432
VERSION = "18"
# The path of a unix socket has 107 bytes at most, so it can't lie in any data directory.
SOCKET_PARENT = Path("/tmp")  # noqa: S108 - the directory made below it is private
CLEAN_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C",
    "TZ": "UTC",
    # A backend that gives 128 kB back to the kernel after each call, as glibc does unless told,
    # takes them again page by page at the next one: a third of what a small commit costs.
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The files of one embedded server.

    Attributes:
        data_dir: absolute; Assay's directory, which holds the rest.
        binaries: the directory of `postgres` and `initdb`.
        account: who runs them.
    """

    data_dir: Path
    binaries: Path
    account: Account

    @property
    def directory(self) -> Path:
        """PostgreSQL's own data directory."""
        return cluster_directory(self.data_dir)

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.data_dir / "postgres.log"

    @property
    def directory_argument(self) -> str:
        """How the server is told its directory, which is its working directory.

        As root we can enter a directory whose parents the server's account can't pass. It
        inherits the working directory, so no mode of a parent has to change.
        """
        if self.account.switch and Path("/proc/self/cwd").exists():
            return "/proc/self/cwd"
        return str(self.directory)

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        keep: Sequence[int],
        say: str = "",
        output: int = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as the server's account, apart from our terminal and environment.

        Args:
            command: the program and its arguments.
            cwd: where it works.
            keep: open files that it inherits: a lock in them outlives us if we are killed.
            say: its standard input.
            output: where its output and errors go.
        """
        switch = self.account.switch
        return subprocess.run(  # noqa: S603 - our own binaries and arguments
            command,
            cwd=cwd,
            input=say,
            stdout=output,
            stderr=output,
            text=True,
            check=False,
            env=CLEAN_ENVIRONMENT,
            pass_fds=keep,
            start_new_session=True,
            umask=0o077,
            user=self.account.uid if switch else None,
            group=self.account.gid if switch else None,
            extra_groups=[] if switch else None,
        )

    def socket_dir(self) -> Path | None:
        """The directory of the socket as recorded, if it still is private to the server."""
        try:
            path = Path((self.data_dir / "socket").read_text("utf-8"))
            stat = path.lstat()
        except (FileNotFoundError, ValueError):
            return None
        is_private = path.is_dir() and not path.is_symlink() and stat.st_mode & 0o077 == 0
        return path if is_private and stat.st_uid == self.account.uid else None

    def make_socket_dir(self) -> Path:
        """A private directory with a short path; the recorded one if it still stands.

        Its address stays the same when a killed server is started again, so that the URL that
        other processes hold stays true.
        """
        recorded = self.socket_dir()
        if recorded is not None:
            for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
                (recorded / name).unlink(missing_ok=True)
            return recorded
        parent = SOCKET_PARENT if SOCKET_PARENT.is_dir() else None
        path = Path(tempfile.mkdtemp(prefix="assay-", dir=parent))
        if self.account.switch:
            os.chown(path, self.account.uid, self.account.gid)
        self._write_private("socket", str(path))
        return path

    def forget_socket_dir(self) -> None:
        """Remove the socket's directory and its record, once the server is gone."""
        recorded = self.socket_dir()
        if recorded is not None:
            shutil.rmtree(recorded, ignore_errors=True)
        (self.data_dir / "socket").unlink(missing_ok=True)

    def url(self, socket_dir: Path) -> str:
        """The libpq URL of the database."""
        password = (self.data_dir / "password").read_text("utf-8").strip()
        place = urlencode({"host": str(socket_dir), "port": PORT})
        return f"postgresql://{USER}:{quote(password)}@/{DATABASE}?{place}"

    def exists(self) -> bool:
        """Whether a cluster is here; one of another version is refused."""
        try:
            version = (self.directory / "PG_VERSION").read_text("utf-8").strip()
        except FileNotFoundError:
            return False
        if version != VERSION:
            raise AssayError(
                f"{self.directory} was made by PostgreSQL {version}, this is {VERSION}",
                code="embedded_version",
                hint="dump it with the older release of Assay and load it into a new directory",
            )
        return True

    def create(self, keep: Sequence[int]) -> None:
        """Make the cluster and its database, whole or not at all.

        Args:
            keep: open files that the programs inherit: their lock outlives us if we are killed.
        """
        fresh = self.data_dir / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_hex(24)
        self._write_private("password", password + "\n")
        # A file without a name: nothing is left of it if we are killed.
        with tempfile.TemporaryFile() as password_file:
            password_file.write(password.encode() + b"\n")
            password_file.seek(0)
            if self.account.switch:
                os.chown(fresh, self.account.uid, self.account.gid)
                os.fchown(password_file.fileno(), self.account.uid, self.account.gid)
            self._initialise(fresh, password_file.fileno(), keep)
        fresh.rename(self.directory)

    def _initialise(self, fresh: Path, password: int, keep: Sequence[int]) -> None:
        where = self.directory_argument if self.directory_argument.startswith("/proc/") else fresh
        # The built-in collation doesn't change with the C library, so indexes stay right.
        self._run(
            [
                *("initdb", "-D", str(where), "-U", USER, f"--pwfile=/dev/fd/{password}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            ],
            cwd=fresh,
            keep=[*keep, password],
        )
        self._run(
            ["postgres", "--single", "-D", str(where), "template1"],
            cwd=fresh,
            keep=keep,
            say=f"CREATE DATABASE {DATABASE}\n",
        )

    def _run(
        self, command: Sequence[str], *, cwd: Path, keep: Sequence[int], say: str = ""
    ) -> None:
        program = str(self.binaries / command[0])
        done = self.run([program, *command[1:]], cwd=cwd, keep=keep, say=say)
        if done.returncode:
            raise AssayError(
                f"{command[0]} failed in {cwd}: {done.stderr.strip()[-2000:]}",
                code="embedded_start_failed",
                hint="mend what PostgreSQL says, or set ASSAY_DATABASE_URL",
            )

    def _write_private(self, name: str, text: str) -> None:
        path = self.data_dir / name
        path.unlink(missing_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            if os.geteuid() == 0:
                owner = self.data_dir.stat()
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            file.flush()
            os.fsync(file.fileno())


def cluster_directory(data_dir: Path) -> Path:
    """PostgreSQL's own directory below Assay's."""
    return data_dir / "postgres"
