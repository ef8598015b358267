"""Compiled reductions of integers and booleans, which go in windows where rows are long."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp

NAMES = ["max", "min", "sum", "prod", "all", "any", "bitwise_and", "bitwise_or", "bitwise_xor"]
LENGTHS = st.sampled_from([64, 65, 1023, 1024, 1025, 2048, 2049]) | st.integers(65, 5000)


def reduced(library: Any, name: str, x: Any, axis: Any) -> Any:
    function = getattr(library, name)
    return function.reduce(x, axis=axis) if name.startswith("bitwise") else function(x, axis=axis)


@settings(max_examples=15)
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data(), length=LENGTHS, seed=st.integers(0, 1 << 30))
def test_rows_of_any_length(name: str, data: st.DataObject, length: int, seed: int) -> None:
    """Around the lengths at which windows begin, and at which there are more of them."""
    shape = data.draw(st.sampled_from([(length,), (2, length), (0, length), (2, 3, length), (length, 2)]))
    axis = data.draw(st.sampled_from([-1, tuple(range(len(shape)))] if shape[0] else [-1]))
    dtypes = ["int8", "uint32", "int64"] if name in ("sum", "prod") else ["int8", "uint32", "int64", "bool"]
    dtype = np.dtype(data.draw(st.sampled_from(dtypes)))
    limits = (0, 2) if dtype == np.bool_ else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    x = np.random.default_rng(seed).integers(*limits, shape, np.int64).astype(dtype)
    result = fg.jit(lambda x: reduced(fnp, name, x, axis))(x)
    np.testing.assert_array_equal(result, np.asarray(reduced(np, name, x, axis)).astype(result.dtype))


@pytest.mark.parametrize("dtype", ["int32", "bool", "float32"])
def test_only_integers_go_in_windows(dtype: str) -> None:
    """Floats would be added in another order, for no gain."""
    text = fg.jit(fnp.sum).lower(fnp.ones((3, 5000), dtype)).as_text()
    assert ("reduce_window" in text) == (dtype != "float32")
    assert "reduce_window" not in fg.jit(fnp.sum).lower(fnp.ones((5000, 3), dtype)).as_text()
