"""A scan as a Python loop, which calls the user's function: what runs eagerly, and can be stepped through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array
from ..backend.client import Device, default_device
from ..backend.registry import flatten as flatten_leaves
from ..core.trace import Journal, Tracer
from ..core.types import ArrayType
from ..errors import ControlFlowError
from ..ops.stacking import stack, unstack
from ..ops.structure import Convert, convert
from ..source import function_source
from ..transforms.arguments import lift, strong
from .traced import adapts, mismatch

__all__ = ["EagerScan", "carry_error", "parts_of_result", "settled"]


class EagerScan:
    """A loop over the slices of arrays, at least one step long.

    Args:
        f: maps (carry, slices) to (carry, further results).
        carry: the leaves of the first carry.
        carry_tree: their structure.
        slices: the leaves of what is sliced.
        xs: the tree of these.
        steps: how many steps there are.
        reverse: whether they go from the last to the first.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        carry: list[Any],
        carry_tree: Any,
        slices: list[Any],
        xs: Any,
        steps: int,
        reverse: bool,
    ) -> None:
        self.f, self.init, self.carry_tree, self.steps = f, carry, carry_tree, steps
        self.order = range(steps - 1, -1, -1) if reverse else range(steps)
        self.carry_of, self.slices_of = carry_tree.unflatten, tree.structure(xs).unflatten
        self.rows: list[Any] = [_Rows(x) if type(x) is Array else unstack(x) for x in slices]

    def run(self) -> tuple[Any, Any]:
        """The last carry, and the further results stacked."""
        while True:
            with Journal() as journal:
                if self._begin():
                    break
            journal.take_back()  # Python numbers in the carry became arrays of another dtype: once more, with these
        for i in self.order[2:]:
            self._step(i)
        ys = self.y_tree.unflatten([column.stacked() for column in self.columns])
        return self.carry_of([strong(x) for x in self.carry]), ys

    def _begin(self) -> bool:
        """Do the first two steps, which settle all types; False if `init` had to be converted for that."""
        first = self.order[0]
        self.carry, self.types = self.init, [x.type for x in self.init]
        result = self._call(first)
        out_tree, self.y_tree = parts_of_result(self.f, result)
        leaves, self.result_tree = flatten_leaves(result)
        leaves = [self._lifted(leaf) for leaf in leaves]
        self.first_types = [leaf.type for leaf in leaves]
        out_types = self.first_types[: out_tree.num_leaves]
        found = settled(self.types, out_types)
        if out_tree != self.carry_tree or found is None:
            raise carry_error(self.f, (self.carry_tree, out_tree), (self.types, out_types))
        if any(t.dtype != before.dtype for t, before in zip(found, self.types, strict=True)):
            self.init = [_cast(x, t) for x, t in zip(self.init, found, strict=True)]
            return False
        adapted, self.types = self.types != found, found
        self.columns = [_Column(self.steps, self.order) for _ in leaves[len(found) :]]
        self._keep(first, leaves)
        for i in self.order[1:2]:
            if adapted:
                return self._second(i)
            self._step(i)
        return True

    def _second(self, i: int) -> bool:
        """The second step, where the carry is no Python number any more, so that other results may change types."""
        leaves, result_tree = flatten_leaves(self._call(i))
        further = [self._lifted(leaf).type.dtype for leaf in leaves[len(self.types) :]]
        if result_tree == self.result_tree and further != [t.dtype for t in self.first_types[len(self.types) :]]:
            self.init = [_cast(x, t) for x, t in zip(self.init, self.types, strict=True)]
            return False
        self._accept(i, leaves, result_tree)
        return True

    def _call(self, i: int) -> Any:
        return self.f(self.carry_of(self.carry), self.slices_of([row[i] for row in self.rows]))

    def _step(self, i: int) -> None:
        # Hot: each eager step passes here (benchmark: scan); `_call` written out.
        result = self.f(self.carry_of(self.carry), self.slices_of([row[i] for row in self.rows]))
        leaves, result_tree = flatten_leaves(result)
        self._accept(i, leaves, result_tree)

    def _accept(self, i: int, leaves: list[Any], result_tree: Any) -> None:
        if result_tree != self.result_tree:
            raise self._changed(i, leaves, result_tree)
        self._keep(i, leaves)

    def _keep(self, i: int, leaves: list[Any]) -> None:
        """Let the first leaves be the carry, and put the others into their columns."""
        place = 0
        for type_ in self.types:
            leaf = leaves[place]
            host = leaf._host if type(leaf) is Array and leaf._type is None else None
            if host is None or host.shape != type_.shape or host.dtype is not type_.dtype:
                leaves[place] = self._adapted(i, leaf, type_, leaves)
            place += 1
        if self.columns:
            self.carry = leaves[:place]
            for column in self.columns:
                leaf = leaves[place]
                if not column.put(i, leaf if type(leaf) is Array else self._lifted(leaf)):
                    raise self._changed(i, leaves, self.result_tree)
                place += 1
        else:
            self.carry = leaves

    def _adapted(self, i: int, leaf: Any, type: ArrayType, leaves: list[Any]) -> Any:
        leaf = self._lifted(leaf)
        found = leaf.type
        if found is type:
            return leaf
        if not adapts(found, type):
            if i == self.order[0]:
                types = [self._lifted(leaf).type for leaf in leaves[: len(self.types)]]
                raise carry_error(self.f, (self.carry_tree, self.carry_tree), (self.types, types))
            raise self._changed(i, leaves, self.result_tree)
        return _cast(leaf, type)

    def _lifted(self, leaf: Any) -> Any:
        if type(leaf) is Array or isinstance(leaf, Tracer):
            return leaf
        return lift(leaf, f"what {function_source(self.f)} returned")

    def _changed(self, i: int, leaves: list[Any], result_tree: Any) -> ControlFlowError:
        types = [self._lifted(leaf).type for leaf in leaves]
        titles = (f"step {self.order[0]}", f"step {i}")
        return ControlFlowError(
            f"scan: {function_source(self.f)} must return the same types in each step:\n"
            f"{mismatch(titles, (self.result_tree, result_tree), (self.first_types, types))}\n"
            f"Return (carry, y) of the same structure, shapes and dtypes each time."
        )


