"""Samples of reductions, cumulative operations, the general dot product and threefry."""

from __future__ import annotations

from collections.abc import Iterator

import ml_dtypes
import numpy as np

from funcgrad.core.dtypes import ALL, BOOL, is_low_precision
from funcgrad.core.primitive import Primitive
from funcgrad.ops.cumulative import CumLogSumExp, CumMax, CumMin, CumProd, CumSum
from funcgrad.ops.dot import DotGeneral, matrix_multiply
from funcgrad.ops.families import kind_letter
from funcgrad.ops.random_bits import multiply_add, threefry
from funcgrad.ops.reduction import (
    ArgMax,
    ArgMin,
    ReduceAnd,
    ReduceMax,
    ReduceMin,
    ReduceOr,
    ReduceProd,
    ReduceXor,
)

from .sample import Sample

INT32 = np.dtype(np.int32)
# float8_e8m0fnu has neither sign nor zero.
DTYPES = tuple(dtype for dtype in ALL if dtype.name != "float8_e8m0fnu")


def values(shape: tuple[int, ...], dtype: np.dtype, seed: int = 0) -> np.ndarray:
    """Different numbers of either sign, some way apart."""
    random = np.random.default_rng(seed)
    size = int(np.prod(shape))
    steps = (random.permutation(size) - size // 2 + 0.25) * (3.0 / max(size, 1))
    if dtype == BOOL:
        return (steps > 0).reshape(shape)
    if kind_letter(dtype) == "i":
        return random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    if kind_letter(dtype) == "c":
        return (steps + 1j * random.permutation(steps)).astype(dtype).reshape(shape)
    return steps.astype(np.float32).astype(dtype).reshape(shape)


def row(op: Primitive, *operands: np.ndarray, ulps: float = 4, note: str = "") -> Sample:
    """A sample that is named by its operation and operands."""
    dtype = operands[0].dtype
    name = f"{op!r} {note} " + " ".join(f"{x.dtype.name}{list(x.shape)}" for x in operands)
    return Sample(name, op, operands, dtype.name in ("float32", "float64", "complex64", "complex128"), ulps)


def reductions() -> Iterator[Sample]:
    for op in (ReduceProd, ReduceMax, ReduceMin, ReduceAnd, ReduceOr, ReduceXor):
        for dtype in DTYPES:
            if kind_letter(dtype) in op.accepts:
                yield row(op((1,)), values((2, 3), dtype))
        for shape, axes in (((), ()), ((4,), (0,)), ((2, 3, 2), (0, 2)), ((0, 3), (0,)), ((2, 0), (0,))):
            dtype = np.dtype(np.float32) if "f" in op.accepts else INT32
            yield Sample(f"{op(axes)!r} {shape}", op(axes), (values(shape, dtype),), differentiable=0 not in shape)
    with_zeros = np.array([[2.0, 0.0, 3.0], [0.0, 5.0, 0.0]], np.float32)
    yield row(ReduceProd((1,)), with_zeros, note="zeros")
    with_nan = np.full(5000, 1.5, np.float32)
    with_nan[1234] = np.nan
    for op in (ReduceMax((0,)), ReduceMin((0,))):
        yield Sample(f"{op!r} NaN among thousands", op, (with_nan,), differentiable=False)
    for op in (ArgMax, ArgMin):
        for dtype in DTYPES:
            if kind_letter(dtype) != "c":
                yield row(op(1, INT32), values((2, 3), dtype))
        yield row(op(0, np.dtype(np.uint8)), values((3, 2), np.dtype(np.float32)))
        yield Sample(f"{op.__name__} NaN", op(0, INT32), (with_nan,), differentiable=False)
        ties = np.array([1.0, 2.0, 2.0, 1.0], np.float32)
        yield Sample(f"{op.__name__} ties", op(0, INT32), (ties,), differentiable=False)


def cumulatives() -> Iterator[Sample]:
    for op in (CumSum, CumProd, CumMax, CumMin, CumLogSumExp):
        ulps = 100 if op is CumLogSumExp else 8  # a logarithm near zero loses digits
        for dtype in DTYPES:
            if kind_letter(dtype) in op.accepts:
                yield row(op(1), values((2, 3), dtype), ulps=ulps)
        for shape, axis in (((1,), 0), ((5,), 0), ((3, 2), 0), ((2, 3, 2), 1), ((0, 2), 0), ((20,), 0)):
            for reverse in (False, True):
                yield row(op(axis, reverse), values(shape, np.dtype(np.float32)), ulps=ulps)
        long = 1 + values((16_385,), np.dtype(np.float32)) / 100
        for x, axis in ((long, 0), (long[:-1].reshape(2, 64, 128), 1)):
            for reverse in (False, True):
                # Thousands of roundings, in another order.
                yield Sample(f"{op.__name__} of {x.shape} {reverse}", op(axis, reverse), (x,), False, 1000 * ulps)
    yield row(CumProd(0), np.array([2.0, 0.0, 3.0, 0.0, 5.0], np.float32), note="zeros")
    low = np.array([-np.inf, -np.inf, 1.0, 2.0, -np.inf], np.float32)
    yield Sample("CumLogSumExp infinite", CumLogSumExp(0), (low,), differentiable=False)


def dots() -> Iterator[Sample]:
    for dtype in DTYPES:
        # 8-bit results differ by one unit where float32 sums of another order fall on either side of a tie.
        yield row(matrix_multiply, values((2, 3), dtype), values((3, 4), dtype, 1), ulps=64)
    layouts: tuple[tuple[tuple[int, ...], tuple[int, ...], DotGeneral], ...] = (
        ((3,), (3,), DotGeneral(((0,), (0,)))),
        ((2, 3), (3,), DotGeneral(((1,), (0,)))),
        ((2, 2, 3), (2, 3, 2), DotGeneral(((2,), (1,)), ((0,), (0,)))),
        ((3, 2, 2), (2, 2, 3), DotGeneral(((0, 2), (2, 1)), ((1,), (0,)))),
        ((2, 3), (2, 3), DotGeneral(((1, 0), (1, 0)))),
        ((2,), (3,), DotGeneral(((), ()))),
        ((), (), DotGeneral(((), ()))),
        ((0, 3), (3, 2), matrix_multiply),
        ((2, 0), (0, 2), matrix_multiply),
    )
    for left, right, op in layouts:
        yield row(op, values(left, np.dtype(np.float32)), values(right, np.dtype(np.float32), 1), ulps=64)
    for narrow, wide in (("int8", "int32"), ("bfloat16", "float32"), ("float16", "float32"), ("float32", "float64")):
        dtype = np.dtype(getattr(ml_dtypes, narrow, None) or narrow)
        op = DotGeneral(((1,), (0,)), ((), ()), np.dtype(wide))
        operands = values((2, 3), dtype), values((3, 2), dtype, 1)
        yield Sample(f"{op!r} {narrow}", op, operands, differentiable=not is_low_precision(dtype), ulps=64)


def random_bits() -> Iterator[Sample]:
    uint32 = np.dtype(np.uint32)
    for leading, shape in (((), ()), ((), (3,)), ((), (20,)), ((2,), (2, 3)), ((), (0,))):
        key, high, low = values((*leading, 2), uint32), values(shape, uint32, 1), values(shape, uint32, 2)
        yield Sample(f"threefry {leading} {shape}", threefry, (key, high, low), differentiable=False)
    for name in ("float32", "float64", "float16"):
        yield row(multiply_add, *(values((5,), np.dtype(name), seed) for seed in range(3)))


def samples() -> Iterator[Sample]:
    """All rows of this file."""
    yield from reductions()
    yield from cumulatives()
    yield from dots()
    yield from random_bits()
