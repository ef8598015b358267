"""Branches: run one of several programs, chosen by a number; `cond` and `switch`.

Where the choice is known (eagerly it is) the chosen function is simply called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array
from ..compiler.lower import inline, threads_of
from ..compiler.simplify import results_only
from ..core.dtypes import BOOL, INT32, is_integer
from ..core.graph import Graph
from ..core.primitive import Primitive
from ..core.program import Atom, Literal, Program, run_program, stage
from ..core.trace import Journal, bottom, run_under
from ..core.types import ArrayType, Zero, is_linear
from ..errors import ArgumentError, ControlFlowError
from ..ops.elementwise import clamp, eq, ne, select, stop_gradient
from ..ops.structure import broadcast_in_dim, convert, full, zeros_of
from ..source import function_source
from ..transforms.arguments import check_callable, leaf_names, lift
from ..transforms.jvp import jvp_program
from ..transforms.mask import mask_program
from ..transforms.partial_eval import split_program
from ..transforms.transpose import transpose_program
from ..transforms.vmap import batch_program
from .call import Call
from .inside import applied, simpler_cond
from .scan import map_in_turn
from .traced import Traced, adapts, convert_outputs, is_concrete, mismatch, share_constants, trace_function

__all__ = ["Cond", "cond", "switch"]


class Cond(Primitive):
    """Runs one of several programs of equal types on the same operands; the first operand, an int32[], says which.

    Numbers outside the range choose the nearest branch.
    """

    multiple = True
    takes_zeros = True
    plain = False
    interprets = True

    branches: tuple[Program, ...]

    @property
    def axis_names(self) -> frozenset[Any]:
        return frozenset().union(*(branch.axis_names for branch in self.branches))

    @property
    def effects(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset().union(*(branch.effects for branch in self.branches))

    @property
    def payload(self) -> int:  # type: ignore[override]
        return max(branch.payload for branch in self.branches)

    def infer(self, index: ArrayType, *types: ArrayType) -> tuple[ArrayType, ...]:
        return tuple(t.strong() for t in self.branches[0].out_types)

    def evaluate(self, index: np.ndarray, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        chosen = self.branches[min(max(int(index), 0), len(self.branches) - 1)]
        results = run_under(bottom(), run_program, chosen, [Array(x) for x in operands])
        return tuple(result.host() for result in results)

    def lower(self, build: Any, index: Any, *operands: Any) -> tuple[Any, ...]:
        keys = threads_of(*self.branches)

        def region(branch: Program) -> tuple[tuple[()], Callable[[], Sequence[Any]]]:
            return (), build.with_threads(keys, lambda: inline(build, branch, operands), given=False)

        types = [*build.out_types, *build.thread_types(keys)]
        results = build.ops("case", (index,), types, regions=[region(branch) for branch in self.branches])
        return build.take_threads(keys, results)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        moving = tuple(type(t) is not Zero for t in tangents[1:])
        nonzero = _any_of([jvp_program(branch, moving)[1] for branch in self.branches])
        branches = tuple(jvp_program(branch, moving, nonzero)[0] for branch in self.branches)
        results = Cond(branches)(*primals, *(t for t in tangents[1:] if type(t) is not Zero))
        outs, found = results[: len(nonzero)], iter(results[len(nonzero) :])
        return outs, tuple(next(found) if n else Zero(o.type) for o, n in zip(outs, nonzero, strict=True))

    def partial_eval(self, trace: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if trace.owns(args[0]):
            return trace.record(self, args)
        unknown = tuple(trace.owns(arg) for arg in args[1:])
        splits = split_branches(self.branches, unknown)
        known_args = [arg for arg, u in zip(args[1:], unknown, strict=True) if not u]
        unknown_args = [arg for arg, u in zip(args[1:], unknown, strict=True) if u]
        results = trace.process(Cond(splits.known), (args[0], *known_args))
        count = len(splits.unknown_outputs) - sum(splits.unknown_outputs)
        known_outs, residuals = iter(results[:count]), results[count:]
        later: Any = iter(())
        if any(splits.unknown_outputs):
            later = iter(trace.record(Cond(splits.unknown), (args[0], *residuals, *known_args, *unknown_args)))
        return tuple(next(later) if u else next(known_outs) for u in splits.unknown_outputs)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        linear = tuple(is_linear(x) for x in inputs[1:])
        branches = tuple(transpose_program(branch, linear, True)[0] for branch in self.branches)
        known = [x for x in inputs[1:] if not is_linear(x)]
        results = iter(Cond(branches)(inputs[0], *known, *cts))
        return (None, *(next(results) if is_linear(x) else None for x in inputs[1:]))

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return self.batch_named(None, size, operands, axes)

    def batch_named(self, name: Any, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        index, rest, rest_axes = operands[0], operands[1:], axes[1:]
        if axes[0] is None:
            programs = [batch_program(branch, size, rest_axes, name) for branch in self.branches]
            mapped = _any_of([tuple(axis is not None for axis in out_axes) for _, out_axes in programs])
            branches = tuple(batch_program(b, size, rest_axes, name, mapped)[0] for b in self.branches)
            return Cond(branches)(index, *rest), tuple(0 if m else None for m in mapped)
        if self.effects & {"ordered", "callback"}:
            return map_in_turn(self, size, operands, axes)
        index = clamp(full(index.type, 0), index, full(index.type, len(self.branches) - 1))
        sides = []
        for number, branch in enumerate(self.branches):
            mask = eq(index, full(index.type, number))
            masked = mask_program(branch)
            mapped = (True,) * len(branch.outputs)
            program, _ = batch_program(masked, size, (0, *rest_axes), name, mapped)
            sides.append(Call(program)(mask, *_guarded(mask, rest, rest_axes)))
        outs = []
        for choices in zip(*sides, strict=True):
            outs.append(select(broadcast_in_dim(index, choices[0].shape, (0,)), *choices))
        return tuple(outs), (0,) * len(outs)

    def masked(self, mask: Any, operands: tuple[Any, ...]) -> tuple[Any, ...]:
        branches = tuple(mask_program(branch) for branch in self.branches)
        return Cond(branches)(operands[0], mask, *operands[1:])

    def without(self, unused: tuple[bool, ...]) -> Any:
        return smaller_cond(self, unused)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        return simpler_cond(self, graph, inputs)

    def written_out(self, inputs: Sequence[Atom]) -> tuple[Program, Sequence[Atom]] | None:
        index, first, last = inputs[0], self.branches[0], len(self.branches) - 1
        if isinstance(index, Literal):
            return applied(self.branches[min(max(int(index.value), 0), last)], inputs[1:])
        return applied(first, inputs[1:]) if all(branch == first for branch in self.branches) else None


@lru_cache(maxsize=4096)
def smaller_cond(op: Cond, unused: tuple[bool, ...]) -> tuple[Cond, tuple[int, ...], tuple[int, ...]] | None:
    """The `without` rule: an operand stays if any branch needs it."""
    results = tuple(i for i, u in enumerate(unused) if not u)
    smaller = [results_only(branch, results) for branch in op.branches]
    needed = sorted({i for _, inputs in smaller for i in inputs})
    same = all(branch is before for (branch, _), before in zip(smaller, op.branches, strict=True))
    if same and len(needed) == len(op.branches[0].inputs):
        return None
    branches = []
    for branch, _ in smaller:
        inputs = [branch.inputs[i] for i in needed]
        branches.append(Program(inputs, (), branch.equations, branch.outputs, branch.name))
    return Cond(tuple(branches)), (0, *(i + 1 for i in needed)), results


def _guarded(mask: Any, operands: Sequence[Any], axes: Sequence[int | None]) -> list[Any]:
    """The same values, but derivatives reach only the elements where the mask is true.

    A side may have an infinite derivative at elements that do not take it; times a cotangent of zero that is NaN.
    """
    guarded = []
    for x, axis in zip(operands, axes, strict=True):
        if axis is not None and x.type.differentiable:
            x = select(broadcast_in_dim(mask, x.shape, (axis,)), stop_gradient(x), x)
        guarded.append(x)
    return guarded


class SplitBranches:
    """Branches cut in two by which operands are unknown; both halves of all branches have the same types.

    Attributes:
        known: per branch, (known operands) → (known results, residuals).
        unknown: per branch, (residuals, known operands, unknown operands) → (unknown results).
        unknown_outputs: per result, whether `unknown` gives it.
    """

    def __init__(self, branches: tuple[Program, ...], unknown: tuple[bool, ...]) -> None:
        later = _any_of([split_program(branch, unknown).unknown_outputs for branch in branches])
        splits = [split_program(branch, unknown, later) for branch in branches]
        self.unknown_outputs = later
        known_count = len(later) - sum(later)
        slots = _Slots()
        places = [slots.place(split.known.out_types[known_count:]) for split in splits]
        known_types = [t for t, u in zip(branches[0].in_types, unknown, strict=True) if not u]
        unknown_types = [t for t, u in zip(branches[0].in_types, unknown, strict=True) if u]
        known, rest = [], []
        for split, placed in zip(splits, places, strict=True):

            def first(*args: Any, split: Any = split, placed: Any = placed) -> list[Any]:
                outs = run_program(split.known, args)
                residuals: list[Any] = [zeros_of(t) for t in slots.types]
                for place, value in zip(placed, outs[known_count:], strict=True):
                    residuals[place] = value
                return [*outs[:known_count], *residuals]

            def second(*args: Any, split: Any = split, placed: Any = placed) -> list[Any]:
                residuals, given = args[: len(slots.types)], args[len(slots.types) :]
                computed = iter(placed)
                values = [residuals[next(computed)] if i is None else given[i] for i in split.residual_inputs]
                return run_program(split.unknown, [*values, *given[len(known_types) :]])

            known.append(stage(first, known_types, split.known.name))
            rest.append(stage(second, [*slots.types, *known_types, *unknown_types], split.unknown.name))
        self.known, self.unknown = tuple(known), tuple(rest)


class _Slots:
    """Places for the residuals of several branches, of which only one runs: equal types share a place."""

    def __init__(self) -> None:
        self.types: list[ArrayType] = []

    def place(self, types: Sequence[ArrayType]) -> list[int]:
        free = list(range(len(self.types)))
        placed = []
        for type in map(ArrayType.strong, types):
            found = next((i for i in free if self.types[i] is type), None)
            if found is None:
                found = len(self.types)
                self.types.append(type)
            else:
                free.remove(found)
            placed.append(found)
        return placed


@lru_cache(maxsize=1024)
def split_branches(branches: tuple[Program, ...], unknown: tuple[bool, ...]) -> SplitBranches:
    """Cut branches without constants by which operands are unknown; remembered."""
    return SplitBranches(branches, unknown)


def _any_of(flags: Sequence[tuple[bool, ...]]) -> tuple[bool, ...]:
    return tuple(any(column) for column in zip(*flags, strict=True))


# -- the public functions --------------------------------------------------------------------------------------------

_NOTHING = object()


def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
    operand: Any = _NOTHING,
    linear: Any = None,
) -> Any:
    """Call one of two functions, chosen by a predicate that may be traced.

    Where the predicate is known (eagerly it is) the chosen function is simply called. Otherwise both are traced, and
    the compiled program runs only one of them. Under `vmap` with a mapped predicate both run, and each element is
    selected; effects and checks of a side then happen only for its elements.

    Args:
        pred: a bool (or number, true unless 0) of shape ().
        true_fun, false_fun: functions of `operands` that return trees of equal structure, shapes and dtypes.
        *operands: arrays and pytrees of arrays. The functions may also close over arrays, traced ones too.
        operand: the only operand, as an alternative to `operands`.
        linear: accepted for compatibility and not needed.

    Returns:
        What the chosen function returns.

    Raises:
        ControlFlowError: the predicate is not a scalar, or the functions return different types.

    Example:
        >>> import funcgrad as fg
        >>> f = fg.jit(lambda x: fg.lax.cond(x > 0, lambda x: x + 1, lambda x: -x, x))
        >>> float(f(2.0)), float(f(-2.0))
        (3.0, 2.0)
    """
    check_callable(true_fun, "cond")
    check_callable(false_fun, "cond")
    if operand is not _NOTHING:
        operands = (*operands, operand)
    pred = lift(pred, "the predicate of cond")
    if pred.shape != ():
        raise ControlFlowError(
            f"cond: the predicate must be a scalar, got {pred.type}.\n"
            f"Reduce it with .any() or .all(), or choose element by element with fnp.where."
        )
    if is_concrete(pred):
        return true_fun(*operands) if pred else false_fun(*operands)
    index = convert(pred if pred.dtype == BOOL else ne(pred, zeros_of(pred.type)), INT32)
    return _branch("cond", index, (false_fun, true_fun), operands, ("false_fun", "true_fun"))


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any, operand: Any = _NOTHING) -> Any:
    """Call one of several functions, chosen by a number that may be traced.

    Args:
        index: an integer of shape (); numbers outside `0 … len(branches) - 1` choose the nearest branch.
        branches: functions of `operands` that return trees of equal structure, shapes and dtypes.
        *operands: arrays and pytrees of arrays.
        operand: the only operand, as an alternative to `operands`.

    Returns:
        What the chosen function returns.

    Raises:
        ArgumentError: there are no branches.
        ControlFlowError: the index is not an integer scalar, or the branches return different types.

    Example:
        >>> import funcgrad as fg
        >>> float(fg.jit(lambda i, x: fg.lax.switch(i, [abs, lambda x: 2 * x], x))(1, 5.0))
        10.0
    """
    branches = list(branches)
    if not branches:
        raise ArgumentError("switch needs at least one branch")
    for branch in branches:
        check_callable(branch, "switch")
    if operand is not _NOTHING:
        operands = (*operands, operand)
    index = lift(index, "the index of switch")
    if index.shape != () or not is_integer(index.dtype):
        raise ControlFlowError(f"switch: the index must be an integer scalar, got {index.type}")
    if is_concrete(index):
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)
    low, high = full(index.type.strong(), 0), full(index.type.strong(), min(len(branches) - 1, _largest(index.dtype)))
    index = convert(clamp(low, convert(index, index.dtype), high), INT32)
    return _branch("switch", index, branches, operands, [f"branch {i}" for i in range(len(branches))])


def _largest(dtype: np.dtype) -> int:
    return int(np.iinfo(dtype).max)


def _branch(
    what: str, index: Any, functions: Sequence[Callable[..., Any]], operands: tuple[Any, ...], titles: Sequence[str]
) -> Any:
    journal = Journal()
    leaves, in_tree = tree.flatten((operands, {}))
    values = [lift(leaf, f"an operand of {what}") for leaf in leaves]
    types = [x.type for x in values]
    names = leaf_names([f"operands[{i}]" for i in range(len(operands))], operands)
    traced = []
    for function in functions:
        journal.take_back()  # only one branch will run, so each may use what the others use
        with journal:
            traced.append(trace_function(function, in_tree, types, names, what))
    _check_results(what, traced, functions, titles)
    common = [_strongest([t.program.out_types[i] for t in traced]) for i in range(len(traced[0].out_types))]
    for t in traced:
        t.program = convert_outputs(t.program, common)
    branches, constants = share_constants(traced)
    results = Cond(tuple(branches))(index, *constants, *values)
    return traced[0].out_tree.unflatten(results)


def _strongest(types: Sequence[ArrayType]) -> ArrayType:
    """The type to which all others adapt."""
    return next((t for t in types if not t.weak), None) or max(types, key=lambda t: "biufc".index(t.dtype.kind))


def _check_results(
    what: str, traced: Sequence[Traced], functions: Sequence[Callable[..., Any]], titles: Sequence[str]
) -> None:
    first = traced[0]
    for number, other in enumerate(traced[1:], 1):
        pairs = zip(first.program.out_types, other.program.out_types, strict=False)
        if first.out_tree == other.out_tree and all(adapts(a, b) or adapts(b, a) for a, b in pairs):
            continue
        shown = mismatch(
            (titles[0], titles[number]),
            (first.out_tree, other.out_tree),
            (first.program.out_types, other.program.out_types),
        )
        raise ControlFlowError(
            f"{what}: the functions return different types:\n{shown}\n"
            f"{titles[0]} is {function_source(functions[0])}, "
            f"{titles[number]} is {function_source(functions[number])}.\n"
            f"Return the same structure, shapes and dtypes from each; x.astype(…) and fnp.broadcast_to help."
        )
