"""How a program was cut, as a table that prints: what `lowered.regions()` and `compiled.regions()` return."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from ..core.program import Program
from .regions import Cut, Region

__all__ = ["RegionRow", "RegionTable", "region_table"]


class RegionRow(NamedTuple):
    """One region.

    Attributes:
        name: of its program.
        runs: how often it runs in each call.
        equations: how many it has.
        inputs, outputs: how many values it takes and gives.
        seconds: what compiling it, or loading it from disk, took; None if that has not happened.
    """

    name: str
    runs: int
    equations: int
    inputs: int
    outputs: int
    seconds: float | None


class RegionTable(NamedTuple):
    """The regions of a program; one, if it is compiled whole.

    Attributes:
        name: of the program.
        equations: of the whole program, simplified.
        rows: the regions, in the order of their first run.
    """

    name: str
    equations: int
    rows: tuple[RegionRow, ...]

    def __str__(self) -> str:
        compiled = sum(row.equations for row in self.rows)
        steps = sum(row.runs for row in self.rows)
        regions = _counted(len(self.rows), "region")
        title = f"{self.name}: {self.equations:,} equations; {compiled:,} to compile, in {regions}"
        heads = ("region", "runs", "equations", "inputs", "outputs", "compiled in")
        lines = [heads, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
        shown = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines]
        return "\n".join([f"{title}; {_counted(steps, 'run')} in each call", *shown])

    __repr__ = __str__


def region_table(program: Program, cut: Cut | None, seconds_of: Callable[[Region | None], float | None]) -> RegionTable:
    """The table of a program, cut or (None) whole.

    Args:
        program: as it is compiled.
        cut: how.
        seconds_of: what compiling a region (None: the whole program) took, if it is compiled.
    """
    if cut is None:
        rows = [_row(program, 1, seconds_of(None))]
    else:
        runs = Counter(step.region for step in cut.steps)
        rows = [_row(region.program, runs[number], seconds_of(region)) for number, region in enumerate(cut.regions)]
    return RegionTable(program.name, len(program.equations), tuple(rows))


def _row(program: Program, runs: int, seconds: float | None) -> RegionRow:
    return RegionRow(program.name, runs, len(program.equations), len(program.inputs), len(program.outputs), seconds)


def _cells(row: RegionRow) -> tuple[str, ...]:
    seconds = "-" if row.seconds is None else f"{row.seconds:.2f} s"
    return (row.name, f"{row.runs:,}", f"{row.equations:,}", f"{row.inputs:,}", f"{row.outputs:,}", seconds)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
