"""Random bits from counters: the block cipher Threefry-2x32 with 20 rounds.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011). A key and a
counter, of two 32-bit words each, give two words of bits. Nothing depends on order or device, so the bits are the same
everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import FLOAT32
from ..core.primitive import Primitive, not_differentiable, not_linear
from ..core.types import ArrayType
from ..errors import DTypeError
from .elementwise import mul
from .families import Elementwise, align_batch, same_operands

__all__ = ["multiply_add", "threefry"]

UINT32 = np.dtype(np.uint32)
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA
_BLOCK = 1 << 14  # elements whose working memory stays in the cache
_SHIFTS = {r: (UINT32.type(r), UINT32.type(32 - r)) for rotations in _ROTATIONS for r in rotations}
_FEW = 4  # up to so many elements, Python's integers are quicker than NumPy's calls


class Threefry2x32(Primitive):
    """Operands (key_high, key_low, count_high, count_low), uint32 of one shape: two results of bits, element by element."""

    multiple = True

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        result = same_operands(self.name, types)
        if result.dtype != UINT32:
            raise DTypeError(f"threefry2x32 takes uint32 keys and counts, not {result.dtype.name}")
        return (result.strong(), result.strong())

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        shape, size = operands[0].shape, operands[0].size
        if size <= _FEW:
            rows = zip(*(x.reshape(-1).tolist() for x in operands), strict=True)
            words = np.array([_scalar_rounds(*row) for row in rows], UINT32).reshape(size, 2)
            return words[:, 0].reshape(shape), words[:, 1].reshape(shape)
        keys = [_word(x) for x in operands[:2]]
        first, second = (np.array(x, order="C").reshape(-1) for x in operands[2:])
        for start in range(0, size, _BLOCK):
            block = slice(start, start + _BLOCK)
            _rounds(*(key if key.ndim == 0 else key[block] for key in keys), first[block], second[block])
        return first.reshape(shape), second.reshape(shape)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        type = build.out_types[0]
        constants: dict[int, Any] = {}

        def constant(value: int) -> Any:
            if value not in constants:
                constants[value] = build.constant(value, type)
            return constants[value]

        def emit(name: str, a: Any, b: Any) -> Any:
            return build.op(name, (a, b), type)

        k0, k1, x0, x1 = operands
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
        aligned, axis = align_batch(size, operands, axes)
        return self(*aligned), (axis, axis)


threefry = Threefry2x32()


def _word(key: np.ndarray) -> np.ndarray:
    """A key's words as one 0-d array if they are all the same, else flat."""
    return key[(0,) * key.ndim + (...,)] if not any(key.strides) else key.reshape(-1)


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
    """x * y + z. In float32 it is rounded once, as compiled code does, so that eager draws are the compiled ones."""

    accepts = "f"
    pushforwards = (
        lambda dx, out, x, y, z: mul(dx, y),
        lambda dy, out, x, y, z: mul(x, dy),
        lambda dz, out, x, y, z: dz,
    )

    @staticmethod
    def compute(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        if x.dtype == FLOAT32:
            # A product of two float32 numbers is exact in float64.
            return (x.astype(np.float64) * y + z).astype(np.float32)
        return x * y + z

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        x, y, z = operands
        return build.op("add", (build.op("multiply", (x, y), type), z), type)


multiply_add = MultiplyAdd()
