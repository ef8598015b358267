"""Samples of the operations that move values without computing, of placement and of collectives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from funcgrad.backend.client import find_device
from funcgrad.core import dtypes as dt
from funcgrad.core.types import ArrayType
from funcgrad.ops.collective import AllGather, AxisIndex, Pmax, Pmin, Ppermute, Psum
from funcgrad.ops.placement import DevicePut
from funcgrad.ops.structure import (
    BitcastConvertType,
    BroadcastInDim,
    Convert,
    Iota,
    ReduceSum,
    Reshape,
    Transpose,
)
from tests.laws.sample import Sample

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.49, 0.5, 1.5, -1.5, 2.5, 100.4, 127.5, 128.0, -128.9, 255.5, 256.0, 32768.0, 65504.0,
           65520.0, -70000.0, 2.0**31, -(2.0**31), 2.0**32, 2.0**63, -(2.0**63), 2.0**64, 1e30, np.inf, -np.inf,
           np.nan)  # fmt: skip
REAL = (dt.BOOL, *dt.INTEGERS, dt.BFLOAT16, dt.FLOAT16, dt.FLOAT32, dt.FLOAT64)


def _values(shape: tuple[int, ...], dtype: np.dtype, seed: int = 0) -> np.ndarray:
    """Small values that every dtype holds: not negative for unsigned ones, complex for complex ones."""
    rng = np.random.default_rng([seed, *shape])
    if dtype == dt.BOOL:
        return np.asarray(rng.random(shape) < 0.5)
    low = 1 if dtype.name == "float8_e8m0fnu" else 0 if dtype in dt.UNSIGNED else -8  # the first has no zero
    values = rng.integers(low, 9, shape)
    if dt.is_complex(dtype):
        return np.asarray(values + 1j * rng.integers(-8, 9, shape), dtype)
    return np.asarray(np.asarray(values, np.float32).astype(dtype))


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    yield from _reshapes()
    yield from _transposes()
    yield from _broadcasts()
    yield from _sums()
    yield from _conversions()
    yield from _bitcasts()
    yield from _iotas()
    yield from _placements()


def _reshapes() -> Iterator[Sample]:
    for old, new in (
        ((3, 4), (2, 6)),
        ((3, 4), (12,)),
        ((), (1, 1)),
        ((1,), ()),
        ((0, 3), (3, 0, 2)),
        ((2, 3), (2, 3)),
    ):
        yield Sample(f"reshape {old} {new}", Reshape(new), (_values(old, dt.FLOAT32),))
    for dtype in dt.ALL:
        yield Sample(f"reshape {dtype}", Reshape((3, 2)), (_values((2, 3), dtype),))


def _transposes() -> Iterator[Sample]:
    for shape, order in (((3, 4), (1, 0)), ((2, 3, 4), (2, 0, 1)), ((2, 0), (1, 0)), ((), ()), ((3,), (0,))):
        yield Sample(f"transpose {shape} {order}", Transpose(order), (_values(shape, dt.FLOAT32),))
    for dtype in dt.ALL:
        yield Sample(f"transpose {dtype}", Transpose((1, 0)), (_values((2, 3), dtype),))


def _broadcasts() -> Iterator[Sample]:
    rows = (
        ((), (2, 3), ()),
        ((3,), (2, 3), (1,)),
        ((2,), (2, 3), (0,)),
        ((2, 1), (2, 3), (0, 1)),
        ((1, 1), (4, 2, 3), (0, 2)),
        ((1,), (0, 3), (0,)),
        ((0,), (2, 0), (1,)),
        ((2, 3), (2, 3), (0, 1)),
    )
    for shape, wide, dimensions in rows:
        op = BroadcastInDim(wide, dimensions)
        yield Sample(f"broadcast {shape} {wide} {dimensions}", op, (_values(shape, dt.FLOAT32),))
    for dtype in dt.ALL:
        yield Sample(f"broadcast {dtype}", BroadcastInDim((2, 3), (1,)), (_values((3,), dtype),))


def _sums() -> Iterator[Sample]:
    for shape, axes in (
        ((3, 4), (0,)),
        ((3, 4), (0, 1)),
        ((2, 3, 4), (0, 2)),
        ((0, 3), (0,)),
        ((2, 0), (0,)),
        ((), ()),
    ):
        yield Sample(f"reduce_sum {shape} {axes}", ReduceSum(axes), (_values(shape, dt.FLOAT32),))
    for dtype in (*dt.INTEGERS, dt.BFLOAT16, dt.FLOAT16, dt.FLOAT32, dt.FLOAT64, *dt.COMPLEXES):
        yield Sample(f"reduce_sum {dtype}", ReduceSum((1,)), (_values((3, 50), dtype),))
    for dtype in (dt.BFLOAT16, dt.FLOAT16, dt.FLOAT32, dt.FLOAT64):
        row = np.random.default_rng(1).normal(size=(2, 3000)).astype(dtype)
        yield Sample(f"reduce_sum long {dtype}", ReduceSum((1,)), (row,), differentiable=False, batch=False)
        special = np.array([[1, np.nan], [np.inf, 1], [np.inf, -np.inf], [-np.inf, 1]], np.float32).astype(dtype)
        yield Sample(f"reduce_sum special {dtype}", ReduceSum((1,)), (special,), differentiable=False)
    wrapping = np.full((2, 5), 100, np.int8)
    yield Sample("reduce_sum wraps", ReduceSum((1,)), (wrapping,))


def _conversions() -> Iterator[Sample]:
    for source in (*REAL, *dt.COMPLEXES):
        for target in (*REAL, *dt.COMPLEXES):
            # Differences through a narrower result are too coarse.
            smooth = source in (dt.FLOAT64, dt.COMPLEX128) and target in (dt.FLOAT64, dt.COMPLEX128)
            yield Sample(f"convert {source} {target}", Convert(target), (_values((2, 3), source),), smooth)
    for source in (dt.BFLOAT16, dt.FLOAT16, dt.FLOAT32, dt.FLOAT64):
        with np.errstate(over="ignore"):
            special = np.array(SPECIAL).astype(np.float64 if source == dt.FLOAT64 else np.float32).astype(source)
        for target in (*dt.INTEGERS, dt.BOOL, dt.BFLOAT16, dt.FLOAT16, dt.FLOAT32):
            yield Sample(f"convert special {source} {target}", Convert(target), (special,), differentiable=False)
    halfway = np.random.default_rng(0).normal(size=500) * np.float64(1 + 2**-11)
    yield Sample("convert rounds as often", Convert(dt.FLOAT16), (halfway,), differentiable=False, batch=False)
    for narrow in dt.FLOAT8[1:7]:
        yield Sample(f"convert to {narrow}", Convert(narrow), (_values((2, 3), dt.FLOAT32),), differentiable=False)
        yield Sample(f"convert from {narrow}", Convert(dt.FLOAT32), (_values((2, 3), narrow),), differentiable=False)
    for dtype in dt.INTEGERS:
        limits = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max, 1, 0], dtype)
        for target in (dt.BOOL, *dt.INTEGERS, dt.FLOAT16, dt.FLOAT32):
            yield Sample(f"convert limits {dtype} {target}", Convert(target), (limits,), differentiable=False)
    yield Sample("convert scalar", Convert(dt.FLOAT64), (_values((), dt.FLOAT64),))
    yield Sample("convert empty", Convert(np.dtype(np.int32)), (_values((0, 2), dt.FLOAT32),))


def _bitcasts() -> Iterator[Sample]:
    rows = (
        (np.float32, np.int32, (2, 3)),
        (np.float32, np.uint32, ()),
        (np.float64, np.int64, (3,)),
        (np.float64, np.uint32, (2, 3)),
        (np.uint8, np.float32, (3, 4)),
        (np.uint16, dt.BFLOAT16, (3,)),
        (np.float16, np.uint8, (2, 2)),
        (np.int32, np.uint8, (0, 2)),
    )
    for source, target, shape in rows:
        values = _values(shape, np.dtype(source), 3)
        op = BitcastConvertType(np.dtype(target))
        yield Sample(f"bitcast {np.dtype(source)} {np.dtype(target)} {shape}", op, (values,), differentiable=False)


def _iotas() -> Iterator[Sample]:
    for shape, axis in (((4,), 0), ((2, 3), 0), ((2, 3), 1), ((0,), 0)):
        yield Sample(f"iota {shape} {axis}", Iota(ArrayType(shape, np.dtype(np.int32)), axis), ())
    for dtype in (*dt.INTEGERS, dt.BFLOAT16, dt.FLOAT16, dt.FLOAT32, dt.FLOAT64, *dt.COMPLEXES):
        yield Sample(f"iota {dtype}", Iota(ArrayType((300,), dtype), 0), ())


def _placements() -> Iterator[Sample]:
    yield Sample("device_put", DevicePut(find_device("cpu")), (_values((2, 3), dt.FLOAT32),))
    for op in (Psum("i"), Pmax("i"), Pmin("i"), AllGather("i", 3), Ppermute("i", ((0, 1), (1, 0)))):
        yield Sample(op.name, op, (_values((2, 3), dt.FLOAT32),))
    yield Sample("axis_index", AxisIndex("i"), ())
