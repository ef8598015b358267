"""How a row is measured: every contender in turn, round after round, and the median of the rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

__all__ = ["AtMost", "Effort", "Ratio", "Result", "Row", "measure"]

Contender = Callable[[], Any]


@dataclass(frozen=True)
class Ratio:
    """Ours may take at most `limit` times what `peer` takes."""

    peer: str
    limit: float

    def holds(self, times: Mapping[str, float]) -> bool:
        return times["ours"] <= self.limit * times[self.peer]

    def __str__(self) -> str:
        limit = Fraction(self.limit).limit_denominator(20) if self.limit < 1 else f"{self.limit:g}"
        return f"{limit} {self.peer}"


@dataclass(frozen=True)
class AtMost:
    """Ours may take at most `extra` µs more than `peer`; with `peer` "nothing", at most `extra` altogether."""

    peer: str
    extra: float

    def holds(self, times: Mapping[str, float]) -> bool:
        return times["ours"] <= times.get(self.peer, 0.0) + self.extra

    def __str__(self) -> str:
        return f"{self.extra:g}" if self.peer == "nothing" else f"{self.peer} + {self.extra:g}"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        group: the kind of row, which `--only` selects by.
        what: what is measured.
        contenders: functions by library; "ours" is funcgrad, "engine" XLA's share of the same work. None: missing.
        budget: what section "budgets" of README.md promises.
        per: the time is divided by this, for rows that do many things at once.
        value: what a contender returns is the measurement (µs, or a count), instead of the time it takes.
        once: one round is enough, because it takes long and is not a matter of microseconds.
        clock: the calling thread's own time, which a busy machine disturbs least; where other threads work, the wall's.
    """

    group: str
    what: str
    contenders: Mapping[str, Contender | None]
    budget: Sequence[Ratio | AtMost] = ()
    per: float = 1.0
    value: bool = False
    once: bool = False
    clock: Callable[[], float] = time.thread_time


@dataclass
class Result:
    """Medians in µs of one row, by library; absent where the library is."""

    row: Row
    times: dict[str, float] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """Ours over the peer's, for every peer that the budget names and that was measured."""
        named = [limit.peer for limit in self.row.budget if self.times.get(limit.peer)]
        return {peer: self.times["ours"] / self.times[peer] for peer in named}

    @property
    def verdict(self) -> str:
        """`yes`, `NO`, or `-` if nothing that the budget names was measured."""
        known = [limit for limit in self.row.budget if limit.peer in self.times or limit.peer == "nothing"]
        if not known:
            return "-"
        return "yes" if all(limit.holds(self.times) for limit in known) else "NO"


@dataclass(frozen=True)
class Effort:
    """How long to measure: seconds a contender may take in all, seconds a sample should last, least rounds."""

    budget: float
    sample: float
    rounds: int


def measure(row: Row, effort: Effort) -> Result:
    """Time the contenders of a row in alternation, so that a busy moment hits all of them alike."""
    present = {name: call for name, call in row.contenders.items() if call is not None}
    repeats = {name: 1 if row.value else _repeats(call, effort.sample, row.clock) for name, call in present.items()}
    samples: dict[str, list[float]] = {name: [] for name in present}
    spent = 0.0
    rounds = 1 if row.once else effort.rounds
    while len(samples["ours"]) < rounds or spent < effort.budget * len(present):
        if len(samples["ours"]) == 51:
            break
        start = time.perf_counter()
        for name, call in present.items():
            samples[name].append(call() if row.value else _sample(call, repeats[name], row.clock))
        spent += time.perf_counter() - start
    return Result(row, {name: statistics.median(taken) / row.per for name, taken in samples.items()})


def _sample(call: Contender, repeats: int, clock: Callable[[], float]) -> float:
    """µs that one call takes."""
    start = clock()
    for _ in range(repeats):
        call()
    return (clock() - start) / repeats * 1e6


def _repeats(call: Contender, seconds: float, clock: Callable[[], float]) -> int:
    """How many calls make a sample of that length; also warms the contender up."""
    call()
    call()
    return max(1, round(seconds * 1e6 / _sample(call, 3, clock)))
