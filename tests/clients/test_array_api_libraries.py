"""array-api-compat, array-api-extra and Hypothesis work with our namespace, arrays and tracers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat as compat
import array_api_extra as extra
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.array_api import make_strategies_namespace

import funcgrad as fg
import funcgrad.interop.array_api_extra
import funcgrad.numpy as fnp

NUMBERS = np.array([1.0, 3.0, 2.0, 3.0], np.float32)

# -- array-api-compat --------------------------------------------------------------------------------------------------


def test_compat_finds_the_namespace_of_arrays_and_tracers() -> None:
    x = fnp.asarray(NUMBERS)
    assert compat.array_namespace(x, x * 2, 3.0) is fnp
    assert compat.is_array_api_obj(x)
    assert not compat.is_array_api_strict_namespace(fnp)
    assert compat.size(x) == 4
    assert compat.device(x) == x.device
    np.testing.assert_array_equal(compat.to_device(x, compat.device(x)), NUMBERS)

    @fg.jit
    def mean(x: Any) -> Any:
        xp = compat.array_namespace(x)
        assert compat.is_array_api_obj(x)
        return xp.sum(x) / compat.size(x) + xp.zeros((), dtype=x.dtype, device=compat.device(x))

    assert float(mean(x)) == 2.25


def test_compat_refuses_to_mix_libraries() -> None:
    with pytest.raises(TypeError, match="Multiple namespaces"):
        compat.array_namespace(fnp.ones(2), np.ones(2))


# -- array-api-extra ---------------------------------------------------------------------------------------------------

BOTH: dict[str, Callable[[Any, Any], Any]] = {
    "atleast_nd": lambda xp, x: extra.atleast_nd(x, ndim=3),
    "cov": lambda xp, x: extra.cov(xp.stack([x, x * x])),
    "create_diagonal": lambda xp, x: extra.create_diagonal(x, offset=1),
    "isin": lambda xp, x: extra.isin(x, x[:2]),
    "kron": lambda xp, x: extra.kron(x, x),
    "nan_to_num": lambda xp, x: extra.nan_to_num(x / xp.zeros_like(x)),
    "one_hot": lambda xp, x: extra.one_hot(xp.asarray([0, 2, 1]), 3),
    "pad": lambda xp, x: extra.pad(x, 2, constant_values=5),
    "partition": lambda xp, x: xp.sort(extra.partition(x, 1)[:2]),
    "sinc": lambda xp, x: extra.sinc(x / 3),
    "at, set": lambda xp, x: extra.at(x)[1:3].set(7.0),
    "at, add where": lambda xp, x: extra.at(x)[x > 1.5].add(1.0),
    "at, max": lambda xp, x: extra.at(x, 0).max(9),
}
# JAX's arrays excepted, these index by a boolean array or ask for values, which compiled code cannot.
EAGER: dict[str, Callable[[Any, Any], Any]] = {
    "apply_where": lambda xp, x: extra.apply_where(x > 1.5, x, lambda t: t * 2, fill_value=0),
    "isclose": lambda xp, x: extra.isclose(x, x + 1e-9),
    "lazy_apply": lambda xp, x: extra.lazy_apply(lambda t: t * 2, x),
    "nunique": lambda xp, x: extra.nunique(x),
    "setdiff1d": lambda xp, x: extra.setdiff1d(x, x[:1]),
    "union1d": lambda xp, x: extra.union1d(x, x + 1),
}


def agree(function: Callable[[Any, Any], Any], wrap: Callable[..., Any]) -> None:
    found = wrap(lambda x: function(fnp, x))(fnp.asarray(NUMBERS))
    with np.errstate(divide="ignore"):
        expected = function(np, NUMBERS.copy())
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("wrap", [lambda f: f, fg.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("name", BOTH)
def test_extra_functions(name: str, wrap: Callable[..., Any]) -> None:
    agree(BOTH[name], wrap)


@pytest.mark.parametrize("name", EAGER)
def test_extra_functions_whose_shapes_depend_on_values(name: str) -> None:
    agree(EAGER[name], lambda f: f)


def test_at_leaves_the_array_and_its_dtype_as_they_are() -> None:
    assert funcgrad.interop.array_api_extra.__doc__
    x = fnp.arange(3)
    changed = extra.at(x)[1].multiply(5)
    assert (changed.tolist(), changed.dtype, x.tolist()) == ([0, 5, 2], x.dtype, [0, 1, 2])
    np.testing.assert_array_equal(fg.grad(lambda x: (extra.at(x)[0].set(5.0) ** 2).sum())(fnp.ones(2)), [0, 2])
    with pytest.raises(ValueError, match="immutable"):
        extra.at(x)[0].set(1, copy=False)
    ours = np.zeros(2)
    assert extra.at(ours)[0].set(1, copy=False) is ours


# -- Hypothesis --------------------------------------------------------------------------------------------------------

strategies = make_strategies_namespace(fnp)
fnp.ones(1)  # the first array starts the engine, which would count as slow drawing
OFTEN = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@OFTEN
@given(strategies.arrays(strategies.scalar_dtypes(), strategies.array_shapes(min_dims=0)), st.data())
def test_drawn_arrays_can_be_indexed_and_reduced(x: fg.Array, data: st.DataObject) -> None:
    index = data.draw(strategies.indices(x.shape, allow_newaxis=True))
    np.testing.assert_array_equal(np.asarray(x[index]), np.asarray(x)[index])
    axes = data.draw(strategies.valid_tuple_axes(x.ndim))
    assert fnp.any(x, axis=axes).shape == np.any(np.asarray(x), axis=axes).shape


@OFTEN
@given(strategies.mutually_broadcastable_shapes(2), strategies.numeric_dtypes(), st.data())
def test_drawn_shapes_broadcast(shapes: Any, dtype: Any, data: st.DataObject) -> None:
    x, y = (data.draw(strategies.arrays(dtype, shape)) for shape in shapes.input_shapes)
    total = fnp.add(x, y)
    assert (total.shape, total.dtype) == (shapes.result_shape, x.dtype)


@pytest.mark.parametrize(
    "kind", ["boolean", "integer", "unsigned_integer", "floating", "real", "complex", "numeric", "scalar"]
)
def test_every_kind_of_dtype_can_be_drawn(kind: str) -> None:
    drawn = set()

    @OFTEN
    @given(getattr(strategies, f"{kind}_dtypes")())
    def draw(dtype: Any) -> None:
        drawn.add(np.dtype(dtype).name)

    draw()
    assert drawn <= set(fnp.__array_namespace_info__().dtypes())
