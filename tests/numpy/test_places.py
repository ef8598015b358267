"""Choosing and writing at places agree with NumPy; what NumPy writes in place is a changed copy here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, AxisError, ConcretizationError, DTypeError, OutOfBoundsError, ShapeError
from funcgrad.higher_order.jit import jit
from funcgrad.transforms.grad import grad
from funcgrad.transforms.vmap import vmap

from .oracle import CUBE, FLOATS
from .oracle import agree as agree_twice
from .surface import Call, agree, arrays, axes, call, shaped

MODE = st.sampled_from(["raise", "clip", "wrap"])
MASKS = shaped((2, 3), "bi", low=0, high=1)


def written(name: str) -> Callable[..., Any]:
    """A function of NumPy's that writes, made one that returns."""

    def reference(x: np.ndarray, *args: Any, **kwargs: Any) -> np.ndarray:
        copy = x.copy()
        getattr(np, name)(copy, *args, **kwargs)
        return copy

    return reference


@given(call(shaped((2, 3), "i", low=-1, high=3), st.lists(shaped(3, "if"), max_size=3), mode=MODE))
def test_choosing(drawn):
    agree("choose", drawn)


@given(call(shaped(st.integers(0, 4), "bi", low=0, high=1), arrays("bif"), axis=axes(None)))
def test_compressing(drawn):
    agree("compress", drawn)


@given(call(MASKS, shaped((2, 3), "bifc")))
def test_extracting(drawn):
    agree("extract", drawn)


@given(call(shaped((2, 3), "f"), MASKS, shaped(st.integers(0, 3), "f")))
def test_writing_by_masks(drawn):
    agree("place", drawn, reference=written("place"))
    agree("putmask", drawn, reference=written("putmask"))


@given(call(shaped((2, 3), "if"), shaped(st.integers(0, 3), "i", low=-8, high=7), shaped(2, "f"), mode=MODE))
def test_putting(drawn):
    agree("put", drawn, reference=written("put"))


@given(call(arrays("if"), shaped(st.integers(0, 3), "f"), wrap=st.booleans()))
def test_filling_diagonals(drawn):
    agree("fill_diagonal", drawn, reference=written("fill_diagonal"))


