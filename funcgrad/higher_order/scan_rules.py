"""What the rules of `Scan` make of a loop: one with tangents, its halves, one backwards, one over a mapped axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..compiler.simplify import results_only
from ..core.dtypes import INT32
from ..core.program import Equation, Program, Var, run_program, stage
from ..core.trace import run_under
from ..core.types import ArrayType
from ..ops.elementwise import add, lt, select
from ..ops.structure import broadcast_in_dim, zeros_of
from ..transforms.jvp import jvp_program
from ..transforms.mask import mask_program
from ..transforms.partial_eval import split_program
from ..transforms.transpose import transpose_program
from ..transforms.vmap import batch_program
from .trimming import same_in_every_step

if TYPE_CHECKING:
    from .scan import Scan

__all__ = [
    "SplitScan",
    "TransposedScan",
    "arranged",
    "batch_scan",
    "element_counts",
    "jvp_scan",
    "smaller_scan",
    "split_scan",
    "transpose_scan",
]

INDEX = ArrayType((), INT32)


def arranged(program: Program, inputs: Sequence[int], outputs: Sequence[int] | None = None) -> Program:
    """The same program with its inputs and outputs in another order; outputs may be left out."""
    results = program.outputs if outputs is None else [program.outputs[i] for i in outputs]
    return Program([program.inputs[i] for i in inputs], (), program.equations, results, program.name)


# -- forward mode ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def jvp_scan(op: Scan, moving: tuple[bool, ...]) -> tuple[Scan, tuple[bool, ...], tuple[bool, ...]]:
    """The loop that also moves tangents along.

    Args:
        op: a loop.
        moving: which operands (but the count) have tangents.

    Returns:
        The loop, whose operands are consts, their tangents, carry, its tangents, slices, their tangents, and whose
        results are carry, its tangents, further results, their tangents; which operands have tangents there (a carry
        that moves in any step has one in all); and which results have.
    """
    consts, end, count = op.consts, op.consts + op.carry, len(op.body.inputs)
    further = (False,) * (len(op.body.outputs) - op.carry)
    while True:
        program, nonzero = jvp_program(op.body, moving, (*moving[consts:end], *further))
        found = (*moving[:consts], *nonzero[: op.carry], *moving[end:])
        if found == moving:
            break
        moving = found
    inputs = _interleaved(moving, (0, consts, end, count))
    outputs = _interleaved(nonzero, (0, op.carry, len(nonzero)))
    body = arranged(program, inputs, outputs)
    return op.like(body, consts + sum(moving[:consts]), op.carry + sum(moving[consts:end])), moving, nonzero


def _interleaved(flags: Sequence[bool], bounds: Sequence[int]) -> list[int]:
    """Places of all values and then of the tangents of those with a flag, rearranged part by part."""
    order: list[int] = []
    rank = len(flags)
    for low, high in pairwise(bounds):
        order += range(low, high)
        moving = sum(flags[low:high])
        order += range(rank, rank + moving)
        rank += moving
    return order


# -- partial evaluation ------------------------------------------------------------------------------------------------


class SplitScan:
    """A loop cut in two by which operands are unknown; values that the second half needs are its operands.

    Values that are the same in every step are computed once, before the loops; operands of the first half that the
    second needs are handed to both; the others are stacked.

    Attributes:
        unknown: which operands (but the count) are unknown to the loops: a carry that becomes unknown is so at once.
        unknown_outputs: which results the second half gives.
        invariant: (consts and carry that never change) → (values that are the same in every step).
        invariant_inputs: which operands it takes.
        known: the first half; None if nothing is known.
        rest: the second half; None if everything is known.
        fixed: for the first consts of the second half, where they come from: ("const" | "invariant", number), that is
            an operand, or a value that is the same in every step.
        sliced: for its first slices: ("slices" | "stacked", number), an operand or a result of the first half.
    """

    def __init__(self, op: Scan, unknown: tuple[bool, ...]) -> None:
        end = op.consts + op.carry
        further = (False,) * (len(op.body.outputs) - op.carry)
        while True:
            split = split_program(op.body, unknown, (*unknown[op.consts : end], *further))
            later = split.unknown_outputs
            found = (*unknown[: op.consts], *later[: op.carry], *unknown[end:])
            if found == unknown:
                break
            unknown = found
        self.op, self.unknown, self.unknown_outputs = op, unknown, later
        self.places = [i for i, u in enumerate(unknown) if not u]
        self._cut_known(split)
        self._cut_unknown(split)

    def _cut_known(self, split: Any) -> None:
        op, program, end = self.op, split.known, self.op.consts + self.op.carry
        consts = sum(i < op.consts for i in self.places)
        carry = sum(op.consts <= i < end for i in self.places)
        results = len(self.unknown_outputs) - sum(self.unknown_outputs)
        unchanging = [i for i in range(carry) if program.outputs[i] is program.inputs[consts + i]]
        fixed = [*range(consts), *(consts + i for i in unchanging)]
        same = same_in_every_step(program, fixed)
        computed = iter(program.outputs[results:])
        atoms = [next(computed) if place is None else program.inputs[place] for place in split.residual_inputs]
        number = {var: i for i, var in enumerate(program.inputs)}
        hoisted: dict[Any, int] = {}
        stacked = {atom: i for i, atom in enumerate(program.outputs[carry:results]) if type(atom) is Var}
        extra: list[Any] = []
        self.sources: list[tuple[str, int]] = []
        for atom in atoms:
            place = number.get(atom)
            if place is not None and (place in fixed or place >= consts + carry):
                self.sources.append(("const" if place in fixed else "slices", self.places[place]))
            elif atom in same:
                self.sources.append(("invariant", hoisted.setdefault(atom, len(hoisted))))
            else:
                if atom not in stacked:
                    stacked[atom] = results - carry + len(extra)
                    extra.append(atom)
                self.sources.append(("stacked", stacked[atom]))
        equations = [eqn for eqn in program.equations if eqn.outputs and same.issuperset(eqn.outputs)]
        once = Program([program.inputs[i] for i in fixed], (), equations, list(hoisted), program.name)
        self.invariant, needed = results_only(once, range(len(hoisted)))
        self.invariant = arranged(self.invariant, needed)
        self.invariant_inputs = [self.places[fixed[i]] for i in needed]
        body = _with_inputs(program, list(hoisted), [*program.outputs[:results], *extra])
        self.carry, self.known = carry, None
        if body.outputs or body.effects:
            self.known = op.like(body, len(hoisted) + consts, carry)

    def _cut_unknown(self, split: Any) -> None:
        op, program, end = self.op, split.unknown, self.op.consts + self.op.carry
        places = [i for i, u in enumerate(self.unknown) if u]
        fixed = [i for i, (kind, _) in enumerate(self.sources) if kind in ("const", "invariant")]
        sliced = [i for i, (kind, _) in enumerate(self.sources) if kind in ("slices", "stacked")]
        self.fixed, self.sliced = [self.sources[i] for i in fixed], [self.sources[i] for i in sliced]
        own = {place: len(self.sources) + i for i, place in enumerate(places)}
        self.own_consts = [i for i in places if i < op.consts]
        self.own_carry = [i for i in places if op.consts <= i < end]
        self.own_slices = [i for i in places if i >= end]
        order = [*fixed, *(own[i] for i in (*self.own_consts, *self.own_carry)), *sliced]
        body = arranged(program, [*order, *(own[i] for i in self.own_slices)])
        self.rest = None
        if body.outputs or body.effects:
            self.rest = op.like(body, len(fixed) + len(self.own_consts), len(self.own_carry))

    def apply(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Do the first half now and record the second."""
        count, values = args[: self.op.counted], args[self.op.counted :]
        once = run_under(trace, run_program, self.invariant, [values[i] for i in self.invariant_inputs])
        results: tuple[Any, ...] = ()
        if self.known is not None:
            results = _process(trace.process, self.known, (*count, *once, *(values[i] for i in self.places)))
        found = {"const": values, "slices": values, "invariant": once, "stacked": results[self.carry :]}
        rest: tuple[Any, ...] = ()
        if self.rest is not None:
            fixed, sliced = ([found[kind][i] for kind, i in sources] for sources in (self.fixed, self.sliced))
            own = [[values[i] for i in part] for part in (self.own_consts, self.own_carry, self.own_slices)]
            rest = _process(trace.record, self.rest, (*count, *fixed, *own[0], *own[1], *sliced, *own[2]))
        first, second = iter(results), iter(rest)
        return tuple(next(second) if u else next(first) for u in self.unknown_outputs)


