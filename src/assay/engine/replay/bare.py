"""An event loop that refuses everything that a body has no business with."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMERS = ("call_later", "call_at")


class BareLoop(asyncio.AbstractEventLoop):
    """Answers what asyncio asks of any loop; each other method is `body_io` where it is called."""

    @override
    def time(self) -> float:
        """Stands still, since no clock may decide what a body asks."""
        return 0.0

    @override
    def is_running(self) -> bool:
        return True

    @override
    def is_closed(self) -> bool:
        return False

    @override
    def get_debug(self) -> bool:
        return False

    @override
    def get_task_factory(self) -> None:
        return None

    @override
    def get_exception_handler(self) -> None:
        return None


def _refusing(name: str) -> Callable[..., NoReturn]:
    def method(_self: BareLoop, *_args: object, **_options: object) -> NoReturn:
        if name in _TIMERS:
            raise AssayError(
                "a body has no timers",
                code="body_io",
                hint="wait with ctx.step.sleep, limit a step with ctx.step.options(timeout=...)",
            )
        raise AssayError(
            f"a body does no I/O and has no threads, but something called its loop's {name}",
            code="body_io",
            hint="put it in a step: ctx.step.run(id, function)",
        )

    method.__name__ = method.__qualname__ = name
    return method


for _name in dir(asyncio.AbstractEventLoop):
    if not _name.startswith("_") and _name not in BareLoop.__dict__:
        setattr(BareLoop, _name, _refusing(_name))
