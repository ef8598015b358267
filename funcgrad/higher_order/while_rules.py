"""What the rules of `While` make of it: smaller loops, halves of loops, one step backwards, steps under a mask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ..compiler.simplify import simplify
from ..core.dtypes import BOOL, INT32, SIGNED
from ..core.program import Literal, Program, Var, literal_value, run_program, stage
from ..core.trace import run_under
from ..core.types import ArrayType
from ..ops.bits import and_
from ..ops.elementwise import Add, Lt, add, lt, maximum, stop_gradient, sub, where
from ..ops.reduction import reduce_or
from ..ops.structure import broadcast_in_dim, convert, full, move_axis, zeros_of
from ..transforms.mask import mask_program
from ..transforms.partial_eval import SplitProgram, split_program
from ..transforms.transpose import transpose_program
from ..transforms.vmap import batch_program
from .reversal import write_row
from .scan import Scan
from .scan_rules import arranged
from .trimming import dependencies, producer, restricted, same_in_every_step, silent, with_results

if TYPE_CHECKING:
    from .while_loop import While

__all__ = [
    "ZERO",
    "BackwardStep",
    "Flags",
    "Interleaving",
    "Parts",
    "in_front",
    "record_loop",
    "record_steps",
    "smaller_while",
    "split_carry",
    "trip_count",
    "while_any",
]

Flags = tuple[bool, ...]
_INT, _FLAG = ArrayType((), INT32), ArrayType((), BOOL)
ZERO, _ONE = full(_INT, 0), full(_INT, 1)


class Parts(NamedTuple):
    """Something for each operand of a `While`, in three groups."""

    cond_consts: tuple[Any, ...]
    body_consts: tuple[Any, ...]
    carry: tuple[Any, ...]


class Interleaving:
    """From (consts, carry, tangents of consts, tangents of carry) to (consts, their tangents, carry, its tangents)."""

    def __init__(self, count: int, consts: int, moving_consts: Flags, moving: Flags) -> None:
        middle = count + sum(moving_consts)
        last = middle + sum(moving)
        self.places = [*range(consts), *range(count, middle), *range(consts, count), *range(middle, last)]

    def arrange(self, values: Sequence[Any]) -> list[Any]:
        return [values[i] for i in self.places]


@lru_cache(maxsize=1024)
def smaller_while(op: While, unused: Flags) -> tuple[While, tuple[int, ...], tuple[int, ...]] | None:
    """The loop without the carries that neither the used results nor the predicate depend on; see `without`."""
    consts, count = op.cond_consts, op.body_consts
    decisive = dependencies(op.cond, [0])
    needed = {i for i, u in enumerate(unused) if not u} | {i - consts for i in decisive if i >= consts}
    while True:
        inputs = dependencies(op.body, sorted(needed))
        grown = needed | {i - count for i in inputs if i >= count}
        if grown == needed:
            break
        needed = grown
    carry = sorted(needed)
    first, second = [i for i in decisive if i < consts], [i for i in sorted(inputs) if i < count]
    if len(first) + len(second) + len(carry) == consts + count + len(unused):
        return None
    cond = restricted(op.cond, [0], [*first, *(consts + i for i in carry)])
    body = restricted(op.body, carry, [*second, *(count + i for i in carry)])
    operands = [*first, *(consts + i for i in second), *(consts + count + i for i in carry)]
    return op.made_of(cond, body, len(first), len(second)), tuple(operands), tuple(carry)


# -- partial evaluation ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def split_carry(op: While, consts: Flags, carry: Flags) -> SplitProgram:
    """The step cut in two by what is unknown; a carry that becomes unknown is so from the beginning."""
    while True:
        split = split_program(op.body, (*consts, *carry), carry)
        if split.unknown_outputs == carry:
            return split
        carry = split.unknown_outputs


@lru_cache(maxsize=1024)
def known_while(op: While, consts: Flags, later: Flags) -> While:
    """The loop over what is known, for carries that are unknown `later`; the number of steps is its first carry."""
    split = split_carry(op, consts, later)
    known = [i for i, u in enumerate(later) if not u]
    step = restricted(split.known, range(len(known)))
    given = sum(not u for u in consts)
    cond = restricted(op.cond, [0], [*range(op.cond_consts), *(op.cond_consts + i for i in known)])

    def count_too(*values: Any) -> list[Any]:
        fixed, count, carry = values[:given], values[given], values[given + 1 :]
        return [add(count, _ONE), *run_program(step, [*fixed, *carry])]

    body = stage(count_too, [*step.in_types[:given], _INT, *step.in_types[given:]], step.name)
    return op.made_of(_with_counter(cond, op.cond_consts), body, op.cond_consts, given)


def _with_counter(cond: Program, consts: int) -> Program:
    inputs = [*cond.inputs[:consts], Var(_INT), *cond.inputs[consts:]]
    return Program(inputs, (), cond.equations, cond.outputs, cond.name)


@lru_cache(maxsize=1024)
def counted_while(op: While) -> While:
    """The loop that takes a number of steps, its only `cond_const`; its first carry counts them. No effects happen."""
    step, consts = silent(op.body), op.body_consts
    types = [t.strong() for t in step.in_types]

    def count_too(*values: Any) -> list[Any]:
        fixed, count, carry = values[:consts], values[consts], values[consts + 1 :]
        return [add(count, _ONE), *run_program(step, [*fixed, *carry])]

    cond = stage(lambda limit, count, *carry: [lt(count, limit)], [_INT, _INT, *types[consts:]], "cond")
    body = stage(count_too, [*types[:consts], _INT, *types[consts:]], step.name)
    return op.made_of(cond, body, 1, consts)


def trip_count(op: While, parts: Parts) -> Any | None:
    """How many steps a loop takes that counts by one up to a limit; None for other loops."""
    asks = producer(op.cond, op.cond.outputs[0])
    if asks is None or type(asks.op) is not Lt or asks.inputs[0] not in op.cond.inputs:
        return None
    number = op.cond.inputs.index(asks.inputs[0]) - op.cond_consts
    steps = None if number < 0 else producer(op.body, op.body.outputs[number])
    if steps is None or type(steps.op) is not Add or steps.inputs[0] is not op.body.inputs[op.body_consts + number]:
        return None
    one, limit = steps.inputs[1], asks.inputs[1]
    if type(one) is not Literal or one.value != 1 or one.type.shape or one.type.dtype.kind not in "iu":
        return None
    if type(limit) is Literal:
        last = literal_value(limit)
    else:
        place = op.cond.inputs.index(limit) if limit in op.cond.inputs else -1
        if not 0 <= place < op.cond_consts:
            return None
        last = parts.cond_consts[place]
    wide = SIGNED[3]
    difference = sub(convert(last, wide), convert(parts.carry[number], wide))
    return convert(maximum(difference, zeros_of(difference.type)), INT32)


def record_loop(
    op: While, trace: Any, parts: Parts, unknown: Flags, later: Flags
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Run what is known of a loop, and record the whole loop for the rest: its tape is as small as its operands."""
    known = known_while(op, unknown, later)
    consts = [x for x, u in zip(parts.body_consts, unknown, strict=True) if not u]
    carry = [x for x, u in zip(parts.carry, later, strict=True) if not u]
    count, *results = known(*parts.cond_consts, *consts, ZERO, *carry)
    found = trip_count(op, parts)
    whole = counted_while(op)
    operands = [count if found is None else found, *parts.body_consts, ZERO, *parts.carry]
    smaller = whole.without((True, *(not u for u in later)))
    if smaller is None:
        return results, [x for x, u in zip(trace.record(whole, tuple(operands))[1:], later, strict=True) if u]
    recorded = trace.record(smaller[0], tuple(operands[i] for i in smaller[1]))
    return results, [x for x, i in zip(recorded, smaller[2], strict=True) if i and later[i - 1]]


