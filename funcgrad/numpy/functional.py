"""Functions of scalars, vectors or positions as functions of whole arrays, and arrays of iterables, bytes and text."""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import DTypeLike, canonical, is_low_precision, scalar_dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops.structure import canonical_axis, convert, expand_dims, move_axis, reshape, transpose
from ..transforms.arguments import strong
from ..transforms.vmap import vmap
from .conversion import SCALARS, as_operand, asarray, scalar_array
from .creation import indices
from .promotion import broadcast_shapes

__all__ = [
    "apply_along_axis", "apply_over_axes", "frombuffer", "fromfunction", "fromiter", "fromstring", "iterable",
    "vectorize",
]  # fmt: skip

# -- vectorize --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Signature:
    """Which trailing axes a function takes and returns: "(m,n),(n)->(m)" as names of axes.

    Args:
        inputs: the axes of each operand.
        outputs: the axes of each result.
    """

    inputs: tuple[tuple[str, ...], ...]
    outputs: tuple[tuple[str, ...], ...]

    @staticmethod
    def parse(text: str) -> Signature:
        """The signature that a text means.

        Raises:
            ArgumentError: the text is not one.
        """
        plain = re.sub(r"\s", "", text)
        group = r"\((?:\w+(?:,\w+)*)?\)"
        if not re.fullmatch(rf"(?:{group}(?:,{group})*)?->{group}(?:,{group})*", plain):
            raise ArgumentError(f"{text!r} is not a signature; write one such as '(m,n),(n)->(m)' or '()->(k)'")
        sides = (re.findall(group, side) for side in plain.split("->"))
        inputs, outputs = (tuple(tuple(filter(None, g[1:-1].split(","))) for g in side) for side in sides)
        return Signature(inputs, outputs)

    def bind(self, name: str, operands: Sequence[Any]) -> dict[str, int]:
        """The lengths of the named axes of operands.

        Raises:
            ShapeError: an operand lacks an axis, or two lengths of one name differ.
        """
        if len(operands) != len(self.inputs):
            raise ArgumentError(
                f"{name}: the signature {self} has {len(self.inputs)} operands, the call {len(operands)}"
            )
        lengths: dict[str, int] = {}
        for number, (x, names) in enumerate(zip(operands, self.inputs, strict=True)):
            if x.ndim < len(names):
                raise ShapeError(
                    f"{name}: operand {number} of shape {x.shape} lacks axes {names} of the signature {self}"
                )
            self._extend(lengths, names, x.shape[x.ndim - len(names) :], f"{name}: operand {number} of shape {x.shape}")
        return lengths

    def check(self, name: str, results: Sequence[Any], lengths: dict[str, int]) -> None:
        """Raise a ShapeError if results lack the axes that they should have."""
        found = dict(lengths)
        for number, (x, names) in enumerate(zip(results, self.outputs, strict=True)):
            what = f"{name}: result {number} of shape {x.shape}"
            if x.ndim != len(names):
                raise ShapeError(f"{what} does not have the axes {names} of the signature {self}")
            self._extend(found, names, x.shape, what)

    def _extend(self, lengths: dict[str, int], names: Sequence[str], shape: Sequence[int], what: str) -> None:
        for name, length in zip(names, shape, strict=True):
            if lengths.setdefault(name, length) != length:
                raise ShapeError(
                    f"{what} has length {length} along {name!r} of the signature {self}, but {name!r} is "
                    f"{lengths[name]}"
                )

    def __str__(self) -> str:
        sides = (",".join(f"({','.join(names)})" for names in side) for side in (self.inputs, self.outputs))
        return repr("->".join(sides))


def vectorize(
    pyfunc: Callable[..., Any] | None = None,
    otypes: Any = None,
    doc: str | None = None,
    excluded: Iterable[int | str] | None = None,
    cache: bool = False,
    signature: str | None = None,
) -> Callable[..., Any]:
    """A function of scalars, or of small arrays, made a function of arrays that broadcast.

    `pyfunc` is called once, on values that stand for all elements (by `vmap`), so that the result is as fast as if it
    had been written for arrays, and can be differentiated and compiled.

    Args:
        pyfunc: returns an array, or a tuple of arrays. Without it the result is a decorator.
        otypes: the dtypes of the results: a string of NumPy's letters, or a list of dtypes; by default what they are.
        doc: the docstring; by default that of `pyfunc`.
        excluded: positions and names of arguments that are handed on as they are.
        cache: accepted for NumPy's sake and not needed.
        signature: the trailing axes that `pyfunc` takes and returns, such as "(m,n),(n)->(m)"; by default none.

    Returns:
        A function of arrays: leading axes broadcast, those of the signature go to `pyfunc`.

    Raises:
        ShapeError: axes that do not broadcast or do not fit the signature.

    Example:
        >>> @fnp.vectorize
        ... def clipped(x, limit):
        ...     return fnp.where(x > limit, limit, x)
        >>> clipped(fnp.array([[1], [5]]), fnp.array([2, 4])).tolist()
        [[1, 1], [2, 4]]
        >>> normalize = fnp.vectorize(lambda v: v / fnp.sqrt(v @ v), signature="(n)->(n)")
        >>> normalize(fnp.array([[3.0, 4.0], [0.0, 2.0]])).tolist()[1]
        [0.0, 1.0]
    """
    if pyfunc is None:
        return lambda f: vectorize(f, otypes, doc, excluded, cache, signature)
    if not callable(pyfunc):
        raise DTypeError(f"vectorize takes a function, not {pyfunc!r}")
    axes = None if signature is None else Signature.parse(signature)
    wanted = None if otypes is None else [canonical(t) for t in otypes]
    mapped = _mapped(pyfunc, axes, wanted, frozenset(() if excluded is None else excluded))
    if doc is not None:
        mapped.__doc__ = doc
    return mapped


