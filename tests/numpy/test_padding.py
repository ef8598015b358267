"""Padding agrees with NumPy in every mode, outside transformations and under them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, ConcretizationError, DTypeError, ShapeError
from funcgrad.higher_order.jit import jit
from funcgrad.transforms.grad import grad
from funcgrad.transforms.vmap import vmap

from .oracle import FLOATS
from .oracle import agree as agree_twice
from .surface import Call, agree, arrays, call, calls, shaped

PAIR = st.tuples(st.integers(0, 7), st.integers(0, 7))
WIDTHS = st.integers(0, 5) | PAIR | st.tuples(PAIR, PAIR) | st.just(((1,), (2,))) | st.just({0: 2, -1: (0, 3)})
NUMBERS = st.integers(-4, 4) | st.tuples(st.integers(-4, 4), st.integers(-4, 4)) | st.just(((1, 2), (3, 4)))
LENGTHS = st.sampled_from([None, 1, 2, (1, 3), ((1, 2), (3, 4))])
PARITY = st.sampled_from(["even", "odd"])
MATRICES = shaped(st.tuples(st.integers(0, 3), st.integers(1, 3)), "if")


@given(
    calls(
        call(MATRICES, WIDTHS, st.sampled_from(["edge", "wrap", "mean", "maximum", "minimum", "median"])),
        call(MATRICES, WIDTHS, st.sampled_from(["mean", "maximum", "minimum", "median"]), stat_length=LENGTHS),
        call(
            MATRICES, WIDTHS, st.sampled_from(["reflect", "symmetric"]), reflect_type=st.sampled_from(["even", "odd"])
        ),
        call(MATRICES, WIDTHS, "constant", constant_values=NUMBERS),
        call(shaped((2, 3), "f"), WIDTHS, "linear_ramp", end_values=NUMBERS),
    )
)
def test_every_mode_agrees_with_numpy(drawn):
    agree("pad", drawn)


@given(call(arrays("bifc"), st.integers(0, 2), st.sampled_from(["constant", "edge", "symmetric"])))
def test_any_number_of_axes(drawn):
    agree("pad", drawn)


def test_integers_are_rounded_as_numpy_does():
    x = np.array([[5, 1, 3], [2, 8, 4]], np.int32)
    for mode in ("mean", "median", "linear_ramp"):
        agree("pad", Call((x, 3, mode)))


@pytest.mark.parametrize(
    "mode", ["edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap"]
)
def test_every_mode_compiles(mode):
    agree_twice(lambda m, x: m.pad(x, ((2, 1), (0, 7)), mode), FLOATS)


def test_more_forms_compile():
    odd = lambda m, x: m.pad(x, ((1, 5), (9, 2)), "reflect", reflect_type="odd")  # noqa: E731
    agree_twice(odd, FLOATS)
    agree_twice(lambda m, x: m.pad(x, {1: 2}, constant_values=((1, 2), (3, 4))), FLOATS)


def test_infinities_stay_at_their_side():
    x = np.array([1.0, 2.0, np.inf], np.float32)
    agree("pad", Call((x, (2, 0), "reflect"), {"reflect_type": "odd"}), compiled=True)
    agree("pad", Call((x[::-1].copy(), (0, 1), "symmetric"), {"reflect_type": "odd"}))


def test_a_function_fills_margins():
    def fill(vector, widths, axis, options):
        before, after = widths
        return vector.at[:before].set(options["low"]).at[vector.size - after :].set(axis)

    expected = [[0, 0, 1], [9, 1, 1], [9, 1, 1]]
    for run in (fnp.pad, jit(lambda x, widths, mode, low: fnp.pad(x, widths, mode, low=low), static_argnums=(1, 2))):
        np.testing.assert_array_equal(run(fnp.ones((2, 1)), ((1, 0), (1, 1)), fill, low=9)[1:], expected[1:])


def test_derivatives_follow_the_copies():
    x = fnp.asarray([1.0, 2, 4])
    assert grad(lambda x: fnp.pad(x, 2, "edge").sum())(x).tolist() == [3, 1, 3]
    assert grad(lambda x: fnp.pad(x, 2, "reflect").sum())(x).tolist() == [2, 3, 2]
    assert grad(lambda x: fnp.pad(x, (0, 2), "maximum").sum())(x).tolist() == [1, 1, 3]
    np.testing.assert_allclose(grad(lambda x: fnp.pad(x, (0, 3), "mean").sum())(x), [2, 2, 2], rtol=1e-6)
    np.testing.assert_allclose(grad(lambda x: fnp.pad(x, (0, 2), "linear_ramp").sum())(x), [1, 1, 1.5])
    assert grad(lambda v: fnp.pad(x, 2, constant_values=v).sum())(0.0) == 4
    np.testing.assert_array_equal(
        vmap(lambda row: fnp.pad(row, 1, "wrap"))(fnp.stack([x, -x]))[1], [-4, -1, -2, -4, -1]
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: fnp.pad(x, 1, "mirror"), ArgumentError),
        (lambda x: fnp.pad(x, 1, "edge", constant_values=1), ArgumentError),
        (lambda x: fnp.pad(x, 1, "reflect", reflect_type="strange"), ArgumentError),
        (lambda x: fnp.pad(x, 1, "mean", stat_length=0), ArgumentError),
        (lambda x: fnp.pad(x, -1), ArgumentError),
        (lambda x: fnp.pad(x, 1.5), DTypeError),
        (lambda x: fnp.pad(x, (1, 2, 3)), ShapeError),
        (lambda x: fnp.pad(x, 1, constant_values=(1, 2, 3)), ShapeError),
        (lambda x: fnp.pad(x, {1: 1}), AxisError),
        (lambda x: fnp.pad(x[:0], 1, "edge"), ShapeError),
        (lambda x: fnp.pad(x, 1, lambda *_: None), ArgumentError),
        (lambda x: jit(lambda n: fnp.pad(x, n))(1), ConcretizationError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call(fnp.ones(2))
