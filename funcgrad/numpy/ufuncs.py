"""The methods of elementwise functions: `add.reduce`, `.accumulate`, `.reduceat`, `.outer`, `.at`; and `frompyfunc`.

Elementwise functions are plain Python functions, as quick to call as those get. Importing this module gives each of
them that NumPy has as a ufunc the attributes of one: `ufunc` objects supply them. What a fold of a function may use,
an operation of its own or at least its associativity, stands in one table.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..backend.array import Array, aligned_copy
from ..compiler.evaluate import evaluation, quiet
from ..core import dtypes
from ..core.dtypes import BOOL, DTypeLike, canonical
from ..core.trace import Tracer, bottom, run_under, state
from ..errors import ArgumentError, AxisError, DTypeError, ImmutableError, OutOfBoundsError, ShapeError
from ..higher_order.scan import scan
from ..ops import cumulative, reduction
from ..ops.exponential import exp, log
from ..ops.slicing import concatenate, slice_in_dim
from ..ops.structure import broadcast, canonical_axis, convert, full, move_axis, reduce_sum, reshape, zeros_of
from . import elementwise, logic, number_parts, transcendental
from .at import AtIndex
from .conversion import as_operand, asarray
from .creation import arange
from .elementwise import where as choose
from .fast import BITS, FLOATING, REAL, quick_reduce
from .functional import vectorize
from .indexing import getitem
from .logic import isfinite, truth
from .reductions import Axis, accumulation_dtype, canonical_axes

__all__ = ["frompyfunc", "ufunc"]

# -- what a fold may use ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fold:
    """What is known of a function beyond its values.

    Args:
        associative: f(f(x, y), z) = f(x, f(y, z)). Such functions have an identity, or f(x, x) is x, but for its sign.
        reduce: the operation `(x, axes)` that folds with it; such functions are associative and commutative.
        accumulate: the operation `(x, axis)` of its running folds.
        update: the method of `x.at[index]` that applies it.
        chars: the dtypes for which NumPy's function does eagerly just what this one does, with results of that dtype.
        operands: converts the operand of a fold beforehand.
    """

    associative: bool = False
    reduce: Callable[[Any, Sequence[int]], Any] | None = None
    accumulate: Callable[[Any, int], Any] | None = None
    update: Callable[..., Any] | None = None
    chars: str = FLOATING
    operands: Callable[[Any], Any] = as_operand


def _widened(x: Any) -> Any:
    return convert(x, accumulation_dtype(x.dtype))


def _sum(x: Any, axes: Sequence[int]) -> Any:
    return reduction.reduce_or(x, axes) if x.dtype is BOOL else reduce_sum(x, axes)


def _product(x: Any, axes: Sequence[int]) -> Any:
    return reduction.reduce_and(x, axes) if x.dtype is BOOL else reduction.reduce_prod(x, axes)


def _log_sum_exp(x: Any, axes: Sequence[int]) -> Any:
    if not prod(x.shape[i] for i in axes):
        return full(reduction.reduce_max(x, axes).type, -np.inf)
    largest = reduction.reduce_max(x, axes)
    shift = choose(isfinite(largest), largest, zeros_of(largest.type))
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    return log(reduce_sum(exp(x - broadcast(reshape(shift, kept), x.shape)), axes)) + shift


_ASSOCIATIVE = Fold(associative=True)
_INTEGERS = Fold(associative=True, chars="bBhHiIlL")
FOLDS: dict[str, Fold] = {
    "add": Fold(True, _sum, cumulative.cumsum, AtIndex.add, FLOATING, _widened),
    "multiply": Fold(True, _product, cumulative.cumprod, AtIndex.multiply, FLOATING, _widened),
    "maximum": Fold(True, reduction.reduce_max, cumulative.cummax, AtIndex.max, REAL),
    "minimum": Fold(True, reduction.reduce_min, cumulative.cummin, AtIndex.min, REAL),
    "logical_and": Fold(True, reduction.reduce_and, None, None, "?", truth),
    "logical_or": Fold(True, reduction.reduce_or, None, None, "?", truth),
    "logical_xor": Fold(True, reduction.reduce_xor, None, None, "?", truth),
    "bitwise_and": Fold(True, reduction.reduce_and, chars=BITS),
    "bitwise_or": Fold(True, reduction.reduce_or, chars=BITS),
    "bitwise_xor": Fold(True, reduction.reduce_xor, chars=BITS),
    "logaddexp": Fold(True, _log_sum_exp, cumulative.cumlogsumexp, chars=""),
    "subtract": Fold(update=AtIndex.subtract, chars=REAL),
    # NumPy 2.4 and 2.5 fold these two wrongly where their loops are vectorized: arctan2.reduce([3, 1, 2]) leaves out 1.
    "arctan2": Fold(chars=""),
    "power": Fold(chars=""),
    "float_power": Fold(chars=""),  # NumPy computes it in float64
    "divide": Fold(update=AtIndex.divide),
    "fmax": _ASSOCIATIVE,
    "fmin": _ASSOCIATIVE,
    "gcd": _INTEGERS,
    "hypot": _ASSOCIATIVE,
    "lcm": _INTEGERS,
    "logaddexp2": _ASSOCIATIVE,
}
_RANKS = (bool, int, float, complex)
_MODULES: tuple[ModuleType, ...] = (elementwise, logic, number_parts, transcendental)


# -- the methods ------------------------------------------------------------------------------------------------------


class _CountsFunctions(type):
    """Lets `isinstance(fnp.add, fnp.ufunc)` be true, although `add` is a plain function."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return type.__instancecheck__(cls, instance) or (type(instance) is FunctionType and instance in _METHODS_OF)


