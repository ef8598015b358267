"""Arguments that random calls found to be misread: what NumPy refuses is refused, what it takes gives its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, DTypeError, ShapeError

MATRIX = np.array([[1.5, -2.0, 0.5], [3.0, np.inf, -1.0]], np.float32)
SMALL = np.array([1, -2, 3], np.int8)
BITS = np.array([False, True, True])
COMPLEX = np.array([1 + 2j, 3 - 1j], np.complex64)

REFUSED: dict[str, tuple[type[Exception], Callable[[], Any]]] = {
    "a float as axis of sum": (AxisError, lambda: fnp.sum(MATRIX, axis=1.0)),  # type: ignore[arg-type]
    "a float as axis of cumsum": (AxisError, lambda: fnp.cumsum(MATRIX, axis=1.0)),  # type: ignore[arg-type]
    "a float as axis of stack": (AxisError, lambda: fnp.stack([SMALL, SMALL], axis=1.0)),  # type: ignore[arg-type]
    "a float as axis of expand_dims": (AxisError, lambda: fnp.expand_dims(SMALL, 1.5)),  # type: ignore[arg-type]
    "a tuple as axis of cumulative_sum": (AxisError, lambda: fnp.cumulative_sum(SMALL, axis=(0,))),  # type: ignore[arg-type]
    "a matrix as shape": (ShapeError, lambda: fnp.zeros(np.array([[1, 3], [3, 0]]))),
    "a matrix as shape of full": (ShapeError, lambda: fnp.full(np.array([[1, 3], [3, 0]]), 2.0)),
    "a number as vectors": (ShapeError, lambda: fnp.cross(fnp.ones((2, 3)), 2)),
    "complex degrees": (DTypeError, lambda: fnp.deg2rad(COMPLEX)),
    "complex radians": (DTypeError, lambda: fnp.degrees(COMPLEX)),
    "complex fabs": (DTypeError, lambda: fnp.fabs(COMPLEX)),
    "complex heaviside": (DTypeError, lambda: fnp.heaviside(-0.5, COMPLEX)),
    "complex signbit": (DTypeError, lambda: fnp.signbit(COMPLEX)),
    "numbers as conditions": (DTypeError, lambda: fnp.select([SMALL], [SMALL])),
    "floats as places to split": (TypeError, lambda: fnp.split(SMALL, [1.5])),  # type: ignore[list-item]
    "floats as a shape": (ShapeError, lambda: fnp.ravel_multi_index((0, 1), (5.0, 3.0))),  # type: ignore[arg-type]
    "negative lengths": (ShapeError, lambda: fnp.unravel_index(3, (2, -3))),
    "integers for a variance": (DTypeError, lambda: fnp.var(SMALL, dtype="int8")),
    "integers for a deviation without NaN": (DTypeError, lambda: fnp.nanstd(MATRIX, dtype="uint8")),
    "booleans for a covariance": (DTypeError, lambda: fnp.cov(MATRIX, dtype="bool")),
    "nothing to insert": (DTypeError, lambda: fnp.insert(fnp.ones(3), 1, None)),
    "a word to insert": (DTypeError, lambda: fnp.insert(fnp.ones(3), 1, "2.5")),
    "a fraction to roll by": (TypeError, lambda: fnp.roll(fnp.ones(3), 1.5)),  # type: ignore[arg-type]
    "negative powers of integers": (ArgumentError, lambda: fnp.power(3, np.array([-5, 0, 1]))),
    "a geometric sequence from zero": (ArgumentError, lambda: fnp.geomspace(0.0, 8.0, 3)),
    "a mask that is larger": (ShapeError, lambda: fnp.min(-2, initial=0, where=[True, False, True])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    error, call = REFUSED[name]
    with pytest.raises(error):
        call()


AGREEING: dict[str, Callable[[Any], Any]] = {
    "initial of another kind, min": lambda np: np.min(np.asarray(BITS), initial=-3),
    "initial of another kind, prod": lambda np: np.prod(np.asarray(SMALL), initial=2.5),
    "where=True without initial": lambda np: np.max(np.asarray(SMALL), where=True),
    "division by what does not fit": lambda np: np.divide(np.asarray(SMALL), 300),
    "hypot with what does not fit": lambda np: np.hypot(np.asarray(SMALL, dtype="int16"), -70000),
    "isclose with what does not fit": lambda np: np.isclose(np.asarray(SMALL), 300, atol=0),
    "isin of what does not fit": lambda np: np.isin(np.asarray(SMALL), 300),
    "searching what does not fit": lambda np: np.searchsorted(np.asarray([1, 2], dtype="int8"), 300),
    "median between infinities": lambda np: np.nanmedian(np.asarray(MATRIX) * -1, axis=0),
    "derivative of a polynomial of booleans": lambda np: np.polyder(np.asarray(BITS)),
    "where of a scalar": lambda np: np.argwhere(np.asarray(0.0)),
    "size along axes": lambda np: np.size(np.asarray(MATRIX)) // np.size(np.asarray(MATRIX), 1),
    "variance of complex numbers": lambda np: np.var(np.asarray(COMPLEX), ddof=1, where=[True, True]),
    "variance without NaN of complex numbers": lambda np: np.nanvar(np.asarray(COMPLEX)),
    "repetitions as an array": lambda np: np.tile(np.asarray(SMALL), np.asarray([2, 1])),
    "an axis as an array": lambda np: np.swapaxes(np.asarray(MATRIX), np.asarray(-2), 1),
    "a number as order of axes": lambda np: np.transpose(np.asarray(SMALL), 0),
    "running sums of booleans": lambda np: np.cumsum(np.asarray(BITS), dtype="bool"),
    "running products of booleans": lambda np: np.cumprod(np.asarray(MATRIX), dtype="bool"),
    "a trace of another dtype": lambda np: np.trace(np.asarray(MATRIX), dtype="float64"),
    "a polynomial without zeros": lambda np: np.atleast_1d(np.poly(np.asarray([], dtype="float32"))),
    "an integer mean": lambda np: np.mean(np.asarray([1.5, 2.5, 4.0]), dtype="int32"),
    "the end of a geometric sequence": lambda np: np.geomspace(0.1, 7.0, 4)[-1] == np.float32(7.0),
    "NaN replaced by an infinity": lambda np: np.nan_to_num(np.asarray([1.0, float("nan")]), nan=float("inf")),
}


@pytest.mark.parametrize("name", AGREEING)
def test_taken(name: str) -> None:
    found, expected = np.asarray(AGREEING[name](fnp)), np.asarray(AGREEING[name](np))
    assert found.shape == expected.shape
    assert found.dtype.kind == expected.dtype.kind
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_refused_axis_leaves_nothing_behind() -> None:
    """1.0 == 1, so an operation made for the one would be found again for the other."""
    x = fnp.asarray(MATRIX)
    with pytest.raises(AxisError):
        fnp.cumsum(x, axis=1.0)  # type: ignore[arg-type]
    assert fnp.cumsum(x, axis=-1).shape == x.shape


def test_negative_powers_of_traced_integers() -> None:
    power = fg.jit(lambda x, y: x**y)
    x = fnp.asarray([2, 3], "int32")
    np.testing.assert_array_equal(power(x, fnp.asarray([3, 0], "int32")), [8, 1])
    with pytest.raises(ArgumentError, match="no negative powers"):
        power(x, fnp.asarray([3, -1], "int32")).block_until_ready()
    with fg.config(check_division=False):
        np.testing.assert_array_equal(power(x, fnp.asarray([3, -1], "int32")), [8, 0])
        np.testing.assert_array_equal(x ** fnp.asarray([3, -1], "int32"), [8, 0])
