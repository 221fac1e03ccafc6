"""File locks that the kernel frees when their holder dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FileLock:
    """One `flock` on one open file. Two objects on the same path are two holders."""

    def __init__(self, path: Path) -> None:
        # A link planted in a directory of another user must not lead root elsewhere.
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._path = path
        self._give_to_owner_of(path.parent)
        # A forked child shares the lock; only the process that took it may give it up.
        self._pid = os.getpid()

    def _give_to_owner_of(self, directory: Path) -> None:
        if os.geteuid() == 0 and os.fstat(self.fd).st_uid == 0:
            owner = directory.stat()
            os.fchown(self.fd, owner.st_uid, owner.st_gid)

    @property
    def is_inherited(self) -> bool:
        """Whether this process was forked from the one that took the lock."""
        return os.getpid() != self._pid

    @property
    def is_current(self) -> bool:
        """Whether the path still names the locked file, and was not removed or made anew."""
        try:
            return os.path.samestat(os.fstat(self.fd), self._path.stat())
        except FileNotFoundError:
            return False

    def try_exclusive(self) -> bool:
        """Take the lock alone; False if anybody else holds it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock with others; False if somebody holds it alone."""
        return self._try(fcntl.LOCK_SH)

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self.fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock up and close the file."""
        if not self.is_inherited:
            with suppress(OSError):
                fcntl.flock(self.fd, fcntl.LOCK_UN)
        os.close(self.fd)

    def hand_over(self) -> None:
        """Close the file only: a child that inherited it goes on holding the lock."""
        os.close(self.fd)