class _Rows:
    """The elements of an array's first axis; each is a view, made when asked for."""

    __slots__ = ("device", "host")

    def __init__(self, x: Array) -> None:
        self.host = x.host()
        self.device: Device | None = x._device

    def __getitem__(self, i: int) -> Array:
        return Array(self.host[i, ...], None, None, self.device)


class _Column:
    """Collects a result of each step: in one NumPy array while it can be, else as they are."""

    __slots__ = ("buffer", "dtype", "order", "shape", "steps", "values")

    def __init__(self, steps: int, order: range) -> None:
        self.steps = steps
        self.order = order
        self.dtype: Any = None
        self.shape: Any = None
        self.buffer: Any = None
        self.values: list[Any] | None = None

    def put(self, i: int, value: Any) -> bool:
        """Keep the result of step i; False if it does not fit the first one."""
        if self.dtype is None:
            self.shape, self.dtype = value.shape, value.dtype
            if type(value) is Array and value._device is None and default_device().is_host:
                self.buffer = np.empty((self.steps, *self.shape), self.dtype)
            else:
                self.values = [None] * self.steps
        elif value.shape != self.shape or value.dtype != self.dtype:
            if not adapts(value.type, ArrayType(self.shape, self.dtype)):
                return False
            value = convert(strong(value), self.dtype)
        if self.values is None:
            if type(value) is Array and value._device is None:
                self.buffer[i] = value.host()
                return True
            self.values = self._taken_apart(i)
        self.values[i] = strong(value)
        return True

    def _taken_apart(self, end: int) -> list[Any]:
        """What was collected before step `end`, as arrays."""
        values: list[Any] = [None] * self.steps
        for i in self.order:
            if i == end:
                break
            values[i] = Array(self.buffer[i, ...])
        return values

    def stacked(self) -> Any:
        """All results, along a new first axis."""
        return Array(self.buffer) if self.values is None else stack(self.values)


def _cast(x: Any, type: ArrayType) -> Any:
    if x.type is type:
        return x
    return Convert(type.dtype, True)(x) if type.weak else convert(strong(x), type.dtype)


def settled(types: Sequence[ArrayType], outs: Sequence[ArrayType]) -> list[ArrayType] | None:
    """The types that a carry has, if it is given as `types` and returned as `outs`; None if these cannot agree."""
    found = []
    for given, out in zip(types, outs, strict=False):
        changes = given.weak and not (out.weak and adapts(out, given))
        if not (adapts(given, out) if changes else adapts(out, given)):
            return None
        found.append(out if changes else given)
    return found


def parts_of_result(f: Callable[..., Any], result: Any) -> tuple[Any, Any]:
    """The structures of the carry and of the other results that `f` returned.

    Raises:
        ControlFlowError: it returned no pair.
    """
    if not isinstance(result, tuple) or len(result) != 2:
        found = f"a tuple of {len(result)}" if isinstance(result, tuple) else f"one {type(result).__name__}"
        raise ControlFlowError(
            f"scan: {function_source(f)} must return a pair (carry, y), got {found}.\n"
            f"Write `return carry, y`, with y=None if there is nothing to stack."
        )
    return tree.structure(result[0]), tree.structure(result[1])


def carry_error(
    f: Callable[..., Any], trees: tuple[Any, Any], types: tuple[Sequence[ArrayType], Sequence[ArrayType]]
) -> ControlFlowError:
    """The error for a carry that changes its type."""
    return ControlFlowError(
        f"scan: {function_source(f)} must return a carry of the type that it is given:\n"
        f"{mismatch(('carry in', 'carry out'), trees, types)}\n"
        f"Return the same structure, shapes and dtypes; x.astype(…) and fnp.broadcast_to help, on init too."
    )
