"""Grids and rows written as slices, and walks over indices: as NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from tests.numpy.surface import Call, agree, arrays, shaped


def stepped(start: float | None, length: float, step: float | None) -> slice:
    """A slice of so many numbers; NumPy's dense grids refuse those that run backwards."""
    return slice(start, (start or 0) + length * (step or 1), step)


INTEGERS = st.builds(stepped, st.none() | st.integers(-3, 3), st.integers(0, 4), st.sampled_from([None, 1, 2, -1]))
FRACTIONS = st.builds(
    stepped, st.integers(-2, 2).map(float), st.sampled_from([0, 1, 2.5]), st.sampled_from([0.5, 2, -1])
)
COUNTED = st.builds(slice, st.integers(-2, 2), st.integers(-2, 4), st.integers(0, 4).map(lambda n: n * 1j))
SLICES = INTEGERS | FRACTIONS | COUNTED
KEYS = SLICES | st.lists(SLICES, min_size=1, max_size=3).map(tuple)


@pytest.mark.parametrize("name", ["mgrid", "ogrid"])
@settings(max_examples=80)
@given(key=KEYS)
def test_grids(name: str, key: Any) -> None:
    agree(lambda module: getattr(module, name)[key], Call(()))


def test_grids_of_no_axes_and_under_jit() -> None:
    assert fnp.mgrid[()].size == np.mgrid[()].size
    assert fnp.ogrid[()] == ()
    np.testing.assert_array_equal(fg.jit(lambda x: x * fnp.mgrid[0:2, 0:3][1])(2.0), 2 * np.mgrid[0:2, 0:3][1])
    stop = fnp.asarray(3)
    np.testing.assert_array_equal(fnp.mgrid[0:stop], [0, 1, 2])
    assert (repr(fnp.mgrid), repr(fnp.ogrid)) == ("mgrid", "ogrid")


PARTS = SLICES | st.integers(-3, 3) | st.sampled_from([2.5]) | shaped((2,), "if")
DIRECTIVES = st.sampled_from(["0", "-1", "0,2", "1,2", "-1,2,0", "0,2,-1", "1,3,0", "0,3,1", "0,3,-1", "2,3,1"])


def joined(module: Any, name: str, *parts: Any) -> Any:
    return getattr(module, name)[parts if len(parts) != 1 else parts[0]]


@pytest.mark.parametrize("name", ["r_", "c_"])
@settings(max_examples=80)
@given(parts=st.lists(PARTS, min_size=1, max_size=4), directive=st.none() | DIRECTIVES)
def test_rows_and_columns(name: str, parts: list[Any], directive: str | None) -> None:
    if name == "c_" or directive is not None:  # parts that fit together
        parts = [x for x in parts if isinstance(x, np.ndarray)] or [np.arange(2)]
    given = parts if directive is None else [directive, *parts]
    agree(lambda module, *xs: joined(module, name, *xs), Call(tuple(given)))


@settings(max_examples=40)
@given(st.lists(arrays("if", min_dims=0), min_size=1, max_size=2), DIRECTIVES)
def test_directives_on_any_shapes(parts: list[Any], directive: str) -> None:
    agree(lambda module, *xs: joined(module, "r_", directive, *xs), Call(tuple(parts)))


def test_rows_are_compiled_and_differentiated() -> None:
    x = fnp.arange(3.0)
    join = lambda x: fnp.r_[1.0, x, 0:2]  # noqa: E731
    np.testing.assert_array_equal(fg.jit(join)(x), [1, 0, 1, 2, 0, 1])
    np.testing.assert_array_equal(fg.grad(lambda x: fnp.sum(join(x) ** 2))(x), 2 * np.arange(3))
    assert fnp.c_[x, x].shape == (3, 2)
    assert fnp.r_[fnp.ones(2, fnp.float16), 2.5].dtype == np.float16
    assert (repr(fnp.r_), repr(fnp.c_)) == ("r_", "c_")


def test_indices_stand_for_themselves() -> None:
    assert fnp.s_[2:, ..., None] == np.s_[2:, ..., None]
    assert (fnp.s_[3], fnp.index_exp[3], fnp.index_exp[1:2, 3]) == (3, (3,), (slice(1, 2), 3))
    assert (repr(fnp.s_), repr(fnp.index_exp)) == ("s_", "index_exp")


@given(st.lists(st.integers(0, 3), max_size=3))
def test_ndindex(shape: list[int]) -> None:
    assert list(fnp.ndindex(*shape)) == list(fnp.ndindex(tuple(shape))) == list(np.ndindex(*shape))


@given(arrays("if"))
def test_ndenumerate(x: np.ndarray) -> None:
    found = [(index, element.item()) for index, element in fnp.ndenumerate(fnp.asarray(x))]
    assert found == [(index, element.item()) for index, element in np.ndenumerate(x)]
