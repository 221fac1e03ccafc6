"""From a decorated body to its definition: what is checked, and how a run of it begins."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args, get_origin

from assay.errors import AssayError
from assay.model import score_rules
from assay.sdk.contexts import Context, ScorerContext, SyncContext, SyncScorerContext
from assay.sdk.definitions import FunctionDefinition
from assay.sdk.questions import check_retries
from assay.sdk.scores import scorer_output
from assay.sdk.triggers import triggers
from assay.sdk.values import Codec, codec_of_result, is_async, resolve, underlying

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from assay.sdk.port import Journal
    from assay.sdk.triggers import TriggerInput

MAX_ID_BYTES = 128


_CONTEXTS: dict[tuple[str, bool], Any] = {
    ("function", True): Context,
    ("function", False): SyncContext,
    ("scorer", True): ScorerContext,
    ("scorer", False): SyncScorerContext,
}


def define_function(
    id: str,
    app: str,
    body: Callable[..., Any],
    *,
    on: TriggerInput,
    retries: int,
    local: dict[str, Any],
) -> tuple[FunctionDefinition, Codec]:
    """The definition of a function, and the codec of its output.

    Args:
        id: as written.
        app: the client's id.
        body: what is decorated.
        on: its triggers.
        retries: 0 to 20.
        local: names around the decoration, for annotations.
    """
    codec = Codec(_data_type("function", body, local), is_asked_for=True)
    output = codec_of_result(body)
    what = f"function {id!r}"

    def dump(result: object, _: Journal) -> str:
        return output.dump(result, what=what, code="run_output_not_json")

    definition = FunctionDefinition(
        id=check_id(id, "function"),
        app=app,
        kind="function",
        triggers=triggers(on, codec),
        retries=check_retries(retries),
        is_async=is_async(body),
        scores=(),
        codec=codec,
        start=_starter("function", body, codec, dump, what=what),
    )
    return definition, output


def define_scorer(
    id: str,
    app: str,
    body: Callable[..., Any],
    *,
    schema: object,
    scores: object,
    retries: int,
    local: dict[str, Any],
) -> FunctionDefinition:
    """The definition of a scorer; *schema* is what its payload is, None takes the body's word."""
    annotated = _data_type("scorer", body, local)
    codec = Codec(annotated if schema is None else schema, is_asked_for=True)
    names = _names(scores)
    what = f"scorer {id!r}"

    def dump(result: object, journal: Journal) -> str:
        return scorer_output(result, names, journal, scorer=id)

    return FunctionDefinition(
        id=check_id(id, "scorer"),
        app=app,
        kind="scorer",
        triggers=(),
        retries=check_retries(retries),
        is_async=is_async(body),
        scores=names,
        codec=codec,
        start=_starter("scorer", body, codec, dump, what=what),
    )


def check_id(id: object, what: str) -> str:
    """An id of 1 to 128 bytes without quotes, backslashes or control characters; else `bad_id`."""
    if isinstance(id, str) and id.strip() and id.isprintable() and not set(id) & {"'", "\\"}:
        size = len(id.encode())
        if size <= MAX_ID_BYTES:
            return id
        wrong = f"is longer than {MAX_ID_BYTES} bytes"
    else:
        wrong = "must be non-empty text without quotes, backslashes or control characters"
    raise AssayError(f"the {what} id {id!r} {wrong}", code="bad_id", field="id")


def _starter(
    kind: str,
    body: Callable[..., Any],
    codec: Codec,
    dump: Callable[[object, Journal], str],
    *,
    what: str,
) -> Callable[[Journal], Coroutine[object, object, str] | str]:
    make_async, make_sync = _CONTEXTS[kind, True], _CONTEXTS[kind, False]

    def data(journal: Journal) -> object:
        try:
            return codec.load(journal.info.event_data)
        except ValueError as error:
            raise AssayError(
                f"{what} was given data that does not fit: {error}",
                code="event_data",
                field="data",
                hint="send data that fits the type of the context, or change that type",
            ) from error

    async def start(journal: Journal) -> str:
        return dump(await body(make_async(journal, data(journal))), journal)

    def start_sync(journal: Journal) -> str:
        return dump(body(make_sync(journal, data(journal))), journal)

    return start if is_async(body) else start_sync


def _data_type(kind: str, body: Callable[..., Any], local: dict[str, Any]) -> object:
    """The D of a body's context, dict where it says none; checks that the context fits the body."""
    if not callable(body):
        raise _bad_body(f"{body!r} is no function", f"decorate a function with @client.{kind}")
    parameters = list(inspect.signature(body).parameters.values())
    needed = [
        one for one in parameters if one.default is one.empty and one.kind < one.VAR_POSITIONAL
    ]
    name = getattr(body, "__qualname__", repr(body))
    if len(needed) != 1:
        raise _bad_body(f"{name} must take one argument, the context", "async def f(ctx): ...")
    annotation = _resolved(parameters[0].annotation, body, local)
    if annotation is inspect.Parameter.empty:
        return dict
    context = get_origin(annotation) or annotation
    expected = _CONTEXTS[kind, is_async(body)]
    if context is not expected:
        raise _bad_body(
            f"{name} is {'async' if is_async(body) else 'not async'} and takes "
            f"{getattr(context, '__name__', context)}",
            f"a {kind} that is {'async' if is_async(body) else 'sync'} takes "
            f"assay.{expected.__name__}",
        )
    return next(iter(get_args(annotation)), dict)


def _resolved(annotation: Any, body: Callable[..., Any], local: dict[str, Any]) -> object:
    if not isinstance(annotation, str):
        return annotation
    try:
        return resolve(annotation, underlying(body), local)
    except Exception as error:
        raise _bad_body(
            f"the annotation {annotation!r} can't be resolved at run time: {error}",
            "import what it names outside of TYPE_CHECKING",
        ) from error


def _names(scores: object) -> tuple[str, ...]:
    names = [scores] if isinstance(scores, str) else scores
    if not isinstance(names, Sequence) or not names or len(set(names)) != len(names):
        raise AssayError(
            "a scorer declares the names that it will give, each once",
            code="bad_option",
            field="scores",
            hint='scores="user-feedback", or a list of names',
        )
    return tuple(map(score_rules.check_given, names))


def _bad_body(message: str, hint: str) -> AssayError:
    return AssayError(message, code="bad_function", field="ctx", hint=hint)
