"""The settings of a process: the only place that reads the environment."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

from assay.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Mapping

KIB = 1024
MIB = 1024 * KIB
POSTGRES_SCHEMES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large things may be. Each is a setting: `ASSAY_MAX_` and the name in capitals."""

    event_bytes: int = 512 * KIB
    """One event's data as JSON text."""
    step_output_bytes: int = 4 * MIB
    """What one step or run gives back, as JSON text."""
    run_steps: int = 1_000
    """Steps of one run."""
    event_sessions: int = 5
    """Sessions of one event."""
    run_defers: int = 20
    """Deferred scorers of one run."""
    score_name_bytes: int = 128
    """A score's name in UTF-8."""
    request_events: int = 5_000
    """Events of one HTTP request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process needs to know about the world around it."""

    url: str | None = None
    """`ASSAY_URL`: the API that clients and the CLI talk to."""
    api_key: str | None = None
    """`ASSAY_API_KEY`: the key that clients send."""
    database_url: str | None = None
    """`ASSAY_DATABASE_URL`: a PostgreSQL from 15 on; without it the embedded one is used."""
    database_listen_url: str | None = None
    """`ASSAY_DATABASE_LISTEN_URL`: a direct way to it for LISTEN, past a pooler."""
    data_dir: Path = Path(".assay")
    """`ASSAY_DATA_DIR`: where the embedded PostgreSQL keeps its data."""
    project: str = "default"
    """`ASSAY_PROJECT`: the project that a worker serves."""
    author: str | None = None
    """`ASSAY_AUTHOR`: who answers for the changes of experiments that a worker's code makes, or who
    stops one."""
    lease_s: float = 10.0
    """`ASSAY_LEASE_S`: how long a silent worker keeps its runs."""
    heartbeat_s: float = 3.0
    """`ASSAY_HEARTBEAT_S`: how often a worker says that it lives."""
    limits: Limits = field(default_factory=Limits)
    """`ASSAY_MAX_...`: how large things may be."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from the environment, or from *environ* in its place."""
        read = _Reader(os.environ if environ is None else environ)
        usual = cls()
        settings = cls(
            url=read.url("ASSAY_URL", ("http://", "https://")),
            api_key=read.secret("ASSAY_API_KEY"),
            database_url=read.url("ASSAY_DATABASE_URL", POSTGRES_SCHEMES),
            database_listen_url=read.url("ASSAY_DATABASE_LISTEN_URL", POSTGRES_SCHEMES),
            data_dir=Path(read.text("ASSAY_DATA_DIR") or usual.data_dir),
            project=read.text("ASSAY_PROJECT") or usual.project,
            author=read.text("ASSAY_AUTHOR"),
            lease_s=read.seconds("ASSAY_LEASE_S", usual.lease_s),
            heartbeat_s=read.seconds("ASSAY_HEARTBEAT_S", usual.heartbeat_s),
            limits=Limits(
                **{
                    limit.name: read.count(
                        f"ASSAY_MAX_{limit.name.upper()}", getattr(usual.limits, limit.name)
                    )
                    for limit in fields(Limits)
                }
            ),
        )
        if settings.heartbeat_s * 2 > settings.lease_s:
            raise _refusal(
                "ASSAY_HEARTBEAT_S",
                f"{settings.heartbeat_s:g} is too long for a lease of {settings.lease_s:g} s",
                "set it to half of ASSAY_LEASE_S at most, better to a third",
            )
        return settings


class _Reader:
    """Reads variables; an empty one counts as not set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def url(self, name: str, schemes: tuple[str, ...]) -> str | None:
        text = self.text(name)
        if text is not None and not text.startswith(schemes):
            # The value may hold a password, so the message doesn't repeat it.
            raise _refusal(name, "is no such URL", f"start it with {' or '.join(schemes)}")
        return text

    def secret(self, name: str) -> str | None:
        text = self.text(name)
        if text is not None and not (text.isascii() and text.isprintable()):
            raise _refusal(name, "is no key", "give it as `assay keys create` printed it")
        return text

    def seconds(self, name: str, usual: float) -> float:
        text = self.text(name)
        if text is None:
            return usual
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            raise _refusal(name, f"is {text!r}", f"give seconds above 0, such as {usual:g}")
        return seconds

    def count(self, name: str, usual: int) -> int:
        text = self.text(name)
        if text is None:
            return usual
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise _refusal(name, f"is {text!r}", f"give a whole number above 0, such as {usual}")
        return int(text)


def _refusal(name: str, wrong: str, hint: str) -> AssayError:
    return AssayError(f"{name} {wrong}", code="setting_invalid", field=name, hint=hint)


def environment_with(**changes: str) -> dict[str, str]:
    """The environment for a process started by this one, with these variables set."""
    return {**os.environ, **changes}
