"""What the first steps took, as tables in Markdown."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from .first_step_programs import Case

__all__ = ["CONTENDERS", "Measured", "Run", "tables", "write_between_marks"]

CONTENDERS = {
    "torch": "PyTorch, eager",
    "torch.compile": "torch.compile",
    "jax": "JAX",
    "whole": "funcgrad, regions off",
    "regions": "funcgrad",
    "warm": "funcgrad, warm disk",
    "tiered": "funcgrad, tiered",
}
MARKS = "<!-- first step: begin -->", "<!-- first step: end -->"


@dataclasses.dataclass(frozen=True)
class Measured:
    """Medians of one contender on one program.

    Attributes:
        case: the program.
        contender: a name of `CONTENDERS`.
        values: seconds ("trace", "lower", "compile", "first", "ten", "steady") and MB ("before", "peak").
        change: what ten steps did to the state: how far it moved, and how far along some direction.
        note: why there are no values.
    """

    case: Case
    contender: str
    values: dict[str, float]
    change: list[float]
    note: str = ""

    @property
    def reason(self) -> str:
        """The note in a few words."""
        return self.note.split(":")[0]


@dataclasses.dataclass(frozen=True)
class Run:
    """Everything that was measured, with what, and how busy the machine was before (its load average)."""

    versions: dict[str, str]
    cpus: int
    load: float
    rounds: int
    results: list[Measured]

    def as_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @staticmethod
    def from_json(text: str) -> Run:
        stored = json.loads(text)
        results = [Measured(Case(*result.pop("case")), **result) for result in stored.pop("results")]
        return Run(results=results, **stored)

    @property
    def busy(self) -> bool:
        """Whether the machine had other work, so that no goal can be said to be reached or missed."""
        return self.load > 0.25 * self.cpus

    @property
    def cases(self) -> list[Case]:
        return list(dict.fromkeys(result.case for result in self.results))

    def find(self, case: Case, contender: str) -> Measured | None:
        found = [result for result in self.results if (result.case, result.contender) == (case, contender)]
        return found[0] if found else None

    def value(self, case: Case, contender: str, name: str) -> float | None:
        """One number, or None where it was not measured."""
        result = self.find(case, contender)
        return None if result is None else result.values.get(name)


class Goal(NamedTuple):
    """JAX should take at least `times` as long as ours."""

    contender: str
    name: str
    times: float | None


def tables(run: Run) -> str:
    """The whole report: seconds to the first result, the goals, and all numbers."""
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    rounds = "one round" if run.rounds == 1 else f"medians of {run.rounds} rounds"
    head = f"{versions[0].upper()}{versions[1:]}; {run.cpus} CPUs; {rounds}."
    if run.busy:
        head += f" The machine was busy with other work (load average {run.load:.1f}), so these numbers are rough."
    parts = [
        head,
        "Seconds from the first call to the first result:",
        _table(*_overview(run)),
        "How many times as long JAX takes, and the goals:",
        _table(*_goals(run)),
        "Everything (times in seconds unless a column says otherwise; memory in MB):",
        _table(*_details(run), left=2),
        *_remarks(run),
    ]
    return "\n\n".join(parts)


def _overview(run: Run) -> tuple[list[str], list[list[str]]]:
    measured = [name for name in CONTENDERS if any(result.contender == name for result in run.results)]
    rows = [[case.name, *(_first(run.find(case, name)) for name in measured)] for case in run.cases]
    return ["program", *(CONTENDERS[name] for name in measured)], rows


def _first(result: Measured | None) -> str:
    if result is None:
        return "-"
    return _number(result.values["first"]) if result.values else result.reason


def _goals(run: Run) -> tuple[list[str], list[list[str]]]:
    ours = "regions" if any(result.contender == "regions" for result in run.results) else "whole"
    rows = []
    for case in run.cases:
        first = {("gpt", 12): 4.0, ("gpt", 48): 12.0}.get((case.kind, case.depth))
        goals = (
            Goal(ours, "first", first),
            Goal("warm", "first", 20.0),
            Goal(ours, "steady", 1.0),
        )
        rows.append([case.name, *(_times(run, case, goal) for goal in goals)])
    return ["program", f"first step, {CONTENDERS[ours]}", "first step, warm disk", "a steady step"], rows


def _times(run: Run, case: Case, goal: Goal) -> str:
    mine, peer = run.value(case, goal.contender, goal.name), run.value(case, "jax", goal.name)
    if mine is None or peer is None:
        return "-"
    if goal.times is None:
        return _number(peer / mine)
    verdict = "" if run.busy else ": reached" if peer / mine >= goal.times else ": MISSED"
    return f"{_number(peer / mine)} (≥ {goal.times:g}{verdict})"


def _details(run: Run) -> tuple[list[str], list[list[str]]]:
    columns = {
        "trace": "trace",
        "lower": "lower",
        "compile": "compile",
        "first": "first step",
        "ten": "ten steps",
        "steady": "steady step, ms",
        "peak": "peak memory",
        "before": "before the first call",
    }
    rows = []
    for result in run.results:
        values = {name: value * 1e3 if name == "steady" else value for name, value in result.values.items()}
        shown = [_number(values.get(name)) for name in columns]
        if result.note:
            shown[list(columns).index("first")] = result.reason
        rows.append([result.case.name, CONTENDERS[result.contender], *shown])
    return ["program", "", *columns.values()], rows


def _remarks(run: Run) -> list[str]:
    """A line for everything that failed, and for every contender whose ten steps led elsewhere than JAX's."""
    lines = []
    for result in run.results:
        about = f"{result.case.name}, {CONTENDERS[result.contender]}"
        if result.note != result.reason:
            lines.append(f"- {about} {result.note}")
        peer = run.find(result.case, "jax")
        if peer is None or not (peer.change and result.change):
            continue
        off = max(abs(mine - theirs) for mine, theirs in zip(result.change, peer.change, strict=True))
        if not off <= 0.02 * abs(peer.change[0]):
            lines.append(f"- {about}: ten steps lead elsewhere than JAX's")
    return ["\n".join(lines)] if lines else []


def _number(value: float | None) -> str:
    """Three digits are enough to compare with."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    lines = [header, *rows]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(header))]
    rule = ["-" * width if i < left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    adjusted = [
        [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [adjusted[0], rule, *adjusted[1:]])


def write_between_marks(page: Path, text: str) -> None:
    """Replace what stands between the two marks of a page.

    Raises:
        ValueError: the page lacks the marks.
    """
    before, begin, rest = page.read_text().partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not (begin and end):
        raise ValueError(f"{page} has no lines {MARKS[0]} and {MARKS[1]}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")