@pytest.mark.parametrize("shape", [(5, 2), (7, 3), (2, 5), (3, 3, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_diagonals_of_many_shapes(shape, wrap):
    x = np.zeros(shape, np.float32)
    agree("fill_diagonal", Call((x, np.arange(1, 4), wrap)), reference=written("fill_diagonal"), compiled=True)


@given(
    call(
        st.tuples(shaped(2, "i", low=-4, high=4), shaped(2, "i", low=-4, high=4)),
        st.sampled_from([(3, 4), (2, 3, 1)]),
        mode=MODE | st.just(("clip", "wrap")),
        order=st.sampled_from("CF"),
    )
)
def test_coordinates_become_numbers(drawn):
    agree("ravel_multi_index", drawn)


@given(call(arrays("I", low=-1, high=11), st.sampled_from([(3, 4), (12,), 12, (2, 2, 3)]), order=st.sampled_from("CF")))
def test_numbers_become_coordinates(drawn):
    agree("unravel_index", drawn)


def test_places_compile():
    x, places = FLOATS[:2, :3], np.array([-9, 4, 0, 11])
    for mode in ("clip", "wrap"):
        agree("put", Call((x, places, FLOATS[0], mode)), reference=written("put"), compiled=True)
        agree("choose", Call((places, [x[:1, :1], x[1:, 1:2]]), {"mode": mode}), compiled=True)
        agree("ravel_multi_index", Call(((places, places), (3, 4), mode)), compiled=True)
    agree("place", Call((x, x > 0, FLOATS[0])), reference=written("place"), compiled=True)
    agree("putmask", Call((x, x > 0, FLOATS[0])), reference=written("putmask"), compiled=True)
    agree("unravel_index", Call((abs(places), (3, 4))), compiled=True)


PIECES = {
    "masks": lambda m, x: m.piecewise(x, [x < 0, x > 0.5], [lambda v: -v, lambda v: v * 10]),
    "a default": lambda m, x: m.piecewise(x, [x < 0, x > 0.5], [lambda v: -v, 2.0, lambda v: v + 1]),
    "one mask": lambda m, x: m.piecewise(x[0], x[0] < 0, [1.0, 2.0]),
    "the last wins": lambda m, x: m.piecewise(x, [x < 1, x < 0], [1.0, lambda v: v]),
    "arguments": lambda m, x: m.piecewise(x, [x < 0], [lambda v, a, b: a * v + b, lambda v, a, b: v], 2.0, b=1.0),
}


@pytest.mark.parametrize("name", PIECES)
def test_pieces(name):
    agree_twice(PIECES[name], FLOATS)


def test_pieces_of_scalars_and_plain_lists():
    assert float(fnp.piecewise(3.0, [True, False], [1.0, 2.0])) == 1
    np.testing.assert_array_equal(np.asarray(fnp.piecewise(fnp.arange(3), [True, False, True], [5, 6])), [5, 6, 5])


INDICES = {
    "diag_indices": lambda m, x: m.diag_indices(3, 2),
    "diag_indices_from": lambda m, x: m.diag_indices_from(x[:2, :2, :2]),
    "tril_indices": lambda m, x: m.tril_indices(3, 1, 4),
    "tril_indices_from": lambda m, x: m.tril_indices_from(x[0], -1),
    "triu_indices": lambda m, x: m.triu_indices(3, -1),
    "triu_indices_from": lambda m, x: m.triu_indices_from(x[0], 1),
    "mask_indices": lambda m, x: m.mask_indices(3, m.triu, 1),
    "where": lambda m, x: m.where(m.asarray([[1, 0], [0, 2]])),
}


@pytest.mark.parametrize("name", INDICES)
def test_indices_agree_with_numpy(name):
    agree_twice(INDICES[name], CUBE)


def test_a_size_makes_them_compile():
    x = fnp.asarray([5, 3, 3, 9])
    np.testing.assert_array_equal(jit(lambda x: fnp.extract(x > 4, x, size=3, fill_value=-1))(x), [5, 9, -1])
    np.testing.assert_array_equal(jit(lambda c: fnp.compress(c, x, size=1))(fnp.asarray([False, True])), [3])
    rows = jit(lambda c: fnp.compress(c, fnp.ones((2, 3)), axis=1, size=2))(fnp.asarray([0, 1]))
    np.testing.assert_array_equal(rows, [[1, 0], [1, 0]])
    np.testing.assert_array_equal(jit(lambda x: fnp.where(x > 4, size=3, fill_value=7))(x)[0], [0, 3, 7])
    np.testing.assert_array_equal(jit(lambda k: fnp.mask_indices(2, fnp.triu, k, size=1)[1])(1), [1])


def test_derivatives_follow_the_elements():
    x = fnp.asarray([1.0, 2, 3])
    np.testing.assert_array_equal(grad(lambda x: (fnp.extract(fnp.asarray([1, 0, 1]), x) ** 2).sum())(x), [2, 0, 6])
    np.testing.assert_array_equal(grad(lambda x: (fnp.place(x, x > 1, [x[0]]) ** 2).sum())(x), [6, 0, 0])
    np.testing.assert_array_equal(grad(lambda x: fnp.fill_diagonal(fnp.outer(x, x), x).sum())(x), [11, 9, 7])
    np.testing.assert_array_equal(vmap(lambda i: fnp.choose(i, [x, -x]))(fnp.asarray([0, 1]))[1], [-1, -2, -3])


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda x: fnp.choose([0], []), ArgumentError),
        (lambda x: fnp.choose([2], [x, x]), ArgumentError),
        (lambda x: jit(lambda i: fnp.choose(i, [x, x]))(fnp.asarray([2])).tolist(), ArgumentError),
        (lambda x: fnp.choose([0.5], [x, x]), DTypeError),
        (lambda x: fnp.choose([0], [x, x], mode="nearest"), ArgumentError),
        (lambda x: fnp.compress([0, 0, 1], x), OutOfBoundsError),
        (lambda x: fnp.compress([[1]], x), ShapeError),
        (lambda x: fnp.compress([1], x, axis=1), AxisError),
        (lambda x: jit(lambda c: fnp.compress(c, x))(fnp.ones(2)), ConcretizationError),
        (lambda x: jit(lambda c: fnp.compress(c, x, size=1))(fnp.ones(3)).tolist(), OutOfBoundsError),
        (lambda x: fnp.place(x, [1, 0], []), ArgumentError),
        (lambda x: fnp.place(x, [1], [2]), ShapeError),
        (lambda x: fnp.put(x, [2], [2]), OutOfBoundsError),
        (lambda x: fnp.put(x, [0], [2], inplace=True), ArgumentError),
        (lambda x: fnp.fill_diagonal(x, 1), ShapeError),
        (lambda x: fnp.fill_diagonal(fnp.ones((2, 2, 3)), 1), ShapeError),
        (lambda x: fnp.ravel_multi_index(([0], [3]), (2, 3)), ArgumentError),
        (lambda x: fnp.ravel_multi_index(([0],), (2, 3)), ArgumentError),
        (lambda x: fnp.ravel_multi_index(([0], [0]), (2, 3), order="K"), ArgumentError),
        (lambda x: fnp.unravel_index(6, (2, 3)), ArgumentError),
        (lambda x: jit(lambda i: fnp.unravel_index(i, (2, 3)))(6)[0].tolist(), ArgumentError),
        (lambda x: fnp.tril_indices_from(x), ShapeError),
        (lambda x: fnp.diag_indices_from(fnp.ones((2, 3))), ShapeError),
        (lambda x: fnp.piecewise(x, [x > 0], [1, 2, 3]), ArgumentError),
        (lambda x: fnp.where(x, x, x, size=2), ArgumentError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call(fnp.ones(2))
