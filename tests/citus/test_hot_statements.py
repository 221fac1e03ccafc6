"""On Citus each hot statement goes to one shard: it names its project."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from typing import TYPE_CHECKING

import psycopg
import pytest

from assay.store.moments import BY_RUN, BY_UNIT, statement_of_units
from assay.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = re.compile(r"^ *-- name: (\w+)\n", re.MULTILINE)
FUNCTION = re.compile(
    r"CREATE OR REPLACE FUNCTION assay\.(\w+)\(([^)]*)\).*?\$\$(.*?)\$\$", re.DOTALL
)
VARIABLE = re.compile(r"^(?:DECLARE|   ) (v_\w+) ([\w\[\] ]+?)(?: :=.*)?;$", re.MULTILINE)
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
KEYWORDS = re.compile(r"^ *(SELECT|INSERT|UPDATE|DELETE|WITH|PERFORM)\b", re.MULTILINE)
END = re.compile(r";\n|^ *LOOP$", re.MULTILINE)
WHOLE = re.compile(r"(--.*\n)*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
HOT = (
    "event_keys",
    "events",
    "experiments",
    "finding",
    "moments",
    "outcomes",
    "runs",
    "scores",
    "steps",
    "trials",
    "turns",
    "user_spans",
)
"""Resources whose whole statements are asked for; to others, parts are added."""
TYPES = {
    "after": "uuid", "ages": "float8[]", "app": "text", "apps": "text[]", "author": "text",
    "before": "timestamptz",
    "by": "text", "common": "int", "cutoff": "timestamptz", "decision": "text", "events": "uuid[]",
    "experiment": "text", "experiments": "text[]", "experiments.after": "text",
    "first_id": "uuid", "last_id": "uuid",
    "epoch": "int", "having": "text", "moments.after": "text",
    "first": "uuid", "fn": "text", "fns": "text[]", "generations": "int[]", "hashes": "bigint[]",
    "horizon": "timestamptz", "id": "text", "ids": "uuid[]", "key": "text", "keys": "text[]",
    "kind": "text", "most": "int", "text": "text",
    "limit": "int", "looks": "json", "mature": "timestamptz", "maturity": "interval",
    "duration": "text", "failure": "text", "metrics": "text[]", "tokens": "text",
    "metric": "text", "modes": "text[]", "name": "text", "names": "text[]", "next": "uuid",
    "now": "timestamptz",
    "options": "jsonb", "outputs": "text[]", "paths": "jsonb", "project": "int", "reason": "text",
    "run": "uuid", "runs": "uuid[]", "session_key": "text", "shape": "bigint", "share": "int",
    "since": "timestamptz",
    "span": "bigint", "spans": "json", "step": "uuid", "steps": "uuid[]", "steps.since": "date",
    "sticky": "boolean", "triggers": "jsonb", "values": "boolean", "variant": "text",
    "units": "text[]",
    "version": "int", "versions": "int[]", "with_output": "boolean", "worker": "uuid",
    "workers": "uuid[]", "warnings": "text[]",
}  # fmt: skip
"""Types of parameters, by name or by resource and name."""
OUTPUTS = {"ingest": {"event_ids": "uuid[]"}}
"""Output columns that later statements of a function read."""
VALUES = {
    "uuid": "'00000000-0000-0000-0000-000000000001'::uuid",
    "uuid[]": "'{00000000-0000-0000-0000-000000000001}'::uuid[]",
    "int": "1",
    "bigint": "1::bigint",
    "int[]": "'{1}'::int[]",
    "bigint[]": "'{1}'::bigint[]",
    "smallint": "1::smallint",
    "text": "'[]'::text",
    "text[]": "'{a}'::text[]",
    "jsonb": "'[]'::jsonb",
    "json": "'[]'::json",
    "jsonb[]": "'{}'::jsonb[]",
    "boolean": "true",
    "timestamptz": "'2026-01-01Z'::timestamptz",
    "date": "'2026-01-01'::date",
    "interval": "'1 day'::interval",
    "float8": "1.0::float8",
    "float8[]": "'{1.0}'::float8[]",
    "double precision": "1.0::float8",
    "double precision[]": "'{1.0}'::float8[]",
    "assay.memo_row[]": "'{}'::assay.memo_row[]",
    "assay.event_row[]": "'{}'::assay.event_row[]",
    "assay.run_row[]": "'{}'::assay.run_row[]",
}


COMPOSED = {
    "experiments": (("units", "by_unit"), ("units", "among", "by_unit")),
    "moments": (
        BY_UNIT,
        BY_RUN,
        ("of_units", "sums", "by_unit", "among"),
        ("of_all", "sums", "by_unit", "counted"),
    ),
}
"""Statements that are made of several parts, by resource."""


def named() -> Iterator[tuple[str, str]]:
    """The named queries on project tables."""
    for resource in HOT:
        parts = {part for made in COMPOSED.get(resource, ()) for part in made}
        for made in COMPOSED.get(resource, ()):
            text = "\n".join(queries(resource)[part] for part in made)
            if made[0] == "of_units":
                text = statement_of_units()
            yield f"{resource}.{'-'.join(made)}", text
        for name, text in queries(resource).items():
            if name not in parts and WHOLE.match(text) and not re.search(r"assay\.\w+\(", text):
                yield f"{resource}.{name}", text


def with_values(name: str, text: str) -> str:
    """A statement with a value in place of each parameter that it still has."""
    resource = name.partition(".")[0]

    def value(found: re.Match[str]) -> str:
        return VALUES[TYPES.get(f"{resource}.{found[1]}") or TYPES[found[1]]]

    return PLACEHOLDER.sub(value, text).replace("%%", "%")


def inside() -> Iterator[tuple[str, str]]:
    """The named statements of the functions, with a value for each parameter and variable."""
    for script in sorted((files("assay.store") / "functions").iterdir(), key=lambda f: f.name):
        for function, arguments, body in FUNCTION.findall(script.read_text()):
            types = {}
            for argument in arguments.split(","):
                name, _, type_ = " ".join(argument.split()).partition(" ")
                # What a function gives has the names of columns, which statements mean.
                if name != "OUT":
                    types[name] = type_
            types |= {name: " ".join(type_.split()) for name, type_ in VARIABLE.findall(body)}
            types |= OUTPUTS.get(function, {})
            for name, text in statements(body):
                yield f"{function}.{name}", substituted(text, types)


def statements(body: str) -> Iterator[tuple[str, str]]:
    """Named statements of a body, each up to its semicolon or to the loop over its rows."""
    parts = NAME.split(body)[1:]
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        begin = KEYWORDS.search(text)
        assert begin is not None, name
        yield name, without_targets(balanced(END.split(text[begin.start() :])[0]))


def balanced(text: str) -> str:
    """A statement within parentheses without what follows them."""
    depth = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return text[:place]
    return text


def without_targets(text: str) -> str:
    """A statement as SQL has it: no `INTO` of variables, `SELECT` for `PERFORM`."""
    text = re.sub(r"\bPERFORM\b", "SELECT", text)
    return re.sub(r"\bINTO (?!assay\.)[\w, ]+?(?=\s+FROM\b|\s*$)", "", text)


def substituted(text: str, types: dict[str, str]) -> str:
    """The statement with values."""
    for name in sorted(types, key=len, reverse=True):
        text = re.sub(rf"(?<![.\w]){name}\b", f"({VALUES[types[name]]})", text)
    return text


@pytest.mark.skipif("ASSAY_CITUS_URL" not in os.environ, reason="no cluster is named")
@pytest.mark.citus
@pytest.mark.parametrize(
    ("name", "statement"), [pytest.param(*case, id=case[0]) for case in (*named(), *inside())]
)
def test_one_shard(citus: str, name: str, statement: str) -> None:
    """EXPLAIN says that there is one task."""
    statement = with_values(name, statement)
    with psycopg.connect(citus) as connection:
        plan = "\n".join(row[0] for row in connection.execute("EXPLAIN " + statement))

    assert set(re.findall(r"Task Count: (\d+)", plan)) == {"1"}, (name, statement, plan)
