"""The order of a program's equations that puts together what belongs together, so that its repeats lie side by side.

Three things stray from where they belong. An optimizer updates all first moments, then all second ones, then all
parameters: what becomes of one gradient is moved up to where the gradient is known. What depends on inputs alone (a
weight's conversion) is moved down to its first use; or to the front, if it is used far and wide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from ..core.program import Equation, Program, Var

__all__ = ["schedule"]

_FAR = 16  # equations between two that do not belong together
_SMALL = 1 << 24  # bytes that may be computed long before they are used
_DEEP = 6  # equations between the inputs and what is more than a preparation


def schedule(program: Program) -> list[Equation]:
    """The program's equations in an order in which it computes the same, effects in the same order."""
    order = _Order(program)
    order.find_updates()
    order.place_updates()
    order.place_preparations()
    return [program.equations[place] for place in sorted(range(len(order.keys)), key=order.keys.__getitem__)]


class _Order:
    """A key to sort each equation by: (where, 0 or 1 for what was moved up there, which update, its number)."""

    def __init__(self, program: Program) -> None:
        equations = program.equations
        self.equations = equations
        made: dict[Var, int] = {out: i for i, eqn in enumerate(equations) for out in eqn.outputs}
        self.producers = [[made[a] for a in eqn.inputs if type(a) is Var and a in made] for eqn in equations]
        self.consumers: list[list[int]] = [[] for _ in equations]
        for place, producers in enumerate(self.producers):
            for producer in producers:
                self.consumers[producer].append(place)
        self.free = [not eqn.op.effectful for eqn in equations]
        self.keys: list[tuple[int, int, int, int]] = [(i, 0, 0, i) for i in range(len(equations))]
        self.update = [False] * len(equations)
        self.depth: list[int] = []  # how many equations lie between the inputs and it; _DEEP at most

    def find_updates(self) -> None:
        """Mark the equations that need something from far above but nothing recent, and that only such ones need."""
        update, producers = self.update, self.producers
        depth = self.depth
        for place, needed in enumerate(producers):
            depth.append(min(_DEEP, 1 + max([depth[p] for p in needed], default=0)) if self.free[place] else _DEEP)
            settled = [update[p] or place - p > _FAR for p in needed if depth[p] == _DEEP]
            update[place] = self.free[place] and bool(settled) and all(settled)
        for place in range(len(update) - 1, -1, -1):
            users = self.consumers[place]
            prepares = depth[place] < _DEEP and bool(users)
            update[place] = (update[place] or prepares) and all(update[c] for c in users)

    def place_updates(self) -> None:
        """Move each group of connected updates to the last equation that it needs."""
        groups = _Groups(len(self.update))
        for place, producers in enumerate(self.producers):
            if self.update[place]:
                for producer in producers:
                    if self.update[producer]:
                        groups.join(place, producer)
        anchors: dict[int, int] = {}
        for place, producers in enumerate(self.producers):
            if self.update[place]:
                needed = [p for p in producers if not self.update[p]]
                group = groups.of(place)
                anchors[group] = max([anchors.get(group, -1), *needed])
        for place, update in enumerate(self.update):
            if update:
                group = groups.of(place)
                anchor = anchors[group]
                self.keys[place] = (group if anchor < 0 else anchor, 1, group, place)

    def place_preparations(self) -> None:
        """Move what depends on inputs alone to where it is first used, or to the front."""
        odd = self._odd()
        for place in range(len(self.keys) - 1, -1, -1):
            if self.depth[place] == _DEEP or self.update[place] or not self.consumers[place]:
                continue
            users = sorted([self.keys[c] for c in self.consumers[place]])
            apart = sum(later[0] - earlier[0] > _FAR for earlier, later in pairwise(users))
            if apart > 1 or place in odd:  # one use by a function and one by its derivative do not count as many
                self.keys[place] = (-1, 0, 0, place)
            elif users[0][0] - place > _FAR or users[0][0] < 0:
                self.keys[place] = (*users[0][:3], place)

    def _odd(self) -> set[int]:
        """Small cheap preparations that are like no other equation (element t of an input), and so part repeats."""
        numbers = tokens(self.equations)
        counts = Counter(numbers)
        odd = [
            place
            for place, eqn in enumerate(self.equations)
            if counts[numbers[place]] == 1 and self.depth[place] < _DEEP and eqn.op.cheap and eqn.inputs
        ]
        size = sum(out.type.nbytes for place in odd for out in self.equations[place].outputs)
        return set(odd) if size <= _SMALL else set()


class _Groups:
    """Disjoint groups of numbers, each known by its least member."""

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def of(self, member: int) -> int:
        above = self._above
        while above[member] != member:
            above[member] = above[above[member]]
            member = above[member]
        return member

    def join(self, one: int, other: int) -> None:
        one, other = sorted((self.of(one), self.of(other)))
        self._above[other] = one


def tokens(equations: Sequence[Equation]) -> list[int]:
    """A number for each equation, equal for those that apply the same operation to operands of the same types."""
    numbers: dict[object, int] = {}
    found = []
    for eqn in equations:
        operands = tuple([a.type if type(a) is Var else a.key for a in eqn.inputs])  # type: ignore[union-attr]
        results = tuple([out.type for out in eqn.outputs])
        found.append(numbers.setdefault((eqn.op, operands, results), len(numbers)))
    return found
