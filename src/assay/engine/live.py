"""A claimed turn: replays the body, performs what it asks for, writes what came of it."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from assay.engine import claimed as parse
from assay.engine.endings import Ending, end, not_asked_for, scored_by
from assay.engine.failures import check_size, coded, to_json
from assay.engine.journals import RunJournal
from assay.engine.operations import Operations
from assay.engine.promises import Promises
from assay.engine.replay import describe
from assay.engine.retries import delay_s
from assay.engine.stepping import Stepping
from assay.engine.unseen import Unseen
from assay.engine.waits import NEVER
from assay.engine.writes import Writes
from assay.errors import AssayError
from assay.ids import to_text
from assay.model.journal import Memo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    import psycopg

    from assay.engine.endings import Status
    from assay.engine.replay import Asked, Finished, Replay, Turn
    from assay.engine.running import Host
    from assay.engine.timers import Timer
    from assay.errors import Failure
    from assay.model.journal import Entry
    from assay.sdk.definitions import FunctionDefinition
    from assay.store.turns import ClaimedTurn, Row, Written

_log = logging.getLogger("assay.engine")


class LiveRun:
    """One stretch of a run between two parkings."""

    def __init__(
        self, turn: ClaimedTurn, definition: FunctionDefinition, host: Host, *, lease: UUID
    ) -> None:
        self.id = turn.run_id
        self.lease = lease
        self.generation = turn.generation
        self.definition = definition
        self.host = host
        self.writes = Writes()
        self.is_over = False
        self.waits = parse.waits(turn) if turn.waits else {}
        self.tries = parse.tries(turn) if turn.attempts else {}
        self._claimed = turn
        self._wakes, self._losses = turn.wakes, turn.losses
        self._entries = parse.entries(turn) if turn.journal else []
        self._seq = self._asked = len(self._entries)
        self._unseen = Unseen()
        self._is_refused = False
        self._has_waited = bool(self.waits) or turn.generation > 1
        self._last_wait_timed_out = False
        body_tries = self.tries.get(parse.BODY) if self.tries else None
        self.info = parse.run_info(
            turn, app=host.app, attempt=(body_tries.made if body_tries else 0) + 1
        )
        self.trace = turn.trace
        self.promises = Promises(
            self.id, self.generation, self.info.sessions, most=host.max_promises
        )
        if turn.defers:
            for promise in parse.promises(turn):
                self.promises.restore(promise)
        parent = turn.parent
        self.operations = Operations(
            self.id,
            self.generation,
            info=self.info,
            trace=self.trace,
            versions=host.versions,
            lookback_from=parent["started_at"] if parent else None,
            clock=host.clock,
            ids=host.ids,
            choosing=host.choosing,
        )
        self.stepping = Stepping(self)
        self.journal = RunJournal(self)
        self.warnings: list[str] = []
        self._sending: Writes | None = None
        self._timer: Timer | None = None
        self.replay: Replay | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether workers were lost with this turn since its last commit."""
        return self._losses > 0

    # Life

    def begin(self) -> None:
        """Start, or go on where the journal ends."""
        if self._claimed.cancelled:
            self._end("cancelled", None, None)
            return
        body = self.tries.get(parse.BODY) if self.tries else None
        if body is not None and body.retry_at > self.host.clock.time():
            self._park(body.retry_at)
            return
        self._note_waits(self._entries)
        self.replay = self.host.replay(self, self._entries)
        self._follow(self.replay.begin())
        self.settle()

    def wake(self) -> None:
        """Something may have been resolved while the run is live: collect it."""
        if not self.is_over and self.writes.park is None and self.writes.finish is None:
            self.writes.collect = True
            self.submit()

    def look(self, wakes: int, *, cancelled: bool) -> None:
        """What the turn's row says: how often it was woken, whether it is to be cancelled."""
        if cancelled:
            self.cancel()
        elif wakes != self._wakes and not self.writes.collect:
            self.wake()

    def cancel(self) -> None:
        """End the run: steps in flight are given up."""
        if not self.is_over and self.writes.finish is None:
            self._end("cancelled", None, None)

    def submit(self) -> None:
        """Have what there is written by the next flush."""
        self.host.committer.submit(self)

    # The committer's side

    def take(self) -> tuple[Writes, Row]:
        """The writes so far, with their places in the journal given."""
        writes, self.writes = self.writes, Writes()
        for fact in writes.facts:
            self._seq += 1
            fact.row["seq"] = self._seq
        turn: Row = {"run": self.id, "gen": self.generation}
        if self._losses and writes.facts:
            turn["lost"] = True
            self._losses = 0
        self._sending = writes
        return writes, turn

    def committed(self, writes: Writes, written: Written) -> None:
        """Deliver what is durable now, in the order of the journal."""
        self._sending = None
        if writes.finish is not None or writes.park is not None:
            self._leave(dropped=False, parked=writes.park is not None)
            return
        if self.writes.finish is None:
            for call in writes.started:
                call()
        if writes.collect:
            self._wakes = written.wakes
            collected = [parse.entry(row[1:]) for row in written.collected]
            self._note_waits(collected)
            for entry in collected:
                self._seq = max(self._seq, entry.seq)
                self.waits.pop(entry.step, None)
                self._deliver(entry)
        elif written.wakes != self._wakes:
            self.wake()
        if written.cancelled:
            self.cancel()
        self.settle()

    def lose(self) -> None:
        """Another worker has the turn, or nobody can tell: end without a trace."""
        self._leave(dropped=True)

    def fault(self, error: Exception) -> None:
        """Assay itself went wrong with this run: it fails and says so, the worker goes on."""
        _log.error("run %s met a fault of Assay", to_text(self.id), exc_info=error)
        if self.is_over or self.writes.finish is not None:
            self.lose()
            return
        self.writes = Writes()
        message = f"a fault of Assay ended the run: {type(error).__name__}: {error}"
        self._end("failed", None, to_json(coded("engine_fault", message)))

    def refuse(self, error: psycopg.Error) -> None:
        """The database refuses these writes alone: the run fails and says why."""
        _log.error("run %s: its writes are refused: %s", to_text(self.id), error)
        why = f"the database refuses what the run wrote: {error.diag.message_primary}"
        failure = coded("commit_refused", why)
        is_ending, self._is_refused = self._is_refused, True
        self.writes = Writes()
        self._end("failed", None, to_json(failure))
        if is_ending:
            # Even the end was refused: only the result is left to write.
            finish, self.writes = self.writes.finish, Writes()
            self.writes.finish = finish

    # Going on

    def when_durable(self, call: Callable[[], None]) -> None:
        """Call once all that the body may have seen is committed."""
        last = self.writes if self.writes.facts else self._sending
        if last is not None and last.facts:
            last.started.append(call)
        else:
            call()

    def _deliver(self, entry: Entry) -> None:
        is_ending = self.is_over or self.writes.finish is not None or self.stepping.is_ending
        if self.replay is not None and not is_ending:
            self._follow(self.replay.deliver(entry))

    def _follow(self, turn: Turn) -> None:
        for key in turn.cancelled:
            self.stepping.abandon(key)
            if self.waits.pop(key, None) is not None:
                self.writes.closed.append({"run": self.id, "step": key})
                self.submit()
        if turn.finished is not None:
            self._finished(turn.finished)
            return
        for asked in turn.asks:
            self._asked += 1
            if self._asked > self.host.max_steps:
                limit = f"the run asks for more than {self.host.max_steps} steps"
                self._end("failed", None, to_json(coded("too_many_steps", limit)))
                return
            self._start(asked)

    def _start(self, asked: Asked) -> None:
        if self.is_over or asked.key in self.waits:
            return
        try:
            call = self.stepping.call_of(asked)
            if call is not None:
                self.stepping.start(asked, call)
                return
            begun = self.operations.begin(asked, self.writes)
        except AssayError as error:
            begun = Memo(failure=describe(error))
        if isinstance(begun, Memo):
            self.remember(asked, begun)
        else:
            self.waits[asked.key] = begun
            self._has_waited = True

    def owns(self, run: UUID) -> bool:
        """Whether a run is this one or its parent, of which nobody has to be asked."""
        return run in (self.id, self._claimed.parent_run)

    def remember(
        self,
        asked: Asked,
        memo: Memo,
        *,
        span: int | None = None,
        attempts: int = 1,
        started: float | None = None,
        input_: str | None = None,
    ) -> None:
        """Write a memo; the body sees it when the run settles."""
        now = self.host.clock.time()
        fact = self.operations.fact(
            asked,
            memo,
            span=span or self.host.ids.span(),
            attempts=attempts,
            started=now if started is None else started,
            ended=now,
            error=None if memo.failure is None else to_json(memo.failure),
            input_=input_,
        )
        self.writes.facts.append(fact)
        self._unseen.add(fact)
        self.submit()

    def settle(self) -> None:
        """Let the body go on; park when nothing can go on without waiting."""
        while entry := self._unseen.next(self.writes, self._sending, last=self._seq):
            self._deliver(entry)
        if self.is_over or self.writes.finish is not None or self.writes.park is not None:
            return
        if self.stepping.is_busy:
            # While a step is in flight the run does not park: what falls due is seen to here.
            if self._sending is None and not self.writes.collect:
                self._call_at(self._due())
            if self.writes.waits:
                self.submit()
        elif not (self._unseen or self._sending is not None or self.writes.collect):
            self._park(self._due())

    def _due(self) -> float:
        """When the first of what it waits for is over, in seconds since 1970."""
        return min([*self.waits.values(), *self.stepping.retries.values()], default=NEVER)

    def _call_at(self, due: float) -> None:
        timer = self._timer
        if timer is None or timer.call is None or due < timer.at:
            if timer is not None:
                timer.cancel()
            self._timer = None if due >= NEVER else self.host.call_at(due, self._fall_due)

    def _fall_due(self) -> None:
        if self.is_over or self.writes.park is not None or self.writes.finish is not None:
            return
        try:
            self.stepping.retry()
            if min(self.waits.values(), default=NEVER) <= self.host.clock.time():
                self.wake()
            self.settle()
        except Exception as error:  # noqa: BLE001 - one run must not hold up the timers of all
            self.fault(error)

    def _park(self, due: float) -> None:
        self.writes.park = {
            "run": self.id,
            "gen": self.generation,
            "wakes": self._wakes,
            "due": min(due, NEVER),
        }
        self.submit()

    # The end

    def _finished(self, finished: Finished) -> None:
        output, failure = finished.output, finished.failure
        if output is not None:
            failure = check_size("run_output_too_large", output, self.host.max_output_bytes)
            if failure is None and self.definition.kind == "scorer":
                scored = scored_by(output)
                if scored:
                    self.stepping.end(scored, partial(self._conclude, finished))
                    return
        self._conclude(finished, failure)

    def _conclude(self, finished: Finished, failure: Failure | None) -> None:
        if failure is None:
            for text in () if self.replay is None else self.replay.forgotten:
                self.journal.warn(text)
            self._end("completed", finished.output, None)
            return
        attempt = self.info.attempt
        if not failure.retriable or attempt > self.definition.retries:
            self._end("failed", None, to_json(failure))
            return
        host = self.host
        delay = delay_s(finished.error, attempt=attempt, clock=host.clock, chance=host.chance)
        retry_at = host.clock.time() + delay
        self.writes.attempts.append(
            self.operations.body_attempt(attempt, to_json(failure), retry_at=retry_at)
        )
        self._park(retry_at)

    def _end(self, status: Status, output: str | None, error: str | None) -> None:
        ending = Ending(
            self._claimed,
            self.host.app,
            status,
            output,
            error,
            self._has_waited,
            self._last_wait_timed_out,
            self.host.versions,
            (*self.warnings, *self.promises.warnings, *not_asked_for(self.replay)),
            self.operations.has_chosen,
        )
        self.writes.park = None
        now = self.host.clock.time()
        self.stepping.give_up(now)
        end(ending, self.promises.all(), self.writes, ids=self.host.ids, now=now)
        self.submit()

    def _note_waits(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.kind == "wait":
                self._last_wait_timed_out = entry.memo.output == "null"

    def _leave(self, *, dropped: bool, parked: bool = False) -> None:
        if self.is_over:
            return
        self.is_over = True
        self.host.committer.forget(self)
        self.stepping.stop()
        if self._timer is not None:
            self._timer.cancel()
        if self.replay is not None:
            self.replay.unwind()
            if self.replay.leaked:
                _log.warning("run %s did not end: %s", to_text(self.id), self.replay.leaked)
            else:
                self.replay = None
        # With no part that points back, a run is freed at once and not by the garbage collector.
        del self.stepping, self.journal
        self.host.left(self, dropped=dropped, parked=parked)
