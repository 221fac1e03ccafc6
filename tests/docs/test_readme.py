"""README's Python runs as it stands there, against a real server and real workers."""

from __future__ import annotations

import asyncio
import re
import threading
import tomllib
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

import assay
from assay.app.serving import serving as serve
from assay.app.working import working as work
from assay.cli.entry import COMMANDS
from assay.settings import Settings
from source_tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

PATIENCE_S = 60.0


class Served:
    """The API, and a worker for each client that is shown to it, in a thread of their own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._settings = Settings()
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._known: set[int] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(self) -> str:
        """Serve; gives the address."""
        serving = serve(self._url, self._settings, host="127.0.0.1", port=0)
        return str(self._do(self._stack.enter_async_context(serving)))

    def work_for(self, namespace: dict[str, Any]) -> None:
        """Run the functions of the clients among some names."""
        for value in list(namespace.values()):
            if isinstance(value, assay.Client) and value.functions and id(value) not in self._known:
                self._known.add(id(value))
                working = work(self._url, self._settings, [value])
                self._do(self._stack.enter_async_context(working))

    def stop(self) -> None:
        """End all of it."""
        self._do(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)


@pytest.fixture
def served(assay_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that `ASSAY_URL` names."""
    running = Served(assay_database)
    monkeypatch.setenv("ASSAY_URL", running.start())
    yield running
    running.stop()


@pytest.mark.parametrize("path", [ROOT / "README.md"], ids=lambda path: path.name)
def test_python_runs_as_it_stands_there(path: Path, served: Served) -> None:
    """Block after block, each with what those before it declared."""
    document = Sybil([PythonCodeBlockParser()]).parse(path)
    examples = list(document.examples())
    assert len(examples) >= 4

    for example in examples:
        served.work_for(document.namespace)
        example.evaluate()

    for value in document.namespace.values():
        if isinstance(value, assay.Client):
            value.sync.close()


def test_every_dependency_has_its_reason() -> None:
    """And no reason is given for what is gone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[^a-z0-9-]", each)[0] for each in project["dependencies"]}
    section = (ROOT / "README.md").read_text("utf-8").partition("## What it depends on")[2]
    rows = re.findall(r"^\| ([a-z0-9, -]+) \|", section.partition("\n## ")[0], re.MULTILINE)
    given = {name for row in rows for name in row.split(", ")} - {"package"}
    assert given == wanted


def test_every_command_is_listed() -> None:
    """With the name that it is called by."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"`assay {name}" not in text] == []
