"""Random numbers by counters and keys: the same bits as `jax.random` for the same seed, eager or compiled, everywhere.

A key is a value: who draws says with which key, and the same key always gives the same numbers. So a key is used once,
for drawing or for splitting; a second use is an error unless `config.check_key_reuse` is off.

    key = fg.random.key(0)
    key, subkey = fg.random.split(key)
    x = fg.random.normal(subkey, (3,))
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from . import tree
from .backend.array import Array
from .config import config
from .core.dtypes import (
    BOOL,
    DTypeLike,
    canonical,
    default_float,
    default_int,
    is_complex,
    is_float,
    is_integer,
    real_dtype,
)
from .core.trace import Tracer
from .core.types import ArrayType, Shape
from .errors import ArgumentError, DTypeError, KeyReuseError, OutOfBoundsError, ShapeError
from .numpy.conversion import SCALARS, as_operand, asarray, known
from .numpy.indexing import getitem, take
from .ops.bits import and_, or_, shift_left, shift_right_logical, xor
from .ops.complex_parts import complex_
from .ops.cumulative import cumsum
from .ops.elementwise import absolute as magnitude
from .ops.elementwise import add, clamp, div, gt, le, lt, maximum, mul, neg, nextafter, rem, sign, sub, where
from .ops.exponential import log, log1p
from .ops.random_bits import multiply_add, threefry
from .ops.reduction import argmax
from .ops.slicing import concatenate, slice_in_dim
from .ops.sorting import sort_together, top_k
from .ops.special import erf, erf_inv
from .ops.structure import (
    bitcast_convert_type,
    broadcast,
    canonical_axis,
    convert,
    full,
    iota,
    move_axis,
    reshape,
    transpose,
    zeros_of,
)
from .source import Source, user_source

__all__ = [
    "Key",
    "PRNGKey",
    "bernoulli",
    "bits",
    "categorical",
    "choice",
    "exponential",
    "fold_in",
    "gumbel",
    "key",
    "key_data",
    "laplace",
    "logistic",
    "normal",
    "permutation",
    "rademacher",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
    "wrap_key_data",
]

UINT32, UINT64 = np.dtype(np.uint32), np.dtype(np.uint64)
_UNSIGNED = {1: np.dtype(np.uint8), 2: np.dtype(np.uint16), 4: UINT32, 8: UINT64}

# -- keys ----------------------------------------------------------------------------------------------------------


class Key:
    """A random key, or an array of keys: a pytree whose one leaf holds two uint32 words a key.

    Made by `key`, `split`, `fold_in` and `wrap_key_data`. Arrays of keys are indexed and unpacked like arrays.

    Attributes:
        shape: () for a single key.
    """

    __slots__ = ("_data", "_elements", "_used")

    def __init__(self, data: Any) -> None:
        self._data = data
        self._elements: dict[int, Key] = {}
        self._used: tuple[str, Source | None] | None = None

    @property
    def shape(self) -> Shape:
        return self._data.shape[:-1]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("a single key has no length; `key, subkey = fg.random.split(key)` makes two of it")
        return self.shape[0]

    def __iter__(self) -> Iterator[Key]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Key:
        if isinstance(index, int):
            if not -len(self) <= index < len(self):
                raise OutOfBoundsError(f"index {index} is out of bounds for an array of keys of shape {self.shape}")
            index %= len(self)
            # One object an element, so that using keys[0] twice is noticed.
            if index not in self._elements:
                self._elements[index] = Key(getitem(self._data, index))
            return self._elements[index]
        entries = index if isinstance(index, tuple) else (index,)
        tail = () if any(entry is ... for entry in entries) else (...,)
        return Key(getitem(self._data, (*entries, *tail, slice(None))))

    def __repr__(self) -> str:
        data = self._data
        words = (
            data.host().tolist() if isinstance(data, Array) else "traced" if isinstance(data, Tracer) else repr(data)
        )
        return f"Key({words})"


tree.register_node(Key, lambda key: ((key._data,), None), lambda _, children: Key(children[0]))


def key(seed: Any) -> Key:
    """A key from an integer.

    Args:
        seed: a Python int of at most 64 bits, or an integer scalar (which may be traced).

    Returns:
        a single key. A seed that fits 32 bits gives the key that jax.random makes of it.

    Raises:
        ArgumentError: a seed that is not an integer scalar.

    Example:
        >>> fg.random.key(42)
        Key([0, 42])
    """
    return Key(_seeded(seed))


def PRNGKey(seed: Any) -> Any:
    """As `key`, but the bare uint32[2] array, which is not checked for being used twice."""
    return _seeded(seed)


def _seeded(seed: Any) -> Any:
    if isinstance(seed, int):
        if not -(1 << 63) <= seed < 1 << 64:
            raise ArgumentError(f"the seed {seed} has more than 64 bits")
        fits = -(1 << 31) <= seed < 1 << 32
        return Array(np.array([0 if fits else (seed >> 32) & 0xFFFFFFFF, seed & 0xFFFFFFFF], UINT32))
    seed = None if isinstance(seed, Key) else as_operand(seed)
    if seed is None or seed.shape or not is_integer(seed.dtype):
        raise ArgumentError(
            f"a seed is one integer, not {'a key' if seed is None else seed.type}; "
            f"for several keys write fg.random.split(fg.random.key(seed), num)"
        )
    if seed.dtype.itemsize < 8:
        low = convert(seed, UINT32)
        return _join(zeros_of(low.type), low)
    wide = convert(seed, UINT64)
    high = shift_right_logical(wide, full(wide.type, 32))
    return _join(convert(high, UINT32), convert(and_(wide, full(wide.type, 0xFFFFFFFF)), UINT32))


def _join(high: Any, low: Any) -> Any:
    """Two words as a key's data, along a new last axis."""
    return concatenate([reshape(word, (*word.shape, 1)) for word in (high, low)], high.ndim)


