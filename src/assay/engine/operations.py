"""What a body asks for, as rows: one function a request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from assay.engine.choosing import memo_of
from assay.engine.claimed import BODY
from assay.engine.stored import stored_data
from assay.engine.waits import NEVER, event_wait
from assay.engine.writes import Fact
from assay.ids import span_of, to_text
from assay.model.events import NewEvent
from assay.model.journal import Kind, Memo
from assay.model.session_rules import fold
from assay.sdk.port import Choice, EventSend, EventWait, Invocation, ScoreWrite, Sleep
from assay.store.scores import reference_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from assay.clock import Clock
    from assay.engine.choosing import Choosing
    from assay.engine.replay import Asked
    from assay.engine.writes import Writes
    from assay.ids import Ids
    from assay.model.scores import NewScore
    from assay.sdk.port import EventDraft, RunInfo
    from assay.store.turns import Row

INVOKED_EVENT = "assay/function.invoked"


class Operations:
    """Turns the asks of one run into rows.

    Args:
        run: the run, with its generation, trace and the functions' versions of its app.

    Attributes:
        has_chosen: whether it has asked for a variant since its turn was claimed.
    """

    def __init__(
        self,
        run: UUID,
        generation: int,
        *,
        info: RunInfo,
        trace: UUID,
        versions: Mapping[str, str],
        lookback_from: float | None,
        clock: Clock,
        ids: Ids,
        choosing: Choosing,
    ) -> None:
        self._run = run
        self._generation = generation
        self._info = info
        self._trace = trace
        self._versions = versions
        self._lookback_from = lookback_from
        self._clock = clock
        self._ids = ids
        self._choosing = choosing
        self.has_chosen = False

    def fact(
        self,
        asked: Asked,
        memo: Memo,
        *,
        span: int,
        attempts: int,
        started: float,
        ended: float,
        error: str | None = None,
        input_: str | None = None,
    ) -> Fact:
        """A memo on its way into the journal."""
        operation = asked.operation
        if operation.kind is Kind.EXPERIMENT:
            self.has_chosen = True
        row: Row = {
            "run": self._run,
            "gen": self._generation,
            "step": asked.key,
            "kind": operation.kind,
            "name": operation.name,
            "idx": asked.index,
            "output": memo.output,
            "span": span,
            "attempts": attempts,
            "started": started,
            "ended": ended,
        }
        if error is not None:
            row["error"] = error
        if input_ is not None:
            row["input"] = input_
        return Fact(asked, memo, row)

    def begin(self, asked: Asked, writes: Writes) -> float | Memo:
        """Begin anything but a step: gives its memo, or when its wait ends at the latest.

        Raises:
            AssayError: the request can't be met.
        """
        match asked.operation.request:
            case Sleep() as request:
                return self.sleep(asked, request, writes)
            case EventWait() as request:
                return self.wait(asked, request, writes)
            case Invocation() as request:
                return self.invoke(asked, request, writes)
            case EventSend() as request:
                events = self.drafted(request.events)
                self.send(events, writes)
                return Memo(output=json.dumps([to_text(event.id) for event in events]))
            case ScoreWrite() as request:
                self.score(request.score, writes)
                return Memo(output="null")
            case Choice() as request:
                exposure = self._choosing.at_once(asked.operation.name, request, self._info)
                writes.exposures.append(exposure)
                return Memo(output=memo_of(exposure))
            case request:
                raise TypeError(request)

    def sleep(self, asked: Asked, request: Sleep, writes: Writes) -> float:
        """Open a sleep; gives when it ends, in seconds since 1970."""
        now = self._clock.time()
        until = request.until.timestamp() if request.until else now + (request.for_s or 0.0)
        writes.waits.append(self._wait(asked, "sleep", now=now, since=now, expires=until))
        return until

    def wait(self, asked: Asked, request: EventWait, writes: Writes) -> float:
        """Open a wait for an event; gives when it times out.

        Raises:
            AssayError: `bad_condition`, `bad_match`.
        """
        now = self._clock.time()
        since = now
        if request.lookback_s is not None:
            since = now - request.lookback_s
        elif self._lookback_from is not None:
            since = self._lookback_from
        columns, looking, shape = event_wait(
            request, event_variable(self._info), run=self._run, step=asked.key, since=since
        )
        expires = now + request.timeout_s
        writes.waits.append(
            self._wait(asked, "wait", now=now, since=since, expires=expires) | columns
        )
        writes.shapes.append(shape)
        writes.looks.append(looking)
        return expires

    def invoke(self, asked: Asked, request: Invocation, writes: Writes) -> float:
        """Start a child run and wait for its end; gives when that times out.

        Raises:
            AssayError: sessions that no event can carry.
        """
        now = self._clock.time()
        sessions = fold(request.sessions, self._info.sessions, drops_all=request.drops_sessions)
        event, child = self._ids.new(), self._ids.new()
        data, warning = stored_data(request.data)
        app = request.app or self._info.app
        expires = NEVER if request.timeout_s is None else now + request.timeout_s
        row = self._wait(asked, "invoke", now=now, since=now, expires=expires)
        writes.waits.append(row | {"child": child, "input": request.data})
        writes.events.append(
            {
                "run": self._run,
                "gen": self._generation,
                "id": event,
                "name": INVOKED_EVENT,
                "data": data,
                "warning": warning,
                "sessions": sessions or None,
                "ts": now,
                "matched": True,
            }
        )
        writes.runs.append(
            {
                "id": child,
                "app": app,
                "fn": request.function,
                "kind": "function",
                "version": self._versions.get(request.function, ""),
                "event": event,
                "parent_run": self._run,
                "parent_step": asked.key,
                "trace": self._trace,
                "parent_span": row["span"],
                "sessions": json.dumps(sessions) if sessions else None,
                "due": now,
            }
        )
        writes.hints.add(app)
        return expires

    def drafted(self, drafts: Sequence[EventDraft]) -> list[NewEvent]:
        """Events that the run sends, with ids, folded sessions and its own id as their source.

        Raises:
            AssayError: sessions that no event can carry.
        """
        return [
            NewEvent(
                id=draft.id or self._ids.new(),
                name=draft.name,
                data=draft.data,
                ts=draft.ts or self._clock.now(),
                sessions=fold(draft.sessions, self._info.sessions, drops_all=draft.drops_sessions),
                key=draft.key,
                source_run=self._run,
                force=draft.force,
            )
            for draft in drafts
        ]

    def send(self, events: Sequence[NewEvent], writes: Writes) -> None:
        """Write events; they are matched after the commit."""
        for event in events:
            data, warning = stored_data(event.data)
            writes.events.append(
                {
                    "run": self._run,
                    "gen": self._generation,
                    "id": event.id,
                    "name": event.name,
                    "data": data,
                    "warning": warning,
                    "sessions": event.sessions or None,
                    "ts": event.ts.timestamp(),
                    "key": event.key,
                    "force": event.force,
                    "matched": False,
                }
            )
            writes.sent.append(event)
        writes.trace = self._trace

    def body_attempt(self, attempt: int, error: str, *, retry_at: float) -> Row:
        """A failed attempt of the body itself, after which there is another."""
        now = self._clock.time()
        return {
            "run": self._run,
            "gen": self._generation,
            "step": BODY,
            "attempt": attempt,
            "name": "",
            "idx": 0,
            "error": error,
            "span": span_of("body", self._run, attempt),
            "started": now,
            "ended": now,
            "retry": retry_at,
        }

    def score(self, score: NewScore, writes: Writes) -> None:
        """Write a score."""
        writes.scores.append(
            {
                "id": score.id,
                "subject": score.subject,
                "run": score.run,
                "step": score.step or "",
                "idx": score.index,
                "attempt": score.attempt,
                "name": score.name,
                "value": float(score.value),
                "is_bool": isinstance(score.value, bool),
                "at": score.at.timestamp() if score.at else self._clock.time(),
                "source": score.source,
                "giver": self._run,
                "author": score.author,
                "rationale": score.rationale,
                **reference_columns(score.reference),
            }
        )

    def _wait(
        self, asked: Asked, kind: str, *, now: float, since: float, expires: float
    ) -> dict[str, Any]:
        return {
            "run": self._run,
            "gen": self._generation,
            "step": asked.key,
            "kind": kind,
            "name": asked.operation.name,
            "idx": asked.index,
            "span": self._ids.span(),
            "since": since,
            "registered": now,
            "expires": expires,
        }


def event_variable(info: RunInfo) -> dict[str, Any]:
    """The run's own event, as conditions see it."""
    return {
        "id": to_text(info.event_id),
        "name": info.event_name,
        "data": json.loads(info.event_data),
        "ts": info.event_ts.isoformat(),
        "sessions": dict(info.sessions),
    }
