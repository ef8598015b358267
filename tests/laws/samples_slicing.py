"""Samples of slicing, padding, concatenating, gathering, scattering and sorting."""

from __future__ import annotations

from collections.abc import Iterator

import ml_dtypes
import numpy as np

from funcgrad.ops.gather import (
    Gather,
    GatherDims,
    ScatterAdd,
    ScatterMax,
    ScatterMin,
    ScatterMul,
    ScatterSet,
)
from funcgrad.ops.slicing import Concatenate, DynamicSlice, DynamicUpdateSlice, Pad, Rev, Slice
from funcgrad.ops.sorting import Sort, TopK
from funcgrad.ops.stacking import Stack, Unstack

from .sample import Sample

EIGHT = ml_dtypes.float8_e4m3fn
DTYPES = (
    np.float32,
    np.float64,
    ml_dtypes.bfloat16,
    np.float16,
    EIGHT,
    np.complex64,
    np.int8,
    np.uint32,
    np.int64,
    np.bool_,
)
FLOATS = (np.float32, np.float64, ml_dtypes.bfloat16, np.float16, EIGHT)


def _array(shape: tuple[int, ...], dtype: type = np.float64, seed: int = 0) -> np.ndarray:
    """Distinct, well separated values, none of them zero (booleans apart)."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    if np.dtype(dtype) == np.bool_:
        return rng.integers(0, 2, shape).astype(bool)
    values = rng.permutation(size).reshape(shape) + 1
    values = values * rng.choice([-1, 1], shape) if np.dtype(dtype).kind not in "u" else values
    if np.dtype(dtype).kind in "iu":
        return values.astype(dtype)
    imaginary = 1j * rng.permutation(size).reshape(shape) if np.dtype(dtype).kind == "c" else 0
    return (values / 4 + imaginary).astype(dtype)


def _scalar(value: float, dtype: type = np.float64) -> np.ndarray:
    return np.array(value, dtype)


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    yield from _static_boxes()
    yield from _pads()
    yield from _joins()
    yield from _dynamic_boxes()
    yield from _gathers()
    yield from _scatters()
    yield from _sorts()


def _static_boxes() -> Iterator[Sample]:
    rows = {
        "middle": ((5, 6), (1, 2), (4, 6), (1, 1)),
        "strided": ((7, 6), (1, 0), (7, 6), (3, 2)),
        "empty result": ((5, 3), (2, 0), (2, 3), (1, 1)),
        "empty operand": ((0, 3), (0, 1), (0, 3), (1, 1)),
        "scalar": ((), (), (), ()),
    }
    for name, (shape, start, limit, strides) in rows.items():
        yield Sample(f"slice {name}", Slice(start, limit, strides), (_array(shape),))
    for dtype in DTYPES:
        yield Sample(f"slice {np.dtype(dtype)}", Slice((1,), (6,), (2,)), (_array((7,), dtype),))


def _pads() -> Iterator[Sample]:
    rows = {
        "around": ((2, 3), (1, 0), (2, 1), (0, 0)),
        "interior": ((3, 2), (0, 1), (1, 0), (2, 1)),
        "negative": ((5, 6), (-1, 2), (1, -3), (0, 0)),
        "negative interior": ((5,), (-2,), (-3,), (2,)),
        "all cut off": ((3,), (-3,), (0,), (0,)),
        "cut beyond": ((3,), (-4,), (6,), (1,)),
        "empty": ((0, 2), (1, 0), (1, 0), (3, 0)),
        "scalar": ((), (), (), ()),
    }
    for name, (shape, low, high, interior) in rows.items():
        yield Sample(f"pad {name}", Pad(low, high, interior), (_array(shape), _scalar(0.5)))
    for dtype in DTYPES:
        yield Sample(f"pad {np.dtype(dtype)}", Pad((1,), (-1,), (1,)), (_array((4,), dtype), _scalar(1, dtype)))


def _joins() -> Iterator[Sample]:
    yield Sample("concatenate rows", Concatenate(0), (_array((2, 3)), _array((1, 3)), _array((0, 3))))
    yield Sample("concatenate columns", Concatenate(1), (_array((2, 3)), _array((2, 2))))
    yield Sample("concatenate one", Concatenate(0), (_array((3,)),))
    yield Sample("concatenate empty", Concatenate(1), (_array((0, 3)), _array((0, 2))))
    yield Sample("rev both", Rev((0, 1)), (_array((3, 4)),))
    yield Sample("rev none", Rev(()), (_array((3,)),))
    yield Sample("rev empty", Rev((1,)), (_array((2, 0)),))
    for dtype in DTYPES:
        yield Sample(f"concatenate {np.dtype(dtype)}", Concatenate(0), (_array((2,), dtype), _array((3,), dtype)))
        yield Sample(f"rev {np.dtype(dtype)}", Rev((0,)), (_array((4,), dtype),))
        yield Sample(f"stack {np.dtype(dtype)}", Stack(), (_array((2,), dtype), _array((2,), dtype, 1)))
        yield Sample(f"unstack {np.dtype(dtype)}", Unstack(), (_array((3,), dtype),))
    yield Sample("stack scalars", Stack(), (_scalar(2), _scalar(3), _scalar(4)))
    yield Sample("stack one", Stack(), (_array((2, 3)),))
    yield Sample("stack empty", Stack(), (_array((0, 3)), _array((0, 3))))
    yield Sample("unstack matrices", Unstack(), (_array((2, 3, 2)),))
    yield Sample("unstack one", Unstack(), (_array((1,)),))
    yield Sample("unstack empty", Unstack(), (_array((2, 0)),))


def _dynamic_boxes() -> Iterator[Sample]:
    x, update = _array((5, 4)), _array((2, 3), seed=1)
    for name, starts in {"inside": (1, 0), "beyond": (9, 3), "negative": (-3, -1)}.items():
        where = tuple(np.array(start, np.int32) for start in starts)
        yield Sample(f"dynamic_slice {name}", DynamicSlice((2, 3)), (x, *where))
        yield Sample(f"dynamic_update_slice {name}", DynamicUpdateSlice(), (x, update, *where))
    yield Sample("dynamic_slice scalar", DynamicSlice(()), (_array(()),))
    yield Sample("dynamic_slice empty", DynamicSlice((0,)), (_array((3,)), np.array(2, np.int32)))
    for index_dtype in (np.int8, np.uint8, np.int64, np.uint64):
        start = np.array(250).astype(index_dtype)
        yield Sample(f"dynamic_slice at {np.dtype(index_dtype)}", DynamicSlice((3,)), (_array((300,)), start))
    for dtype in DTYPES:
        operands = (_array((4,), dtype), _array((2,), dtype, 1), np.array(1, np.int32))
        yield Sample(f"dynamic_slice {np.dtype(dtype)}", DynamicSlice((2,)), (operands[0], operands[2]))
        yield Sample(f"dynamic_update_slice {np.dtype(dtype)}", DynamicUpdateSlice(), operands)


def _indices(*vectors: tuple[int, ...] | list[object], dtype: type = np.int32) -> np.ndarray:
    return np.array(vectors, dtype)


ROWS = GatherDims((1,), (0,), (0,))
POINTS = GatherDims((), (0, 1), (0, 1))
WINDOWS = GatherDims((0, 2), (), (0, 1))
COLUMNS_FIRST = GatherDims((0,), (1,), (1,))
WALKED = GatherDims((1,), (1,), (1,), (0,), (0,))

# name: (dims, operand shape, window sizes, indices); some indices repeat, some are out of bounds
LAYOUTS = {
    "rows": (ROWS, (4, 3), (1, 3), _indices((2,), (0,), (2,))),
    "one row": (GatherDims((0,), (0,), (0,)), (4, 3), (1, 3), np.array([3], np.int32)),
    "rows partly outside": (ROWS, (4, 3), (1, 3), _indices((1,), (-1,), (7,), (4,))),
    "rows in parts": (ROWS, (4, 3), (1, 2), _indices((0,), (3,))),
    "points": (POINTS, (4, 3), (1, 1), _indices((1, 2), (0, 0), (1, 2), (3, 3))),
    "points in a grid": (GatherDims((), (0, 1), (1, 0)), (4, 3), (1, 1), _indices([(2, 1), (0, 0)], [(1, 3), (2, 2)])),
    "windows": (WINDOWS, (5, 4), (2, 3), _indices((0, 1), (1, 0), (4, 0))),
    "columns": (COLUMNS_FIRST, (3, 4), (3, 1), _indices((2,), (2,), (0,))),
    "collapsed but not indexed": (GatherDims((0,), (1,), (0,)), (3, 4), (3, 1), _indices((1,), (0,))),
    "whole": (GatherDims((1, 2), (), ()), (2, 3), (2, 3), np.zeros((2, 0), np.int32)),
    "walked": (WALKED, (3, 4, 2), (1, 1, 2), _indices((1,), (3,), (5,))),
    "no indices": (ROWS, (4, 3), (1, 3), np.zeros((0, 1), np.int32)),
    "empty windows": (ROWS, (4, 0), (1, 0), _indices((2,), (1,))),
}

OUT_OF_BOUNDS = ("collapsed but not indexed", "rows partly outside", "points", "windows", "walked")


def _modes(name: str) -> tuple[str, ...]:
    return ("fill", "clip") if name in OUT_OF_BOUNDS else ("fill", "clip", "promise_in_bounds")


def _gathers() -> Iterator[Sample]:
    for name, (dims, shape, sizes, indices) in LAYOUTS.items():
        for mode in _modes(name):
            yield Sample(f"gather {name} {mode}", Gather(dims, sizes, mode, 0), (_array(shape), indices))
    for dtype in DTYPES:
        operands = (_array((4, 3), dtype), _indices((1,), (-1,), (7,), (4,)))
        yield Sample(f"gather fill {np.dtype(dtype)}", Gather(ROWS, (1, 3)), operands, differentiable=False)
    for index_dtype in (np.int8, np.uint8, np.int16, np.uint32, np.int64, np.uint64):
        indices = np.array([[250], [3], [-2]]).astype(index_dtype)
        for mode in ("fill", "clip"):
            op = Gather(GatherDims((), (0,), (0,)), (1,), mode, 0)
            yield Sample(f"gather {mode} at {np.dtype(index_dtype)}", op, (_array((300,)), indices))


def _scatters() -> Iterator[Sample]:
    kinds = (ScatterSet, ScatterAdd, ScatterMul, ScatterMin, ScatterMax)
    for name, (dims, shape, sizes, indices) in LAYOUTS.items():
        reader = Gather(dims, sizes, "clip")
        x = _array(shape)
        updates = _array(reader.evaluate(x, indices)[0].shape, seed=2) + 0.125
        for kind in kinds:
            for mode in _modes(name):
                op = kind(dims.as_scatter(), mode)
                yield Sample(f"{op.name} {name} {mode}", op, (x, indices, updates))
    unique = (_array((4, 3)), _indices((0,), (3,)), _array((2, 3), seed=3) + 0.125)
    for kind in kinds:
        yield Sample(f"{kind.__name__} unique", kind(ROWS.as_scatter(), "fill", True, True), unique)
        for dtype in DTYPES:
            if (dtype == np.bool_ and kind in (ScatterAdd, ScatterMul)) or (
                dtype == np.complex64 and kind in (ScatterMin, ScatterMax)
            ):
                continue
            operands = (_array((4, 3), dtype), _indices((1,), (-1,), (3,), (1,)), _array((4, 3), dtype, 4))
            # The operands tie, where a minimum has a kink; the layouts above differentiate it elsewhere.
            smooth = np.dtype(dtype).itemsize > 2 and kind not in (ScatterMin, ScatterMax)
            yield Sample(f"{kind.__name__} {np.dtype(dtype)}", kind(ROWS.as_scatter()), operands, smooth)


def _sorts() -> Iterator[Sample]:
    x = _array((4, 5))
    yield Sample("sort rows", Sort(0), (x,))
    yield Sample("sort columns", Sort(1), (x,))
    yield Sample("sort empty", Sort(1), (_array((3, 0)),))
    yield Sample("sort two", Sort(1), (x, _array((4, 5), seed=1)))
    keys = np.array([[1, 0, 1, 0, 1]] * 4, np.int32)
    yield Sample("sort two keys", Sort(1, 2), (keys, x, _array((4, 5), np.float32, 2)))
    special = [np.nan, -0.0, 0.0, np.inf, -np.inf, -np.nan, 1.0, 0.0, -0.0, -1.0]
    for dtype in DTYPES:
        values = np.array([3, 1, 2, 1, 0, 3, 2]).astype(dtype)
        places = np.arange(7, dtype=np.int32)
        yield Sample(f"sort ties {np.dtype(dtype)}", Sort(0), (values, places), differentiable=False)
        if dtype != np.complex64:
            yield Sample(f"top_k {np.dtype(dtype)}", TopK(3), (_array((2, 5), dtype),), dtype in FLOATS[:2])
            yield Sample(f"top_k ties {np.dtype(dtype)}", TopK(5), (values,), differentiable=False)
    for dtype in FLOATS:
        operands = (np.array(special).astype(dtype), np.arange(10, dtype=np.int32))
        yield Sample(f"sort special {np.dtype(dtype)}", Sort(0), operands, differentiable=False)
        yield Sample(f"top_k special {np.dtype(dtype)}", TopK(10), operands[:1], differentiable=False)
    parts = np.array([1, 0, np.nan, -0.0])
    complexes = (parts[:, None] + 1j * parts).ravel().astype(np.complex64)
    complexes.imag = np.tile(parts, 4)
    complexes.real = np.repeat(parts, 4)
    operands = (complexes, np.arange(16, dtype=np.int32))
    yield Sample("sort special complex64", Sort(0), operands, differentiable=False)
    yield Sample("top_k all", TopK(5), (x,))
    yield Sample("top_k none", TopK(0), (x,))
    yield Sample("top_k empty", TopK(2), (_array((0, 3)),))
