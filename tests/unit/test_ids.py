"""Ids: never twice."""

from __future__ import annotations

import subprocess
import sys
import threading

from assay.clock import DatabaseClock
from assay.ids import Ids

FORKED = """
import os
from assay.clock import DatabaseClock
from assay.ids import Ids
ids = Ids(DatabaseClock())
ids.new()
reading, writing = os.pipe()
child = os.fork()
mine = ids.new().int % 2**80
if child == 0:
    os.write(writing, str(mine).encode())
    os._exit(0)
os.waitpid(child, 0)
print(mine, os.read(reading, 100).decode())
"""


def test_a_forked_process_mints_other_ids_than_its_parent() -> None:
    """Random bits that were fetched ahead are not shared."""
    mine, theirs = subprocess.check_output([sys.executable, "-c", FORKED], text=True).split()

    assert mine != theirs


def test_threads_never_mint_an_id_twice() -> None:
    """Random bits are fetched ahead by whoever finds none left."""
    ids = Ids(DatabaseClock())
    minted: list[list[object]] = [[] for _ in range(4)]

    def mint(into: list[object]) -> None:
        into.extend(ids.new() for _ in range(5_000))

    threads = [threading.Thread(target=mint, args=(into,)) for into in minted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({one for into in minted for one in into}) == 20_000
