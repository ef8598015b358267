"""Random bits from counters: the block cipher Threefry-2x32 with 20 rounds.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011). A key and a
counter, of two 32-bit words each, give two words of bits. Nothing depends on order or device, so the bits are the same
everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import FLOAT32, FLOAT64
from ..core.primitive import Primitive, not_differentiable, not_linear
from ..core.types import ArrayType
from ..errors import DTypeError, ShapeError
from .elementwise import mul
from .families import Elementwise, align_batch, same_operands
from .gather import lead_axis

__all__ = ["multiply_add", "threefry"]

UINT32 = np.dtype(np.uint32)
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_BLOCK = 1 << 14  # elements whose working memory stays in the cache
_SHIFTS = {r: (UINT32.type(r), UINT32.type(32 - r)) for rotations in _ROTATIONS for r in rotations}
_FEW = 8  # up to so many elements, Python's integers are quicker than NumPy's calls


class Threefry2x32(Primitive):
    """Operands (key, high, low), uint32: the bits, as two words, of counters of two words each.

    A key of shape (*leading, 2) goes with counters of shape (*leading, ...).
    """

    multiple = True

    def infer(self, key: ArrayType, high: ArrayType, low: ArrayType) -> tuple[ArrayType, ...]:
        result = same_operands(self.name, (high, low))
        if not key.dtype == result.dtype == UINT32:
            raise DTypeError(
                f"threefry2x32 takes uint32 keys and counters, not {key.dtype.name} and {result.dtype.name}"
            )
        if key.shape[-1:] != (2,) or key.shape[:-1] != result.shape[: key.ndim - 1]:
            raise ShapeError(
                f"threefry2x32: a key of shape {key.shape} does not go with counters of shape {result.shape}; "
                f"expected (*leading, 2) and (*leading, ...)"
            )
        return (result.strong(), result.strong())

    def evaluate(self, key: np.ndarray, high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, ...]:
        shape, size = high.shape, high.size
        keys = [key[..., i].reshape(-1) for i in (0, 1)]
        if keys[0].size > 1:
            keys = [np.repeat(word, size // word.size) for word in keys]
        if size <= _FEW:
            columns = [np.broadcast_to(x, size).tolist() for x in (*keys, high.reshape(-1), low.reshape(-1))]
            words = np.array(list(map(_scalar_rounds, *columns)), UINT32).reshape(size, 2)
            return words[:, 0].reshape(shape), words[:, 1].reshape(shape)
        first, second = (np.array(x, order="C").reshape(-1) for x in (high, low))
        for start in range(0, size, _BLOCK):
            block = slice(start, start + _BLOCK)
            k0, k1 = (word[block] if word.size > 1 else word for word in keys)
            _rounds(k0, k1, first[block], second[block])
        return first.reshape(shape), second.reshape(shape)

    def lower(self, build: Any, key: Any, x0: Any, x1: Any) -> tuple[Any, ...]:
        type = build.out_types[0]
        k0, k1 = (_lower_word(build, key, place) for place in (0, 1))
        constants: dict[int, Any] = {}

        def constant(value: int) -> Any:
            if value not in constants:
                constants[value] = build.constant(value, type)
            return constants[value]

        def emit(name: str, a: Any, b: Any) -> Any:
            return build.op(name, (a, b), type)

        schedule = (k0, k1, emit("xor", emit("xor", k0, k1), constant(_PARITY)))
        x0, x1 = emit("add", x0, k0), emit("add", x1, k1)
        for group in range(5):
            for rotation in _ROTATIONS[group % 2]:
                x0 = emit("add", x0, x1)
                high = emit("shift_left", x1, constant(rotation))
                low = emit("shift_right_logical", x1, constant(32 - rotation))
                x1 = emit("xor", emit("or", high, low), x0)
            x0 = emit("add", x0, schedule[(group + 1) % 3])
            x1 = emit("add", emit("add", x1, schedule[(group + 2) % 3]), constant(group + 1))
        return x0, x1

    jvp = not_differentiable
    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        if axes[0] is None and operands[0].ndim == 1:
            counters, axis = align_batch(size, operands[1:], axes[1:])
            return self(operands[0], *counters), (axis, axis)
        return self(*(lead_axis(size, x, axis) for x, axis in zip(operands, axes, strict=True))), (0, 0)


threefry = Threefry2x32()


def _lower_word(build: Any, key: Any, place: int) -> Any:
    """One word of each key, repeated for its counters."""
    type, result = build.in_types[0], build.out_types[0]
    start, limit = [0] * type.ndim, list(type.shape)
    start[-1], limit[-1] = place, place + 1
    bounds = {"start_indices": start, "limit_indices": limit, "strides": [1] * type.ndim}
    attributes = {name: build.integers(values) for name, values in bounds.items()}
    word = build.op("slice", (key,), type.update(shape=(*type.shape[:-1], 1)), attributes)
    word = build.op("reshape", (word,), type.update(shape=type.shape[:-1]))
    return build.broadcast(word, result, range(type.ndim - 1))


def _rounds(k0: np.ndarray, k1: np.ndarray, x0: np.ndarray, x1: np.ndarray) -> None:
    """Encrypt counters in place."""
    # Hot: most of the time that eager random numbers take.
    add, xor, either, left, right = np.add, np.bitwise_xor, np.bitwise_or, np.left_shift, np.right_shift
    schedule = (k0, k1, xor(xor(k0, k1), UINT32.type(_PARITY)))
    spare = np.empty_like(x1)
    add(x0, k0, x0)
    add(x1, k1, x1)
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            up, down = _SHIFTS[rotation]
            add(x0, x1, x0)
            left(x1, up, spare)
            right(x1, down, x1)
            either(x1, spare, x1)
            xor(x1, x0, x1)
        add(x0, schedule[(group + 1) % 3], x0)
        add(x1, add(schedule[(group + 2) % 3], UINT32.type(group + 1)), x1)


def _scalar_rounds(k0: int, k1: int, x0: int, x1: int) -> tuple[int, int]:
    mask = 0xFFFFFFFF
    schedule = (k0, k1, k0 ^ k1 ^ _PARITY)
    x0, x1 = (x0 + k0) & mask, (x1 + k1) & mask
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            x0 = (x0 + x1) & mask
            x1 = ((x1 << rotation | x1 >> (32 - rotation)) & mask) ^ x0
        x0 = (x0 + schedule[(group + 1) % 3]) & mask
        x1 = (x1 + schedule[(group + 2) % 3] + group + 1) & mask
    return x0, x1


class MultiplyAdd(Elementwise):
    """x * y + z, in float32 and float64 rounded once, as compiled code does, so that both draw the same numbers."""

    accepts = "f"
    pushforwards = (
        lambda dx, out, x, y, z: mul(dx, y),
        lambda dy, out, x, y, z: mul(x, dy),
        lambda dz, out, x, y, z: dz,
    )

    @staticmethod
    def compute(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        if x.dtype == FLOAT32:  # a product of two float32 numbers is exact in float64
            return (x.astype(np.float64) * y + z).astype(np.float32)
        return _fused(x, y, z) if x.dtype == FLOAT64 else x * y + z

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        x, y, z = operands
        return build.op("add", (build.op("multiply", (x, y), type), z), type)


def _fused(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """x * y + z with the rounding errors of both steps added at the end (Dekker 1971 and Knuth's two-sum)."""
    product = x * y
    (x_high, x_low), (y_high, y_low) = _halves(x), _halves(y)
    product_error = ((x_high * y_high - product) + x_high * y_low + x_low * y_high) + x_low * y_low
    total = product + z
    rounded = total - product
    sum_error = (product - (total - rounded)) + (z - rounded)
    exact = total + (product_error + sum_error)
    return np.where(np.isfinite(exact), exact, total)


def _halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A float64 number as the sum of two with 26 significant bits each."""
    scaled = x * 134217729.0  # 2**27 + 1
    high = scaled - (scaled - x)
    return high, x - high


multiply_add = MultiplyAdd()
