"""What operations are lowered to where the natural form would be slow or wrong: the same results, and no copies."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.compiler.lower import lower_program
from funcgrad.core.program import stage
from funcgrad.core.types import ArrayType
from funcgrad.ops.reduction import ReduceMax, argmax, reduce_max

RANDOM = np.random.default_rng(5)
PLACES = (0, 1, 33, 700, 4095)


def together(function: Callable[..., Any], *args: Any) -> list[np.ndarray]:
    """The results of one compiled program."""
    return [np.asarray(x) for x in fg.tree.leaves(fg.jit(function)(*args))]


def module_for(function: Callable[..., Any], *shapes: tuple[int, ...], platform: str = "cpu") -> str:
    """The StableHLO of operations on float32 arrays."""
    types = [ArrayType(shape, np.dtype(np.float32)) for shape in shapes]
    return lower_program(stage(lambda *args: (function(*args),), types, "module"), platform).text()


# -- extrema and their places ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ml_dtypes.bfloat16], ids=lambda d: d.__name__)
def test_compiled_extrema_find_nan_wherever_it_is(dtype: type) -> None:
    rows = RANDOM.normal(size=(len(PLACES) + 2, 4096)).astype(dtype)
    rows[:, 7], rows[:, 8] = np.inf, -np.inf
    for row, place in enumerate(PLACES):
        rows[row, place] = np.nan

    def extrema(x: Any) -> Any:
        return [f(y, axis) for y, axis in ((x, 1), (x.T, 0), (x[-1], None), (x, None)) for f in (fnp.max, fnp.min)]

    missing = [np.nan] * len(PLACES)
    found = [value.astype(np.float64) for value in together(extrema, rows)]
    expected = [[*missing, np.inf, np.inf], [*missing, -np.inf, -np.inf]] * 2 + [np.inf, -np.inf, np.nan, np.nan]
    for value, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(value, wanted)


def test_softmax_of_a_row_with_nan_is_nan_though_its_maximum_may_be_none() -> None:
    x = RANDOM.normal(size=(len(PLACES) + 1, 4096)).astype(np.float32)
    for row, place in enumerate(PLACES):
        x[row, place] = np.nan

    def family(x: Any) -> Any:
        return [fg.nn.softmax(x), fg.nn.log_softmax(x), fg.nn.logsumexp(x, axis=1), fg.nn.logmeanexp(x, axis=1)]

    for found, eager in zip(together(family, x), family(fnp.asarray(x)), strict=True):
        np.testing.assert_allclose(found, np.asarray(eager), rtol=2e-5)
        assert np.isnan(found[:-1]).all()
        assert not np.isnan(found[-1]).any()


def test_a_maximum_that_need_not_find_nan_stays_one_under_vmap() -> None:
    text = fg.make_program(fg.vmap(lambda x: reduce_max(x, (0,), keeps_nan=False)))(fnp.ones((3, 4)))
    assert "keeps_nan=False" in str(text)
    assert "multiply" not in module_for(lambda x: ReduceMax((0,), False)(x), (4,))
    assert "multiply" not in module_for(lambda x: ReduceMax((0,))(x), (4,), platform="gpu")


@pytest.mark.parametrize(
    "row",
    [
        [1.0, 3.0, 3.0, 2.0],
        [0.0, -0.0, -1.0, -0.0],
        [-np.inf, -np.inf, -np.inf, -np.inf],
        [np.inf, -np.inf, np.inf, -np.inf],
        [1.0, np.nan, 3.0, np.nan],
        [np.nan, np.nan, np.nan, np.nan],
        [np.inf, np.inf, np.nan, -np.inf],
    ],
    ids=str,
)
def test_compiled_places_are_the_first_ones(row: list[float]) -> None:
    x = np.tile(np.asarray(row, np.float32), (3, 1))
    found = together(lambda x: [f(x, axis) for f in (fnp.argmax, fnp.argmin) for axis in (0, 1, None)], x)
    expected = [f(x, axis) for f in (np.argmax, np.argmin) for axis in (0, 1, None)]
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_places_of_integers_booleans_and_along_long_axes() -> None:
    whole = RANDOM.integers(-128, 128, (3, 500)).astype(np.int8)
    long = np.zeros(2**17, np.float64)
    long[[70_001, 100_000]] = 1
    both = lambda x: [fnp.argmax(x, -1), fnp.argmin(x, -1)]  # noqa: E731
    args = whole, whole > 100, long
    found = together(lambda *args: [both(x) for x in args], *args)
    for value, wanted in zip(found, [f(x, -1) for x in args for f in (np.argmax, np.argmin)], strict=True):
        np.testing.assert_array_equal(value, wanted)


def test_places_are_found_in_one_pass_where_that_is_better() -> None:
    places = lambda x: argmax(x, 0, np.dtype(np.int32))  # noqa: E731
    assert module_for(places, (8,)).count("stablehlo.reduce") == 2
    assert module_for(places, (8,), platform="gpu").count("stablehlo.reduce") == 1
    assert module_for(places, (2**24 + 1,)).count("stablehlo.reduce") == 1  # places would not be exact in float32


# -- gathers -----------------------------------------------------------------------------------------------------


def test_a_gather_behind_a_whole_axis_walks_that_axis() -> None:
    x = RANDOM.normal(size=(4, 5, 6, 7)).astype(np.float32)
    i, j = RANDOM.integers(0, 5, (3, 2)), RANDOM.integers(0, 5, (3, 2))
    numpy_like: list[Callable[[Any], Any]] = [
        lambda x: x[:, i],
        lambda x: x[:, :, i],
        lambda x: x[:, :, :, i],
        lambda x: x[:, i, :, j],
        lambda x: x[:, i, j],
        lambda x: x[1, :, i],
        lambda x: x[:, i, 2:5, j],
        lambda x: x[:0, i],
        lambda x: x[..., i[:0], j[:0]],
    ]

    def others(x: Any) -> Any:
        filled = x.at[:, i + 2].get(mode="fill", fill_value=7)
        return [filled, fg.vmap(lambda y: y[:, i])(x), fg.vmap(lambda y, k: y[:, k])(x, i[[0, 1, 2, 0]])]

    found = together(lambda x: [*(f(x) for f in numpy_like), *others(x)], x)
    expected = [*(f(x) for f in numpy_like), *map(np.asarray, others(fnp.asarray(x)))]
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_gather_of_columns_needs_no_transposed_copy() -> None:
    i = np.arange(50, dtype=np.int32)
    text = fg.jit(lambda x, i: (x[:, i], i.sum())).lower(fnp.ones((40, 60)), i).compile().as_text()
    assert "gather" in text
    assert "transpose(" not in text


# -- in place ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["set", "add", "dynamic_update_slice", "fori_loop"])
def test_a_loop_that_changes_single_elements_copies_nothing_per_step(by: str) -> None:
    def step(x: Any, i: Any) -> Any:
        if by == "dynamic_update_slice":
            return fg.lax.dynamic_update_slice(x, x[:1] + 1, (i,))
        return x.at[i].set(x[0] + 1) if by == "set" else x.at[i].add(1.0)

    def loop(x: Any, places: Any) -> Any:
        if by == "fori_loop":
            return fg.lax.fori_loop(0, 10, lambda i, x: step(x, places[i]), x)
        return fg.lax.scan(lambda x, i: (step(x, i), None), x, places)[0]

    compiled = fg.jit(loop, donate_argnums=0).lower(fnp.ones(54_321), np.arange(10, dtype=np.int32)).compile()
    assert "f32[54321]" in compiled.as_text()
    assert not re.search(r"= f32\[54321\]\S* copy\(", compiled.as_text())


# -- functions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_exp2_is_close_everywhere_and_exact_at_integers(dtype: type) -> None:
    limits = np.finfo(dtype)
    whole = np.arange(limits.minexp, limits.maxexp).astype(dtype)
    x = RANDOM.uniform(limits.minexp, limits.maxexp, 20_000).astype(dtype)
    special = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e30, -1e30, limits.maxexp, 2 * limits.minexp], dtype)
    exact, close, corners = together(lambda *args: [fnp.exp2(x) for x in args], whole, x, special)
    np.testing.assert_array_equal(exact, np.ldexp(np.ones_like(whole), whole.astype(int)))
    np.testing.assert_array_max_ulp(close, np.exp2(x), 3)
    np.testing.assert_array_equal(corners, [np.inf, 0, np.nan, 1, 1, np.inf, 0, np.inf, 0])


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), (0, 1, 2)], ids=str)
def test_derivatives_of_products_with_zeros(axes: tuple[int, ...]) -> None:
    x = RANDOM.uniform(0.5, 1.5, (3, 5, 4))
    x[1, 2, 3], x[0, :, 0], x[1:, 1, 1] = 0.0, 0.0, 0.0
    gradient = np.asarray(fg.grad(lambda x: fnp.prod(x, axes).sum())(x))
    for place in np.ndindex(x.shape):
        others = x.copy()
        others[place] = 1.0  # a product is linear in each factor
        index = tuple(slice(None) if axis in axes else n for axis, n in enumerate(place))
        assert gradient[place] == pytest.approx(np.prod(others[index]), rel=1e-12)


def test_running_results_from_the_end_reverse_nothing() -> None:
    x = RANDOM.integers(-9, 9, (3, 70)).astype(np.int32)
    running = lambda x: [f(x, 1, reverse=True) for f in (fg.lax.cumsum, fg.lax.cummax, fg.lax.cummin)]  # noqa: E731
    for found, ufunc in zip(together(running, x), (np.add, np.maximum, np.minimum), strict=True):
        np.testing.assert_array_equal(found, ufunc.accumulate(x[:, ::-1], 1)[:, ::-1])
    assert "reverse" not in fg.jit(running).lower(x).as_text()
