"""Made of loops and of programs mapped over arrays: `map`, and `reduce` with any function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import tree
from ..core.dtypes import BOOL, is_integer
from ..core.program import Program, run_program
from ..core.types import ArrayType
from ..errors import ArgumentError, ControlFlowError, ShapeError
from ..ops import bits, elementwise, reduction, structure
from ..ops.slicing import concatenate, slice_array, slice_in_dim
from ..ops.structure import broadcast_in_dim, canonical_axis, convert, reshape
from ..source import function_source
from ..transforms.arguments import argument_names, check_callable, leaf_names, lift, strong
from ..transforms.vmap import batch_program, vmap
from .scan import count_steps, scan
from .traced import Traced, adapts, convert_outputs, mismatch, trace_function

__all__ = ["map", "reduce"]


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply a function to each element of the leading axis of arrays, one after another, and stack the results.

    As `vmap`, but in a loop, which needs the memory of one application; with `batch_size`, of so many at once.

    Args:
        f: a function of one tree of arrays.
        xs: that tree, with a leading axis in each leaf.
        batch_size: how many elements to take together with `vmap` in each step; those left over are done together too.

    Returns:
        What `f` returns, with a leading axis.

    Raises:
        ArgumentError: a batch size below 1.
        ControlFlowError: leaves of `xs` have no leading axis, or of different lengths.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> fg.lax.map(lambda x: x * x, fnp.arange(5), batch_size=2).tolist()
        [0, 1, 4, 9, 16]
    """
    check_callable(f, "map")

    def one(_: Any, x: Any) -> tuple[Any, Any]:
        return (), f(x)

    leaves, structure_of_xs = tree.flatten(xs)
    arrays = [lift(x, f"a leaf of xs, {leaf_names(['xs'], [xs])[i]},") for i, x in enumerate(leaves)]
    length = count_steps("map", arrays, xs)
    if batch_size is None:
        return scan(one, (), xs)[1]
    if not hasattr(batch_size, "__index__") or int(batch_size) < 1:
        raise ArgumentError(f"map: batch_size must be a positive int, got {batch_size!r}")
    if not length:
        return scan(one, (), xs)[1]
    size = int(batch_size)
    groups, together = length // size, vmap(f)

    def several(_: Any, rows: Any) -> tuple[Any, Any]:
        return (), together(rows)

    parts = []
    if groups:
        whole = [slice_in_dim(x, 0, groups * size) for x in arrays]
        grouped = structure_of_xs.unflatten([reshape(x, (groups, size, *x.shape[1:])) for x in whole])
        found = scan(several, (), grouped)[1]
        parts.append(tree.map(lambda y: reshape(y, (groups * size, *y.shape[2:])), found))
    if groups * size < length:
        parts.append(together(structure_of_xs.unflatten([slice_in_dim(x, groups * size, length) for x in arrays])))
    return parts[0] if len(parts) == 1 else tree.map(lambda *ys: concatenate(ys, 0), *parts)


# -- reduce ------------------------------------------------------------------------------------------------------------

_MONOIDS: dict[type, type] = {
    elementwise.Add: structure.ReduceSum,
    elementwise.Mul: reduction.ReduceProd,
    elementwise.Maximum: reduction.ReduceMax,
    elementwise.Minimum: reduction.ReduceMin,
    bits.And: reduction.ReduceAnd,
    bits.Or: reduction.ReduceOr,
    bits.Xor: reduction.ReduceXor,
}


def reduce(operands: Any, init_values: Any, computation: Callable[[Any, Any], Any], dimensions: Sequence[int]) -> Any:
    """Combine all elements along some axes with an associative function of scalars.

    Addition, multiplication, maximum, minimum, and, or, xor are found out and become one operation. Any other function
    is applied to neighbours, to all pairs at once, until one element is left; so it needs to be associative, but not
    commutative, and every transformation works.

    Args:
        operands: a tree of arrays of one shape.
        init_values: a tree of scalars of the operands' dtypes: what to begin with.
        computation: maps two such trees of scalars to one.
        dimensions: the axes to reduce over.

    Returns:
        A tree of arrays without these axes.

    Raises:
        ShapeError: the operands differ in shape.
        ControlFlowError: the initial values or what `computation` returns are not scalars of the operands' dtypes.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> x = fnp.asarray([[1.0, 2.0], [3.0, 4.0]])
        >>> fg.lax.reduce(x, 1.0, lambda a, b: a * b, [1]).tolist()
        [2.0, 12.0]
    """
    check_callable(computation, "reduce")
    leaves, treedef = tree.flatten(operands)
    if not leaves:
        raise ArgumentError("reduce needs at least one array")
    arrays = [strong(lift(x, f"operand {leaf_names(['operands'], [operands])[i]}")) for i, x in enumerate(leaves)]
    if len({x.shape for x in arrays}) > 1:
        names = leaf_names(["operands"], [operands])
        shown = ", ".join(f"{name} has {x.shape}" for name, x in zip(names, arrays, strict=True))
        raise ShapeError(f"reduce: the operands must have one shape, but {shown}")
    ndim = arrays[0].ndim
    axes = sorted({canonical_axis(int(axis), ndim) for axis in dimensions})
    types = [ArrayType((), x.dtype) for x in arrays]
    init = _initial_values(init_values, treedef, types)
    traced = _trace_computation(computation, operands, treedef, types)
    monoid = _monoid(traced.program) if len(arrays) == 1 and not traced.constants else None
    if monoid is not None:
        op, reduced = monoid
        total = reduced(tuple(axes))(arrays[0]) if axes else arrays[0]
        return treedef.unflatten([op()(broadcast_in_dim(init[0], total.shape, ()), total)])
    kept = [i for i in range(ndim) if i not in axes]
    shape = tuple(arrays[0].shape[i] for i in kept)
    count = (
        arrays[0].size // max(_product(shape), 1) if _product(shape) else _product([arrays[0].shape[i] for i in axes])
    )
    rows = [reshape(structure.transpose(x, [*axes, *kept]), (count, _product(shape))) for x in arrays]
    combined = _reduce_rows(traced, rows, [broadcast_in_dim(x, (1, _product(shape)), ()) for x in init])
    return treedef.unflatten([reshape(x, shape) for x in combined])