class KeptSteps:
    """A loop of at most `max_steps` steps, cut in two: the first half keeps for each step what the second needs.

    Attributes:
        known: the first half; its operands are those of the predicate, the known consts, a counter, the known carries,
            an array for each value that is kept, of `kept` types.
        invariant: (known consts, known carries) → (what the second half needs that is the same in every step).
        rest: the second half. Its operands are the number of steps, the invariant values, the unknown consts, the
            unknown carries, the kept values.
    """

    def __init__(self, op: While, consts: Flags, later: Flags) -> None:
        split, length = split_carry(op, consts, later), op.max_steps or 0
        program, given, carry = split.known, sum(not u for u in consts), sum(not u for u in later)
        computed = iter(program.outputs[carry:])
        atoms = [next(computed) if place is None else program.inputs[place] for place in split.residual_inputs]
        unchanging = [i for i in range(carry) if program.outputs[i] is program.inputs[given + i]]
        same = same_in_every_step(program, [*range(given), *(given + i for i in unchanging)])
        fixed = [i for i, atom in enumerate(atoms) if atom in same]
        moving = [i for i, atom in enumerate(atoms) if atom not in same]
        self.invariant = silent(with_results(program, [atoms[i] for i in fixed]))
        step = with_results(program, [*program.outputs[:carry], *(atoms[i] for i in moving)])
        self.kept = [ArrayType((length, *atoms[i].type.shape), atoms[i].type.dtype) for i in moving]

        def keep(*values: Any) -> list[Any]:
            number, state = values[given], values[given + 1 : given + 1 + carry]
            results = run_program(step, [*values[:given], *state])
            rows = zip(values[given + 1 + carry :], results[carry:], strict=True)
            return [add(number, _ONE), *results[:carry], *(write_row(all, x, number) for all, x in rows)]

        types = [t.strong() for t in program.in_types]
        body = stage(keep, [*types[:given], _INT, *types[given:], *self.kept], program.name)
        known = [op.cond_consts + i for i, u in enumerate(later) if not u]
        cond = _with_counter(restricted(op.cond, [0], [*range(op.cond_consts), *known]), op.cond_consts)
        cond = Program([*cond.inputs, *map(Var, self.kept)], (), cond.equations, cond.outputs, cond.name)
        self.known = op.made_of(cond, body, op.cond_consts, given)
        own, rest = len(atoms), len(split.unknown.inputs)
        order = [*fixed, *range(own, rest), *moving]
        self.rest = Scan(arranged(split.unknown, order), length, len(fixed) + sum(consts), sum(later), counted=True)


