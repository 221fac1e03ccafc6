"""Promises of a run: the scorers that start when it is over, and the outcomes that they owe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.engine.matching import storable
from assay.errors import AssayError
from assay.model.session_rules import fold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from assay.engine.writes import Writes
    from assay.sdk.port import Defer
    from assay.store.turns import Row

MAX_PROMISES = 20
MAX_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class Promise:
    """A scorer promised by a run.

    Attributes:
        state: pending, started, aborted or rejected.
        sessions: what the scorer's run will carry, after folding.
    """

    run: UUID
    generation: int
    defer: Defer
    sessions: Mapping[str, str]
    state: str = "pending"
    reason: str | None = None

    def row(self, *, state: str, child: UUID | None = None) -> Row:
        """Its row in `defers`."""
        return {
            "run": self.run,
            "gen": self.generation,
            "id": self.defer.id,
            "scorer": self.defer.scorer,
            "names": list(self.defer.names),
            "payload": self.defer.payload,
            "experiment": self.defer.experiment,
            "sessions": dict(self.sessions) or None,
            "state": state,
            "reason": self.reason,
            "child": child,
        }


class Promises:
    """The promises of one run: those it made before, and those of this turn."""

    def __init__(
        self,
        run: UUID,
        generation: int,
        sessions: Mapping[str, str],
        *,
        most: int = MAX_PROMISES,
    ) -> None:
        self._most = most
        self._run = run
        self._generation = generation
        self._sessions = sessions
        self._made: dict[str, Promise] = {}
        self._asked: set[str] = set()
        self.warnings: list[str] = []

    def restore(self, promise: Promise) -> None:
        """Take up one that the run made in an earlier turn."""
        self._made[promise.defer.id] = promise

    def all(self) -> list[Promise]:
        """In the order in which they were made."""
        return list(self._made.values())

    def make(self, defer: Defer, writes: Writes, *, in_step: bool) -> bool:
        """Promise a scorer; False where its id was used before in this pass of the body.

        Never fails the run: what is refused becomes outcomes in the state `failed`.
        """
        is_known = defer.id in self._made
        if is_known and (in_step or defer.id in self._asked):
            if not in_step:
                self.warnings.append(f"defer {defer.id!r} was asked for twice: the first counts")
            return False
        if not in_step:
            self._asked.add(defer.id)
        if is_known:
            return True
        sessions, wrong = _fold(self._sessions, defer)
        promise = Promise(self._run, self._generation, defer, sessions)
        refused = defer.refused or wrong or self._over_limit(defer)
        self._made[defer.id] = promise
        if refused is not None:
            promise.state, promise.reason = "rejected", storable(refused)
        writes.defers.append(promise.row(state=promise.state))
        self._outcomes(promise, "failed" if refused else "pending", writes)
        return True

    def can_abort(self, id_: str) -> bool:
        """Whether `abort` would leave a promise withdrawn."""
        promise = self._made.get(id_)
        return promise is not None and promise.state != "rejected"

    def abort(self, id_: str, writes: Writes) -> bool:
        """Withdraw a promise; whether it is withdrawn, so that replay gives the same answer."""
        if not self.can_abort(id_):
            return False
        promise = self._made[id_]
        if promise.state == "aborted":
            return True
        promise.state, promise.reason = "aborted", "withdrawn by the run"
        writes.defers.append(promise.row(state="aborted"))
        self._outcomes(promise, "cancelled", writes)
        return True

    def _outcomes(self, promise: Promise, state: str, writes: Writes) -> None:
        for name in promise.defer.names:
            writes.outcomes.append(
                {
                    "run": self._run,
                    "defer": promise.defer.id,
                    "name": name,
                    "scorer": promise.defer.scorer,
                    "state": state,
                    "reason": promise.reason,
                    "score": None,
                    "giver": self._run,
                }
            )

    def _over_limit(self, defer: Defer) -> str | None:
        accepted = [p for p in self._made.values() if p.state != "rejected"]
        if len(accepted) >= self._most:
            return f"a run may promise {self._most} scorers at most"
        size = len(defer.payload or "")
        if size > MAX_BYTES:
            return f"the payload has {size} bytes, {MAX_BYTES} are allowed"
        total = size + sum(len(p.defer.payload or "") for p in accepted if p.state == "pending")
        if total > MAX_BYTES:
            return (
                f"the payloads of this run's promises have {total} bytes, {MAX_BYTES} are allowed"
            )
        return None


def _fold(inherited: Mapping[str, str], defer: Defer) -> tuple[Mapping[str, str], str | None]:
    try:
        return fold(defer.sessions, inherited, drops_all=defer.drops_sessions), None
    except AssayError as error:
        return dict(inherited), str(error)
