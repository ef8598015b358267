"""Cuts a program into regions: its repeated blocks, each compiled once and run many times, and what is between them.

The equations are put in an order in which repeats lie side by side (`schedule`), the repeats are found (`repeats`), and
those that are alike in every wire become blocks (`blocks`). Cheap results that a block would have to be handed are
computed in it anew, as a compiler would that sees the whole. What remains is bookkeeping: which values pass between
steps, when each is used last, and which may be overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from itertools import accumulate
from typing import NamedTuple

from ..core.program import Atom, Equation, Literal, Program, Var
from .blocks import Block, group_alike
from .cost import CALLS, COMPILE, equation_count, time_to_run, time_to_start
from .handover import compute_anew
from .lower import aliases
from .repeats import Repeat, find_repeats
from .schedule import schedule, tokens

__all__ = ["PIECE", "Cut", "Region", "Step", "cut_by", "cut_program"]

PIECE = CALLS * time_to_start(20, 6) / COMPILE  # the price of a step of middle size, in equations
_LEAST_GAIN = 120.0  # equations that need not be compiled, below which a program stays whole
_BEARABLE = 0.1  # the part of a program's time that running it in pieces may add
_NEAR = 40  # equations between a value and its use that a seam should not come between
_DONATED_FROM = 1 << 16  # bytes


class Region(NamedTuple):
    """A program that is compiled once, and the inputs whose buffers it may overwrite."""

    program: Program
    donated: tuple[int, ...]


class Step(NamedTuple):
    """One run of a region. Values live in numbered slots; the first are the inputs of the whole program.

    Attributes:
        region: which one.
        takes: the slots of its inputs.
        gives: the slots of its results.
        frees: the slots that nobody needs afterwards.
    """

    region: int
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    frees: tuple[int, ...]


class Cut(NamedTuple):
    """A program as steps.

    Attributes:
        program: the whole.
        regions: what is compiled.
        steps: what runs, in order.
        slots: how many there are.
        outputs: where the program's results are found.
    """

    program: Program
    regions: tuple[Region, ...]
    steps: tuple[Step, ...]
    slots: int
    outputs: tuple[int | Literal, ...]


def cut_program(
    program: Program, donated: Sequence[int] = (), piece: float = PIECE, least_gain: float = _LEAST_GAIN
) -> Cut | None:
    """The program in regions, or None if it is better compiled whole.

    Args:
        program: without constants.
        donated: the inputs, by number, whose buffers may be overwritten.
        piece: the price of a step, in equations that are compiled once more.
        least_gain: how many equations must be saved.
    """
    return _Ordered(program).cut(donated, piece, least_gain)


def _worthwhile_cut(program: Program, donated: Sequence[int]) -> Cut | None:
    """A cut that costs little at each call; it may take larger pieces than the one that leaves least to compile."""
    bearable = _BEARABLE * time_to_run(program.equations)
    whole = time_to_start(len(program.inputs), len(program.outputs))
    ordered = _Ordered(program)
    for piece in (PIECE, 4 * PIECE, 16 * PIECE):
        cut = ordered.cut(donated, piece, _LEAST_GAIN)
        if cut is None:
            return None
        extra = sum(time_to_start(len(step.takes), len(step.gives)) for step in cut.steps) - whole
        if extra <= bearable:
            return cut
    return None


def cut_by(regions: str, program: Program, donated: Sequence[int] = ()) -> Cut | None:
    """The program in regions as the option says: "auto" if that is worth while, "always" if anything repeats, "off"."""
    if regions == "off":
        return None
    return _worthwhile_cut(program, donated) if regions == "auto" else cut_program(program, donated, 0.5, 0.0)


class _Ordered:
    """A program in an order in which repeats lie side by side, and what there is to know before it is cut."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.weights = [equation_count(eqn.op) for eqn in program.equations]
        self.total = sum(self.weights)

    @cached_property
    def equations(self) -> list[Equation]:
        return schedule(self.program)

    @cached_property
    def repeats(self) -> Callable[[float], list[Repeat]]:
        """The repeats, by the price of a piece."""
        weight_of = dict(zip(self.program.equations, self.weights, strict=True))
        weights = [weight_of[eqn] for eqn in self.equations]
        return partial(find_repeats, tokens(self.equations), weights, _seams(self.equations))

    def cut(self, donated: Sequence[int], piece: float, least_gain: float) -> Cut | None:
        """See `cut_program`."""
        if self.total <= least_gain:
            return None
        pieces = _Pieces(self, piece)
        distinct = sum(equation_count(eqn.op) for block in pieces.blocks for eqn in block.first)
        if len(pieces.steps) == 1 or self.total - distinct <= least_gain:
            return None
        return _Plan(self.program, pieces, frozenset(donated)).cut()


