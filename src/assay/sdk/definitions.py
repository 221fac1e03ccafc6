"""What the engine runs: a body with its id, triggers, options and codecs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from typing_extensions import override

from assay.errors import AssayError
from assay.sdk.events import D

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from assay.sdk.port import Journal
    from assay.sdk.triggers import Trigger
    from assay.sdk.values import Codec

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefinition:
    """A function or scorer, ready to run.

    Attributes:
        id: unique in its app.
        kind: a scorer has no triggers and declares names.
        triggers: what starts it.
        retries: of each step, and of the body, unless said otherwise.
        is_async: whether `start` gives a coroutine of the output's text, or the text itself.
        scores: the names that a scorer gives.
        codec: of the event's data or the scorer's payload.
        start: runs the body against a journal, which `current_journal` holds already, and gives
            the output as exact JSON text; for scorers that of a list of scores.
    """

    id: str
    app: str
    kind: Literal["function", "scorer"]
    triggers: tuple[Trigger, ...]
    retries: int
    is_async: bool
    scores: tuple[str, ...]
    codec: Codec
    start: Callable[[Journal], Coroutine[object, object, str] | str]

    def validate(self, data: str) -> str | None:
        """What is wrong with data given as JSON text, event's or payload; None where it fits."""
        return self.codec.problem(data)

    @property
    def options_json(self) -> str:
        """What is registered of it, as JSON text that is equal while nothing of it changes.

        Raises:
            AssayError: `bad_schema`, with the function that takes what has no schema.
        """
        try:
            schema = self.codec.json_schema()
            triggers = [trigger.describe() for trigger in self.triggers]
        except AssayError as error:
            message = f"what {self.id!r} takes can't be checked: {error.message}"
            raise AssayError(message, code=error.code, field="schema", hint=error.hint) from error
        return json.dumps(
            {
                "kind": self.kind,
                "retries": self.retries,
                "scores": list(self.scores),
                "schema": None if schema is None else json.loads(schema),
                "triggers": triggers,
            },
            sort_keys=True,
        )


class Invocable(Generic[R_co, D]):
    """A function as those see it who run it: R is its output, D its data.

    Attributes:
        definition: what the engine runs.
    """

    def __init__(
        self, body: Callable[..., Any], definition: FunctionDefinition, output: Codec
    ) -> None:
        self._body = body
        self._output = output
        self.definition = definition

    def read_output(self, text: str) -> R_co:
        """The value that a run's output is the JSON text of; ValueError where it does not fit."""
        value: R_co = self._output.load(text)
        return value

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.definition.id!r})"


class Deferrable(Generic[D]):
    """A scorer as those see it who promise it: D is its payload.

    Attributes:
        definition: what the engine runs.
    """

    def __init__(self, body: Callable[..., Any], definition: FunctionDefinition) -> None:
        self._body = body
        self.definition = definition

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.definition.id!r})"
