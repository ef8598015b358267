"""Order statistics: the elements that stand at given places of the sorted order, found without sorting.

The order is that of `sorting`: NaN last, -0 equal to +0. On the CPU a compiled program finds a place bit by bit, from
the highest: numbers become unsigned integers of the same order, and counting those below a candidate says whether the
bit is set. That reads the array once a bit, which is several times faster than the engine's sort. The place after one
that was found takes one more reading.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import BOOL, INT32, is_complex, is_inexact, is_low_precision
from ..core.primitive import Primitive, not_linear
from ..core.types import ArrayType
from ..errors import ShapeError
from .gather import lead_axis, take_along_axis
from .reducing import lower_reduce
from .sort_keys import lower_key, lower_number
from .sorting import Sort
from .structure import broadcast_in_dim, iota

__all__ = ["OrderStatistics"]

FEWEST_ELEMENTS, MOST_SEARCHES = 4096, 3  # where counting beats the engine's sort


class OrderStatistics(Primitive):
    """The elements at the static `places` of the ascending order along the last axis, which becomes the places.

    They are all NaN where there is a NaN among the elements: whatever is NaN could stand anywhere.
    """

    places: tuple[int, ...]

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if not x.ndim or any(not 0 <= place < x.shape[-1] for place in self.places):
            raise ShapeError(f"order_statistics: the last axis of {x} does not have the places {self.places}")
        return (ArrayType((*x.shape[:-1], len(self.places)), x.dtype),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        keys = x.astype(np.float32) if is_low_precision(x.dtype) else x
        found = _neighbours(keys, *self.places) if self._are_neighbours() else _chosen(keys, list(self.places))
        if keys.dtype.kind not in "biu":
            largest = np.maximum.reduce(keys, -1, keepdims=True)  # NaN, if there is any
            found = np.where(largest == largest, found, largest) if np.isnan(largest).any() else found
        return (found.astype(x.dtype, copy=False),)

    def _are_neighbours(self) -> bool:
        return len(self.places) == 2 and self.places[1] == self.places[0] + 1

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        (source,), (result,) = build.in_types, build.out_types
        pays = len(self._searched()) <= MOST_SEARCHES and source.shape[-1] >= FEWEST_ELEMENTS and result.size
        if pays and build.platform == "cpu" and not is_complex(source.dtype):
            columns = self._selected(build, x, source)
        else:
            columns = self._sorted(build, x, source)
        found = columns[0]
        if len(columns) > 1:
            found = build.op("concatenate", columns, result, {"dimension": build.integer(source.ndim - 1)})
        if not is_inexact(source.dtype) or not result.size:
            return (found,)
        spoiled = build.broadcast(_any_nan(build, x, source), result.update(dtype=BOOL), range(source.ndim - 1))
        return (build.op("select", (spoiled, build.constant(np.nan, result), found), result),)

    def _sorted(self, build: Any, x: Any, source: ArrayType) -> list[Any]:
        """For each place a column of the sorted array."""
        (ordered,) = Sort(source.ndim - 1).lower(build, x)
        column = source.update(shape=(*source.shape[:-1], 1))
        columns = []
        for place in self.places:
            bounds = {
                "start_indices": build.integers((*(0,) * (source.ndim - 1), place)),
                "limit_indices": build.integers((*source.shape[:-1], place + 1)),
                "strides": build.integers((1,) * source.ndim),
            }
            columns.append(build.op("slice", (ordered,), column, bounds))
        return columns

    def _searched(self) -> list[int]:
        """The places that do not come directly after another one."""
        return [place for place in sorted(set(self.places)) if place - 1 not in self.places]

    def _selected(self, build: Any, x: Any, source: ArrayType) -> list[Any]:
        """For each place a column with the element there, by counting."""
        keys, type = lower_key(build, x, source, zeros_are_equal=True)
        searched = self._searched()
        found = dict(zip(searched, _search(build, keys, type, searched), strict=True))
        for place in sorted(set(self.places).difference(searched)):
            found[place] = _successor(build, keys, type, found[place - 1], place)
        kept, column = source.shape[:-1], source.update(shape=(*source.shape[:-1], 1))
        columns = {}
        for place, key in found.items():
            number = lower_number(build, key, type.update(shape=kept), source.update(shape=kept))
            columns[place] = build.op("reshape", (number,), column)
        return [columns[place] for place in self.places]

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (x,) = primals
        last = x.ndim - 1
        _, order = Sort(last)(x, iota(INT32, x.shape, last))
        places = Array(np.asarray(self.places, np.int32))
        columns = broadcast_in_dim(places, (*x.shape[:-1], len(self.places)), (last,))
        chosen = take_along_axis(order, columns, last)
        return (self(x),), (take_along_axis(tangents[0], chosen, last),)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(lead_axis(size, operands[0], axes[0])),), (0,)


def _search(build: Any, keys: Any, type: ArrayType, places: list[int]) -> tuple[Any, ...]:
    """The keys at places: the largest numbers with at most that many keys below."""
    kept, bit = type.update(shape=type.shape[:-1]), type.update(shape=())
    counts = kept.update(dtype=INT32)

    def more(digit: Any, keys: Any, *found: Any) -> tuple[Any, ...]:
        return (build.compare("NE", digit, build.constant(0, bit), bit),)

    def decide(digit: Any, keys: Any, *found: Any) -> tuple[Any, ...]:
        better = []
        for value, place in zip(found, places, strict=True):
            candidate = build.op("or", (value, build.broadcast(digit, kept, ())), kept)
            below = _count(build, keys, "LT", candidate, type)
            fits = build.compare("LE", below, build.constant(place, counts), counts)
            better.append(build.op("select", (fits, candidate, value), kept))
        half = build.op("shift_right_logical", (digit, build.constant(1, bit)), bit)
        return (half, keys, *better)

    types = [bit, type, *[kept] * len(places)]
    highest = build.constant(1 << (8 * type.dtype.itemsize - 1), bit)
    start = [highest, keys, *[build.constant(0, kept)] * len(places)]
    return build.ops("while", start, types, None, [(types, more), (types, decide)])[2:]


def _successor(build: Any, keys: Any, type: ArrayType, key: Any, place: int) -> Any:
    """The key at a place, where that at the place before is known."""
    kept, last = type.update(shape=type.shape[:-1]), type.ndim - 1
    counts = kept.update(dtype=INT32)
    again = build.compare("GT", _count(build, keys, "LE", key, type), build.constant(place, counts), counts)
    larger = build.compare("GT", keys, build.broadcast(key, type, range(last)), type)
    limit = np.iinfo(type.dtype).max
    candidates = build.op("select", (larger, keys, build.constant(limit, type)), type)
    following = lower_reduce(build, "minimum", candidates, type, (type.ndim - 1,), limit)
    return build.op("select", (again, key, following), kept)


def _count(build: Any, keys: Any, direction: str, bound: Any, type: ArrayType) -> Any:
    """How many keys compare so with the bound of their row."""
    spread = build.broadcast(bound, type, range(type.ndim - 1))
    counted = type.update(dtype=INT32)
    ones = build.op("convert", (build.compare(direction, keys, spread, type),), counted)
    return lower_reduce(build, "add", ones, counted, (type.ndim - 1,), 0)


def _any_nan(build: Any, x: Any, type: ArrayType) -> Any:
    """Whether there is a NaN along the last axis."""
    is_nan = build.compare("NE", x, x, type)
    return lower_reduce(build, "or", is_nan, type.update(dtype=BOOL), (type.ndim - 1,), False)


# -- in NumPy --------------------------------------------------------------------------------------------------------


def _chosen(x: np.ndarray, places: list[int]) -> np.ndarray:
    return np.partition(x, places, -1)[..., places]


def _neighbours(x: np.ndarray, first: int, second: int) -> np.ndarray:
    """As `_chosen`, for two places side by side: the second element is the least of all behind the first."""
    ordered = np.partition(x, first, -1)
    found = ordered[..., first : second + 1].copy()
    np.minimum.reduce(ordered[..., second:], -1, out=found[..., 1])
    return found