@lru_cache(maxsize=1024)
def kept_steps(op: While, consts: Flags, later: Flags) -> KeptSteps:
    """A loop of at most `max_steps` steps, cut in two; remembered."""
    return KeptSteps(op, consts, later)


def record_steps(
    op: While, trace: Any, parts: Parts, unknown: Flags, later: Flags
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Run what is known of a loop, keep what its steps leave for the rest, and record the rest."""
    halves = kept_steps(op, unknown, later)
    consts = [x for x, u in zip(parts.body_consts, unknown, strict=True) if not u]
    carry = [x for x, u in zip(parts.carry, later, strict=True) if not u]
    once = run_under(trace, run_program, halves.invariant, [*consts, *carry])
    results = halves.known(*parts.cond_consts, *consts, ZERO, *carry, *map(zeros_of, halves.kept))
    count, known, kept = results[0], results[1 : 1 + len(carry)], results[1 + len(carry) :]
    own_consts = [x for x, u in zip(parts.body_consts, unknown, strict=True) if u]
    own_carry = [x for x, u in zip(parts.carry, later, strict=True) if u]
    return known, trace.record(halves.rest, (count, *once, *own_consts, *own_carry, *kept))


# -- transposition -----------------------------------------------------------------------------------------------------


class BackwardStep:
    """One step of a linear loop, backwards.

    Attributes:
        later: which carries are linear; a carry that becomes linear is so from the beginning.
    """

    def __init__(self, op: While, consts: Flags, carry: Flags) -> None:
        self.op = op.made_of(silent(op.cond), silent(op.body), op.cond_consts, op.body_consts)
        self.consts = consts
        split = split_carry(self.op, consts, carry)
        self.later = split.unknown_outputs
        given = sum(not own for own in consts)
        self.known = [i for i, own in enumerate(self.later) if not own]
        self.moving = [i for i in range(len(self.known)) if split.known.outputs[i] is not split.known.inputs[given + i]]
        self.forward = restricted(split.known, self.moving)
        self.backward = simplify(transpose_program(self.op.body, (*consts, *self.later), True)[0])

    def count(self, parts: Parts) -> Any:
        """How many steps the loop takes, by running it."""
        consts = [x for x, own in zip(parts.body_consts, self.consts, strict=True) if not own]
        carry = [parts.carry[i] for i in self.known]
        return known_while(self.op, self.consts, self.later)(*parts.cond_consts, *consts, ZERO, *carry)[0]

    def at(self, parts: Parts) -> BackwardStepAt:
        return BackwardStepAt(self, parts)


class BackwardStepAt:
    """A step backwards, for given operands of the loop.

    Attributes:
        state: the known carries that change, before the first step.
    """

    def __init__(self, step: BackwardStep, parts: Parts) -> None:
        self.step = step
        self.consts = [x for x, own in zip(parts.body_consts, step.consts, strict=True) if not own]
        self.carry = [parts.carry[i] for i in step.known]
        self.state = [self.carry[i] for i in step.moving]
        self.sums = sum(step.consts)
        self.zeros = [zeros_of(t.strong()) for t in step.op.body.out_types]

    def _known(self, state: Sequence[Any]) -> list[Any]:
        carry = list(self.carry)
        for i, value in zip(self.step.moving, state, strict=True):
            carry[i] = value
        return [*self.consts, *carry]

    def advance(self, *state: Any) -> list[Any]:
        """The state after a step."""
        return run_program(self.step.forward, self._known(state))

    def back(self, state: Sequence[Any], flowing: Sequence[Any]) -> list[Any]:
        """Cotangents of the linear consts, summed up, and of the linear carries before a step."""
        given = iter(flowing[self.sums :])
        cts = [next(given) if own else zero for own, zero in zip(self.step.later, self.zeros, strict=True)]
        results = run_program(self.step.backward, [*self._known(state), *cts])
        totals = [add(total, ct) for total, ct in zip(flowing[: self.sums], results, strict=False)]
        return [*totals, *results[self.sums :]]


# -- vectorisation -----------------------------------------------------------------------------------------------------


def in_front(size: int, values: Sequence[Any], axes: Sequence[int | None], mapped: Sequence[bool]) -> list[Any]:
    """Values with the mapped axis in front of those that are to have it."""
    placed = []
    for x, axis, wanted in zip(values, axes, mapped, strict=True):
        if axis is not None:
            placed.append(move_axis(x, axis, 0))
        else:
            placed.append(broadcast_in_dim(x, (size, *x.shape), range(1, x.ndim + 1)) if wanted else x)
    return placed


@lru_cache(maxsize=1024)
def masked_step(op: While, consts: Flags, carry: Flags) -> Program:
    """The program (running, operands) → (still running, carry): a step that is taken only if `running`.

    What is mapped (flags for consts and for the carry) is a constant to differentiation where the step is not taken:
    its derivative there, which may be infinite, must not be multiplied by zero.
    """
    body, cond = mask_program(op.body), mask_program(op.cond)
    first, second = op.cond_consts, op.cond_consts + op.body_consts

    def step(running: Any, *operands: Any) -> list[Any]:
        guarded = [
            where(running, x, stop_gradient(x)) if m and x.type.differentiable else x
            for x, m in zip(operands, (*consts, *carry), strict=True)
        ]
        results = run_program(body, [running, *guarded[first:]])
        places = zip(results, operands[second:], carry, strict=True)
        results = [where(running, new, old) if m else old for new, old, m in places]
        return [and_(running, *run_program(cond, [running, *guarded[:first], *results])), *results]

    types = [*op.cond.in_types[:first], *op.body.in_types]
    return stage(step, [_FLAG, *(t.strong() for t in types)], f"masked_{op.body.name}")


def while_any(
    op: While, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...], mapped: Flags
) -> Any:
    """Loop while any element runs. The others keep their carry, and nothing happens for them."""
    unchanging = [out is old for out, old in zip(op.body.outputs, op.body.inputs[op.body_consts :], strict=True)]
    mapped = tuple(m or not u for m, u in zip(mapped, unchanging, strict=True))
    places = tuple(0 if m else None for m in mapped)
    count = op.cond_consts + op.body_consts
    const_axes = axes[:count]
    asked, _ = batch_program(op.cond, size, (*const_axes[: op.cond_consts], *places), name, (True,))
    carry = in_front(size, op.parts(operands).carry, op.parts(axes).carry, mapped)
    running = run_program(asked, [*operands[: op.cond_consts], *carry])
    step = masked_step(op, tuple(axis is not None for axis in const_axes), mapped)
    body, _ = batch_program(step, size, (0, *const_axes, *places), name, (True, *mapped))
    consts = [body.inputs[1 + i] for i in range(count)]
    rest = [body.inputs[0], *body.inputs[1 + count :]]
    body = Program([*consts, *rest], (), body.equations, body.outputs, body.name)
    types = [t.strong() for t in body.in_types[count:]]
    cond = stage(lambda running, *carry: [reduce_or(running, (0,))], types, op.cond.name)
    results = op.made_of(cond, body, 0, count)(*operands[:count], *running, *carry)
    return results[1:], places
