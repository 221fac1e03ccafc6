"""A run's trace as a tree for the terminal."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from assay.cli.printing import MARKS, STYLES, at, duration, lasted, parse_instant, sessions, short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from assay.cli.printing import Item

_EXACT_INTEGERS = 2**53
_SCORED = "gen_ai.evaluation.result"
_BRIEF, _WHOLE = 60, 4_000
_FRAME = re.compile(r'^  File "(.+)", line (\d+), in (.+)$', re.MULTILINE)
_NOT_YOURS = re.compile(r"[\\/](assay[\\/](engine|sdk)|lib[\\/]python[\d.]+|site-packages)[\\/]")


def tree_of(run: Item, others: Sequence[Item]) -> Tree:
    """The tree of a run.

    Args:
        run: with its steps, scores, outcomes and the spans of its whole trace.
        others: the other runs of that trace, with their steps and outcomes.
    """
    return _Drawing(run, others).draw()


class _Drawing:
    def __init__(self, run: Item, others: Sequence[Item]) -> None:
        self._run = run
        self._runs = {one["id"]: one for one in (run, *others)}
        self._steps = {
            (one["id"], step["id"], step["index"]): step
            for one in self._runs.values()
            for step in one["steps"]
        }
        self._below: dict[str | None, list[Item]] = defaultdict(list)
        for span in run["spans"]:
            self._below[span["parent_span_id"]].append(span)

    def draw(self) -> Tree:
        root = next(span for span in self._run["spans"] if self._is_run(span, self._run["id"]))
        tree = Tree(self._run_line(root, self._run), guide_style="dim")
        for fact in self._facts():
            tree.add(fact)
        self._fill(tree, root)
        return tree

    def _facts(self) -> Iterator[Text]:
        run = self._run
        yield _dim(f"run {run['id']} of {run['app_id']}, queued {at(run['queued_at'])}")
        if run["sessions"]:
            yield _dim(f"sessions {sessions(run)}")
        if run["parent_run_id"]:
            yield _dim(f"parent run {run['parent_run_id']}")
        if run["output"] is not None:
            yield _dim(f"output {short(run['output'])}")
        if run["error"]:
            yield from _error_lines(run["error"])
        for warning in run["warnings"]:
            yield Text(f"! {warning}", "yellow")

    def _fill(self, tree: Tree, span: Item) -> None:
        run_id = span["run_id"]
        if self._is_run(span, run_id):
            for outcome in self._runs.get(run_id, {}).get("outcomes", ()):
                tree.add(_outcome_line(outcome))
        for score in _scores(span):
            tree.add(score)
        for below in self._below[span["span_id"]]:
            if self._is_plain_attempt(below):
                self._fill(tree, below)
            else:
                self._fill(tree.add(self._line(below)), below)

    def _is_run(self, span: Item, run_id: str | None) -> bool:
        kind = span["attributes"].get("assay.kind")
        return bool(kind in {"run", "scorer"} and span["run_id"] == run_id)

    def _is_plain_attempt(self, span: Item) -> bool:
        """Whether it is the first and only try, which the step's own line tells of."""
        kind = span["attributes"].get("assay.kind")
        return bool(kind == "attempt" and span["attempt"] == 1 and span["status"] == "ok")

    def _line(self, span: Item) -> Text:
        kind: str | None = span["attributes"].get("assay.kind")
        if kind in {"run", "scorer"} and span["run_id"] in self._runs:
            return self._run_line(span, self._runs[span["run_id"]])
        step = None
        if kind not in {None, "attempt"}:
            step = self._steps.get((span["run_id"], span["step_id"], span["index"]))
        line = _headed(_state(span, kind, step), span["name"], _word(kind))
        if step is not None and span["index"]:
            line.append(f" ({span['index']})", "dim")
        line.append(self._when(span), "dim")
        if span["status_message"]:
            # What went wrong stands whole on the attempt that it happened in.
            longest = _WHOLE if kind == "attempt" else _BRIEF
            line.append(f"  {short(span['status_message'], longest)}", "red")
        elif step is not None and step["output"] is not None:
            line.append(f"  {short(step['output'])}", "dim")
        return line

    def _run_line(self, span: Item, run: Item) -> Text:
        line = _headed(run["status"], run["function_id"], _word(run["kind"]))
        line.stylize("bold", 2, 2 + len(run["function_id"]))
        if run is not self._run:
            line.append(f" {run['id']}", "dim")
        line.append(f" {run['status']}", STYLES.get(run["status"], ""))
        line.append(self._when(span), "dim")
        if run["error"]:
            longest = _BRIEF if run is self._run else _WHOLE
            message = short(run["error"]["message"], longest)
            line.append(f"  {run['error']['type']}: {message}", "red")
        return line

    def _when(self, span: Item) -> str:
        """How long after the run's start it began, and how long it took."""
        start = self._run["started_at"] or self._run["queued_at"]
        after = (parse_instant(span["started_at"]) - parse_instant(start)).total_seconds()
        took = lasted(span["started_at"], span["ended_at"])
        return f"  +{duration(after)}" + (f", took {took}" if took else ", goes on")


