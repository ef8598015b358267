"""Reshaping, joining, splitting, tiling and flipping agree with NumPy; what does not fit is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, DTypeError, ShapeError

from .oracle import CUBE, INTS, agree

FUNCTIONS = {
    "reshape": lambda m, x: m.reshape(x, (4, -1)),
    "reshape in Fortran order": lambda m, x: m.reshape(x, (4, 6), order="F"),
    "ravel": lambda m, x: m.ravel(x),
    "ravel in Fortran order": lambda m, x: m.ravel(x, order="F"),
    "transpose": lambda m, x: m.transpose(x),
    "transpose by axes": lambda m, x: m.transpose(x, (1, -1, 0)),
    "matrix_transpose": lambda m, x: m.matrix_transpose(x),
    "swapaxes": lambda m, x: m.swapaxes(x, 0, -1),
    "moveaxis": lambda m, x: m.moveaxis(x, (0, 1), (-1, 0)),
    "rollaxis": lambda m, x: m.rollaxis(x, 2, 1),
    "expand_dims": lambda m, x: m.expand_dims(x, (0, -1)),
    "squeeze": lambda m, x: m.squeeze(m.expand_dims(x, (0, 2))),
    "broadcast_to": lambda m, x: m.broadcast_to(x, (5, 2, 3, 4)),
    "broadcast_arrays": lambda m, x: m.broadcast_arrays(x, x[0, 0]),
    "concatenate": lambda m, x: m.concatenate([x, x], 1),
    "concatenate flattened": lambda m, x: m.concatenate([x, x], None),
    "stack": lambda m, x: m.stack([x, x], -1),
    "unstack": lambda m, x: m.unstack(x, axis=1),
    "vstack": lambda m, x: m.vstack([x, x]),
    "hstack": lambda m, x: m.hstack([x, x]),
    "dstack": lambda m, x: m.dstack([x, x]),
    "column_stack": lambda m, x: m.column_stack([x[0, 0], x[0, 1]]),
    "split": lambda m, x: m.split(x, 3, 1),
    "split at places": lambda m, x: m.split(x, [1, 3], 2),
    "array_split": lambda m, x: m.array_split(x, 3, 2),
    "hsplit": lambda m, x: m.hsplit(x, 3),
    "vsplit": lambda m, x: m.vsplit(x, 2),
    "dsplit": lambda m, x: m.dsplit(x, 2),
    "tile": lambda m, x: m.tile(x, (2, 1, 3)),
    "tile with new axes": lambda m, x: m.tile(x, (2, 1, 1, 3)),
    "roll": lambda m, x: m.roll(x, 3),
    "roll axes": lambda m, x: m.roll(x, (1, -2), (0, 2)),
    "flip": lambda m, x: m.flip(x),
    "flip axes": lambda m, x: m.flip(x, (0, 2)),
    "rot90": lambda m, x: m.rot90(x),
    "rot90 backwards": lambda m, x: m.rot90(x, 3, (1, 2)),
    "rot90 twice": lambda m, x: m.rot90(x, -2, (1, 2)),
    "several atleast_2d": lambda m, x: m.atleast_2d(x, x[0, 0]),
    "block": lambda m, x: m.block([[x[0], x[1]], [x[0, :, :2], x[0, :, :1], x[1, :, :3], x[0, :, :2]]]),
    "block of vectors": lambda m, x: m.block([x[0, 0], 1.0, x[0, 1, :1]]),
    "block of one": lambda m, x: m.block(x),
    "concatenate as a dtype": lambda m, x: m.concatenate([x, x], dtype="float64"),
    "stack as a dtype": lambda m, x: m.stack([x, x], dtype="int8", casting="unsafe"),
    "hstack as a dtype": lambda m, x: m.hstack([x, x], dtype="complex64"),
    "vstack as a dtype": lambda m, x: m.vstack([x, x], dtype="float16"),
    "split at an array": lambda m, x: m.split(x, m.asarray([1, 3]), 2),
    "atleast_1d": lambda m, x: m.atleast_1d(x[0, 0, 0]),
    "atleast_2d": lambda m, x: m.atleast_2d(x[0, 0]),
    "atleast_3d": lambda m, x: m.atleast_3d(x[0]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_shapes_agree_with_numpy(name):
    agree(FUNCTIONS[name], CUBE, ulps=0)


@given(hnp.array_shapes(max_dims=3, max_side=4))
def test_reshaping_there_and_back_is_the_identity(shape):
    x = np.arange(np.prod(shape)).reshape(shape)
    found = fnp.asarray(x).reshape(-1).reshape(shape[::-1]).T.T.reshape(*shape)
    np.testing.assert_array_equal(np.asarray(found), x)


def test_joining_promotes():
    assert fnp.concatenate([fnp.ones(2, "float16"), fnp.ones(2, "int32")]).dtype == np.float16
    assert fnp.stack([fnp.ones(2, "float16"), fnp.ones(2)]).dtype == np.float32
    assert fnp.concatenate([fnp.ones(2), [1, 2]]).shape == (4,)


def test_conversion_saturates_and_keeps_shape():
    agree(lambda m, x: m.astype(x, np.int8), INTS)
    assert int(fnp.asarray(300.0).astype("uint8")) == 255


def test_questions_about_dtypes():
    assert fnp.isdtype("bfloat16", "real floating")
    assert fnp.isdtype("int8", ("bool", "integral"))
    assert not fnp.isdtype("int8", fnp.float32)
    assert fnp.issubdtype(fnp.bfloat16, fnp.floating)
    assert fnp.can_cast("int32", "float64")
    assert fnp.promote_types("int8", "uint8") == np.int16
    assert fnp.result_type("int32", 2.0) == np.float32
    assert fnp.iscomplexobj(fnp.asarray(1j))
    assert (fnp.ndim([[1]]), fnp.shape([[1]]), fnp.size([[1, 2]], 1)) == (2, (1, 1), 2)
    with pytest.raises(DTypeError, match="unknown kind"):
        fnp.isdtype("int8", "whole")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.reshape(4, 2), ShapeError, r"\(2, 3\) \(6 elements\) into shape \(4, 2\)"),
        (lambda x: x.reshape(-1, 5), ShapeError, r"into shape \(-1, 5\)"),
        (lambda x: fnp.transpose(x, (0, 0)), AxisError, "not a permutation"),
        (lambda x: fnp.moveaxis(x, (0, 1), 0), AxisError, "equally many"),
        (lambda x: fnp.squeeze(x, 0), ShapeError, "length is 2, not 1"),
        (lambda x: fnp.broadcast_to(x, (4,)), ShapeError, "cannot broadcast"),
        (lambda x: fnp.concatenate([x, fnp.ones((2, 2))]), ShapeError, r"\(2, 3\) and \(2, 2\)"),
        (lambda x: fnp.concatenate([]), ArgumentError, "at least one"),
        (lambda x: fnp.concatenate([fnp.ones(()), fnp.ones(())]), ShapeError, "stack joins scalars"),
        (lambda x: fnp.stack([x, x[0]]), ShapeError, "one shape"),
        (lambda x: fnp.split(x, 2, 1), ShapeError, "array_split"),
        (lambda x: fnp.concatenate([x], dtype="int32"), DTypeError, "casting='same_kind'"),
        (lambda x: fnp.concatenate([x], 0, x), ArgumentError, "immutable"),
        (lambda x: fnp.tile(x, -1), ArgumentError, "negative"),
        (lambda x: fnp.vsplit(x[0], 1), ShapeError, "at least 2"),
        (lambda x: fnp.dsplit(x, 1), ShapeError, "at least 3"),
        (lambda x: fnp.block([[x], x]), ArgumentError, "equally deep"),
        (lambda x: fnp.block([[x], []]), ArgumentError, r"arrays\[1\] is an empty list"),
        (lambda x: fnp.block([(x, x)]), DTypeError, "only lists"),
        (lambda x: fnp.flip(x, 2), AxisError, "axis 2"),
        (lambda x: fnp.broadcast_shapes((2,), (3,)), ShapeError, "do not broadcast"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(fnp.ones((2, 3)))


def test_small_and_large_arrays_are_stacked_alike():
    for n in (3, 2000):
        x = np.arange(n, dtype=np.float32)
        for axis in (0, 1, -1):
            found = fnp.stack([fnp.asarray(x), fnp.asarray(-x)], axis)
            np.testing.assert_array_equal(np.asarray(found), np.stack([x, -x], axis))
    for shape in ((), (0,), (2, 0)):
        assert fnp.stack([fnp.ones(shape)] * 3).shape == (3, *shape)


def test_several_results_are_tuples_as_in_numpy():
    assert isinstance(fnp.broadcast_arrays(1, 2), tuple)
    assert isinstance(fnp.atleast_1d(1, 2), tuple)