def _mapped(
    pyfunc: Callable[..., Any], axes: Signature | None, wanted: list[np.dtype] | None, fixed: frozenset[int | str]
) -> Callable[..., Any]:
    name = getattr(pyfunc, "__name__", type(pyfunc).__name__)

    @wraps(pyfunc)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        places = [i for i in range(len(args)) if i not in fixed]
        names = [key for key in kwargs if key not in fixed]
        operands = [_adaptable(x) for x in (*(args[i] for i in places), *(kwargs[key] for key in names))]
        found = axes if axes is not None else Signature(((),) * len(operands), ())
        lengths = found.bind(name, operands)

        def on_core(*values: Any) -> Any:
            given = list(args)
            for place, value in zip(places, values, strict=False):
                given[place] = value
            results = pyfunc(*given, **{**kwargs, **dict(zip(names, values[len(places) :], strict=True))})
            return _checked_results(name, results, axes, lengths, wanted)

        return _over_leading_axes(on_core, operands, [len(core) for core in found.inputs])

    return mapped


def _adaptable(x: Any) -> Any:
    """An argument as an array; a Python number still adapts to the dtype of others."""
    return scalar_array(x, scalar_dtype(type(x)), (), True) if type(x) in SCALARS else as_operand(x)


def _checked_results(
    name: str, results: Any, axes: Signature | None, lengths: dict[str, int], dtypes: list[np.dtype] | None
) -> Any:
    several = isinstance(results, tuple | list)
    found = [as_operand(x) for x in results] if several else [as_operand(results)]
    expected = len(axes.outputs) if axes is not None else len(dtypes) if dtypes is not None else len(found)
    if len(found) != expected:
        raise ArgumentError(f"{name} returned {len(found)} result{'s' * (len(found) != 1)} in place of {expected}")
    if axes is not None:
        axes.check(name, found, lengths)
        several = len(found) > 1
    for x in found if axes is None else ():
        if x.ndim:
            raise ShapeError(f"{name} returned shape {x.shape} for scalars; say which axes it has: signature='…->(n)'")
    found = [strong(x) if dtypes is None else convert(x, dtypes[i]) for i, x in enumerate(found)]
    return tuple(found) if several else found[0]


def _over_leading_axes(function: Callable[..., Any], operands: list[Any], cores: list[int]) -> Any:
    """`function` mapped over the leading axes of operands, which broadcast; the last `cores[i]` axes are left to it."""
    leading = [x.shape[: x.ndim - core] for x, core in zip(operands, cores, strict=True)]
    batch = broadcast_shapes(*leading)
    if len(set(leading)) == 1 and len(batch) > 1:
        flat = [reshape(x, (prod(batch), *x.shape[len(batch) :])) for x in operands]
        results = vmap(function)(*flat)
        several = isinstance(results, tuple)
        unfolded = [reshape(x, (*batch, *x.shape[1:])) for x in (results if several else (results,))]
        return tuple(unfolded) if several else unfolded[0]
    present = []
    for number, (x, shape) in enumerate(zip(operands, leading, strict=True)):
        padded = (1,) * (len(batch) - len(shape)) + shape
        here = [
            own == n and len(batch) - axis <= len(shape)
            for axis, (own, n) in enumerate(zip(padded, batch, strict=True))
        ]
        kept = [n for n, is_here in zip(padded, here, strict=True) if is_here]
        operands[number] = reshape(x, (*kept, *x.shape[len(shape) :]))
        present.append(here)
    for axis in reversed(range(len(batch))):
        mapped = [here[axis] for here in present]
        in_axes = 0 if all(mapped) else tuple(0 if one else None for one in mapped)  # an int is quicker
        function = vmap(function, in_axes, axis_size=batch[axis])
    return function(*operands)