def key_data(keys: Any) -> Any:
    """The words of a key or an array of keys: uint32 of shape (*keys.shape, 2)."""
    return keys._data if isinstance(keys, Key) else _words(keys)


def wrap_key_data(key_bits_array: Any) -> Key:
    """Keys from their words: uint32 of shape (*shape, 2)."""
    return Key(_words(key_bits_array))


def _words(data: Any) -> Any:
    data = as_operand(data)
    if data.dtype != UINT32 or data.shape[-1:] != (2,):
        raise DTypeError(f"a key is a Key or a uint32 array whose last axis has length 2, not {data.type}")
    return data


def _peek(given: Any, name: str) -> Any:
    """The words of a single unused key."""
    if not isinstance(given, Key):
        data = _words(given)
    else:
        data = given._data
        if given._used is not None and config.current.check_key_reuse:
            use, source = given._used
            raise KeyReuseError(
                f"random.{name}: this key was already used by random.{use}"
                f"{'' if source is None else f' at {source}'}\n"
                f"The same key gives the same numbers again. Split it before its first use:\n"
                f"    key, subkey = fg.random.split(key)\n"
                f"and use `subkey`; to repeat a draw on purpose, write with fg.config(check_key_reuse=False)."
            )
    if data.ndim != 1:
        raise ShapeError(
            f"random.{name} takes one key, not an array of keys of shape {data.shape[:-1]}; "
            f"map over them: fg.vmap(lambda key: fg.random.{name}(key, …))(keys)"
        )
    return data


def _consume(given: Any, name: str) -> Any:
    """The words of a single key, which counts as used from now on."""
    data = _peek(given, name)
    if isinstance(given, Key):
        given._used = name, user_source()
    return data


def split(key: Any, num: int | Sequence[int] = 2) -> Any:
    """Independent new keys from one key, which is used up.

    Args:
        key: a single key.
        num: how many, or the shape of the array of keys.

    Returns:
        an array of keys of shape (num,), or of shape `num`.

    Raises:
        KeyReuseError: the key was used before.

    Example:
        >>> key, subkey = fg.random.split(fg.random.key(0))
    """
    keys = _split(_consume(key, "split"), _shape(num, "split"))
    return Key(keys) if isinstance(key, Key) else keys


