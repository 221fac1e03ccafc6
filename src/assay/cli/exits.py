"""The exit codes of the program, which scripts rely on."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.errors import AssayError


class Exit(IntEnum):
    """What the end of a command says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    NOT_PERMITTED = 5
    INTERRUPTED = 130


_BY_CODE = {
    "api_unreachable": Exit.UNREACHABLE,
    "app_not_found": Exit.NOT_FOUND,
    "bad_filter": Exit.USAGE,
    "bad_id": Exit.USAGE,
    "bad_json": Exit.USAGE,
    "bad_session": Exit.USAGE,
    "experiment_cutoff": Exit.USAGE,
    "experiment_stop": Exit.USAGE,
    "event_name": Exit.USAGE,
    "database_unavailable": Exit.UNREACHABLE,
    "embedded_not_answering": Exit.UNREACHABLE,
    "embedded_not_permitted": Exit.NOT_PERMITTED,
    "embedded_start_failed": Exit.UNREACHABLE,
    "host_invalid": Exit.USAGE,
    "invalid": Exit.USAGE,
    "key_invalid": Exit.NOT_PERMITTED,
    "key_missing": Exit.NOT_PERMITTED,
    "keys_required": Exit.NOT_PERMITTED,
    "no_data": Exit.NOT_FOUND,
    "not_local": Exit.NOT_PERMITTED,
    "setting_invalid": Exit.USAGE,
}


def exit_of(error: AssayError) -> Exit:
    """The exit code of an error."""
    if error.code.endswith("_not_found"):
        return Exit.NOT_FOUND
    return _BY_CODE.get(error.code, Exit.FAILED)
