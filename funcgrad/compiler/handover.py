"""What a block is handed, and what it computes anew instead: the cheapest of all choices, as a minimum cut.

A block uses values made elsewhere. Each could be handed to it, which costs its memory until then; or, if cheap
operations make it, the block could compute it from other values, which are handed to it or computed in their turn.
The choice that hands over the least is a minimum vertex cut between what can only be handed over and what is used,
found by augmenting paths (Ford and Fulkerson 1956; for programs and their derivatives Jain et al. 2020 ask the same).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from ..core.program import Equation, Var
from .blocks import Block

__all__ = ["compute_anew"]

_HANDED = 1 << 15  # bytes that could be moved in the time that handing over one value takes, however small
_GIVEN = 1 << 10  # the same for an input of the program, which is there anyway
_LOOKED_AT = 400  # values, for one block
_ENDLESS = 1 << 62

Value = tuple[Var, ...]  # corresponding variables of all occurrences


def compute_anew(block: Block, made: Mapping[Var, Equation], position: Mapping[Equation, int]) -> None:
    """Put cheap equations before those of a block, where it is then handed less than before.

    Args:
        block: with any number of occurrences.
        made: the equation that makes a variable; none for the program's inputs.
        position: the place of each equation in the program.
    """
    wanted = [tuple(value) for value in zip(*block.taken(), strict=True)]
    graph = _Graph(wanted, made)
    chosen = sorted(graph.computed(wanted), key=lambda equations: position[equations[0]])
    if chosen:
        block.prepend([[equations[k] for equations in chosen] for k in range(len(block.occurrences))])


class _Graph:
    """The values that wanted ones can be computed from by cheap equations, which correspond in all occurrences.

    Attributes:
        made: the equations that make a value; None where it can only be handed over.
        needs: the values that those equations take.
    """

    def __init__(self, wanted: Sequence[Value], made: Mapping[Var, Equation]) -> None:
        self.made: dict[Value, tuple[Equation, ...] | None] = {}
        self.needs: dict[Value, list[Value]] = {}
        self.costs: dict[Value, int] = {}
        waiting = deque(wanted)
        while waiting:
            value = waiting.popleft()
            if value in self.made:
                continue
            type = value[0].type
            is_given = all(var not in made for var in value)
            self.costs[value] = _GIVEN if is_given else _HANDED + type.nbytes
            equations = _makers(value, made) if len(self.made) < _LOOKED_AT else None
            self.made[value] = equations
            self.needs[value] = [] if equations is None else list(_operands(equations))
            waiting.extend(self.needs[value])

    def computed(self, wanted: Sequence[Value]) -> list[tuple[Equation, ...]]:
        """The equations that the block had best compute itself: of all cheapest choices the one with the fewest."""
        number = {value: 2 * i for i, value in enumerate(self.made)}  # enters there, and leaves by the next number
        source, sink = 2 * len(number), 2 * len(number) + 1
        flow = _Flow(sink + 1)
        for value, equations in self.made.items():
            enters = number[value]
            flow.connect(enters, enters + 1, self.costs[value])
            if equations is None:
                flow.connect(source, enters, _ENDLESS)
            for needed in self.needs[value]:
                flow.connect(number[needed] + 1, enters, _ENDLESS)
        for value in wanted:
            flow.connect(number[value] + 1, sink, _ENDLESS)
        flow.saturate(source, sink)
        inside = flow.reaching(sink)
        found = {equations: None for v, equations in self.made.items() if equations is not None and inside[number[v]]}
        return list(found)


def _makers(value: Value, made: Mapping[Var, Equation]) -> tuple[Equation, ...] | None:
    """The equations that make a value, if they are cheap and alike."""
    equations = tuple([made[var] for var in value if var in made])
    if len(equations) < len(value):
        return None
    first = equations[0]
    if not first.op.cheap or any(eqn.op is not first.op for eqn in equations):
        return None
    kinds = [[type(atom) is Var or atom.key for atom in eqn.inputs] for eqn in equations]  # type: ignore[union-attr]
    types = [[atom.type for atom in eqn.inputs] for eqn in equations]
    return equations if all(k == kinds[0] for k in kinds) and all(t == types[0] for t in types) else None


def _operands(equations: tuple[Equation, ...]) -> Iterator[Value]:
    for atoms in zip(*[eqn.inputs for eqn in equations], strict=True):
        if type(atoms[0]) is Var:
            yield atoms  # type: ignore[misc]


class _Flow:
    """A network of pipes, of which those on the way from a source get filled.

    Args:
        size: how many places there are, numbered from 0.
    """

    def __init__(self, size: int) -> None:
        self._room: list[dict[int, int]] = [{} for _ in range(size)]  # what still fits through, by place and next place

    def connect(self, start: int, end: int, capacity: int) -> None:
        self._room[start][end] = self._room[start].get(end, 0) + capacity
        self._room[end].setdefault(start, 0)

    def saturate(self, source: int, sink: int) -> None:
        """Send as much as possible from the source to the sink, each time on a shortest way."""
        room = self._room
        while (way := self._way(source, sink)) is not None:
            amount = min(room[start][end] for start, end in way)
            for start, end in way:
                room[start][end] -= amount
                room[end][start] += amount

    def _way(self, source: int, sink: int) -> list[tuple[int, int]] | None:
        before = {source: source}
        waiting = deque([source])
        while waiting and sink not in before:
            place = waiting.popleft()
            for following, room in self._room[place].items():
                if room > 0 and following not in before:
                    before[following] = place
                    waiting.append(following)
        if sink not in before:
            return None
        way, place = [], sink
        while place != source:
            way.append((before[place], place))
            place = before[place]
        return way

    def reaching(self, sink: int) -> list[bool]:
        """For each place whether more could be sent from there to the sink."""
        found = [False] * len(self._room)
        found[sink] = True
        waiting = [sink]
        while waiting:
            place = waiting.pop()
            for before in self._room[place]:
                if not found[before] and self._room[before][place] > 0:
                    found[before] = True
                    waiting.append(before)
        return found
