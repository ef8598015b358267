"""Sorting and searching agree with NumPy; sorts are stable and put NaN last."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, ConcretizationError, DTypeError, ShapeError
from funcgrad.higher_order.jit import jit
from funcgrad.ops import searching
from funcgrad.transforms.grad import grad
from funcgrad.transforms.vmap import vmap

from . import surface
from .oracle import CUBE, INTS, SPECIAL, agree
from .surface import arrays, axes, call, calls

DTYPES = ["bool", "int8", "int32", "int64", "uint8", "uint64", "float16", "float32", "float64", "complex64"]
ORDERED = [complex(a, b) for a in (-1.0, -0.0, 0.0, 2.0, np.inf, np.nan) for b in (0.0, -0.0, 1.0, np.nan)]


@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_sorting_agrees_with_numpy(axis):
    agree(lambda m, x: m.sort(x, axis), CUBE, ulps=0)
    agree(lambda m, x: m.argsort(x, axis, kind="stable"), INTS)


def test_nan_comes_last():
    agree("sort", SPECIAL, ulps=0)


@given(calls(call(arrays("bIFC"), axis=axes(None)), call(arrays("fc", special=True), axis=axes(None))))
def test_every_dtype_is_sorted_as_numpy_does(drawn):
    surface.agree("sort", drawn)
    if drawn.args[0].ndim:
        surface.agree(lambda m, x, axis: m.argsort(x, axis, kind="stable"), drawn)


@pytest.mark.parametrize("dtype", DTYPES)
def test_compiled_sorts_have_the_same_order(dtype):
    x = np.random.default_rng(0).permutation(np.array(ORDERED * 2))
    x = x.astype(dtype) if dtype == "complex64" else np.nan_to_num(x.real, posinf=9).astype(dtype)
    if x.dtype.kind == "f":
        x[:6] = [np.nan, -np.inf, np.inf, np.finfo(x.dtype).smallest_subnormal, 0, -np.nan]
    if x.dtype.kind in "iu":
        x[:2] = np.iinfo(x.dtype).min, np.iinfo(x.dtype).max
    values, order = jit(lambda x: (fnp.sort(x), fnp.argsort(x)))(fnp.asarray(x))
    np.testing.assert_array_equal(values, np.sort(x))
    np.testing.assert_array_equal(order, np.argsort(x, kind="stable"))
    matrix = x[:24].reshape(2, 3, 4)
    for axis in (0, 1):
        found = jit(lambda x, axis=axis: fnp.argsort(x, axis))(fnp.asarray(matrix))
        np.testing.assert_array_equal(found, np.argsort(matrix, axis, kind="stable"))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint64"])
@pytest.mark.parametrize("different", [3, 1 << 62])
def test_long_vectors_are_sorted_stably(dtype, different):
    random = np.random.default_rng(0)
    x = random.integers(-different, different, 10_000)
    x = x.astype(dtype) if "int" in dtype else (x / 2.0**30).astype(dtype)
    if "float" in dtype:
        x[::1000], x[1::1000] = np.nan, -0.0
    np.testing.assert_array_equal(np.asarray(fnp.argsort(fnp.asarray(x))), np.argsort(x, kind="stable"))


@pytest.mark.parametrize("transform", [lambda f: f, jit])
def test_descending_sorts_are_stable_and_put_nan_last(transform):
    for x, values, order in (
        (np.array([1, 2, 2, 0]), [2, 2, 1, 0], [1, 2, 0, 3]),
        (np.array([1, 255, 0], np.uint8), [255, 1, 0], [1, 0, 2]),
        (np.array([-128, 127], np.int8), [127, -128], [1, 0]),
        (np.array([False, True, True]), [True, True, False], [1, 2, 0]),
        (np.array([1, np.nan, 3, 1, -np.inf]), [3, 1, 1, -np.inf, np.nan], [2, 0, 3, 4, 1]),
        (np.array([1j, 2, 1]), [2, 1, 1j], [1, 2, 0]),
    ):
        found = transform(lambda x: (fnp.sort(x, descending=True), fnp.argsort(x, descending=True)))(fnp.asarray(x))
        np.testing.assert_array_equal(found[0], values)
        np.testing.assert_array_equal(found[1], order)


def test_the_dtype_of_indices_can_be_chosen():
    assert fnp.argsort(fnp.ones(2), dtype="int64").dtype == np.int64
    assert jit(lambda x: fnp.argsort(x, dtype="uint8"))(fnp.ones(2)).dtype == np.uint8


KTH = st.integers(-3, 3) | st.lists(st.integers(-2, 2), min_size=1, max_size=2)


@given(arrays("bIFC", special=True, min_dims=1), KTH, axes(None), st.booleans())
@settings(max_examples=40)
def test_partitions_put_the_kth_in_its_place(x, kth, axis, indirect):
    try:
        np.partition(x, kth, axis)
    except ValueError as error:
        with pytest.raises(type(error)):
            fnp.partition(fnp.asarray(x), kth, axis)
        return
    wanted = np.sort(x, axis)
    axis = 0 if axis is None else axis
    if indirect:
        flat = x.reshape(-1) if wanted.ndim != x.ndim else x
        places = fnp.argpartition(fnp.asarray(flat), kth, axis)
        assert places.dtype == np.int32
        found = np.take_along_axis(flat, np.asarray(places), axis)
    else:
        found = np.asarray(fnp.partition(fnp.asarray(x.reshape(wanted.shape)), kth, axis))
    if x.size:
        np.testing.assert_array_equal(np.take(found, kth, axis), np.take(wanted, kth, axis))
    np.testing.assert_array_equal(np.sort(found, axis), wanted)


def test_partitions_compile():
    x = fnp.asarray(CUBE)
    found = jit(lambda x: (fnp.partition(x, 1), fnp.argpartition(x, 1, 0)))(x)
    np.testing.assert_array_equal(np.asarray(found[0])[..., 1], np.sort(CUBE)[..., 1])
    np.testing.assert_array_equal(found[1], np.argsort(CUBE, 0, kind="stable"))
    assert grad(lambda x: fnp.partition(x, 0)[0])(fnp.asarray([3.0, 1.0, 2.0])).tolist() == [0, 1, 0]


def test_the_last_key_comes_first_in_importance():
    agree(lambda m, x: m.lexsort(x), INTS)
    agree(lambda m, x: m.lexsort((x[0], x[1] > 0)), INTS)


@given(
    hnp.arrays(np.float32, st.integers(0, 6), elements=st.integers(-3, 3)),
    hnp.arrays(np.float32, (2, 2), elements=st.integers(-4, 4)),
    st.sampled_from(["left", "right"]),
)
def test_searching_follows_numpy(x, wanted, side):
    x = np.sort(x)
    found = fnp.searchsorted(fnp.asarray(x), wanted, side)
    np.testing.assert_array_equal(np.asarray(found), np.searchsorted(x, wanted, side))


@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_compiled_searches_follow_the_order_of_sorting(dtype, side):
    x = np.nan_to_num(np.real(ORDERED), posinf=9) if "int" in dtype else np.array(ORDERED)
    x = np.maximum(x, 0) if "uint" in dtype else x
    table = np.sort((x if dtype == "complex64" else x.real).astype("float32" if dtype == "bfloat16" else dtype))
    probes = fnp.asarray(table[::-1].reshape(2, -1), dtype)
    found = jit(lambda a, v: fnp.searchsorted(a, v, side))(fnp.asarray(table, dtype), probes)
    np.testing.assert_array_equal(found, np.searchsorted(table, table[::-1].reshape(2, -1), side))


def test_searches_in_several_tables():
    tables = np.sort(CUBE[0])
    for run in (lambda f: f, jit):
        found = run(vmap(fnp.searchsorted, (0, None)))(fnp.asarray(tables), fnp.asarray(CUBE[1]))
        np.testing.assert_array_equal(found, [np.searchsorted(table, CUBE[1]) for table in tables])
        found = run(vmap(fnp.searchsorted, (1, 1)))(fnp.asarray(tables.T), fnp.asarray(CUBE[1].T))
        np.testing.assert_array_equal(found, [np.searchsorted(*pair) for pair in zip(tables, CUBE[1], strict=True)])
        found = run(vmap(vmap(fnp.searchsorted, (0, None)), (None, 0)))(fnp.asarray(tables), fnp.asarray(CUBE[1]))
        np.testing.assert_array_equal(found, [[np.searchsorted(t, v) for t in tables] for v in CUBE[1]])


def test_searching_with_a_sorter_and_nan():
    agree(lambda m, x: m.searchsorted(x, x, sorter=m.argsort(x)), CUBE[0, 0])
    agree(lambda m, x: m.searchsorted(m.sort(x), x, side="right"), SPECIAL)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: fnp.sort(fnp.ones(2), 1), AxisError),
        (lambda: fnp.lexsort([]), ArgumentError),
        (lambda: fnp.lexsort([fnp.ones(2), fnp.ones(3)]), ShapeError),
        (lambda: fnp.searchsorted(fnp.ones(2), 1, side="middle"), ArgumentError),
        (lambda: fnp.searchsorted(fnp.ones((2, 2)), 1), ShapeError),
        (lambda: fnp.searchsorted(fnp.ones(2), 1, sorter=[0]), ShapeError),
        (lambda: fnp.searchsorted(fnp.ones(2), 1, sorter=[0.0, 1.0]), DTypeError),
        (lambda: fnp.searchsorted(fnp.ones(2), 1, method="guess"), ArgumentError),
        (lambda: fnp.sort(fnp.ones(2), kind="bubble"), ArgumentError),
        (lambda: fnp.sort(fnp.ones(2), kind="stable", stable=True), ArgumentError),
        (lambda: fnp.argsort(fnp.ones(2), order="x"), ArgumentError),
        (lambda: fnp.sort(fnp.ones(())), AxisError),
        (lambda: fnp.partition(fnp.ones(2), 2), ArgumentError),
        (lambda: fnp.partition(fnp.ones(2), [0, -3]), ArgumentError),
        (lambda: fnp.partition(fnp.ones(2), 0.0), DTypeError),
        (lambda: fnp.partition(fnp.ones(2), True), ArgumentError),
        (lambda: fnp.partition(fnp.ones(2), [[0]]), ShapeError),
        (lambda: fnp.argpartition(fnp.ones(2), 0, kind="quick"), ArgumentError),
        (lambda: jit(lambda k: fnp.partition(fnp.ones(2), k))(1), ConcretizationError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call()


@settings(max_examples=60)
@given(
    length=st.integers(1, 200),
    count=st.integers(0, 300),
    dtype=st.sampled_from(["float32", "float64", "int8", "uint32"]),
    side=st.sampled_from(["left", "right"]),
    seed=st.integers(0, 1 << 30),
)
def test_blocks_of_probes_are_searched_as_single_ones(length, count, dtype, side, seed):
    random = np.random.default_rng(seed)
    table, probes = (random.integers(0, 20, n).astype(dtype) for n in (length, count))
    if table.dtype.kind == "f":
        for x in (table, probes):
            x[:] = random.choice([np.nan, np.inf, -np.inf, -0.0, *x], x.size) if x.size else x
    table.sort()
    found = np.empty(count, np.intp)
    searching._bisect(table, probes, side == "right", found)
    np.testing.assert_array_equal(found, table.searchsorted(probes, side))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("ordered", [False, True])
def test_many_probes(side, ordered):
    random = np.random.default_rng(5)
    table, probes = np.sort(random.normal(size=3000)), random.normal(size=(3, 25_000))
    probes[0, 7] = np.nan
    probes = np.sort(probes, axis=None).reshape(probes.shape) if ordered else probes
    np.testing.assert_array_equal(fnp.searchsorted(table, probes, side), np.searchsorted(table, probes, side))
    op = searching.SearchSorted(side == "right", np.dtype(np.int32))
    for row, expected in zip(op(*map(fnp.asarray, (np.stack([table] * 3), probes))), probes, strict=True):
        np.testing.assert_array_equal(row, np.searchsorted(table, expected, side))