def _split(data: Any, shape: Shape) -> Any:
    return _join(*threefry(data, *_counters(shape)))


def _pair(data: Any) -> list[Any]:
    keys = _split(data, (2,))
    return [reshape(slice_in_dim(keys, i, i + 1), (2,)) for i in (0, 1)]


def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer; the key may be folded with other integers, too.

    Args:
        key: a single key that was not used for drawing or splitting.
        data: a Python int from 0 to 2**32 - 1, or an integer scalar, such as a step number.

    Returns:
        a single key.
    """
    words = _peek(key, "fold_in")
    if isinstance(data, int):
        if not 0 <= data < 1 << 32:
            raise ArgumentError(f"fold_in: data={data}; expected an integer from 0 to 2**32 - 1")
        counter = full(ArrayType((1,), UINT32), data)
    else:
        data = as_operand(data)
        if data.shape or not is_integer(data.dtype):
            raise ArgumentError(f"fold_in: data is one integer, not {data.type}; map over several with fg.vmap")
        counter = reshape(convert(data, UINT32), (1,))
    folded = concatenate(threefry(words, zeros_of(counter.type), counter), 0)
    return Key(folded) if isinstance(key, Key) else folded


# -- bits and uniform numbers --------------------------------------------------------------------------------------


def _shape(shape: int | Sequence[int], name: str) -> Shape:
    try:
        lengths = tuple(operator.index(n) for n in shape) if isinstance(shape, Sequence) else (operator.index(shape),)
    except TypeError:
        raise ArgumentError(f"random.{name}: a shape is a tuple of integers, not {shape!r}") from None
    if any(n < 0 for n in lengths):
        raise ArgumentError(f"random.{name}: the shape {lengths} has a negative length")
    return lengths


def _counters(shape: Shape) -> tuple[Any, Any]:
    """The numbers of the elements of an array, in C order, as high and low words."""
    size = math.prod(shape)
    if size <= 1 << 32:
        low = reshape(iota(UINT32, (size,)), shape)
        return zeros_of(low.type), low
    count = reshape(iota(UINT64, (size,)), shape)
    high = shift_right_logical(count, full(count.type, 32))
    return convert(high, UINT32), convert(and_(count, full(count.type, 0xFFFFFFFF)), UINT32)


def _bits(data: Any, shape: Shape, dtype: np.dtype) -> Any:
    first, second = threefry(data, *_counters(shape))
    if dtype != UINT64:
        return convert(xor(first, second), dtype)
    high = convert(first, UINT64)
    return or_(shift_left(high, full(high.type, 32)), convert(second, UINT64))


def bits(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Uniform random bits.

    Args:
        key: a single unused key.
        shape: of the result.
        dtype: an unsigned integer dtype; by default as wide as the default int.
    """
    dtype = _UNSIGNED[default_int().itemsize] if dtype is None else canonical(dtype)
    if dtype not in _UNSIGNED.values():
        raise DTypeError(f"random.bits gives unsigned integers, not {dtype.name}")
    return _bits(_consume(key, "bits"), _shape(shape, "bits"), dtype)


def _float_dtype(dtype: DTypeLike | None, name: str) -> np.dtype:
    found = default_float() if dtype is None else canonical(dtype)
    if not is_float(found) or ml_dtypes.finfo(found).nmant == 0:
        raise DTypeError(f"random.{name} gives floating-point numbers, not {found.name}")
    return found


def _parameter(value: Any, dtype: np.dtype, shape: Shape) -> Any:
    return broadcast(asarray(value, dtype), shape)


def uniform(
    key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None, minval: Any = 0.0, maxval: Any = 1.0
) -> Any:
    """Uniform numbers from `minval` (included) to `maxval` (excluded, but for rounding).

    Args:
        key: a single unused key.
        shape: of the result; the bounds broadcast to it.
        dtype: a floating dtype; by default the default float.
    """
    dtype = _float_dtype(dtype, "uniform")
    return _uniform(_consume(key, "uniform"), _shape(shape, "uniform"), dtype, minval, maxval)