# -- along axes -------------------------------------------------------------------------------------------------------


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of vectors applied to all vectors along an axis.

    Args:
        func1d: takes a vector, `args` and `kwargs`; returns a scalar or an array. It is called once, on a vector that
            stands for all of them.
        axis: along which axis of `arr` the vectors lie.
        arr: the array.

    Returns:
        An array in which the axes of what `func1d` returns stand in the place of `axis`.

    Example:
        >>> fnp.apply_along_axis(fnp.cumsum, 0, fnp.array([[1, 2], [3, 4]])).tolist()
        [[1, 2], [4, 6]]
    """
    x = as_operand(arr)
    axis = canonical_axis(axis, x.ndim)
    rows = move_axis(x, axis, x.ndim - 1)

    def on_vector(vector: Any) -> Any:
        return as_operand(func1d(vector, *args, **kwargs))

    result = _over_leading_axes(on_vector, [rows], [1])
    rest = x.ndim - 1
    order = [*range(axis), *range(rest, result.ndim), *range(axis, rest)]
    return transpose(result, tuple(order))


def apply_over_axes(func: Callable[[Any, int], Any], a: Any, axes: int | Sequence[int]) -> Any:
    """`func(a, axis)` for one axis after the other, each time on the last result; axes that `func` drops are kept as 1.

    Raises:
        ShapeError: `func` returns an array of more or far fewer dimensions.
    """
    x = as_operand(a)
    ndim = x.ndim
    for axis in [axes] if isinstance(axes, int) else axes:
        axis = canonical_axis(operator.index(axis), ndim)
        result = as_operand(func(x, axis))
        result = expand_dims(result, (axis,)) if result.ndim == ndim - 1 else result
        if result.ndim != ndim:
            raise ShapeError(
                f"apply_over_axes: the function returned shape {result.shape} for shape {x.shape} and axis {axis}; it "
                f"may keep the number of dimensions or drop the one axis"
            )
        x = result
    return x


def fromfunction(function: Callable[..., Any], shape: Any, *, dtype: DTypeLike = float, **kwargs: Any) -> Any:
    """What a function returns for the coordinates of all elements of a shape, one array for each axis.

    Example:
        >>> fnp.fromfunction(lambda i, j: 10 * i + j, (2, 3), dtype=int).tolist()
        [[0, 1, 2], [10, 11, 12]]
    """
    return function(*indices(shape, canonical(dtype)), **kwargs)


# -- from iterables, bytes and text -----------------------------------------------------------------------------------


def iterable(y: Any) -> bool:
    """Whether a value can be iterated over."""
    try:
        iter(y)
    except TypeError:
        return False
    return True


def fromiter(iter: Iterable[Any], dtype: DTypeLike, count: int = -1) -> Any:
    """A vector of the (first `count`) elements of an iterable.

    Raises:
        ArgumentError: the iterable has fewer than `count` elements.
    """
    found = list(iter if count < 0 else islice(iter, count))
    if len(found) < count:
        raise ArgumentError(f"fromiter: expected {count} elements, but the iterable had only {len(found)}")
    return asarray(found, dtype)


def frombuffer(buffer: Any, dtype: DTypeLike = float, count: int = -1, offset: int = 0) -> Any:
    """A vector of numbers whose bytes are in a buffer, copied.

    Args:
        buffer: bytes, or anything that has the buffer protocol.
        dtype: what the bytes are; `float` means this library's default, float32.
        count: how many numbers; -1 for all.
        offset: how many bytes come before them.

    Raises:
        ArgumentError: the buffer is too short, or its length is no multiple of an element's.
    """
    try:
        return asarray(np.frombuffer(buffer, canonical(dtype), count, offset))
    except ValueError as error:
        raise ArgumentError(f"frombuffer: {error}") from None


def fromstring(string: str, dtype: DTypeLike = float, count: int = -1, *, sep: str) -> Any:
    """A vector of the numbers that a text names.

    Args:
        string: the text.
        dtype: of the result.
        count: how many numbers; -1 for all.
        sep: what stands between them; white space around it does not matter.

    Raises:
        ArgumentError: the text is not such a list of numbers, or too short.

    Example:
        >>> fnp.fromstring("1, 2, 3", dtype=int, sep=",")
        Array([1, 2, 3], dtype=int32)
    """
    if not sep:
        raise ArgumentError("fromstring reads text: pass sep=, what stands between the numbers; frombuffer reads bytes")
    wanted = canonical(dtype)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            host = np.fromstring(string, np.float32 if is_low_precision(wanted) else wanted, count, sep=sep)
    except (DeprecationWarning, ValueError) as error:
        raise ArgumentError(
            f"fromstring: {string[:40]!r} is not a list of numbers with {sep!r} between: {error}"
        ) from None
    return convert(Array(np.array(host)), wanted)
