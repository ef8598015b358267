"""Grids and rows written as slices: `mgrid`, `ogrid`, `r_`, `c_`, `s_`, `index_exp`; and walks over indices."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from ..backend.array import Array
from ..compiler.evaluate import quiet
from ..core import dtypes
from ..errors import ArgumentError, DTypeError
from ..ops.slicing import concatenate
from ..ops.structure import canonical_axis, reshape, transpose
from .conversion import SCALARS, as_operand, known, scalar_array
from .indexing import getitem
from .promotion import promote_dtypes

__all__ = ["c_", "index_exp", "mgrid", "ndenumerate", "ndindex", "ogrid", "r_", "s_"]


# -- grids ------------------------------------------------------------------------------------------------------------


def _numbers(key: slice, real: bool) -> np.ndarray:
    """The numbers that a slice stands for: steps by its step, or so many in all if that is imaginary.

    Slices are known, so that NumPy may count (benchmark: eager).
    """
    start = 0 if key.start is None else key.start
    step = 1 if key.step is None else key.step
    if key.stop is None:
        raise ArgumentError(f"the end of {_written(key)} is missing: write start:stop or start:stop:step")
    if isinstance(start, complex) or isinstance(key.stop, complex):
        raise DTypeError(f"the start and stop of {_written(key)} are real numbers")
    if step == 0 and not isinstance(step, complex):
        raise ArgumentError(f"the step of {_written(key)} is zero")
    if real:
        counted = isinstance(step, complex)
        row = np.linspace(start, key.stop, int(abs(step))) if counted else np.arange(start, key.stop, step)
        return quiet(row.astype, dtypes.default_float())
    for bound in (start, key.stop):
        scalar_array(bound, dtypes.default_int())  # refuses one that does not fit
    return np.arange(start, key.stop, step, dtypes.default_int())  # type: ignore[call-overload]


def _number(value: Any) -> Any:
    if type(value) in SCALARS:
        return value
    host = known(value, "a grid, such as mgrid[0:n],")
    if host.ndim:
        raise DTypeError(f"the start, stop and step of a slice are numbers, not arrays of shape {host.shape}")
    return host.item()


def _written(key: slice) -> str:
    parts = (key.start, key.stop) if key.step is None else (key.start, key.stop, key.step)
    return ":".join("" if part is None else str(part) for part in parts)


def _is_real(key: slice) -> bool:
    """Whether a slice stands for numbers with fractions: it is written with one, or says how many there are."""
    return any(isinstance(part, float | complex) for part in (key.start, key.stop, key.step))


def _plain(key: slice) -> slice:
    """The slice with arrays of no dimensions as Python numbers."""
    return slice(*(part if part is None else _number(part) for part in (key.start, key.stop, key.step)))


class Grid:
    """What `mgrid` and `ogrid` are: coordinates of a grid, written as slices.

    `start:stop:step` counts as `arange` does; with an imaginary step, `start:stop:5j`, there are 5 numbers from start
    to stop, both included. The dtype is the default int, or the default float if a fraction or an imaginary step
    appears.

    Args:
        sparse: whether each axis' coordinates have only that axis longer than 1.
    """

    def __init__(self, sparse: bool) -> None:
        self._sparse = sparse

    def __getitem__(self, key: Any) -> Any:
        several = isinstance(key, tuple)
        slices = []
        for one in key if several else (key,):
            if not isinstance(one, slice):
                raise DTypeError(f"{self!r} takes slices, as in {self!r}[0:3, 0:1:5j], not {one!r}")
            slices.append(_plain(one))
        real = any(map(_is_real, slices))
        rows = [_numbers(one, real) for one in slices]
        if not several:
            return Array(rows[0])
        axes = np.ix_(*rows) if rows else ()
        if self._sparse:
            return tuple(map(Array, axes))
        shape = tuple(row.size for row in rows)
        dense = np.empty((len(rows), *shape), rows[0].dtype if rows else dtypes.default_int())
        for whole, row in zip(dense, axes, strict=True):
            whole[...] = row
        return Array(dense)

    def __repr__(self) -> str:
        return "ogrid" if self._sparse else "mgrid"


mgrid = Grid(sparse=False)
ogrid = Grid(sparse=True)


# -- rows and columns -------------------------------------------------------------------------------------------------


class Joiner:
    """What `r_` and `c_` are: arrays, numbers and slices joined along an axis, as in `r_[1, 0:3, x]`.

    A first entry such as "0,2,1" says along which axis to join, how many dimensions the parts have at least, and at
    which place the axes of parts with fewer begin.

    Args:
        name: how it is written.
        axis: along which axis to join.
        ndmin: the least number of dimensions.
        place: where the axes of parts with fewer dimensions begin; -1: at the end.
    """

    def __init__(self, name: str, axis: int, ndmin: int = 1, place: int = -1) -> None:
        self._name, self._axis, self._ndmin, self._place = name, axis, ndmin, place

    def __getitem__(self, key: Any) -> Any:
        entries = key if isinstance(key, tuple) else (key,)
        axis, ndmin, place = self._axis, self._ndmin, self._place
        if entries and isinstance(entries[0], str):
            axis, ndmin, place = self._directive(entries[0])
            entries = entries[1:]
        if not entries:
            raise ArgumentError(f"{self._name}[…] needs at least one array, number or slice to join")
        parts = [self._part(entry, ndmin, place) for entry in entries]
        operands = promote_dtypes(*(part for part, _ in parts))
        rows = [_at_least(x, ndmin, first) for x, (_, first) in zip(operands, parts, strict=True)]
        return concatenate(rows, canonical_axis(axis, rows[0].ndim))

    def _directive(self, text: str) -> tuple[int, int, int]:
        if text in ("r", "c"):
            raise ArgumentError(
                f"{self._name}[{text!r}, …] asks for a matrix, which arrays are not; use '0,2' or '1,2'"
            )
        try:
            numbers = [int(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if not 1 <= len(numbers) <= 3:
            raise ArgumentError(
                f"{self._name}[{text!r}, …]: expected up to three integers, 'axis,ndmin,place', such as '0,2,1'"
            )
        return (*numbers, *(self._ndmin, self._place)[len(numbers) - 1 :])  # type: ignore[return-value]

    def _part(self, entry: Any, ndmin: int, place: int) -> tuple[Any, int | None]:
        """What is joined, and where its axes go if it has fewer than the others; None: it is a scalar."""
        if isinstance(entry, slice):
            plain = _plain(entry)
            return Array(_numbers(plain, _is_real(plain))), place
        if isinstance(entry, str):
            raise ArgumentError(f"{self._name}: the text {entry!r} may only come first")
        return (entry, None) if type(entry) in SCALARS else ((x := as_operand(entry)), place if x.ndim else None)

    def __repr__(self) -> str:
        return self._name


def _at_least(x: Any, ndmin: int, place: int | None) -> Any:
    """`x` with axes of length 1 so that it has `ndmin` dimensions, its own axes beginning at `place`."""
    missing = ndmin - x.ndim
    if missing <= 0:
        return x
    padded = reshape(x, (*[1] * missing, *x.shape))
    if place is None or x.ndim == 0:
        return padded
    first = place + missing + 1 if place < 0 else place
    order = [*range(missing)]
    order[first:first] = range(missing, ndmin)
    return transpose(padded, tuple(order))


r_ = Joiner("r_", 0)
c_ = Joiner("c_", -1, 2, 0)


# -- indices ----------------------------------------------------------------------------------------------------------


class IndexExpression:
    """What `s_` and `index_exp` are: the index that stands in the brackets, `s_[2:, ...]` for `(slice(2, None), ...)`.

    Args:
        always_tuple: whether a single index becomes a tuple.
    """

    def __init__(self, always_tuple: bool) -> None:
        self._always_tuple = always_tuple

    def __getitem__(self, key: Any) -> Any:
        return (key,) if self._always_tuple and not isinstance(key, tuple) else key

    def __repr__(self) -> str:
        return "index_exp" if self._always_tuple else "s_"


s_ = IndexExpression(always_tuple=False)
index_exp = IndexExpression(always_tuple=True)


def ndindex(*shape: Any) -> Iterator[tuple[int, ...]]:
    """All indices of a shape, the last axis counting fastest: `ndindex(2, 3)` or `ndindex((2, 3))`.

    Example:
        >>> list(fnp.ndindex(2, 2))
        [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    lengths = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    counts = [operator.index(n) for n in lengths]
    if any(n < 0 for n in counts):
        raise ArgumentError(f"ndindex: lengths are not negative, got {tuple(counts)}")
    return product(*map(range, counts))


def ndenumerate(arr: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Pairs of the index and the element (an array of no dimensions), the last axis counting fastest.

    Example:
        >>> [(index, float(x)) for index, x in fnp.ndenumerate(fnp.array([[1.0, 2.0]]))]
        [((0, 0), 1.0), ((0, 1), 2.0)]
    """
    x = as_operand(arr)
    return ((index, getitem(x, index)) for index in ndindex(x.shape))
