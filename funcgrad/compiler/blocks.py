"""Blocks: stretches of a program that are the same but for what they are given, so that one executable serves all.

Each occurrence is a list of equations; corresponding ones stand at the same place of each list. A block takes what its
equations mention and do not make, and gives what anyone outside uses of any occurrence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..core.program import Atom, Equation, Program, Var

__all__ = ["Block", "group_alike"]


class Block:
    """One or more occurrences of the same equations on different operands.

    Attributes:
        occurrences: the equations of each occurrence.
        given: what each occurrence hands on to others, by occurrence and number; the same numbers mean the same places.
    """

    __slots__ = ("given", "occurrences")

    def __init__(self, occurrences: Sequence[Sequence[Equation]]) -> None:
        self.occurrences = [list(equations) for equations in occurrences]
        self.given: list[list[Var]] = [[] for _ in occurrences]

    @property
    def first(self) -> list[Equation]:
        """The equations that the block's program is made of."""
        return self.occurrences[0]

    def taken(self) -> list[list[Var]]:
        """What each occurrence mentions and does not make, in order of first mention."""
        return [_outer(equations) for equations in self.occurrences]

    def results(self) -> list[list[Var]]:
        """What each occurrence makes, in order."""
        return [[out for eqn in equations for out in eqn.outputs] for equations in self.occurrences]

    def keep(self, needed: Iterable[int]) -> None:
        """Let the block give these of its results, by number, and drop the equations that none of them needs."""
        chosen = sorted(needed)
        results = self.results()
        self.given = [[made[number] for number in chosen] for made in results]
        live = _live(self.first, self.given[0])
        self.occurrences = [[eqn for eqn, kept in zip(o, live, strict=True) if kept] for o in self.occurrences]

    def prepend(self, producers: Sequence[Sequence[Equation]]) -> bool:
        """Put equations before those of each occurrence, if all occurrences remain alike."""
        longer = [[*more, *equations] for more, equations in zip(producers, self.occurrences, strict=True)]
        if len({shape(equations) for equations in longer}) > 1:
            return False
        self.occurrences = longer
        return True

    def program(self, name: str) -> Program:
        """The block as a program of its own."""
        return Program(self.taken()[0], (), self.first, self.given[0], name)


def shape(equations: Sequence[Equation]) -> tuple[Any, ...]:
    """What is equal for stretches of a program that compute the same, the same way, of what they are given."""
    return Program(_outer(equations), (), equations, ()).structure()


def group_alike(stretches: Sequence[Sequence[Equation]]) -> list[list[int]]:
    """The numbers of the stretches, those together that are alike."""
    groups: dict[Any, list[int]] = {}
    for number, equations in enumerate(stretches):
        groups.setdefault(shape(equations), []).append(number)
    return list(groups.values())


def _outer(equations: Sequence[Equation]) -> list[Var]:
    made: set[Atom] = set()
    found: dict[Var, None] = {}
    for eqn in equations:
        for atom in eqn.inputs:
            if type(atom) is Var and atom not in made:
                found[atom] = None
        made.update(eqn.outputs)
    return list(found)


def _live(equations: Sequence[Equation], needed: Iterable[Var]) -> list[bool]:
    """Which equations have an effect or a result that is needed."""
    wanted: set[Atom] = set(needed)
    flags = []
    for eqn in reversed(equations):
        live = eqn.op.effectful or not wanted.isdisjoint(eqn.outputs)
        if live:
            wanted.update(eqn.inputs)
        flags.append(live)
    return flags[::-1]
