"""Arrays are made of what users hand in, copied once; constants cost nothing; bad input is refused with its place."""

from __future__ import annotations

import numpy as np
import pytest

import funcgrad.numpy as fnp
from funcgrad.config import config
from funcgrad.errors import ArgumentError, DeviceError, DTypeError, RaggedError, ShapeError
from funcgrad.higher_order.jit import jit

from .oracle import CUBE, agree


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (True, "bool", ()),
        (3, "int32", ()),
        (2.5, "float32", ()),
        (1j, "complex64", ()),
        ([1, 2.5], "float32", (2,)),
        ([[1, 2], [3, 4]], "int32", (2, 2)),
        ([], "float32", (0,)),
        ([[]], "float32", (1, 0)),
        (np.float64(1), "float64", ()),
        (np.ones(2, ">f4"), "float32", (2,)),
        ([np.float16(1), 2.0], "float16", (2,)),
        (range(3), "int64", (3,)),
    ],
)
def test_values_become_arrays_of_the_expected_type(value, dtype, shape):
    x = fnp.asarray(value)
    assert (x.dtype.name, x.shape) == (dtype, shape)


def test_defaults_follow_the_settings():
    with config(default_float="float64", default_int="int64"):
        assert fnp.zeros(2).dtype == np.float64
        assert fnp.arange(3).dtype == np.int64
        assert fnp.asarray(2**40).dtype == np.int64


def test_a_later_write_to_the_source_does_not_change_the_array():
    source = np.zeros(3)
    copied, aliased = fnp.asarray(source), fnp.asarray(source, copy=False)
    source[0] = 1
    assert copied[0] == 0
    assert aliased[0] == 1


@pytest.mark.parametrize("size", [3, 5000])
@pytest.mark.parametrize("offset", [0, 1])
def test_large_and_misaligned_sources_are_copied(size, offset):
    source = np.zeros(size + offset, np.float32)[offset:]
    x = fnp.asarray(source)
    source[:] = 1
    assert float(x.sum()) == 0


def test_tracers_and_arrays_inside_lists_are_stacked():
    y = fnp.ones(2)
    found = jit(lambda a: fnp.asarray([[a, 2], y]))(3.0)
    np.testing.assert_array_equal(np.asarray(found), [[3, 2], [1, 1]])
    assert fnp.asarray([y, [1, 2]]).dtype == np.float32


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], "row 1 has 1 element, row 0 has 2 elements"),
        ([[1, 2], [3, 4, 5]], "row 1 has 3 elements, row 0 has 2 elements"),
        ([[[1], [2]], [[3], [4, 5]]], r"element \[1\]\[1\] has 2 elements, element \[1\]\[0\] has 1 element"),
        ([1, [2]], "row 1 has 1 element, row 0 is a scalar"),
    ],
)
def test_ragged_lists_name_the_first_ragged_place(value, message):
    with pytest.raises(RaggedError, match=message):
        fnp.array(value)


@pytest.mark.parametrize(
    "value", ["text", ["a"], [None], object(), np.array(["a"]), np.array([None]), [[1, 2], [3, "a"]]]
)
def test_strings_and_objects_are_refused(value):
    with pytest.raises(DTypeError):
        fnp.asarray(value)


def test_the_place_of_an_unusable_element_is_named():
    with pytest.raises(DTypeError, match=r"element \[1\]\[1\]"):
        fnp.asarray([[1, 2], [3, "a"]])


