"""Loading user code: the clients that files and modules declare."""

from __future__ import annotations

import importlib
import sys
import traceback
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from assay.engine.conditions import Condition
from assay.errors import AssayError
from assay.sdk.client import Client

if TYPE_CHECKING:
    from collections.abc import Sequence


def clients_of(targets: Sequence[str]) -> list[Client]:
    """The clients with functions that these files and modules, and what they import, declare.

    Raises:
        AssayError: `app_not_found`, `app_not_loaded`, `app_without_functions`, `bad_condition`.
    """
    before = set(sys.modules)
    for target in targets:
        _load(target)
    found: dict[int, Client] = {}
    for name in sorted(set(sys.modules) - before):
        for value in list(vars(sys.modules[name]).values()):
            if isinstance(value, Client) and value.functions:
                found[id(value)] = value
    if not found:
        raise AssayError(
            f"{', '.join(targets)} declares no functions",
            code="app_without_functions",
            field="app",
            hint='client = assay.Client("my-app"), then decorate with @client.function(...)',
        )
    for client in found.values():
        _check_conditions(client)
    return list(found.values())


def _check_conditions(client: Client) -> None:
    """Refuse CEL that no event could be held against: registered, it would refuse them all."""
    for function in client.functions.values():
        for trigger in function.triggers:
            if trigger.condition is None:
                continue
            try:
                Condition.compile(trigger.condition, variables=("event",))
            except AssayError as error:
                raise AssayError(
                    f"a trigger of {function.id!r} has a condition that is no CEL:"
                    f" {error.message} in: {trigger.condition}",
                    code=error.code,
                    field="if_",
                    hint="write CEL over event, such as event.data.total > 100",
                ) from error


def folder_of(target: str) -> Path:
    """The directory whose files count as the user's code."""
    path = Path(target)
    return path.resolve().parent if path.suffix == ".py" else Path.cwd()


def check_there(targets: Sequence[str]) -> None:
    """Refuse files and modules that are not there, without running any of them.

    Raises:
        AssayError: `app_not_found`.
    """
    for target in targets:
        if Path(target).suffix == ".py":
            _check_file(target)
        elif PathFinder.find_spec(target.partition(".")[0], [str(Path.cwd()), *sys.path]) is None:
            raise _no_module(target)


def _check_file(target: str) -> None:
    if not Path(target).is_file():
        raise AssayError(
            f"there is no file {target}",
            code="app_not_found",
            field="app",
            hint="give the path of the file that declares your functions",
        )


def _no_module(target: str) -> AssayError:
    return AssayError(
        f"there is no module {target}",
        code="app_not_found",
        field="app",
        hint="give a file such as app.py, or a module that Python finds from here",
    )


def _load(target: str) -> None:
    path = Path(target)
    if path.suffix == ".py":
        _check_file(target)
    folder = str(folder_of(target))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        if path.suffix == ".py":
            _run_file(path.resolve())
        else:
            importlib.import_module(target)
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise AssayError(
            f"{error.filename}, line {error.lineno}: {error.msg}: {line}",
            code="app_not_loaded",
            field="app",
            hint="mend the line and save",
        ) from error
    except (Exception, SystemExit) as error:
        raise _failure(target, error) from error


def _run_file(path: Path) -> None:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[path.stem] = module_from_spec(spec)
    spec.loader.exec_module(module)


def _failure(target: str, error: BaseException) -> AssayError:
    if isinstance(error, ModuleNotFoundError) and error.name == target:
        return _no_module(target)
    own = Path(__file__).parents[1]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and own not in Path(frame.filename).parents
    ]
    where = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else target
    line = f" in: {frames[-1].line}" if frames and frames[-1].line else ""
    return AssayError(
        f"{where}: {type(error).__name__}: {error}{line}",
        code="app_not_loaded",
        field="app",
        hint="mend the file and save",
    )