def _uniform(data: Any, shape: Shape, dtype: np.dtype, minval: Any = 0.0, maxval: Any = 1.0) -> Any:
    limits, unsigned = ml_dtypes.finfo(dtype), _UNSIGNED[dtype.itemsize]
    drawn = np.dtype(np.uint8) if limits.nmant < 8 else unsigned
    raw = convert(_bits(data, shape, drawn), unsigned)
    # Random bits as the mantissa of a number from 1 to 2.
    mantissa = shift_right_logical(raw, full(raw.type, 8 * drawn.itemsize - limits.nmant))
    one = np.ones((), dtype).view(unsigned)
    numbers = bitcast_convert_type(or_(mantissa, full(raw.type, one)), dtype)
    numbers = sub(numbers, full(numbers.type, 1))
    if type(minval) in SCALARS and type(maxval) in SCALARS and (minval, maxval) == (0, 1):
        return numbers
    low, high = _parameter(minval, dtype, shape), _parameter(maxval, dtype, shape)
    return maximum(low, multiply_add(numbers, sub(high, low), low))


def randint(key: Any, shape: int | Sequence[int], minval: Any, maxval: Any, dtype: DTypeLike | None = None) -> Any:
    """Uniform integers from `minval` (included) to `maxval` (excluded).

    Args:
        key: a single unused key.
        shape: of the result; the bounds broadcast to it.
        minval, maxval: integers. Where arrays say maxval <= minval, the result is minval.
        dtype: an integer dtype; by default the default int.

    Raises:
        ArgumentError: Python ints with maxval <= minval.
    """
    dtype = default_int() if dtype is None else canonical(dtype)
    if not is_integer(dtype):
        raise DTypeError(f"random.randint gives integers, not {dtype.name}")
    if isinstance(minval, int) and isinstance(maxval, int) and minval >= maxval:
        raise ArgumentError(f"randint: there is no integer from minval={minval} to below maxval={maxval}")
    return _randint(_consume(key, "randint"), _shape(shape, "randint"), minval, maxval, dtype)


def _randint(data: Any, shape: Shape, minval: Any, maxval: Any, dtype: np.dtype) -> Any:
    # Twice the bits of the dtype, modulo the span, keep the bias of the remainder small; so do at least 32 of them.
    limits, narrow = np.iinfo(dtype), dtype.itemsize < 4
    wide = np.dtype(np.int32) if narrow else dtype
    unsigned = _UNSIGNED[wide.itemsize]
    higher, lower = (_bits(part, shape, unsigned) for part in _pair(data))
    low, _ = _bound(minval, wide, limits.min, limits.max, shape)
    high, beyond = _bound(maxval, wide, limits.min, limits.max + narrow, shape)
    span = convert(sub(high, low), unsigned)
    one, empty = full(span.type, 1), le(high, low)
    if not narrow:
        # The span that is the whole range wraps to 0, and a remainder by 0 is the dividend.
        span = where(beyond, add(span, one), span)
    span = where(empty, one, span)
    half = rem(full(span.type, 1 << 4 * wide.itemsize), span)
    multiplier = rem(mul(half, half), span)
    offset = rem(add(mul(rem(higher, span), multiplier), rem(lower, span)), span)
    return convert(add(low, convert(offset, wide)), dtype)


def _bound(value: Any, dtype: np.dtype, lowest: int, highest: int, shape: Shape) -> tuple[Any, Any]:
    """A bound of `randint`, in `dtype`, held between two others, and whether it was above the higher one."""
    if isinstance(value, int):
        clipped = full(ArrayType(shape, dtype), min(max(value, lowest), highest))
        return clipped, full(ArrayType(shape, BOOL), value > highest)
    x = as_operand(value)
    if not is_integer(x.dtype):
        x = convert(x, default_int())
    own = np.iinfo(x.dtype)
    low, high = (full(ArrayType((), x.dtype), min(max(n, own.min), own.max)) for n in (lowest, highest))
    above = gt(x, broadcast(high, x.shape))
    return _parameter(clamp(low, x, high), dtype, shape), broadcast(above, shape)


