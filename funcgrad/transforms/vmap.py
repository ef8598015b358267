"""Vectorisation: values carry an extra, mapped axis, and every operation's batch rule works around it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from .. import tree
from ..backend.array import Array
from ..backend.registry import flatten as flatten_leaves
from ..core.primitive import Primitive
from ..core.program import Program, run_program, stage
from ..core.trace import Journal, Purpose, Trace, Tracer, Undecided, run_under, state
from ..core.types import ArrayType
from ..errors import ArgumentError, AxisError, ShapeError
from ..ops.structure import broadcast_in_dim, canonical_axis, move_axis
from .arguments import FlatFunction, argument_names, check_callable, leaf_names, lift, strong

__all__ = ["BatchTrace", "BatchTracer", "batch_program", "vmap"]


class BatchTracer(Tracer):
    """A value with a mapped axis: `type` is the type of one example."""

    __slots__ = ("_type", "axis", "value")

    def __init__(self, trace: Trace, value: Any, axis: int) -> None:
        self.made_by = trace
        self.value = value
        self.axis = axis
        self._type: ArrayType | None = None

    @property
    def type(self) -> ArrayType:
        found = self._type
        if found is None:
            type = self.value.type
            found = self._type = ArrayType(self.shape, type.dtype, type.weak)
        return found

    @property
    def shape(self) -> tuple[int, ...]:
        shape = self.value.shape
        return shape[: self.axis] + shape[self.axis + 1 :]

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return self.value.ndim - 1

    def unknown_reason(self) -> str:
        return f"it stands for a whole batch of {self.made_by.axis_size} values inside {self.made_by.described()}"


class BatchTrace(Trace):
    """Applies batch rules, under its parent."""

    __slots__ = ()

    def __init__(self, parent: Trace, purpose: Purpose, axis_size: int, axis_name: Any = None) -> None:
        super().__init__(parent, purpose)
        self.axis_size = axis_size
        self.axis_name = axis_name

    def process(self, op: Primitive, args: tuple[Any, ...]) -> tuple[Any, ...]:
        values = []
        axes = []
        mapped = False
        for arg in args:
            if type(arg) is BatchTracer and arg.made_by is self:
                values.append(arg.value)
                axes.append(arg.axis)
                mapped = True
            else:
                values.append(arg)
                axes.append(None)
        parent = self.parent
        state.trace = parent  # type: ignore[assignment]
        try:
            if self.axis_name is not None and self.axis_name in op.axis_names:
                outs, out_axes = op.batch_named(self.axis_name, self.axis_size, tuple(values), tuple(axes))
            elif mapped:
                outs, out_axes = op.batch(self.axis_size, tuple(values), tuple(axes))
            else:
                return parent.process(op, args)  # type: ignore[union-attr]
        finally:
            state.trace = self
        return tuple(
            [out if axis is None else BatchTracer(self, out, axis) for out, axis in zip(outs, out_axes, strict=True)]
        )

    def split(self, value: Any) -> tuple[Any, int | None]:
        """Value and mapped axis of what left the traced function."""
        if type(value) is BatchTracer and value.made_by is self:
            return value.value, value.axis
        return value, None


def batch_flat(
    function: Callable[..., Sequence[Any]],
    values: Sequence[Any],
    axes: Sequence[int | None],
    size: int,
    purpose: Purpose,
    axis_name: Any = None,
) -> tuple[list[Any], list[int | None]]:
    """Results of a flat function over a mapped axis, and where each result carries it."""
    trace = BatchTrace(state.trace, purpose, size, axis_name)
    inputs = [x if axis is None else BatchTracer(trace, x, axis) for x, axis in zip(values, axes, strict=True)]
    journal = Journal()
    try:
        try:
            with journal:
                results = run_under(trace, function, *inputs)
        except Undecided as asked:
            if asked.tracer.made_by is not trace:
                raise
            journal.take_back()
            # staged, Python's `if`s become `cond`s
            program = run_under(trace, stage, function, [x.type for x in inputs], purpose)
            results = run_under(trace, run_program, program, inputs)
    finally:
        trace.ended = True
    split = [trace.split(result) for result in results]
    return [value for value, _ in split], [axis for _, axis in split]


@lru_cache(maxsize=1024)
def batch_program(
    program: Program,
    size: int,
    axes: tuple[int | None, ...],
    axis_name: Any = None,
    wanted: tuple[bool, ...] = (),
) -> tuple[Program, tuple[int | None, ...]]:
    """The program over a mapped axis, and where each result carries it.

    Args:
        program: what to map.
        size: the length of the mapped axis.
        axes: where each input carries it; None for those that do not.
        axis_name: its name, if it has one.
        wanted: if given, the results that are to carry it, as their axis 0. The others must not depend on it.
    """
    types = [
        t if axis is None else t.update(shape=(*t.shape[:axis], size, *t.shape[axis:]), weak=t.weak)
        for t, axis in zip(program.in_types, axes, strict=True)
    ]
    out_axes: tuple[int | None, ...] = ()

    def batched(*args: Any) -> list[Any]:
        nonlocal out_axes
        outs, found = batch_flat(
            lambda *inputs: run_program(program, inputs), args, axes, size, f"vmap of {program.name}", axis_name
        )
        for i, want in enumerate(wanted):
            outs[i] = _place(outs[i], found[i], 0 if want else None, size)
            found[i] = 0 if want else None
        out_axes = tuple(found)
        return outs

    return stage(batched, types, f"vmap_{program.name}"), out_axes


def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
) -> Callable[..., Any]:
    """Map a function over an axis of its arguments, without writing a loop or rewriting the function.

    Args:
        fun: a pure function of arrays and pytrees of arrays.
        in_axes: an int, None (not mapped), or a tuple with one such entry (or a tree prefix of them) per
            positional argument. Keyword arguments are mapped over axis 0.
        out_axes: where the mapped axis appears in the results; a tree prefix of the result. None asks for an
            unmapped result and is an error if that result is mapped.
        axis_name: a name by which collectives such as `fg.lax.psum(x, axis_name)` refer to the axis.
        axis_size: the length of the axis; needed only if no argument is mapped.

    Returns:
        A function of the same arguments, with the mapped axis added.

    Raises:
        ShapeError: mapped arguments disagree about the length of the axis; each is named.
        AxisError: an argument lacks the axis.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> fg.vmap(fnp.dot, in_axes=(0, None))(fnp.ones((3, 2)), fnp.ones(2)).shape
        (3,)
    """

    check_callable(fun, "vmap")

    @functools.wraps(fun)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, in_tree = flatten_leaves((args, kwargs))
        axes = _flat_in_axes(in_axes, in_tree, args, kwargs)

        def names() -> list[str]:
            return leaf_names(argument_names(fun, args, kwargs), [*args, *kwargs.values()])

        values = [
            leaf if type(leaf) is Array or isinstance(leaf, Tracer) else lift(leaf, f"argument {names()[i]}")
            for i, leaf in enumerate(leaves)
        ]
        axes = [_canonical(axis, x, names, i) for i, (axis, x) in enumerate(zip(axes, values, strict=True))]
        size = _mapped_size(values, axes, names, axis_size)
        flat = FlatFunction(fun, in_tree)
        outs, found = batch_flat(flat, values, axes, size, ("vmap", fun), axis_name)
        if isinstance(out_axes, int):
            wanted = [out_axes] * len(outs)
        else:
            wanted = tree.flatten_axes("vmap out_axes", flat.out_tree, out_axes)
        placed = [_place(out, axis, want, size) for out, axis, want in zip(outs, found, wanted, strict=True)]
        return flat.out_tree.unflatten([strong(out) for out in placed])

    return mapped


def map_rows(function: Callable[..., Sequence[Any]], values: Sequence[Any], purpose: Purpose) -> list[Any]:
    """Results of a flat function mapped over the first axis of flat values, stacked along theirs."""
    if not values:
        return list(function())
    size = values[0].shape[0]
    outs, axes = batch_flat(function, values, [0] * len(values), size, purpose)
    return [_place(out, axis, 0, size) for out, axis in zip(outs, axes, strict=True)]


def _flat_in_axes(in_axes: Any, in_tree: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int | None]:
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if isinstance(in_axes, tuple) and len(in_axes) != len(args):
        raise ArgumentError(
            f"vmap: in_axes has {len(in_axes)} entries for {len(args)} positional arguments; give one entry each"
        )
    if isinstance(in_axes, int) and not kwargs:
        return [in_axes] * in_tree.num_leaves
    prefix = (in_axes, dict.fromkeys(kwargs, 0)) if kwargs else (in_axes, {})
    return tree.flatten_axes("vmap in_axes", in_tree, prefix)


def _canonical(axis: int | None, value: Any, names: Callable[[], list[str]], number: int) -> int | None:
    if axis is None:
        return None
    if not isinstance(axis, int):
        raise ArgumentError(f"vmap: the axis for argument {names()[number]} must be an int or None, got {axis!r}")
    if not -value.ndim <= axis < value.ndim:
        raise AxisError(
            f"vmap: argument {names()[number]} has shape {value.shape}, so it has no axis {axis} to map over; "
            f"pass in_axes=None for arguments that are not mapped"
        )
    return axis % value.ndim


def _mapped_size(
    values: Sequence[Any], axes: Sequence[int | None], names: Callable[[], list[str]], axis_size: int | None
) -> int:
    lengths = {x.shape[axis] for x, axis in zip(values, axes, strict=True) if axis is not None}
    if axis_size is not None:
        lengths.add(axis_size)
    if not lengths:
        raise ArgumentError("vmap: no argument is mapped, so the length of the axis is unknown; pass axis_size=")
    if len(lengths) > 1:
        triples = zip(values, axes, names(), strict=True)
        sizes = {name: x.shape[axis] for x, axis, name in triples if axis is not None}
        if axis_size is not None:
            sizes["axis_size"] = axis_size
        shown = ", ".join(f"{name} has {n}" for name, n in sizes.items())
        raise ShapeError(f"vmap: mapped axes must have one length, but {shown}")
    return lengths.pop()


def _place(out: Any, axis: int | None, wanted: int | None, size: int) -> Any:
    if wanted is None:
        if axis is not None:
            raise ArgumentError("vmap: out_axes is None for a result that differs between examples; give it an axis")
        return out
    if axis is None:
        place = canonical_axis(wanted, out.ndim + 1)
        shape = (*out.shape[:place], size, *out.shape[place:])
        return broadcast_in_dim(out, shape, [i for i in range(len(shape)) if i != place])
    return move_axis(out, axis, canonical_axis(wanted, out.ndim))
