"""Decorated functions and scorers: what is refused, and what the engine runs."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pydantic
import pytest

import assay
from assay import ids
from assay.sdk.port import ParentRun
from unit.sdk.fake_journal import RUN, FakeJournal, code_of, inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.sdk.definitions import FunctionDefinition


class Ticket(pydantic.BaseModel):
    """Data of an event."""

    id: int


class Answer(pydantic.BaseModel):
    """An output."""

    text: str


TicketCreated = assay.EventType("ticket/created", Ticket)
PARENT = ParentRun(run_id="01P", function_id="fn", status="failed", output=None, error={"a": 1})


@pytest.fixture
def client() -> assay.Client:
    """An app of this test's own."""
    return assay.Client("app")


def start(definition: FunctionDefinition, journal: FakeJournal) -> Any:
    """The output of a run, read."""
    with inside(journal):
        begun = definition.start(journal)
        return json.loads(begun if isinstance(begun, str) else asyncio.run(begun))


async def bare(ctx: assay.Context) -> None:
    """A body."""


def test_a_function_stays_callable_and_is_declared(client: assay.Client) -> None:
    """Under its id."""
    fn = client.function("fn", on="a/b")(bare)
    assert client.functions == {"fn": fn.definition}
    assert asyncio.run(fn(assay.Context(FakeJournal(), {}))) is None
    assert repr(fn) == "Function('fn')"


@pytest.mark.parametrize(
    "on",
    [
        "",
        "a*",
        "a/*b",
        "*/a",
        "a/**",
        "a/" + "b" * 260,
        3,
        [],
        [f"e/{n}" for n in range(11)],
        ["a/b", "a/b"],
        [3],
    ],
    ids=str,
)
def test_triggers_that_cannot_be(client: assay.Client, on: Any) -> None:
    """Are refused at decoration."""
    assert code_of(lambda: client.function("fn", on=on)(bare)) == "bad_trigger"


@pytest.mark.parametrize("on", ["a/*", "a.*", "a/b.*", "*", "a/b"])
def test_patterns_that_can(client: assay.Client, on: str) -> None:
    """A star only at the end, after `/` or `.`, or alone."""
    assert client.function("fn", on=on)(bare).definition.triggers[0].event == on


def test_triggers_carry_conditions_and_schemas(client: assay.Client) -> None:
    """As they are registered."""
    condition = "event.data.total > 100"
    decorate = client.function("fn", on=[TicketCreated, assay.on("a/*", if_=condition)], retries=0)
    definition = decorate(bare).definition
    described = json.loads(definition.options_json)
    first, second = described["triggers"]
    assert first["event"] == "ticket/created"
    assert first["schema"]["properties"]["id"]["type"] == "integer"
    assert second == {"event": "a/*", "condition": condition}
    assert (described["retries"], described["kind"]) == (0, "function")
    assert code_of(lambda: assay.on("a", if_=" ")) == "bad_condition"


def test_a_bodys_own_type_is_the_schema_of_bare_triggers(client: assay.Client) -> None:
    """So that data that does not fit starts nothing."""

    @client.function("fn", on="a/b")
    async def fn(ctx: assay.Context[Ticket]) -> int:
        return ctx.event.data.id

    trigger = fn.definition.triggers[0]
    assert trigger.validate('{"id": 1}') is None
    assert "id" in str(trigger.validate('{"id": "x"}'))
    assert "id" in str(fn.definition.validate("{}"))
    assert "schema" in trigger.describe()


@pytest.mark.parametrize("retries", [-1, 21, 1.0, True, None])
def test_retries_are_0_to_20(client: assay.Client, retries: Any) -> None:
    """A whole number."""
    assert code_of(lambda: client.function("f", on="a", retries=retries)(bare)) == "bad_option"


@pytest.mark.parametrize("id", ["", " ", "it's", "a\\b", "a\nb", "é" * 65, 3])
def test_ids_are_checked(client: assay.Client, id: Any) -> None:
    """Of apps, functions and scorers."""
    assert code_of(lambda: client.function(id, on="a")(bare)) == "bad_id"
    assert code_of(lambda: assay.Client(id)) == "bad_id"


def test_an_id_is_used_once(client: assay.Client) -> None:
    """By functions and scorers together."""
    client.function("fn", on="a")(bare)

    def scorer(_: assay.SyncScorerContext) -> bool:
        return True

    assert code_of(lambda: client.function("fn", on="a")(bare)) == "duplicate_function"
    assert code_of(lambda: client.scorer("fn", scores="a")(scorer)) == "duplicate_function"


