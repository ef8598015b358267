"""Keys: what says which numbers are drawn; made from seeds, split, folded with data, and used once."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from .. import tree
from ..backend.array import Array
from ..config import config
from ..core.dtypes import (
    UINT32,
    UINT64,
    is_integer,
)
from ..core.trace import Journal, Tracer, state
from ..core.types import ArrayType, Shape
from ..errors import ArgumentError, DTypeError, KeyReuseError, OutOfBoundsError, ShapeError
from ..numpy.conversion import as_operand
from ..numpy.indexing import getitem
from ..ops.bits import and_, shift_right_logical
from ..ops.random_bits import threefry
from ..ops.slicing import concatenate, slice_in_dim
from ..ops.structure import (
    convert,
    full,
    iota,
    reshape,
    zeros_of,
)
from ..source import Source, user_source

__all__ = ["Key", "PRNGKey", "fold_in", "key", "key_data", "split", "wrap_key_data"]


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


def consume(given: Any, name: str) -> Any:
    """The words of a single key, which counts as used from now on."""
    data = _peek(given, name)
    if isinstance(given, Key):
        if state.journals:
            Journal.note(partial(setattr, given, "_used", given._used))
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
    keys = _split(consume(key, "split"), as_shape(num, "split"))
    return Key(keys) if isinstance(key, Key) else keys


def _split(data: Any, shape: Shape) -> Any:
    return _join(*threefry(data, *counters(shape)))


def split_pair(data: Any) -> list[Any]:
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


def as_shape(shape: int | Sequence[int], name: str) -> Shape:
    try:
        lengths = tuple(operator.index(n) for n in shape) if isinstance(shape, Sequence) else (operator.index(shape),)
    except TypeError:
        raise ArgumentError(f"random.{name}: a shape is a tuple of integers, not {shape!r}") from None
    if any(n < 0 for n in lengths):
        raise ArgumentError(f"random.{name}: the shape {lengths} has a negative length")
    return lengths


def counters(shape: Shape) -> tuple[Any, Any]:
    """The numbers of the elements of an array, in C order, as high and low words."""
    size = math.prod(shape)
    if size <= 1 << 32:
        low = reshape(iota(UINT32, (size,)), shape)
        return zeros_of(low.type), low
    count = reshape(iota(UINT64, (size,)), shape)
    high = shift_right_logical(count, full(count.type, 32))
    return convert(high, UINT32), convert(and_(count, full(count.type, 0xFFFFFFFF)), UINT32)