def _product(lengths: Sequence[int]) -> int:
    total = 1
    for n in lengths:
        total *= n
    return total


def _initial_values(init_values: Any, treedef: Any, types: Sequence[ArrayType]) -> list[Any]:
    leaves, init_tree = tree.flatten(init_values)
    values = [lift(x, "an initial value of reduce") for x in leaves]
    if init_tree != treedef or not all(adapts(x.type, t) for x, t in zip(values, types, strict=False)):
        shown = mismatch(("init_values", "expected"), (init_tree, treedef), ([x.type for x in values], types))
        raise ControlFlowError(
            f"reduce: the initial values must be scalars of the operands' dtypes:\n{shown}\n"
            f"Convert them: fnp.asarray(value, dtype=operand.dtype)."
        )
    return [convert(strong(x), t.dtype) for x, t in zip(values, types, strict=True)]


def _trace_computation(
    computation: Callable[..., Any], operands: Any, treedef: Any, types: Sequence[ArrayType]
) -> Traced:
    pair = (operands, operands)
    names = leaf_names(argument_names(computation, pair, {}), pair)
    traced = trace_function(computation, tree.structure((pair, {})), [*types, *types], names, "reduce")
    out_types = traced.program.out_types
    if traced.out_tree != treedef or not all(adapts(o, t) for o, t in zip(out_types, types, strict=False)):
        shown = mismatch(("operands", "returned"), (treedef, traced.out_tree), (types, out_types))
        raise ControlFlowError(
            f"reduce: {function_source(computation)} must return scalars of the operands' dtypes:\n{shown}\n"
            f"Return the same structure and dtypes; x.astype(…) helps."
        )
    traced.program = convert_outputs(traced.program, types)
    return traced


def _monoid(program: Program) -> tuple[Any, Any] | None:
    """The operation that a program of two scalars is, and the reduction that repeats it, if there is one."""
    if len(program.equations) != 1:
        return None
    (eqn,) = program.equations
    reduced = _MONOIDS.get(type(eqn.op))
    if reduced is None or set(eqn.inputs) != set(program.inputs) or program.outputs[0] is not eqn.outputs[0]:
        return None
    dtype = program.inputs[0].type.dtype
    if type(eqn.op) in (bits.And, bits.Or, bits.Xor):
        fits = dtype == BOOL or is_integer(dtype)
    else:
        fits = dtype != BOOL
    return (type(eqn.op), reduced) if fits else None


def _reduce_rows(traced: Traced, rows: list[Any], init: list[Any]) -> list[Any]:
    """Combine the rows of matrices, neighbour with neighbour, in logarithmic depth; then the initial row with that."""

    def combine(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
        count, width = left[0].shape
        flat = [reshape(x, (count * width,)) for x in (*left, *right)]
        if not count * width:
            return list(left)
        axes = (*(None for _ in traced.constants), *(0 for _ in flat))
        mapped = (True,) * len(traced.program.outputs)
        program, _ = batch_program(traced.program, count * width, axes, None, mapped)
        return [reshape(x, (count, width)) for x in run_program(program, [*traced.constants, *flat])]

    while (count := rows[0].shape[0]) > 1:
        even, odd = ([_every_second(x, start, count // 2 * 2) for x in rows] for start in (0, 1))
        combined = combine(even, odd)
        if count % 2:
            last = [slice_in_dim(x, count - 1, count) for x in rows]
            combined = [concatenate(pair, 0) for pair in zip(combined, last, strict=True)]
        rows = combined
    return combine(init, rows) if rows[0].shape[0] else init


def _every_second(x: Any, start: int, stop: int) -> Any:
    return slice_array(x, (start, 0), (stop, x.shape[1]), (2, 1))
