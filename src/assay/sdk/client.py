"""The client: where functions are declared, and the way to runs from outside and inside."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, overload

from assay.errors import AssayError
from assay.sdk.calls import Calls
from assay.sdk.declaring import check_id, define_function, define_scorer
from assay.sdk.experiments import check_experiment
from assay.sdk.functions import Function, Scorer
from assay.sdk.plans import ExperimentPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx2

    from assay.clock import Clock
    from assay.model.experiments import Plan
    from assay.sdk.definitions import FunctionDefinition
    from assay.sdk.events import D
    from assay.sdk.functions import FunctionDecorator, ScorerDecorator, TypedScorerDecorator
    from assay.sdk.sync import SyncClient
    from assay.sdk.triggers import TriggerInput

P = ParamSpec("P")
R = TypeVar("R")


class Client(Calls):
    """An app: its functions, and the way to send events and scores.

    Outside of runs it speaks HTTP; inside a body or step it goes by the run's journal.

    Args:
        app_id: names the app; function ids are unique in it.
        url: of the API; `ASSAY_URL` unless given, else `http://127.0.0.1:8787`.
        api_key: `ASSAY_API_KEY` unless given.
        transport: carries the requests in place of the network.
        clock: dates the ids that are minted here.

    Attributes:
        functions: what was declared, by id.
        plans: of experiments, by id.
    """

    def __init__(
        self,
        app_id: str,
        *,
        url: str | None = None,
        api_key: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(url=url, api_key=api_key, transport=transport, clock=clock)
        self.app_id = check_id(app_id, "app")
        self.functions: dict[str, FunctionDefinition] = {}
        self.plans: dict[str, Plan] = {}
        self._sync: SyncClient | None = None

    def function(self, id: str, /, *, on: TriggerInput, retries: int = 4) -> FunctionDecorator:
        """Declare a durable function.

        Args:
            id: unique in the app.
            on: what starts it: an event name, a pattern, `assay.on(...)`, an EventType, or a list.
            retries: further attempts of each step and of the body after the first, 0 to 20.
        """
        local = sys._getframe(1).f_locals  # noqa: SLF001 - annotations may name local types

        def decorate(body: Any, /) -> Any:
            definition, output = define_function(
                id, self.app_id, body, on=on, retries=retries, local=local
            )
            self._declare(definition)
            return Function(body, definition, output)

        return decorate

    @overload
    def scorer(
        self, id: str, /, *, schema: type[D], scores: str | Sequence[str], retries: int = 4
    ) -> TypedScorerDecorator[D]: ...
    @overload
    def scorer(
        self, id: str, /, *, scores: str | Sequence[str], retries: int = 4
    ) -> ScorerDecorator: ...
    def scorer(
        self,
        id: str,
        /,
        *,
        scores: str | Sequence[str],
        schema: Any = None,
        retries: int = 4,
    ) -> Any:
        """Declare a deferred function whose return value scores the run that promised it.

        Args:
            id: unique in the app.
            scores: the names that it will give, one or several.
            schema: the type of its payload; what the context says unless given.
            retries: as of functions.
        """
        local = sys._getframe(1).f_locals  # noqa: SLF001 - annotations may name local types

        def decorate(body: Any, /) -> Scorer[Any]:
            definition = define_scorer(
                id,
                self.app_id,
                body,
                schema=schema,
                scores=scores,
                retries=retries,
                local=local,
            )
            self._declare(definition)
            return Scorer(body, definition)

        return decorate

    def experiment(self, id: str, /, *, plan: ExperimentPlan) -> None:
        """Declare how an experiment is to be judged, at module level beside its code.

        Workers make it known. One that is changed once units were exposed is a new version, which
        counts only units that are first exposed after it.

        Args:
            id: as `ctx.experiment` has it.
            plan: of it.

        Raises:
            AssayError: `bad_step_id`, `duplicate_plan`, `experiment_plan`.
        """
        if check_experiment(id) in self.plans:
            raise AssayError(
                f"the experiment {id!r} has a plan already",
                code="duplicate_plan",
                field="id",
                hint="declare one plan for each experiment",
            )
        if not isinstance(cast("object", plan), ExperimentPlan):
            raise AssayError(
                f"the plan of experiment {id!r} must be an ExperimentPlan (got {plan!r:.80})",
                code="experiment_plan",
                field="plan",
                hint='plan=assay.ExperimentPlan(primary="user-feedback", kind="boolean", days=28)',
            )
        self.plans[id] = plan.checked()

    @property
    def sync(self) -> SyncClient:
        """The same calls for code that is not async."""
        if self._sync is None:
            # Most programs never call it, and it brings threads along.
            from assay.sdk.sync import SyncClient  # noqa: PLC0415

            self._sync = SyncClient(self)
        return self._sync

    def _declare(self, definition: FunctionDefinition) -> None:
        if definition.id in self.functions:
            raise AssayError(
                f"the function id {definition.id!r} is taken in {self.app_id!r}",
                code="duplicate_function",
                field="id",
                hint="give each function and scorer of an app an id of its own",
            )
        self.functions[definition.id] = definition
