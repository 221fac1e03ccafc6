"""A process that uses an embedded server: started by tests, told to stop, or killed.

It speaks one JSON object a line: `{"url": ...}`, or `{"code": ..., "message": ...}` if refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg

from assay.errors import AssayError
from assay.store.embedded import EmbeddedPostgres
from assay.store.embedded.account import Account
from assay.store.embedded.binaries import binaries_for

if TYPE_CHECKING:
    from collections.abc import Iterator


class User:
    """The process, seen from the test."""

    def __init__(self, data_dir: Path, *, uid: int | None = None) -> None:
        command = [sys.executable, __file__, str(data_dir), "" if uid is None else str(uid)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def answer(self) -> dict[str, str]:
        """What it said after `start`; waits for it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, str] = json.loads(line)
        return answer

    def stop(self) -> None:
        """Let it call `stop` and end."""
        self.process.communicate()
        assert self.process.returncode == 0

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


@contextlib.contextmanager
def users(data_dir: Path, count: int) -> Iterator[list[User]]:
    """Several of them, started at the same time."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(User(data_dir)) for _ in range(count)]


def main() -> None:
    """Use the server until standard input ends."""
    directory, uid = sys.argv[1:]
    binaries = None
    if uid:
        # They may lie below a directory that is closed to that user, as may all of Python.
        binaries = binaries_for(Account(int(uid), int(uid), switch=True))
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect("host=/nonexistent")
        os.setgroups([])
        os.setgid(int(uid))
        os.setuid(int(uid))
    server = EmbeddedPostgres(Path(directory), binaries=binaries)
    try:
        answer = {"url": server.start()}
    except AssayError as error:
        answer = {"code": error.code, "message": str(error)}
    print(json.dumps(answer), flush=True)  # noqa: T201
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