class ufunc(metaclass=_CountsFunctions):
    """A function of elements with NumPy's methods for such functions; made by `frompyfunc`.

    `add`, `maximum` and the other elementwise functions have the same methods, as in `fnp.add.reduce(x, axis=1)`, and
    count as instances.

    Attributes:
        nin: the number of operands.
        nout: the number of results.
        nargs: both together.
        identity: what a reduction of no elements gives; None if there is no such value.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        nin: int,
        nout: int,
        identity: Any = None,
        fold: Fold | None = None,
        native: np.ufunc | None = None,
    ) -> None:
        self.nin, self.nout, self.nargs, self.identity = nin, nout, nin + nout, identity
        self.__name__, self.__doc__ = function.__name__, function.__doc__
        self._function = function
        self._fold = fold if fold is not None else Fold(chars="")
        self._native = native

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __repr__(self) -> str:
        return f"<ufunc {self.__name__!r}>"

    def reduce(
        self,
        array: Any,
        /,
        axis: Axis = 0,
        dtype: DTypeLike | None = None,
        out: None = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = None,
    ) -> Any:
        """The function folded over axes: f(f(x[0], x[1]), x[2]) and so on.

        Args:
            array: what is folded.
            axis: one axis; several, or None for all of them, if the order of the elements does not matter.
            dtype: the dtype to convert to beforehand.
            out: not supported: arrays are immutable.
            keepdims: keep the folded axes with length 1.
            initial: the first element of every fold; by default the function's identity, if it has one.
            where: a mask; elements where it is false do not count.

        Returns:
            An array without the folded axes.

        Raises:
            ShapeError: there are no elements, and neither an identity nor `initial`.
            ArgumentError: several axes for a function whose result depends on the order of the elements.

        Example:
            >>> fnp.maximum.reduce(fnp.array([[1, 5], [4, 2]]), axis=1)
            Array([5, 4], dtype=int32)
        """
        self._check_foldable("reduce", out)
        where = None if where is True else where
        if self._native is not None and dtype is None and initial is None and where is None:
            quick = quick_reduce(self._native, self._fold.chars, array, axis, keepdims)
            if quick is not None:
                return quick
        x = self._loop(array, dtype)
        axes = () if x.ndim == 0 and axis in (0, -1) else canonical_axes(axis, x.ndim)
        if len(axes) > 1 and self._fold.reduce is None and not self._fold.associative:
            raise ArgumentError(
                f"{self.__name__}.reduce over axes {axes}: the result depends on the order of the elements, so that "
                f"at most one axis may be given"
            )
        result = self._reduced(x, axes, initial, where)
        kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        return reshape(result, kept) if keepdims else result

    def accumulate(self, array: Any, /, axis: int = 0, dtype: DTypeLike | None = None, out: None = None) -> Any:
        """All folds of leading elements along an axis: x[0], f(x[0], x[1]) and so on; of the shape of `array`.

        Example:
            >>> fnp.multiply.accumulate(fnp.array([2, 3, 4]))
            Array([ 2,  6, 24], dtype=int32)
        """
        self._check_foldable("accumulate", out)
        quick = self._natively("accumulate", array, dtype, axis)
        if quick is not None:
            return quick
        x = self._loop(array, dtype)
        axis = self._single_axis("accumulate", axis, x)
        quick = self._natively("accumulate", x, None, axis)
        if quick is not None:
            return quick
        fold, f = self._fold, self._function
        if fold.accumulate is not None and x.dtype is not BOOL:
            return fold.accumulate(x, axis)
        if fold.associative or fold.reduce is not None:
            return cumulative.associative_scan(lambda a, b: (f(a[0], b[0]),), (x,), axis)[0]
        rows = move_axis(x, axis, 0)
        if rows.shape[0] < 2:
            return x
        first, rest = getitem(rows, 0), slice_in_dim(rows, 1, None, 1, 0)
        _, later = scan(lambda carry, row: (f(carry, row),) * 2, first, rest)
        return move_axis(concatenate([slice_in_dim(rows, 0, 1, 1, 0), later], 0), 0, axis)

    def reduceat(
        self, array: Any, /, indices: Any, axis: int = 0, dtype: DTypeLike | None = None, out: None = None
    ) -> Any:
        """Folds of slices along an axis: result i folds the elements from `indices[i]` to before `indices[i + 1]`.

        Where the next index is not larger, the result is the one element at `indices[i]`; the last slice goes to the
        end.

        Raises:
            OutOfBoundsError: an index that is negative or not below the length of the axis.

        Example:
            >>> fnp.add.reduceat(fnp.arange(8), [0, 4, 6])
            Array([ 6,  9, 13], dtype=int32)
        """
        self._check_foldable("reduceat", out)
        if type(indices) is list and set(map(type, indices)) == {int}:
            quick = self._natively("reduceat", array, dtype, indices, axis)
            if quick is not None:
                return quick
        x = self._loop(array, dtype)
        axis = self._single_axis("reduceat", axis, x)
        starts = as_operand(indices)
        starts = convert(starts, dtypes.default_int()) if starts.shape == (0,) else starts
        if starts.ndim != 1 or not dtypes.is_integer(starts.dtype):
            raise (DTypeError if starts.ndim == 1 else ShapeError)(
                f"{self.__name__}.reduceat takes a vector of integers as indices, got {starts.type}; write "
                f"indices.ravel().astype(int)"
            )
        known = starts.concrete() if isinstance(starts, Tracer) else starts
        if isinstance(known, Array):
            _check_starts(self.__name__, known.host(), axis, x.shape[axis])
            quick = self._natively("reduceat", x, None, known.host().astype(np.intp, copy=False), axis)
            if quick is not None:
                return quick
        rows = move_axis(x, axis, 0)
        if not starts.shape[0]:
            return move_axis(slice_in_dim(rows, 0, 0, 1, 0), 0, axis)
        return move_axis(self._folded_slices(rows, starts, known), 0, axis)

    def outer(self, A: Any, B: Any, /) -> Any:
        """The function of every element of `A` with every element of `B`; its shape is that of `A`, then that of `B`.

        Example:
            >>> fnp.subtract.outer(fnp.array([10, 20]), fnp.array([1, 2, 3])).tolist()
            [[9, 8, 7], [19, 18, 17]]
        """
        if self.nin != 2:
            raise ArgumentError(
                f"{self.__name__}.outer: outer products are of functions of two operands, not {self.nin}"
            )
        if type(B) is Array and B._device is None and self._native_loop(A) is not None and A.dtype == B.dtype:
            quick = self._natively("outer", A, None, B.host())
            if quick is not None:
                return quick
        count = np.ndim(B)
        return self._function(reshape(a := as_operand(A), (*a.shape, *[1] * count)) if count else A, B)

    def at(self, a: Any, indices: Any, b: Any = None, /, *, inplace: bool = False) -> Any:
        """A copy of `a` with the function applied to the elements at `indices` (and `b`); each repetition counts.

        Args:
            a: the array.
            indices: as in `a[indices]`.
            b: the second operand, if the function has two; it broadcasts to `a[indices]`.
            inplace: not supported: arrays are immutable, and the result is returned.

        Example:
            >>> fnp.add.at(fnp.zeros(3), fnp.array([0, 2, 2]), 1.0)
            Array([1., 0., 2.], dtype=float32)
        """
        name = self.__name__
        if inplace:
            raise ImmutableError(
                f"{name}.at(…, inplace=True): arrays are immutable; write a = {name}.at(a, indices, …)"
            )
        if self.nout != 1 or self.nin > 2:
            raise ArgumentError(f"{name}.at: only functions of one or two operands with one result")
        if (b is None) is (self.nin == 2):
            raise ArgumentError(
                f"{name}.at takes {self.nin} operand{'s' * (self.nin - 1)} for each place: {name}.at(a, indices"
                f"{', b' * (self.nin - 1)})"
            )
        x = as_operand(a)
        if self._fold.update is not None and x.dtype is not BOOL:
            return self._fold.update(AtIndex(x, indices), b)
        values = () if b is None else (as_operand(b),)
        self._check_holds(x, values)
        places = getitem(reshape(arange(x.type.size), x.shape), indices)
        return self._updated(x, places, tuple(broadcast(v, places.shape) for v in values))

    # -- parts --------------------------------------------------------------------------------------------------------

    def _check_foldable(self, method: str, out: Any) -> None:
        name = self.__name__
        if self.nin != 2 or self.nout != 1:
            raise ArgumentError(
                f"{name}.{method}: folding takes a function of two operands with one result; {name} has {self.nin} "
                f"and {self.nout}"
            )
        if out is not None:
            raise ImmutableError(f"{name}.{method}(…, out=x): arrays are immutable; bind the result to a name instead")

    def _single_axis(self, method: str, axis: int | None, x: Any) -> int:
        if x.ndim == 0 and axis in (0, -1, None):
            raise DTypeError(f"{self.__name__}.{method} takes an array of at least one dimension, got {x.type}")
        if axis is None and x.ndim == 1:
            return 0
        try:
            return canonical_axis(operator.index(axis), x.ndim)  # type: ignore[arg-type]
        except TypeError:
            raise AxisError(f"{self.__name__}.{method} takes one axis, not {axis!r}") from None

    def _native_loop(self, x: Any) -> np.ufunc | None:
        """NumPy's function, if it may do the work for an operand."""
        eager = type(x) is Array and state.trace is evaluation and evaluation.host_only and x._device is None
        return self._native if eager and x.dtype.char in self._fold.chars else None

    def _natively(self, method: str, array: Any, dtype: DTypeLike | None, *args: Any) -> Any:
        """What a method of NumPy's function gives; None if it may not do the work, or refuses it."""
        native = None if dtype is not None else self._native_loop(array)
        if native is None:
            return None
        try:
            return Array(np.asarray(quiet(getattr(native, method), array.host(), *args)))
        except (IndexError, TypeError, ValueError):
            return None

    def _loop(self, array: Any, dtype: DTypeLike | None) -> Any:
        """The operand in the dtype in which the function's results are operands again."""
        x = as_operand(array)
        x = convert(x, canonical(dtype)) if dtype is not None else self._fold.operands(x)
        if x.dtype.char in self._fold.chars:
            return convert(x, x.dtype)
        found = self._result_dtype(x.dtype)
        if found == x.dtype or (dtypes.promote(x.dtype, found) == found == self._result_dtype(found)):
            return convert(x, found)
        raise DTypeError(
            f"{self.__name__} of {x.dtype.name} operands is {found.name}, which cannot be its operand again without "
            f"loss; convert first: x.astype({found.name!r})"
        )

    def _result_dtype(self, dtype: np.dtype) -> np.dtype:
        nothing = Array(np.empty((0,), dtype))
        return run_under(bottom(), self._function, nothing, nothing).dtype

    def _reduced(self, x: Any, axes: tuple[int, ...], initial: Any, mask: Any) -> Any:
        name = self.__name__
        start = self.identity if initial is None else asarray(initial, x.dtype)
        if start is None and mask is not None:
            raise ArgumentError(f"{name}.reduce with where= may find no element; pass initial=, the first element")
        if start is None and not prod(x.shape[i] for i in axes):
            raise ShapeError(
                f"zero-size array to reduction operation {name}, which has no identity: an array of shape {x.shape} "
                f"has no elements along axes {axes}; pass initial=, the result for no elements"
            )
        start = None if start is None else convert(as_operand(start), x.dtype)
        if mask is not None and self._fold.associative:
            neutral = start if self.identity is None else convert(as_operand(self.identity), x.dtype)
            x, mask = choose(broadcast(truth(mask), x.shape), x, neutral), None
        if self._fold.reduce is None:
            return self._folded(x, axes, start, mask)
        result = self._fold.reduce(x, axes)
        return result if initial is None else self._function(start, result)

    def _folded(self, x: Any, axes: tuple[int, ...], start: Any, mask: Any) -> Any:
        """The fold by the function itself: in pairs if it is associative, else one element after the other."""
        rows = _rows(x, axes)
        f = self._function
        if start is not None:
            rows = concatenate([broadcast(start, (1, *rows.shape[1:])), rows], 0)
        if self._fold.associative or rows.shape[0] == 1:
            return _folded_in_pairs(f, rows)
        first, rest = getitem(rows, 0), slice_in_dim(rows, 1, None, 1, 0)
        if mask is None:
            return scan(lambda carry, row: (f(carry, row), None), first, rest)[0]
        counts = _rows(broadcast(truth(mask), x.shape), axes)
        return scan(lambda carry, row: (choose(row[1], f(carry, row[0]), carry), None), first, (rest, counts))[0]

    def _folded_slices(self, rows: Any, starts: Any, known: Any) -> Any:
        length = rows.shape[0]
        starts = choose(starts < 0, length, starts)  # so that reading refuses it
        ends = concatenate([slice_in_dim(starts, 1, None, 1, 0), full(starts.type.update(shape=(1,)), length)], 0)
        first = getitem(rows, starts)
        more = choose(ends > starts, ends - starts - 1, zeros_of(starts.type))
        place = starts + 1
        if self._fold.associative:
            return _folded_by_doubling(self._function, rows, first, place, more)
        most = int(_longest(known.host(), length)) if isinstance(known, Array) else length - 1

        def step(carry: Any, offset: Any) -> tuple[Any, None]:
            element = AtIndex(rows, place + offset).get(mode="clip")
            return choose(_beside(offset < more, carry), self._function(carry, element), carry), None

        return scan(step, first, arange(most, dtype=starts.dtype))[0]

    def _check_holds(self, x: Any, values: tuple[Any, ...]) -> None:
        nothing = [Array(np.empty((0,), v.dtype)) for v in (x, *values)]
        found = run_under(bottom(), self._function, *nothing).dtype
        if _RANKS.index(dtypes.scalar_kind(found)) > _RANKS.index(dtypes.scalar_kind(x.dtype)):
            raise DTypeError(
                f"{self.__name__}.at: results of dtype {found.name} would lose information in an array of dtype "
                f"{x.dtype.name}; convert it first: a.astype({found.name!r})"
            )

    def _updated(self, x: Any, places: Any, values: tuple[Any, ...]) -> Any:
        """The function applied at one place after the other."""
        f, eager = self._function, all(type(v) is Array for v in (x, places, *values))
        native = self._native_loop(x) if eager and all(v.dtype == x.dtype for v in values) else None
        if native is not None:
            copy = aligned_copy(x.host())
            quiet(native.at, copy.reshape(-1), places.host(), *[v.host() for v in values])
            return Array(copy)

        def step(flat: Any, row: tuple[Any, ...]) -> tuple[Any, None]:
            new = f(getitem(flat, row[0]), *row[1:])
            return AtIndex(flat, row[0]).set(convert(new, flat.dtype)), None

        rows = tuple(reshape(v, (places.type.size,)) for v in (places, *values))
        return reshape(scan(step, reshape(x, (x.type.size,)), rows)[0], x.shape)