class _Pieces:
    """The blocks of a program, and its steps: (block, occurrence), in order."""

    def __init__(self, ordered: _Ordered, piece: float) -> None:
        self.program = ordered.program
        self.equations = ordered.equations
        self.blocks: list[Block] = []
        self.steps: list[tuple[int, int]] = []
        self._divide(ordered.repeats(piece))
        self.made = {out: eqn for eqn in self.equations for out in eqn.outputs}
        self.owner = {
            out: (b, k)
            for b, block in enumerate(self.blocks)
            for k, equations in enumerate(block.occurrences)
            for eqn in equations
            for out in eqn.outputs
        }
        position = {eqn: place for place, eqn in enumerate(self.equations)}
        for block in self.blocks:
            compute_anew(block, self.made, position)
        self._keep_what_is_needed()

    def _divide(self, repeats: Sequence[Repeat]) -> None:
        equations = self.equations
        bounds: list[tuple[int, int, int]] = []  # (start, block, occurrence)
        end = 0
        taken = []
        for repeat in repeats:
            stretches = [equations[start : start + repeat.length] for start in repeat.starts]
            taken += [(start, start + repeat.length) for start in repeat.starts]
            for alike in group_alike(stretches):
                bounds += [(repeat.starts[number], len(self.blocks), k) for k, number in enumerate(alike)]
                self.blocks.append(Block([stretches[number] for number in alike]))
        for start, stop in [*sorted(taken), (len(equations), len(equations))]:
            if start > end:
                bounds.append((end, len(self.blocks), 0))
                self.blocks.append(Block([equations[end:start]]))
            end = stop
        self.steps = [(block, k) for _, block, k in sorted(bounds)]

    def _keep_what_is_needed(self) -> None:
        """Let each block give what others use of any of its occurrences, and drop the rest."""
        numbers = [[{out: n for n, out in enumerate(results)} for results in block.results()] for block in self.blocks]
        needed: list[set[int]] = [set() for _ in self.blocks]
        open_blocks = set(range(len(self.blocks)))

        def demand(atoms: Iterable[Atom]) -> None:
            for atom in atoms:
                if atom in self.owner:
                    b, k = self.owner[atom]  # type: ignore[index]
                    number = numbers[b][k][atom]  # type: ignore[index]
                    if number not in needed[b]:
                        needed[b].add(number)
                        open_blocks.add(b)

        demand(self.program.outputs)
        while open_blocks:
            b = open_blocks.pop()
            trial = Block(self.blocks[b].occurrences)
            trial.keep(needed[b])
            for taken in trial.taken():
                demand(taken)
        for block, wanted in zip(self.blocks, needed, strict=True):
            block.keep(wanted)
        self.steps = [(b, k) for b, k in self.steps if self.blocks[b].first]


def _seams(equations: Sequence[Equation]) -> list[float]:
    """How many values with a near use each place between two equations would come between."""
    changes = [0] * (len(equations) + 2)
    last: dict[Atom, int] = {}
    for place, eqn in enumerate(equations):
        for atom in eqn.inputs:
            before = last.get(atom)
            if before is not None and place - before <= _NEAR:
                changes[before + 1] += 1
                changes[place + 1] -= 1
            if before is not None:
                last[atom] = place
        for out in eqn.outputs:
            last[out] = place
    return [float(n) for n in accumulate(changes[: len(equations) + 1])]


class _Plan:
    """Slots for the values that pass between steps."""

    def __init__(self, program: Program, pieces: _Pieces, donated: frozenset[int]) -> None:
        self.program = program
        self.pieces = pieces
        self.donated = donated
        self.slots: dict[Var, int] = {var: number for number, var in enumerate(program.inputs)}
        taken = [block.taken() for block in pieces.blocks]
        self.wires: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = []
        for b, k in pieces.steps:
            takes = tuple([self.slots[var] for var in taken[b][k]])
            given = pieces.blocks[b].given[k]
            gives = tuple(range(len(self.slots), len(self.slots) + len(given)))
            self.slots.update(zip(given, gives, strict=True))
            self.wires.append((b, takes, gives))

    def cut(self) -> Cut:
        outputs = tuple([a if isinstance(a, Literal) else self.slots[a] for a in self.program.outputs])
        frees = self._last_uses(outputs)
        regions = self._regions(frees)
        numbers = {b: n for n, b in enumerate(regions)}
        steps = [Step(numbers[b], takes, gives, f) for (b, takes, gives), f in zip(self.wires, frees, strict=True)]
        return Cut(self.program, tuple(regions.values()), tuple(steps), len(self.slots), outputs)  # type: ignore[arg-type]

    def _last_uses(self, outputs: Sequence[int | Literal]) -> list[tuple[int, ...]]:
        """The slots that may be emptied after each step."""
        alive = {slot for slot in outputs if type(slot) is int}
        frees = []
        for _, takes, gives in reversed(self.wires):
            ended = [slot for slot in {*takes, *gives} if slot not in alive]
            alive.update(ended)
            frees.append(tuple(sorted(ended)))
        return frees[::-1]

    def _regions(self, frees: Sequence[tuple[int, ...]]) -> dict[int, Region]:
        """The regions by block. An input may be overwritten if no occurrence's operand is needed again."""
        ending: dict[int, set[int]] = {}
        for (b, takes, _), freed in zip(self.wires, frees, strict=True):
            mine = {n for n, slot in enumerate(takes) if slot in freed and self._is_ours(slot)}
            ending[b] = ending.get(b, mine) & mine
        regions = {}
        for number, b in enumerate(ending):
            program = self.pieces.blocks[b].program(f"{self.program.name}_{number}")
            large = [n for n in sorted(ending[b]) if program.inputs[n].type.nbytes >= _DONATED_FROM]
            useful = [n for n, output in aliases(program, large).items() if output is not None]
            regions[b] = Region(program, tuple(useful))
        return regions

    def _is_ours(self, slot: int) -> bool:
        return slot >= len(self.program.inputs) or slot in self.donated