def _process(process: Callable[..., tuple[Any, ...]], op: Scan, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Process a loop without the operands that it has no use for."""
    smaller = op.without((False,) * len(op.body.outputs))
    if smaller is None:
        return process(op, args)
    return process(smaller[0], tuple(args[i] for i in smaller[1]))


def _with_inputs(program: Program, given: Sequence[Var], outputs: Sequence[Any]) -> Program:
    """The program with some of its variables made leading inputs, and with other outputs."""
    fresh: dict[Any, Any] = {var: Var(var.type) for var in given}
    equations = [Equation(e.op, [fresh.get(a, a) for a in e.inputs], e.outputs, e.source) for e in program.equations]
    results = [fresh.get(atom, atom) for atom in outputs]
    return Program([*fresh.values(), *program.inputs], (), equations, results, program.name)


@lru_cache(maxsize=1024)
def split_scan(op: Scan, unknown: tuple[bool, ...]) -> SplitScan:
    """Cut a loop by which operands (but the count) are unknown; remembered."""
    return SplitScan(op, unknown)


# -- transposition -----------------------------------------------------------------------------------------------------


class TransposedScan:
    """A loop backwards.

    Attributes:
        op: the loop. Its operands are the count, the known consts, zeros of `summed`, the cotangents of the carry that
            are `flowing`, the known slices, the cotangents of further results that are not zero. It gives cotangents of
            the linear consts, of the carry, of the linear slices; of each those that are not zero.
        flowing: which carries have cotangents.
        nonzero_consts, nonzero_xs: which consts and slices have cotangents.
        summed: types of the consts' cotangents.
    """

    def __init__(self, op: Scan, linear: tuple[bool, ...], given: tuple[bool, ...]) -> None:
        body, consts, carry = op.body, op.consts, op.carry
        every = (*linear[:consts], *(True,) * carry, *linear[consts:])
        flowing = given[:carry]
        while True:
            kept = [i for i, g in enumerate((*flowing, *given[carry:])) if g]
            program, nonzero = transpose_program(arranged(body, range(len(body.inputs)), kept), every)
            flags = iter(nonzero)
            found = [own and next(flags) for own in every]
            grown = tuple(f or n for f, n in zip(flowing, found[consts:], strict=False))
            if grown == flowing:
                break
            flowing = grown
        self.flowing = flowing
        self.nonzero_consts, self.nonzero_xs = found[:consts], found[consts + carry :]
        self.summed = [t.strong() for t, n in zip(body.in_types, self.nonzero_consts, strict=False) if n]
        moving = found[consts : consts + carry]
        carry_types = [t.strong() for t in body.in_types[consts : consts + carry]]
        xs = [i for i, own in enumerate(every) if i >= consts + carry and not own]
        known = consts - sum(linear[:consts])
        sums, flows = len(self.summed), sum(flowing)

        def step(*args: Any) -> list[Any]:
            fixed, totals, rest = args[:known], args[known : known + sums], args[known + sums :]
            cts, slices, y_cts = rest[:flows], rest[flows : flows + len(xs)], rest[flows + len(xs) :]
            results = iter(run_program(program, [*fixed, *slices, *cts, *y_cts]))
            totals = [add(total, next(results)) for total in totals]
            pairs = zip(moving, flowing, carry_types, strict=True)
            carried = [next(results) if m else zeros_of(t) for m, f, t in pairs if f]
            return [*totals, *carried, *results]

        types = [t.strong() for t in body.in_types]
        known_types = [t for t, own in zip(types[:consts], linear, strict=False) if not own]
        flow_types = [t for t, f in zip(carry_types, flowing, strict=True) if f]
        y_types = [t.strong() for t, g in zip(body.out_types, given, strict=True) if g][sum(given[:carry]) :]
        operands = [*known_types, *self.summed, *flow_types, *(types[i] for i in xs), *y_types]
        staged = stage(step, operands, f"transpose_{body.name}")
        self.op = op.like(staged, known, sums + flows, reverse=not op.reverse)


@lru_cache(maxsize=1024)
def transpose_scan(op: Scan, linear: tuple[bool, ...], given: tuple[bool, ...]) -> TransposedScan:
    """A loop backwards, for which consts and slices are linear and which results have cotangents; remembered."""
    return TransposedScan(op, linear, given)


# -- vectorisation -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def batch_scan(
    op: Scan,
    size: int,
    consts: tuple[int | None, ...],
    carry: tuple[bool, ...],
    xs: tuple[int | None, ...],
    name: Any,
) -> tuple[Scan, tuple[bool, ...]]:
    """The loop over a mapped axis, and which results carry it: as axis 0 of a carry and of each slice.

    Args:
        op: the loop.
        size: the length of the mapped axis.
        consts: where each of the consts carries it.
        carry: which carries have it, as axis 0.
        xs: where slices carry it.
        name: its name, if it has one.
    """
    while True:
        axes = (*consts, *(0 if m else None for m in carry), *xs)
        _, out_axes = batch_program(op.body, size, axes, name)
        mapped = tuple(axis is not None for axis in out_axes)
        grown = tuple(a or b for a, b in zip(carry, mapped, strict=False))
        if grown == carry:
            break
        carry = grown
    mapped = (*carry, *mapped[op.carry :])
    body, _ = batch_program(op.body, size, axes, name, mapped)
    return op.like(body, op.consts, op.carry), mapped


@lru_cache(maxsize=1024)
def element_counts(op: Scan) -> Scan:
    """A counted loop whose first const is another count, which may be smaller: steps from there on change nothing.

    Its first slices are the numbers of the steps.
    """
    consts, end = op.consts, op.consts + op.carry
    masked = mask_program(op.body)
    types = op.body.in_types

    def step(own: Any, *args: Any) -> list[Any]:
        values = [*args[:end], *args[end + 1 :]]
        mask = lt(args[end], own)
        results = run_program(masked, [mask, *values])
        before = [*args[consts:end], *(zeros_of(t) for t in op.body.out_types[op.carry :])]
        return [_choose(mask, new, old) for new, old in zip(results, before, strict=True)]

    program = stage(step, [INDEX, *types[:end], INDEX, *types[end:]], f"counted_{op.body.name}")
    return op.like(program, consts + 1, op.carry)


def _choose(mask: Any, new: Any, old: Any) -> Any:
    return select(broadcast_in_dim(mask, new.shape, ()), old, new)


# -- dead code ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def smaller_scan(op: Scan, unused: tuple[bool, ...]) -> tuple[Scan, tuple[int, ...], tuple[int, ...]] | None:
    """The `without` rule: a carry stays if it is used, or if any step of what stays depends on it."""
    consts, end = op.consts, op.consts + op.carry
    live = [not u for u in unused[: op.carry]]
    while True:
        kept = [i for i, alive in enumerate(live) if alive]
        kept += [i for i in range(op.carry, len(unused)) if not unused[i]]
        body, needed = results_only(op.body, kept)
        grown = [alive or consts + i in needed for i, alive in enumerate(live)]
        if grown == live:
            break
        live = grown
    inputs = [i for i in range(len(body.inputs)) if i in needed or (consts <= i < end and live[i - consts])]
    if body is op.body and len(inputs) == len(body.inputs):
        return None
    smaller = op.like(arranged(body, inputs), sum(i < consts for i in inputs), sum(live))
    return smaller, (*range(op.counted), *(op.counted + i for i in inputs)), tuple(kept)
