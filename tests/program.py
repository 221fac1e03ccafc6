"""The real program `assay` in processes of its own, as a person or a script starts it."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

PROGRAM = Path(sys.executable).with_name("assay")
PATIENCE_S = 60.0


@contextmanager
def kept_port() -> Iterator[int]:
    """A port that is free for whoever asks for it, and given to nobody else by chance.

    It is bound and not listened on: another socket may have it that allows the same.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


class Program:
    """Starts commands with one environment, in one directory."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ASSAY_")}
        self.environment = {**inherited, **environment}
        self.directory = directory

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, which must be of this exit code."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 2,
            check=False,
        )
        assert done.returncode == code, f"exit code {done.returncode}: {done.stderr[-3000:]}"
        assert "Traceback" not in done.stderr
        return done

    def read(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints with `--json`."""
        done = self.run(*arguments, "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def start(self, *arguments: str) -> Started:
        """Start a command that goes on until it is stopped."""
        return Started([str(PROGRAM), *arguments], self)


class Started:
    """A command that runs; killed at the end of a `with` block if it still does."""

    def __init__(self, command: Sequence[str], program: Program) -> None:
        self._process = subprocess.Popen(
            command,
            cwd=program.directory,
            env=program.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def line(self, start: str) -> str:
        """The next line that starts so, when it comes; lines before it are passed over."""
        seen: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"no line {start!r} came, but {seen}") from None
            if line.startswith(start):
                return line
            seen.append(line)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and give the exit code."""
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_S)

    def wait(self) -> int:
        """Wait for its own end and give the exit code."""
        return self._process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
