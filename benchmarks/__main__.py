"""`python -m benchmarks`: measures every row and prints one table; see README.md for how to read it."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import (
    rows_checks,
    rows_deep,
    rows_dispatch,
    rows_eager,
    rows_grad,
    rows_import,
    rows_linear,
    rows_lowering,
    rows_numpy,
    rows_regions,
    rows_tracing,
    rows_training,
)
from .libraries import versions
from .timing import Effort, Result, measure

PARTS = (
    rows_eager,
    rows_grad,
    rows_tracing,
    rows_dispatch,
    rows_training,
    rows_regions,
    rows_lowering,
    rows_numpy,
    rows_checks,
    rows_deep,
    rows_linear,
    rows_import,
)
PEERS = ("numpy", "jax", "torch", "autograd", "engine")
THOROUGH, QUICK = Effort(0.5, 1e-2, 5), Effort(0.02, 2e-4, 3)


def number(value: float | None) -> str:
    """Three digits are enough to compare with."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cells(result: Result) -> list[str]:
    """One line of the table."""
    ratios = [f"{ratio:.2f} {peer}" for peer, ratio in result.ratios.items() if peer != "engine"]
    if "engine" in result.times:
        ratios.append(f"{result.times['engine'] / result.times['ours']:.0%} is the engine's")
    return [
        result.row.what,
        number(result.times["ours"]),
        *(number(result.times.get(peer)) for peer in PEERS),
        "≤ " + ", ".join(map(str, result.row.budget)) if result.row.budget else "",
        ", ".join(ratios),
        result.verdict,
    ]


HEADER = ["what", "ours µs", *PEERS, "budget", "ratio", "ok?"]


def table(results: Iterable[Result]) -> str:
    """A Markdown table whose columns are lined up."""
    lines = [HEADER, *map(cells, results)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    left = (0, *range(len(HEADER) - 3, len(HEADER)))
    rule = ["-" * w if i in left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    adjusted = [
        [c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
        for line in lines
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [adjusted[0], rule, *adjusted[1:]])


def as_json(results: Iterable[Result]) -> dict[str, Any]:
    """The same for programs."""
    found = [
        {
            "group": r.row.group,
            "what": r.row.what,
            "times": r.times,
            "budget": [str(b) for b in r.row.budget],
            "ok": r.verdict,
        }
        for r in results
    ]
    return {"python": platform.python_version(), "cpus": os.cpu_count(), "versions": versions(), "rows": found}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure funcgrad against its peers.")
    parser.add_argument("--only", metavar="WORD", help="only rows whose group or name contains this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers there")
    parser.add_argument("--quick", action="store_true", help="small and short, to see that everything runs")
    options = parser.parse_args()

    results: list[Result] = []
    for part in PARTS:
        for row in part.rows(options.quick):
            if options.only and options.only not in row.group and options.only not in row.what:
                continue
            gc.collect()
            gc.freeze()  # what the libraries hold since their import is no part of a row's garbage
            results.append(measure(row, QUICK if options.quick else THOROUGH))
            print(f"{row.what}: {number(results[-1].times['ours'])}", flush=True)
    print()
    print(", ".join(f"{name} {version}" for name, version in versions().items()), end="; ")
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs")
    print()
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps(as_json(results), indent=1) + "\n")


if __name__ == "__main__":
    main()