def _sync(ctx: assay.SyncContext) -> None: ...
async def _async_sync(ctx: assay.SyncContext) -> None: ...
def _sync_async(ctx: assay.Context) -> None: ...
async def _scorer(ctx: assay.ScorerContext) -> None: ...
async def _none() -> None: ...
async def _two(ctx: assay.Context, more: int) -> None: ...
async def _missing(ctx: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    "body",
    [_async_sync, _sync_async, _scorer, _none, _two, _missing, 3],
    ids=lambda body: getattr(body, "__name__", "number"),
)
def test_bodies_that_do_not_fit_their_context(client: assay.Client, body: Any) -> None:
    """Are refused at decoration."""
    assert code_of(lambda: client.function("fn", on="a")(body)) == "bad_function"


def test_bodies_that_fit(client: assay.Client) -> None:
    """Sync, unannotated, and with what has a default."""

    async def plain(ctx, more=1):  # type: ignore[no-untyped-def]
        return [ctx.run_id, more]

    assert not client.function("a", on="a")(_sync).definition.is_async
    definition = client.function("b", on="a")(plain).definition
    assert definition.is_async
    assert start(definition, FakeJournal()) == [ids.to_text(RUN), 1]


def test_a_run_sees_its_event_and_gives_exact_text(client: assay.Client) -> None:
    """Typed on both sides, local types too."""

    class Local(pydantic.BaseModel):
        n: int

    @client.function("fn", on="a")
    async def fn(ctx: assay.Context[Local]) -> Answer:
        event = ctx.event
        assert ctx.events[0].data == event.data
        assert (event.name, event.sessions, event.ts) == (
            "thing/happened",
            {"ticket_id": "tk_1"},
            datetime(2026, 1, 1, tzinfo=UTC),
        )
        assert (ctx.attempt, ctx.sessions) == (1, {"ticket_id": "tk_1"})
        ctx.logger.info("seen")
        return Answer(text=f"{event.data.n}")

    assert start(fn.definition, FakeJournal('{"n":3}')) == {"text": "3"}
    assert fn.read_output('{"text":"3"}') == Answer(text="3")


def test_data_that_does_not_fit_fails_the_run_for_good(client: assay.Client) -> None:
    """Should one ever get that far."""

    @client.function("fn", on="a")
    def fn(ctx: assay.SyncContext[Ticket]) -> None: ...

    with pytest.raises(assay.AssayError) as caught:
        start(fn.definition, FakeJournal("{}"))
    assert (caught.value.code, caught.value.is_retriable) == ("event_data", False)


def test_a_type_without_a_schema_is_refused_when_it_is_registered(client: assay.Client) -> None:
    """It would let anything in."""

    class Opaque:
        pass

    @client.function("fn", on="a")
    async def fn(ctx: assay.Context[Opaque]) -> None: ...

    with pytest.raises(assay.AssayError, match=repr(fn.definition.id)) as caught:
        _ = fn.definition.options_json
    assert caught.value.code == "bad_schema"
    assert code_of(assay.EventType("a", Opaque).codec.json_schema) == "bad_schema"


def test_an_output_that_is_no_json_fails_the_run_for_good(client: assay.Client) -> None:
    """Naming the function and the type."""

    @client.function("fn", on="a")
    def fn(_: assay.SyncContext) -> object:
        return {1}

    with pytest.raises(assay.AssayError, match=r"function 'fn' .* a set") as caught:
        start(fn.definition, FakeJournal())
    assert caught.value.code == "run_output_not_json"


def scored(client: assay.Client, result: object, names: Any = "quality") -> Any:
    """What a scorer's result becomes."""

    def body(_: assay.SyncScorerContext) -> Any:
        return result

    scorer = client.scorer(f"s{len(client.functions)}", scores=names)(body)
    return start(scorer.definition, FakeJournal(parent=PARENT))


def test_results_of_scorers_become_lists_of_scores(client: assay.Client) -> None:
    """Bare, one, several, none; booleans stay booleans."""
    parts = ["run_id", "step_id", "rationale", "author", "at", "experiment"]
    plain = dict.fromkeys(parts) | {"index": 0}
    assert scored(client, None) == []
    assert scored(client, []) == []
    assert scored(client, False) == [{"name": "quality", "value": False, **plain}]
    assert scored(client, 0) == [{"name": "quality", "value": 0, **plain}]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    score = assay.Score("b", 0.5, step_id="x", index=2, rationale="why", author="me", at=at)
    served = assay.ExperimentRef(experiment="style", variant="short", index=1)
    several = scored(client, [assay.Score("a", 1, experiment=served), score], ["a", "b"])
    assert several[0]["name"] == "a"
    assert several[0]["experiment"] == {"experiment": "style", "variant": "short", "index": 1}
    assert several[1] == {
        "name": "b",
        "value": 0.5,
        "run_id": None,
        "step_id": "x",
        "index": 2,
        "rationale": "why",
        "author": "me",
        "at": "2026-01-01T00:00:00+00:00",
        "experiment": None,
    }


