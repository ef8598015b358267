"""Searching: where numbers belong in sorted arrays, by bisection."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import BOOL, INT32, SIGNED, is_low_precision
from ..core.primitive import Primitive, not_differentiable, not_linear
from ..core.types import ArrayType
from ..errors import ShapeError
from .gather import lead_axis
from .sort_keys import lower_keys, lower_picked

__all__ = ["SearchSorted", "places"]


class SearchSorted(Primitive):
    """Operands (table, probes) of one dtype: before which elements of the ascending table the probes belong.

    The last axis of the table is searched; its other axes are the first ones of the probes. Of equal elements the
    place before the first is meant, or the one behind the last if `right`. The order is that of sorting.
    """

    right: bool
    dtype: np.dtype

    def infer(self, table: ArrayType, probes: ArrayType) -> tuple[ArrayType, ...]:
        batch = table.shape[:-1]
        if not table.ndim or table.dtype != probes.dtype or probes.shape[: len(batch)] != batch:
            raise ShapeError(f"search_sorted: {table} and {probes} do not fit together")
        return (ArrayType(probes.shape, self.dtype),)

    def evaluate(self, table: np.ndarray, probes: np.ndarray) -> tuple[np.ndarray, ...]:
        if is_low_precision(table.dtype):
            table, probes = table.astype(np.float32), probes.astype(np.float32)
        if table.ndim == 1:
            return (np.asarray(places(table, probes, self.right), self.dtype),)
        result = np.empty(probes.shape, self.dtype)
        for row in np.ndindex(table.shape[:-1]):
            result[row] = places(table[row], probes[row], self.right)
        return (result,)

    def lower(self, build: Any, table: Any, probes: Any) -> tuple[Any, ...]:
        (source, wanted), (result,) = build.in_types, build.out_types
        length = source.shape[-1]
        if not result.size or not length:
            return (build.constant(0, result),)
        index = ArrayType((wanted.size,), INT32 if source.size < 1 << 31 else SIGNED[3])
        flat = source.update(shape=(source.size,))
        probes = build.op("reshape", (probes,), wanted.update(shape=index.shape))
        table = build.op("reshape", (table,), flat)
        keys, key_types = zip(*lower_keys(build, probes, wanted.update(shape=index.shape)), strict=True)
        first = self._first_places(build, source, index)
        last = build.op("add", (first, build.constant(length, index)), index)
        counter = ArrayType((), INT32)
        carried = [build.constant(length.bit_length(), counter), first, last, table, *keys]
        types = [counter, index, index, flat, *key_types]

        def unfinished(steps: Any, *_: Any) -> list[Any]:
            return [build.compare("GT", steps, build.constant(0, counter), counter)]

        def halve(steps: Any, low: Any, high: Any, table: Any, *keys: Any) -> list[Any]:
            steps = build.op("subtract", (steps, build.constant(1, counter)), counter)
            return [steps, *self._halved(build, index, flat, low, high, table, keys), table, *keys]

        found = build.ops("while", carried, types, None, [(types, unfinished), (types, halve)])[1]
        found = build.op("subtract", (found, first), index)
        return (build.op("reshape", (build.convert(found, index, self.dtype),), result),)

    def _first_places(self, build: Any, source: ArrayType, index: ArrayType) -> Any:
        """Where the row that each probe is searched in begins in the flattened table."""
        rows = source.size // source.shape[-1]
        grid = index.update(shape=(rows, index.size // rows))
        row = build.op("iota", (), grid, {"iota_dimension": build.integer(0)})
        row = build.op("multiply", (row, build.constant(source.shape[-1], grid)), grid)
        return build.op("reshape", (row,), index)

    def _halved(
        self, build: Any, index: ArrayType, flat: ArrayType, low: Any, high: Any, table: Any, keys: Any
    ) -> list[Any]:
        """One step: the half of low ≤ place ≤ high that the place is in."""
        width = build.op("subtract", (high, low), index)
        middle = build.op("add", (low, build.op("divide", (width, build.constant(2, index)), index)), index)
        element = lower_picked(build, table, flat, middle, index)
        before = self._before(build, lower_keys(build, element, flat.update(shape=index.shape)), keys)
        behind = build.op("and", (before, build.compare("LT", low, high, index)), index.update(dtype=BOOL))
        after = build.op("add", (middle, build.constant(1, index)), index)
        low = build.op("select", (behind, after, low), index)
        return [low, build.op("select", (before, high, middle), index)]

    def _before(self, build: Any, elements: Any, probes: Any) -> Any:
        """Whether elements stand before the place, by their keys."""
        result = None
        for (a, type), b in zip(reversed(elements), reversed(probes), strict=True):
            less = build.compare("LE" if self.right and result is None else "LT", a, b, type)
            if result is not None:
                mask = type.update(dtype=BOOL)
                tie = build.op("and", (build.compare("EQ", a, b, type), result), mask)
                less = build.op("or", (less, tie), mask)
            result = less
        return result

    jvp = not_differentiable

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (table, probes), (table_axis, probe_axis) = operands, axes
        if table_axis is None and table.ndim == 1:
            return (self(table, probes),), (probe_axis,)
        rows = [lead_axis(size, x, axis) for x, axis in zip(operands, axes, strict=True)]
        return (self(*rows),), (0,)


# -- in NumPy --------------------------------------------------------------------------------------------------------

_MANY, _LONG, _BLOCK = 1 << 13, 1 << 5, 1 << 15


def places(table: np.ndarray, probes: np.ndarray, right: bool) -> Any:
    """`table.searchsorted(probes)`, where probes are many and in no order two to five times as fast.

    NumPy searches for one probe after the other, and waits for memory and for wrong guesses of the processor at every
    step. Here all probes of a block, which stays in the cache, go one step further at a time.
    """
    side = "right" if right else "left"
    if probes.size < _MANY or table.size < _LONG or table.dtype.kind == "c":
        return table.searchsorted(probes, side)
    found, wanted = np.empty(probes.size, np.intp), probes.reshape(-1)
    for start in range(0, probes.size, _BLOCK):
        block, result = wanted[start : start + _BLOCK], found[start : start + _BLOCK]
        if np.all(block[1:] >= block[:-1]):
            result[:] = table.searchsorted(block, side)  # each begins where the one before has ended
        else:
            _bisect(table, block, right, result)
    return found.reshape(probes.shape)


def _bisect(table: np.ndarray, probes: np.ndarray, right: bool, place: np.ndarray) -> None:
    """Write into `place` how many elements of the table stand before each probe."""
    stands_before = np.less_equal if right else np.less
    element, before = np.empty(probes.shape, table.dtype), np.empty(probes.shape, np.bool_)
    step = np.empty_like(place)
    place[:] = 0
    width = table.size
    while width > 1:  # of the `width` elements from `place` on, some may stand before the probe and some behind it
        half = width // 2
        np.take(table[half - 1 :], place, out=element, mode="clip")
        stands_before(element, probes, out=before)
        np.multiply(before, half, out=step)
        np.add(place, step, out=place)
        width -= half
    np.take(table, place, out=element, mode="clip")
    place += stands_before(element, probes, out=before)
    if table.dtype.kind == "f":
        nan = np.isnan(probes)
        if nan.any():  # they belong behind all numbers
            place[nan] = table.searchsorted(probes[nan], "right" if right else "left")
