"""Options of the reductions that pass over NaN, and of `var` and `std`: as NumPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from tests.numpy.surface import agree, arrays, axes, call, shaped

VALUES = shaped((2, 3), "f", special=True)
MASK = shaped((2, 3), "b")


@pytest.mark.parametrize("name", ["nanmax", "nanmin"])
@settings(max_examples=30)
@given(data=st.data())
def test_extrema_take_initial_values_and_masks(name: str, data: st.DataObject) -> None:
    agree(name, data.draw(call(arrays("if", special=True, min_dims=1), axis=axes(None), initial=1.5), label="initial"))
    drawn = call(VALUES, axis=axes(None), initial=-2.0, where=MASK, keepdims=st.booleans())
    agree(name, data.draw(drawn, label="masked"))


@pytest.mark.parametrize("name", ["nanmean", "nanvar", "nanstd"])
@settings(max_examples=30)
@given(data=st.data())
def test_means_take_masks(name: str, data: st.DataObject) -> None:
    finite = shaped((2, 3), "f").map(lambda x: np.where(x == 1, np.nan, x).astype(np.float32))
    agree(name, data.draw(call(finite, axis=axes(None), where=MASK)), ulps=256)


@pytest.mark.parametrize("name", ["var", "std", "nanvar", "nanstd"])
def test_a_known_mean_is_used(name: str) -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    mean = np.full((2, 1), 1.5, np.float32)
    expected = getattr(np, name)(x, axis=1, mean=mean, correction=1)
    for run in (lambda f: f, fg.jit):
        found = run(lambda x, m: getattr(fnp, name)(x, axis=1, mean=m, correction=1))(fnp.asarray(x), fnp.asarray(mean))
        np.testing.assert_allclose(found, expected, rtol=1e-6)