def _rows(x: Any, axes: tuple[int, ...]) -> Any:
    """`x` with some axes made one, which comes first."""
    for place, axis in enumerate(axes):
        x = move_axis(x, axis, place)
    return reshape(x, (prod(x.shape[: len(axes)]), *x.shape[len(axes) :]))


def _folded_in_pairs(f: Callable[..., Any], rows: Any) -> Any:
    """The fold of an associative function along axis 0, in logarithmic depth."""
    while (length := rows.shape[0]) > 1:
        even = length - length % 2
        pairs = f(slice_in_dim(rows, 0, even, 2, 0), slice_in_dim(rows, 1, even, 2, 0))
        rows = concatenate([pairs, slice_in_dim(rows, even, None, 1, 0)], 0) if even < length else pairs
    return getitem(rows, 0)


def _folded_by_doubling(f: Callable[..., Any], rows: Any, first: Any, place: Any, more: Any) -> Any:
    """Folds of slices by an associative function: of `first` and, from `place` on, so many `more` elements each.

    Folds of 1, 2, 4 … neighbours are computed at all places; each slice is put together from one of each size at most.
    """
    folds = [rows]
    while rows.shape[0] > (width := 1 << (len(folds) - 1)):
        last = folds[-1]
        if last.shape[0] <= width:
            break
        folds.append(f(slice_in_dim(last, 0, last.shape[0] - width, 1, 0), slice_in_dim(last, width, None, 1, 0)))
    result = first
    for power in reversed(range(len(folds))):
        taken = (more >> power) % 2
        part = AtIndex(folds[power], place).get(mode="clip")
        result = choose(_beside(taken == 1, result), f(result, part), result)
        place = place + (taken << power)
    return result