# -- distributions -------------------------------------------------------------------------------------------------


def normal(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Standard normal numbers: √2 erf⁻¹(u) of uniform u.

    Args:
        key: a single unused key.
        shape: of the result.
        dtype: a floating dtype, or a complex one, whose parts then have variance 1/2; by default the default float.
    """
    wanted = default_float() if dtype is None else canonical(dtype)
    part = _float_dtype(real_dtype(wanted), "normal")
    data, shape = _consume(key, "normal"), _shape(shape, "normal")
    if not is_complex(wanted):
        return _normal(data, shape, part)
    parts = [_normal(piece, shape, part) for piece in _pair(data)]
    return complex_(*(div(x, full(x.type, math.sqrt(2))) for x in parts))


def _normal(data: Any, shape: Shape, dtype: np.dtype) -> Any:
    lowest = Array(np.nextafter(np.array(-1, dtype), np.array(0, dtype)))
    x = erf_inv(_uniform(data, shape, dtype, lowest, 1.0))
    return mul(full(x.type, math.sqrt(2)), x)


def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: int | Sequence[int] | None = None, dtype: DTypeLike | None = None
) -> Any:
    """Standard normal numbers between bounds.

    Args:
        key: a single unused key.
        lower, upper: bounds, which broadcast to `shape`.
        shape: of the result; by default that of the bounds.
        dtype: a floating dtype; by default the default float.
    """
    dtype, data = _float_dtype(dtype, "truncated_normal"), _consume(key, "truncated_normal")
    low, high = asarray(lower, dtype), asarray(upper, dtype)
    shape = np.broadcast_shapes(low.shape, high.shape) if shape is None else _shape(shape, "truncated_normal")
    low, high = broadcast(low, shape), broadcast(high, shape)
    root = full(low.type, math.sqrt(2))
    u = _uniform(data, shape, dtype, erf(div(low, root)), erf(div(high, root)))
    infinity = full(low.type, np.inf)
    return clamp(nextafter(low, infinity), mul(root, erf_inv(u)), nextafter(high, neg(infinity)))


def bernoulli(key: Any, p: Any = 0.5, shape: int | Sequence[int] | None = None, mode: str = "low") -> Any:
    """Booleans that are True with probability `p`.

    Args:
        key: a single unused key.
        p: probabilities of a floating dtype, which broadcast to `shape`.
        shape: of the result; by default that of `p`.
        mode: "high" draws twice as many bits, which matters for probabilities near 1e-7 in float32.
    """
    p = as_operand(p)
    if not is_float(p.dtype):
        raise DTypeError(f"random.bernoulli: p has a floating dtype, not {p.dtype.name}")
    if mode not in ("low", "high"):
        raise ArgumentError(f"bernoulli: mode={mode!r}; expected 'low' or 'high'")
    data, drawn = _consume(key, "bernoulli"), p.shape if shape is None else _shape(shape, "bernoulli")
    p = broadcast(p, drawn)
    if mode == "low":
        return lt(_uniform(data, drawn, p.dtype), p)
    both = _uniform(data, (2, *drawn), p.dtype)
    coarse, fine = (reshape(slice_in_dim(both, i, i + 1), drawn) for i in (0, 1))
    resolution = full(fine.type, 2.0 ** -ml_dtypes.finfo(p.dtype).nmant)
    return lt(mul(fine, resolution), sub(p, coarse))


def rademacher(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """-1 or 1 with equal probability, of the default int unless `dtype` says otherwise."""
    dtype = default_int() if dtype is None else canonical(dtype)
    heads = _uniform(_consume(key, "rademacher"), _shape(shape, "rademacher"), default_float())
    heads = lt(heads, full(heads.type, 0.5))
    result = ArrayType(heads.shape, dtype)
    return where(heads, full(result, 1), full(result, np.array(-1).astype(dtype)))


def exponential(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Numbers of the exponential distribution with mean 1."""
    dtype = _float_dtype(dtype, "exponential")
    return neg(log1p(neg(_uniform(_consume(key, "exponential"), _shape(shape, "exponential"), dtype))))


def gumbel(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Numbers of the standard Gumbel distribution, -log(-log u)."""
    dtype = _float_dtype(dtype, "gumbel")
    return _gumbel(_consume(key, "gumbel"), _shape(shape, "gumbel"), dtype)


def _gumbel(data: Any, shape: Shape, dtype: np.dtype) -> Any:
    return neg(log(neg(log(_uniform(data, shape, dtype, _smallest(dtype), 1.0)))))


def _smallest(dtype: np.dtype) -> Array:
    return Array(np.array(ml_dtypes.finfo(dtype).smallest_normal, dtype))


def laplace(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Numbers of the Laplace distribution with mean 0 and scale 1."""
    dtype = _float_dtype(dtype, "laplace")
    lowest = Array(np.array(-1.0 + float(ml_dtypes.finfo(dtype).epsneg), dtype))
    u = _uniform(_consume(key, "laplace"), _shape(shape, "laplace"), dtype, lowest, 1.0)
    return mul(sign(u), log1p(neg(magnitude(u))))


def logistic(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Numbers of the standard logistic distribution, log(u / (1 - u))."""
    dtype = _float_dtype(dtype, "logistic")
    u = _uniform(_consume(key, "logistic"), _shape(shape, "logistic"), dtype, _smallest(dtype), 1.0)
    return sub(log(u), log1p(neg(u)))


# -- choosing ------------------------------------------------------------------------------------------------------


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """The elements of `x` in random order along an axis.

    Args:
        key: a single unused key.
        x: array, or a Python int n for the numbers 0 … n - 1.
        axis: to shuffle along.
        independent: shuffle every line along the axis in its own way, rather than all alike.
    """
    data = _consume(key, "permutation")
    x = as_operand(x)
    if x.ndim == 0:
        if not is_integer(x.dtype):
            raise DTypeError(f"permutation takes an integer or an array with an axis, not {x.type}")
        return _shuffle(data, iota(default_int(), (int(known(x, "permutation(key, x)")),)), 0)
    axis = canonical_axis(axis, x.ndim)
    if independent or x.ndim == 1:
        return _shuffle(data, x, axis)
    order = _shuffle(data, iota(default_int(), (x.shape[axis],)), 0)
    return take(x, order, axis, mode="clip")


def _shuffle(data: Any, x: Any, axis: int) -> Any:
    # Sorting by random words leaves equal words in order, so it is repeated until ties of all rounds are unlikely.
    rounds = math.ceil(3 * math.log(max(1, x.type.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        data, piece = _pair(data)
        x = sort_together((_bits(piece, x.shape, UINT32), x), axis)[1]
    return x


def choice(
    key: Any, a: Any, shape: int | Sequence[int] = (), replace: bool = True, p: Any = None, axis: int = 0
) -> Any:
    """Random elements of `a`.

    Args:
        key: a single unused key.
        a: array to choose from along `axis`, or a Python int n for the numbers 0 … n - 1.
        shape: of what is chosen; it stands in the result where `axis` was.
        replace: whether an element may be chosen more than once.
        p: probabilities, one an element; by default all alike.
        axis: to choose along.

    Raises:
        ArgumentError: nothing to choose from, or more asked for than there is without replacement.
    """
    shape, a = _shape(shape, "choice"), as_operand(a)
    axis = canonical_axis(axis, a.ndim) if a.ndim else 0
    count = a.shape[axis] if a.ndim else int(known(a, "choice(key, a)"))
    wanted = math.prod(shape)
    result_shape = (*a.shape[:axis], *shape, *a.shape[axis + 1 :])
    if wanted == 0:
        return zeros_of(ArrayType(result_shape, a.dtype if a.ndim else default_int()))
    if count <= 0 or (not replace and wanted > count):
        raise ArgumentError(
            f"choice: cannot choose {wanted} out of {count} elements{'' if replace else ' without replacement'}"
        )
    data = _consume(key, "choice")
    if p is not None:
        chosen = _weighted(data, as_operand(p), shape, count, replace)
    elif replace:
        chosen = _randint(data, shape, 0, count, default_int())
    elif a.ndim == 0:
        return reshape(slice_in_dim(_shuffle(data, iota(default_int(), (count,)), 0), 0, wanted), shape)
    elif a.ndim == 1:
        return reshape(slice_in_dim(_shuffle(data, a, 0), 0, wanted), shape)
    else:
        chosen = slice_in_dim(_shuffle(data, iota(default_int(), (count,)), 0), 0, wanted)
    return reshape(take(a, chosen, axis, mode="clip") if a.ndim else chosen, result_shape)


def _weighted(data: Any, p: Any, shape: Shape, count: int, replace: bool) -> Any:
    """Indices chosen with given probabilities."""
    if p.shape != (count,):
        raise ShapeError(f"choice: p has shape {p.shape}, but there are {count} elements to choose from")
    if not is_float(p.dtype):
        p = convert(p, default_float())
    if not replace:
        noise = _gumbel(data, (count,), p.dtype)
        return convert(reshape(top_k(add(noise, log(p)), math.prod(shape))[1], shape), default_int())
    steps = cumsum(p)
    total = broadcast(reshape(slice_in_dim(steps, -1, None), ()), shape)
    u = _uniform(data, shape, p.dtype)
    return _first_not_below(steps, mul(total, sub(full(u.type, 1), u)))


def _first_not_below(ascending: Any, values: Any) -> Any:
    """Per value, how many of the ascending numbers are below it, by bisection."""
    count = ascending.shape[0]
    found = zeros_of(ArrayType(values.shape, default_int()))
    for exponent in range(count.bit_length() - 1, -1, -1):
        reached = add(found, full(found.type, 1 << exponent))
        below = lt(take(ascending, sub(reached, full(found.type, 1)), 0, mode="clip"), values)
        below = and_(below, le(reached, full(found.type, count)))
        found = where(below, reached, found)
    return found


def categorical(
    key: Any, logits: Any, axis: int = -1, shape: int | Sequence[int] | None = None, replace: bool = True
) -> Any:
    """Indices with probabilities proportional to exp(logits), by the Gumbel-max trick.

    Args:
        key: a single unused key.
        logits: unnormalised log probabilities along `axis`.
        axis: of the categories.
        shape: of the result; ends with the shape of `logits` without `axis`, which is the default.
        replace: whether the draws of one row, along the leading axes of `shape`, may repeat a category.

    Returns:
        indices of the default int.
    """
    data, logits = _consume(key, "categorical"), as_operand(logits)
    if not is_float(logits.dtype):
        raise DTypeError(f"categorical: logits have a floating dtype, not {logits.dtype.name}")
    axis = canonical_axis(axis, logits.ndim)
    rest = (*logits.shape[:axis], *logits.shape[axis + 1 :])
    shape = rest if shape is None else _shape(shape, "categorical")
    lead = len(shape) - len(rest)
    if lead < 0 or shape[lead:] != rest:
        raise ShapeError(f"categorical: the shape {shape} must end with {rest}, the logits' shape without axis {axis}")
    if replace:
        drawn = (*shape[:lead], *logits.shape)
        perturbed = add(_gumbel(data, drawn, logits.dtype), broadcast(logits, drawn))
        return argmax(perturbed, lead + axis, default_int())
    draws = math.prod(shape[:lead])
    if draws > logits.shape[axis]:
        raise ArgumentError(f"categorical: cannot draw {draws} of {logits.shape[axis]} categories without replacement")
    perturbed = add(_gumbel(data, logits.shape, logits.dtype), logits)
    indices = top_k(move_axis(perturbed, axis, logits.ndim - 1), draws)[1]
    order = (indices.ndim - 1, *range(indices.ndim - 1))
    return convert(reshape(transpose(indices, order), shape), default_int())