@pytest.mark.parametrize("value", [2**40, [2**40], [[1], [-(2**31) - 1]]])
def test_ints_that_the_default_cannot_hold_are_refused(value):
    with pytest.raises(OverflowError, match="int64"):
        fnp.asarray(value)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: fnp.zeros(2, "text"), DTypeError),
        (lambda: fnp.zeros(-1), ShapeError),
        (lambda: fnp.zeros(2.5), ShapeError),
        (lambda: fnp.asarray([1], copy=False), ArgumentError),
        (lambda: fnp.asarray(1j, float), DTypeError),
        (lambda: fnp.asarray([1j], float), DTypeError),
        (lambda: fnp.zeros(2, device="gpu:99"), DeviceError),
        (lambda: fnp.arange(0, 1, 0), ArgumentError),
        (lambda: fnp.arange(2**33), OverflowError),
        (lambda: fnp.linspace(0, 1, -1), ArgumentError),
        (lambda: fnp.diag(fnp.zeros((1, 1, 1))), ShapeError),
        (lambda: fnp.meshgrid(fnp.ones(2), indexing="yx"), ArgumentError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call()


def test_constants_cost_no_memory():
    huge = fnp.ones((100_000, 100_000))
    assert huge.splat() == 1
    assert huge.shape == (100_000, 100_000)
    assert fnp.zeros_like(huge).splat() == 0
    assert fnp.full((3,), 7).dtype == np.int32


@pytest.mark.parametrize(
    "arguments", [(5,), (2, 5), (0, 1, 0.25), (3.0,), (5, 0, -2), (0,), (True,), (np.int8(3),), (1, 2, 0.1)]
)
def test_arange_agrees_with_numpy(arguments):
    np.testing.assert_allclose(np.asarray(fnp.arange(*arguments)), np.arange(*arguments), rtol=1e-6)


def test_shape_arithmetic_is_known_while_tracing():
    assert jit(lambda x: fnp.zeros(fnp.asarray(3) + x.shape[0]))(fnp.ones(2)).shape == (5,)


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: m.linspace(x[0], x[1], 5),
        lambda m, x: m.linspace(x[0], x[1], 5, endpoint=False, axis=-1),
        lambda m, x: m.linspace(x[0], x[1], 1),
        lambda m, x: m.geomspace(m.abs(x[0]) + 1, m.abs(x[1]) + 3, 4),
        lambda m, x: m.logspace(x[0], x[1], 4),
        lambda m, x: m.tril(x, -1),
        lambda m, x: m.triu(x, 1),
        lambda m, x: m.diag(x[0, 0], -2),
        lambda m, x: m.diag(x[0], 1),
        lambda m, x: m.diagflat(x[0]),
        lambda m, x: m.vander(x[0, 0], 3),
        lambda m, x: m.meshgrid(x[0, 0], x[0, :, 0]),
        lambda m, x: m.meshgrid(x[0, 0], x[0, :, 0], sparse=True, indexing="ij"),
    ],
)
def test_grids_and_triangles_agree_with_numpy(function):
    agree(function, CUBE)


def test_matrices_of_ones_agree_with_numpy():
    np.testing.assert_array_equal(np.asarray(fnp.eye(3, 4, 1)), np.eye(3, 4, 1))
    np.testing.assert_array_equal(np.asarray(fnp.tri(3, 4, -1)), np.tri(3, 4, -1))
    np.testing.assert_array_equal(np.asarray(fnp.indices((2, 3))), np.indices((2, 3)))
    np.testing.assert_array_equal(np.asarray(fnp.identity(2)), np.identity(2))


def test_dlpack_comes_in():
    np.testing.assert_array_equal(np.asarray(fnp.from_dlpack(np.arange(3.0))), np.arange(3.0))


def test_empty_arrays_have_a_shape_and_a_dtype():
    assert fnp.empty((2, 0)).type is fnp.zeros((2, 0)).type
    assert fnp.empty(3, "int8").dtype == np.int8
    assert fnp.empty_like(fnp.ones((2, 3), "int8")).type is fnp.zeros((2, 3), "int8").type
    assert fnp.empty_like([1.0], shape=(2,)).shape == (2,)


def test_limits_of_integers():
    assert fnp.iinfo("int8").max == fnp.iinfo(fnp.ones(1, "int8")).max == 127
    assert fnp.iinfo("uint16").min == 0