def _beside(mask: Any, x: Any) -> Any:
    """A mask of axis 0 in a shape that broadcasts with `x`."""
    return reshape(mask, (*mask.shape, *[1] * (x.ndim - mask.ndim)))


def _check_starts(name: str, starts: np.ndarray, axis: int, length: int) -> None:
    wrong = starts[(starts < 0) | (starts >= length)]
    if wrong.size:
        raise OutOfBoundsError(f"{name}.reduceat: index {wrong[0]} is out of bounds for axis {axis} of length {length}")


def _longest(starts: np.ndarray, length: int) -> int:
    return max(int(np.diff(starts, append=length).max()) - 1, 0)


# -- who has them -----------------------------------------------------------------------------------------------------


def frompyfunc(func: Callable[..., Any], /, nin: int, nout: int, *, identity: Any = None) -> ufunc:
    """A function of scalars made a function of arrays, element by element, with the methods of a `ufunc`.

    Unlike NumPy's, its results have a dtype, and it can be differentiated, batched and compiled.

    Args:
        func: takes `nin` scalars; returns one, or a tuple of `nout`.
        nin: the number of operands.
        nout: the number of results.
        identity: what a reduction starts from, and gives for no elements.

    Example:
        >>> larger = fnp.frompyfunc(lambda x, y: fnp.where(x > y, x, y), 2, 1)
        >>> larger.reduce(fnp.array([3, 8, 5]))
        Array(8, dtype=int32)
    """
    mapped = vectorize(func)

    def apply(*args: Any) -> Any:
        if len(args) != nin:
            raise ArgumentError(f"{apply.__name__} takes {nin} operand{'s' * (nin != 1)}, got {len(args)}")
        results = mapped(*args)
        found = len(results) if isinstance(results, tuple) else 1
        if found != nout:
            raise ArgumentError(f"{apply.__name__} returned {found} result{'s' * (found != 1)} in place of {nout}")
        return results

    apply.__name__, apply.__doc__ = getattr(func, "__name__", "function"), func.__doc__
    return ufunc(apply, nin, nout, identity)


_METHODS_OF: dict[Any, ufunc] = {}


def _give_methods(function: Any, native: np.ufunc) -> None:
    """Give a function the attributes of a `ufunc`, those of NumPy's of that name."""
    usual = Fold(chars=FLOATING if f"{'f' * native.nin}->f" in native.types else "")
    fold = FOLDS.get(native.__name__, usual)
    methods = ufunc(function, native.nin, native.nout, native.identity, fold, native)
    _METHODS_OF[function] = methods
    for name in ("nin", "nout", "nargs", "identity", "reduce", "accumulate", "reduceat", "outer", "at"):
        setattr(function, name, getattr(methods, name))


for _module in _MODULES:
    for _name in _module.__all__:
        if isinstance(getattr(np, _name, None), np.ufunc):
            _give_methods(getattr(_module, _name), getattr(np, _name))