def _error_lines(error: Item) -> Iterator[Text]:
    code = f" ({error['code']})" if error["code"] else ""
    yield Text(f"error {error['type']}{code}: {short(error['message'], _WHOLE)}", "red")
    frames = _FRAME.findall(error["traceback"] or "")
    own = [frame for frame in frames if not _NOT_YOURS.search(frame[0])]
    if own:
        path, line, name = own[-1]
        yield _dim(f"at {path}, line {line}, in {name}")


def _state(span: Item, kind: str | None, step: Item | None) -> str:
    if step is not None:
        return str(step["status"])
    if span["attributes"].get("assay.cancelled"):
        return "cancelled"
    if span["status"] == "error":
        return "failed"
    # Spans of user code are stored when they have ended, and seldom say that all went well.
    return "running" if span["status"] == "unset" and kind is not None else "completed"


def _word(kind: str | None) -> str:
    """What a line says of the kind of thing that it shows; steps go without saying."""
    return {None: "span", "step": "", "attempt": "", "function": "run"}.get(kind, kind or "")


def _headed(state: str, name: str, kind: str) -> Text:
    line = Text(f"{MARKS.get(state, '·')} ", STYLES.get(state, ""))
    line.append(name, "default")
    if kind:
        line.append(f" {kind}", "dim")
    return line


def _outcome_line(outcome: Item) -> Text:
    line = Text("◇ ", STYLES.get(outcome["state"], ""))
    line.append(f"{outcome['name']} ")
    line.append(outcome["state"], STYLES.get(outcome["state"], ""))
    line.append(f" outcome of {outcome['scorer']}", "dim")
    if outcome["due_at"]:
        line.append(f", due {at(outcome['due_at'])}", "dim")
    if outcome["reason"]:
        line.append(f"  {short(outcome['reason'])}", "red")
    return line


def _scores(span: Item) -> Iterator[Text]:
    for event in span["events"]:
        if event["name"] == _SCORED:
            attributes = event["attributes"]
            label = attributes.get("gen_ai.evaluation.score.label")
            value = attributes.get("gen_ai.evaluation.score.value")
            line = Text("★ ", "blue")
            line.append(f"{attributes.get('gen_ai.evaluation.name')} ")
            line.append(label or _number(value), "bold")
            line.append(f" score from {attributes.get('assay.score.source')}", "dim")
            for use in attributes.get("assay.score.attributions", ()):
                line.append(_counts_for(use), "dim" if use["counted"] else "yellow")
            if attributes.get("gen_ai.evaluation.explanation"):
                line.append(f"  {short(attributes['gen_ai.evaluation.explanation'])}", "dim")
            yield line


def _counts_for(use: Item) -> str:
    """What a score says of a use of an experiment."""
    which = f" ({use['index']})" if use["index"] else ""
    said = "for" if use["counted"] else "left out: not served"
    return f", {said} {use['variant']} of {use['experiment']}{which}"


def _number(value: float | None) -> str:
    """A score's value as it was given: a double holds integers, too, exactly up to 2^53."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return json.dumps(int(value))
    return json.dumps(value)


def _dim(text: str) -> Text:
    return Text(text, "dim")
