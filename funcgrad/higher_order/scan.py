"""Loops of known length: the operation `Scan`, and `scan`, which eagerly is a Python loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array
from ..compiler.evaluate import one_operation_program
from ..compiler.lower import inline, lower_call, threads_of
from ..core.dtypes import INT32
from ..core.graph import Graph
from ..core.primitive import Primitive
from ..core.program import Atom, Program, run_program, stage
from ..core.trace import Journal, Tracer, bottom, run_under, staging
from ..core.types import ArrayType, Zero, is_linear
from ..errors import ArgumentError, ControlFlowError
from ..ops.reduction import reduce_max
from ..ops.structure import broadcast_in_dim, convert, instantiate, iota, move_axis, zeros_of
from ..transforms.arguments import argument_names, check_callable, leaf_names, lift, strong
from ..transforms.mask import mask_program
from .eager_scan import EagerScan, carry_error, parts_of_result, settled
from .inside import simpler_scan
from .scan_rules import INDEX, arranged, batch_scan, element_counts, jvp_scan, smaller_scan, split_scan, transpose_scan
from .traced import convert_outputs, trace_function

__all__ = ["Scan", "count_steps", "map_in_turn", "scan"]


class Scan(Primitive):
    """Runs a program `length` times, which hands a carry on and maps slices of arrays to slices of arrays.

    The operands are `count` (an int32[], if `counted`), then `consts` arrays that every step sees, `carry` arrays that
    the first step sees, and arrays with a leading axis of length `length`, of which every step sees a slice. The
    program maps consts, carry and slices to the next carry and the slices of further results. The results are the last
    carry and these further results, stacked.

    If `counted`, only steps 0 to `count - 1` happen, and the slices of the others' results are zeros; `unroll` is
    then ignored. In reverse, steps happen from the last to the first.
    """

    multiple = True
    takes_zeros = True
    plain = False
    interprets = True

    body: Program
    length: int
    consts: int
    carry: int
    reverse: bool = False
    unroll: int = 1
    counted: bool = False

    @property
    def axis_names(self) -> frozenset[Any]:
        return self.body.axis_names

    @property
    def effects(self) -> frozenset[str]:  # type: ignore[override]
        return self.body.effects

    @property
    def payload(self) -> int:  # type: ignore[override]
        return self.body.payload

    @property
    def repetitions(self) -> int:
        return self.length

    def like(self, body: Program, consts: int, carry: int, reverse: bool | None = None) -> Scan:
        """A loop of as many steps of another program, in the same order unless said otherwise."""
        reverse = self.reverse if reverse is None else reverse
        return Scan(body, self.length, consts, carry, reverse, self.unroll, self.counted)

    def parts(self, operands: Sequence[Any]) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        """Operands (or what belongs to them) as count (none or one), consts, carry, and what is sliced."""
        first, second = self.counted + self.consts, self.counted + self.consts + self.carry
        values = list(operands)
        return values[: self.counted], values[self.counted : first], values[first:second], values[second:]

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        out_types = [t.strong() for t in self.body.out_types]
        sliced = [t.update(shape=(self.length, *t.shape)) for t in out_types[self.carry :]]
        return (*out_types[: self.carry], *sliced)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        count, consts, carry, xs = self.parts(operands)
        fixed = [Array(x) for x in consts]
        state = [Array(x) for x in carry]
        types = self.infer()[self.carry :]
        ys = [np.zeros(t.shape, t.dtype) for t in types]
        steps = range(min(max(int(count[0]), 0), self.length) if count else self.length)
        for i in reversed(steps) if self.reverse else steps:
            slices = [Array(x[i, ...]) for x in xs]
            results = run_under(bottom(), run_program, self.body, [*fixed, *state, *slices])
            state = results[: self.carry]
            for y, result in zip(ys, results[self.carry :], strict=True):
                y[i] = result.host()
        return (*[x.host() for x in state], *ys)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        return _Lowering(self, build, operands).results()

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        moving = tuple(type(t) is not Zero for t in tangents[self.counted :])
        op, moving, nonzero = jvp_scan(self, moving)
        count, *groups = self.parts(primals)
        operands = list(count)
        pairs = zip(groups, self.parts(tangents)[1:], self.parts((*count, *moving))[1:], strict=True)
        for values, directions, flags in pairs:
            operands += values
            operands += [instantiate(t) for t, m in zip(directions, flags, strict=True) if m]
        results = op(*operands)
        split = len(results) - (len(nonzero) - self.carry) - sum(nonzero[self.carry :])
        carry, ys = results[:split], results[split:]
        outs = (*carry[: self.carry], *ys[: len(nonzero) - self.carry])
        found = iter((*carry[self.carry :], *ys[len(nonzero) - self.carry :]))
        return outs, tuple(next(found) if n else Zero(o.type) for o, n in zip(outs, nonzero, strict=True))

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.counted and trace.owns(args[0]):
            return trace.record(self, args)
        return split_scan(self, tuple(trace.owns(arg) for arg in args[self.counted :])).apply(trace, args)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        count, consts, carry, xs = self.parts(inputs)
        given = tuple(not _is_zero(ct) for ct in cts)
        linear = tuple(is_linear(x) for x in (*consts, *xs))
        backward = transpose_scan(self, linear, given)
        operands = [
            *count,
            *(x for x in consts if not is_linear(x)),
            *(zeros_of(t) for t in backward.summed),
            *(ct for ct, f in zip(cts[: self.carry], backward.flowing, strict=True) if f),
            *(x for x in xs if not is_linear(x)),
            *(ct for ct, g in zip(cts[self.carry :], given[self.carry :], strict=True) if g),
        ]
        results = iter(backward.op(*operands))
        const_cts = [next(results) if n else None for n in backward.nonzero_consts]
        carry_cts = [next(results) if f else None for f in backward.flowing]
        carry_cts = [ct if is_linear(x) else None for ct, x in zip(carry_cts, carry, strict=True)]
        xs_cts = [next(results) if n else None for n in backward.nonzero_xs]
        return (*(None for _ in count), *const_cts, *carry_cts, *xs_cts)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self.batch_named(None, size, operands, axes)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        if self.counted and axes[0] is not None:
            counts = operands[0]
            longest = reduce_max(counts, (0,)) if size else zeros_of(INDEX)
            steps = iota(INT32, (self.length,))
            op, (_, consts, carry, xs) = element_counts(self), self.parts(operands)
            values = (longest, counts, *consts, *carry, steps, *xs)
            _, *inner = self.parts(axes)
            return op.batch_named(name, size, values, (None, 0, *inner[0], *inner[1], None, *inner[2]))
        count, consts, carry, xs = self.parts(operands)
        _, const_axes, carry_axes, xs_axes = self.parts(axes)
        xs = [x if axis != 0 else move_axis(x, 0, 1) for x, axis in zip(xs, xs_axes, strict=True)]
        slice_axes = [None if axis is None else max(axis - 1, 0) for axis in xs_axes]
        mapped = tuple(axis is not None for axis in carry_axes)
        op, mapped = batch_scan(self, size, tuple(const_axes), mapped, tuple(slice_axes), name)
        carry = [
            _lead(x, axis, size) if m else x for x, axis, m in zip(carry, carry_axes, mapped[: self.carry], strict=True)
        ]
        results = op(*count, *consts, *carry, *xs)
        out_axes = [(0 if i < self.carry else 1) if m else None for i, m in enumerate(mapped)]
        return results, tuple(out_axes)

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        count, *rest = self.parts(operands)
        op = self.like(mask_program(self.body), self.consts + 1, self.carry)
        return op(*count, mask, *(x for part in rest for x in part))

    def without(self, unused: tuple[bool, ...]) -> Any:
        return smaller_scan(self, unused)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return simpler_scan(self, graph, inputs)


def _is_zero(ct: Any) -> bool:
    """Whether a cotangent is apparently zero everywhere."""
    if isinstance(ct, Tracer):
        return False
    scalar = ct.splat()
    return scalar is not None and not scalar


def _lead(x: Any, axis: int | None, size: int) -> Any:
    """A value with the mapped axis in front."""
    if axis is None:
        return broadcast_in_dim(x, (size, *x.shape), range(1, x.ndim + 1))
    return move_axis(x, axis, 0)


# -- lowering ----------------------------------------------------------------------------------------------------------


class _Lowering:
    """Writes a loop: a `while` around `unroll` steps, then the steps that are left over, one after another."""

    def __init__(self, op: Scan, build: Any, operands: Sequence[Any]) -> None:
        self.op, self.build = op, build
        count, self.consts, self.init, self.xs = op.parts(operands)
        self.keys = threads_of(op.body)
        self.y_types = op.infer()[op.carry :]
        self.carry_types = [t.strong() for t in op.body.out_types[: op.carry]]
        self.unroll = 1 if op.counted else min(op.unroll, op.length)
        self.groups = op.length // self.unroll if op.length else 0
        if not op.counted and self.groups == 1:
            self.groups = 0
        self.limit = self._limit(count)
        left = op.length - self.groups * self.unroll
        self.emit = lower_call if self.unroll * bool(self.groups) + left > 1 else inline

    def _limit(self, count: Sequence[Any]) -> Any:
        """How many groups the `while` runs."""
        build = self.build
        if not count:
            return build.constant(self.groups, INDEX)
        low, high = build.constant(0, INDEX), build.constant(self.op.length, INDEX)
        return build.op("clamp", (low, count[0], high), INDEX)

    def results(self) -> tuple[Any, ...]:
        op, build = self.op, self.build
        carry, ys = list(self.init), [build.constant(0, t) for t in self.y_types]
        if self.groups:
            types = [INDEX, *self.carry_types, *self.y_types, *build.thread_types(self.keys)]
            start = build.constant(0, INDEX)
            regions = [(types, self._condition), (types, build.with_threads(self.keys, self._group))]
            found = build.ops("while", (start, *carry, *ys, *build.threads(self.keys)), types, regions=regions)
            _, *rest = build.take_threads(self.keys, found)
            carry, ys = rest[: op.carry], rest[op.carry :]
        for i in range(self.groups * self.unroll, op.length):
            place = op.length - 1 - i if op.reverse else i
            carry, ys = self._step(build.constant(place, INDEX), carry, ys)
        return (*carry, *ys)

    def _condition(self, i: Any, *_: Any) -> tuple[Any, ...]:
        return (self.build.compare("LT", i, self.limit, INDEX),)

    def _group(self, i: Any, *state: Any) -> list[Any]:
        op, build = self.op, self.build
        carry, ys = list(state[: op.carry]), list(state[op.carry :])
        first = build.op("multiply", (i, build.constant(self.unroll, INDEX)), INDEX) if self.unroll > 1 else i
        for j in range(self.unroll):
            number = build.op("add", (first, build.constant(j, INDEX)), INDEX) if j else first
            carry, ys = self._step(self._place(number), carry, ys)
        return [build.op("add", (i, build.constant(1, INDEX)), INDEX), *carry, *ys]

    def _place(self, number: Any) -> Any:
        """Which slices step `number` reads and writes."""
        op, build = self.op, self.build
        if not op.reverse:
            return number
        one = build.constant(1, INDEX)
        last = build.op("subtract", (self.limit, one), INDEX) if op.counted else build.constant(op.length - 1, INDEX)
        return build.op("subtract", (last, number), INDEX)

    def _step(self, place: Any, carry: list[Any], ys: list[Any]) -> tuple[list[Any], list[Any]]:
        op, build = self.op, self.build
        slices = []
        for x, type in zip(self.xs, op.body.in_types[op.consts + op.carry :], strict=True):
            slices.append(self._read(x, place, type.strong()))
        results = self.emit(build, op.body, [*self.consts, *carry, *slices])
        ys = [self._write(y, place, new, t) for y, new, t in zip(ys, results[op.carry :], self.y_types, strict=True)]
        return list(results[: op.carry]), ys

    def _read(self, x: Any, place: Any, type: ArrayType) -> Any:
        build = self.build
        starts = [place] + [build.constant(0, INDEX)] * type.ndim
        row = type.update(shape=(1, *type.shape))
        attributes = {"slice_sizes": build.integers(row.shape)}
        return build.op("reshape", (build.op("dynamic_slice", (x, *starts), row, attributes),), type)

    def _write(self, y: Any, place: Any, value: Any, type: ArrayType) -> Any:
        build = self.build
        starts = [place] + [build.constant(0, INDEX)] * (type.ndim - 1)
        row = build.op("reshape", (value,), type.update(shape=(1, *type.shape[1:])))
        return build.op("dynamic_update_slice", (y, row, *starts), type)


# -- one element after another -----------------------------------------------------------------------------------------


def map_in_turn(
    op: Primitive, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]
) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """A batch rule for operations with effects whose order counts: apply `op` to each element in turn.

    Args:
        op: any operation.
        size: the length of the mapped axis.
        operands: its operands.
        axes: where they carry the mapped axis; None for those that do not.
    """
    fixed = [i for i, axis in enumerate(axes) if axis is None]
    mapped = [i for i, axis in enumerate(axes) if axis is not None]
    slices = [move_axis(operands[i], axes[i], 0) for i in mapped]
    types = [x.type.strong() for x in operands]
    for i, x in zip(mapped, slices, strict=True):
        types[i] = x.type.update(shape=x.shape[1:])
    body = arranged(one_operation_program(op, tuple(types)), [*fixed, *mapped])
    outs = Scan(body, size, len(fixed), 0)(*(operands[i] for i in fixed), *slices)
    return outs, (0,) * len(outs)


# -- the public function -----------------------------------------------------------------------------------------------


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
) -> tuple[Any, Any]:
    """Run a function over the leading axis of arrays, handing a carry from each step to the next.

    It is `for x in xs: carry, y = f(carry, x)` with the `y`s stacked. Eagerly it is just that loop. Compiled, it is one
    loop whose program has the size of one step, however many there are; reverse mode keeps what each step's derivative
    needs, stacked, and computes what is the same in every step once.

    Args:
        f: maps the carry and a slice of `xs` to the next carry and a slice of the second result. The carry is a tree
            of arrays that keeps its structure, shapes and dtypes.
        init: the first carry. Python numbers in it take the dtype that `f` returns for them.
        xs: a tree of arrays with equally long leading axes; None (also in the tree) for nothing.
        length: the number of steps, needed only without arrays in `xs`.
        reverse: whether the steps go from the last slice to the first.
        unroll: how many steps to write out in each turn of the compiled loop; True for all of them.
        _split_transpose: accepted for compatibility and not needed.

    Returns:
        The last carry, and the second results of all steps, stacked in the order of `xs`.

    Raises:
        ControlFlowError: `f` returns no pair, or a carry of another type; or leaves of `xs` differ in length.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> total, sums = fg.lax.scan(lambda c, x: (c + x, c + x), 0.0, fnp.arange(4.0))
        >>> float(total), sums.tolist()
        (6.0, [0.0, 1.0, 3.0, 6.0])
    """
    check_callable(f, "scan")
    carry, carry_tree = tree.flatten(init)
    slices, _ = tree.flatten(xs)
    carry = [lift(x, f"a leaf of init, {leaf_names(['init'], [init])[i]},") for i, x in enumerate(carry)]
    slices = [lift(x, f"a leaf of xs, {leaf_names(['xs'], [xs])[i]},") for i, x in enumerate(slices)]
    steps = count_steps("scan", slices, xs, length)
    unroll = _checked_unroll(unroll, steps)
    if steps and not staging():
        return EagerScan(f, carry, carry_tree, slices, xs, steps, reverse).run()
    body, constants, carry, y_tree = _trace_body(f, init, carry, carry_tree, xs, slices)
    op = Scan(body, steps, len(constants), len(carry), bool(reverse), unroll)
    results = op(*constants, *carry, *slices)
    return carry_tree.unflatten(results[: len(carry)]), y_tree.unflatten(results[len(carry) :])


def count_steps(what: str, slices: Sequence[Any], xs: Any, length: int | None = None) -> int:
    """How long the leading axes of the leaves of `xs` are; `what` is called in messages.

    Raises:
        ControlFlowError: they have none, or of different lengths, or another one than `length`.
    """
    names = leaf_names(["xs"], [xs])
    for name, x in zip(names, slices, strict=True):
        if not x.ndim:
            raise ControlFlowError(
                f"{what}: {name} is a scalar of type {x.type}, so it has no leading axis to run along.\n"
                f"What is the same in every step is no part of xs: let the function close over it."
            )
    lengths = {name: x.shape[0] for name, x in zip(names, slices, strict=True)}
    if length is not None:
        if isinstance(length, Tracer) or not hasattr(length, "__index__"):
            found = length.type if isinstance(length, Tracer) else repr(length)
            raise ControlFlowError(
                f"{what}: length must be a Python int, got {found}.\n"
                f"The length is part of the program; for a number of steps that is computed, use fg.lax.fori_loop."
            )
        lengths["length"] = int(length)
    if not lengths:
        raise ControlFlowError(f"{what}: without arrays in xs the number of steps is unknown; pass length=")
    if len(set(lengths.values())) > 1:
        shown = "\n".join(f"  {name}: {n}" for name, n in lengths.items())
        raise ControlFlowError(
            f"{what}: all leading axes must have one length, but the lengths are\n{shown}\n"
            f"Cut the longer ones, x[:n], or pad the shorter ones with fnp.pad."
        )
    steps = next(iter(lengths.values()))
    if steps < 0:
        raise ControlFlowError(f"{what}: length must not be negative, got {steps}")
    return steps


def _checked_unroll(unroll: int | bool, steps: int) -> int:
    if isinstance(unroll, bool):
        return max(steps, 1) if unroll else 1
    if not hasattr(unroll, "__index__") or int(unroll) < 1:
        raise ArgumentError(f"scan: unroll must be True, False or a positive int, got {unroll!r}")
    return int(unroll)


def _trace_body(
    f: Callable[..., Any], init: Any, carry: list[Any], carry_tree: Any, xs: Any, slices: list[Any]
) -> tuple[Program, Sequence[Any], list[Any], Any]:
    """The program of a step, what it closes over, the carry in the dtypes that it has there, and the structure of y."""
    in_tree = tree.structure(((init, xs), {}))
    names = leaf_names(argument_names(f, (init, xs), {}), [init, xs])
    types = [x.type for x in carry]
    slice_types = [x.type.update(shape=x.shape[1:]) for x in slices]
    journal = Journal()
    while True:
        journal.take_back()  # the function is the same loop's step each time
        with journal:
            traced = trace_function(f, in_tree, [*types, *slice_types], names, "scan")
        out_types = traced.program.out_types
        result = traced.out_tree.unflatten(range(len(out_types)))
        out_tree, y_tree = parts_of_result(f, result)
        found = settled(types, out_types)
        if out_tree != carry_tree or found is None:
            raise carry_error(f, (carry_tree, out_tree), (types, out_types[: out_tree.num_leaves]))
        if found == types:
            break
        types = found
    program = convert_outputs(traced.program, [*types, *out_types[len(types) :]])
    inputs = [t.strong() for t in program.in_types]
    if list(program.in_types) != inputs:  # Python numbers in the carry that stay such
        weak = program
        program = stage(lambda *args: run_program(weak, args), inputs, weak.name)
    carry = [convert(strong(x), t.dtype) for x, t in zip(carry, types, strict=True)]
    return program, traced.constants, carry, y_tree
