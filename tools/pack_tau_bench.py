"""Pack tau-bench's published airline trajectories into the file that `assay demo` reads.

    python tools/pack_tau_bench.py historical_trajectories/gpt-4o-airline.json

The input is that file of github.com/sierra-research/tau-bench. What the demo needs is kept: task,
trial, reward and every message; the system prompt, which all share, is written once.
"""

# ruff: noqa: INP001, T201 - a script

from __future__ import annotations

import argparse
import json
import lzma
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src/assay/cli/data/tau_bench_airline.json.xz"

FILTERS = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "pb": 0, "nice_len": 273}
]


def pack(records: list[dict[str, Any]]) -> bytes:
    """The records, ordered by task and trial, as compressed JSON.

    Raises:
        ValueError: if they don't all begin with one and the same system prompt.
    """
    ordered = sorted(records, key=lambda record: (record["task_id"], record["trial"]))
    first, *others = [record["traj"][0] for record in ordered]
    if first["role"] != "system" or any(other != first for other in others):
        raise ValueError("the trajectories don't share one system prompt")
    content = {
        "system": first["content"],
        "records": [
            {
                "task_id": record["task_id"],
                "trial": record["trial"],
                "reward": int(record["reward"]),
                "messages": record["traj"][1:],
            }
            for record in ordered
        ],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return lzma.compress(text.encode(), filters=FILTERS)


def main() -> None:
    """Read the file named on the command line and write the packed one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="gpt-4o-airline.json")
    parser.add_argument("--target", type=Path, default=TARGET)
    arguments = parser.parse_args()
    packed = pack(json.loads(arguments.source.read_text("utf-8")))
    arguments.target.write_bytes(packed)
    print(f"{arguments.target}: {len(packed)} bytes")


if __name__ == "__main__":
    main()