@pytest.mark.parametrize(
    ("make", "names", "code"),
    [
        (lambda: assay.Score("other", 1), "quality", "score_undeclared"),
        (lambda: 1, ["a", "b"], "score_undeclared"),
        (lambda: "good", "quality", "score_value"),
        (lambda: float("nan"), "quality", "score_value"),
        (lambda: {"name": "quality", "value": 1}, "quality", "score_options"),
        (lambda: [1], "quality", "score_options"),
        (lambda: assay.Score("quality", "x"), "quality", "score_value"),  # type: ignore[arg-type]
    ],
    ids=["name", "bare", "text", "nan", "dict", "list", "Score"],
)
def test_results_that_are_no_scores(
    client: assay.Client, make: Callable[[], object], names: Any, code: str
) -> None:
    """Fail the scorer for good."""

    def act() -> object:
        return scored(client, make(), names)

    assert code_of(act) == code


def test_scorers_see_payload_and_parent(client: assay.Client) -> None:
    """The payload by its schema, or by what the body says."""

    @client.scorer("typed", schema=Ticket, scores="a")
    async def typed(ctx: assay.ScorerContext[Ticket]) -> int | None:
        assert ctx.parent == PARENT
        return ctx.data.id

    @client.scorer("said", scores=["a"])
    def said(ctx: assay.SyncScorerContext[Ticket]) -> list[assay.Score]:
        return [assay.Score("a", ctx.data.id)]

    for scorer in (typed, said):
        journal = FakeJournal('{"id":7}', parent=PARENT)
        assert start(scorer.definition, journal)[0]["value"] == 7
        assert scorer.definition.kind == "scorer"
    assert code_of(lambda: start(typed.definition, FakeJournal('{"id":7}'))) == "no_parent"


@pytest.mark.parametrize("scores", ["", [], ["a", "a"], None, "it's", [3]], ids=str)
def test_scorers_declare_names(client: assay.Client, scores: Any) -> None:
    """Valid ones, each once."""

    def body(ctx: assay.SyncScorerContext) -> None: ...

    assert code_of(lambda: client.scorer("s", scores=scores)(body)) in ("bad_option", "score_name")


def test_defers_are_promised(client: assay.Client, caplog: pytest.LogCaptureFixture) -> None:
    """Wrong ones with their reason, second ones with a warning; the parent goes on."""

    @client.scorer("typed", schema=Ticket, scores="a")
    async def typed(ctx: assay.ScorerContext[Ticket]) -> None: ...

    journal = FakeJournal()
    ctx: assay.Context = assay.Context(journal, {})
    with caplog.at_level(logging.WARNING):
        first = ctx.defer("one", typed, {"id": 1}, sessions=assay.DROP)
        ctx.defer("one", typed, {"id": 1})
        ctx.defer("two", typed, Ticket(id=2), sessions={"a": 1})
        ctx.defer("three", typed, {"id": "x"})
        ctx.defer("four", bare, {})  # type: ignore[arg-type]
        ctx.defer("five", typed, {"id": 1}, sessions={"a": True, "": "x"})
    assert first.abort()
    assert journal.aborted == ["one"]
    one, two, three, five = journal.defers
    assert (one.scorer, one.names, one.payload, one.drops_sessions) == (
        "typed",
        ("a",),
        '{"id":1}',
        True,
    )
    assert (two.payload, two.sessions) == ('{"id":2}', {"a": 1})
    assert three.payload is None
    assert "id" in str(three.refused)
    assert "sessions" in str(five.refused)
    assert "'one' was promised already" in caplog.text
    (warned,) = journal.warned
    assert "'four' is left out" in warned


def test_the_current_step_is_known_in_steps_alone() -> None:
    """With its idempotency key."""
    assert code_of(assay.current_step) == "no_current_step"
    with inside(FakeJournal()):
        assert code_of(assay.current_step) == "no_current_step"
    with inside(FakeJournal().in_step("a")):
        step = assay.current_step()
        assert (step.id, step.index, step.attempt) == ("a", 0, 2)
        key = f"{ids.to_text(RUN)}-{ids.step_key('a', 0).hex}"
        assert step.idempotency_key == key


def test_all_names_are_there() -> None:
    """Each loaded when it is used."""
    assert all(getattr(assay, name) is not None for name in assay.__all__)
    assert set(assay.__all__) <= set(dir(assay))
    with pytest.raises(AttributeError):
        assay.nothing  # noqa: B018 - reading it is the test
