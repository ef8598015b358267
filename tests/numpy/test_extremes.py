"""The extremes of arrays: agree with NumPy's minimum and maximum, and with a full sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, ShapeError
from tests.numpy.surface import Call, agree, arrays, axes, call, shaped


@pytest.mark.parametrize(("examples", "compiled"), [(30, False), (3, True)])
def test_minmax(examples: int, compiled: bool) -> None:
    @settings(max_examples=examples)
    @given(call(arrays("IF"), axis=axes(None, (0, 1)), keepdims=st.booleans(), initial=st.sampled_from([None, 2])))
    def check(drawn: Call) -> None:
        both = lambda a, **options: (np.min(a, **_given(options)), np.max(a, **_given(options)))  # noqa: E731
        agree("minmax", drawn, compiled=compiled, reference=both)

    check()


def _given(options: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None or name == "axis"}


def test_minmax_with_a_mask_and_two_bounds() -> None:
    x = fnp.asarray([3.0, -7.0, 5.0])
    low, high = fnp.minmax(x, initial=(4.0, 4.5), where=fnp.asarray([True, False, False]))
    assert (float(low), float(high)) == (3.0, 4.5)
    with pytest.raises(ArgumentError, match="out=x"):
        fnp.minmax(x, out=x)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(shaped((3, 4), "IF"), st.integers(0, 3), st.integers(-2, 1), st.sampled_from(["largest", "smallest"]))
def test_top_k(x: np.ndarray, k: int, axis: int, mode: str) -> None:
    values, indices = fnp.top_k(fnp.asarray(x), k, axis=axis, mode=mode)
    ordered = np.sort(x, axis)
    ordered = np.flip(ordered, axis) if mode == "largest" else ordered
    np.testing.assert_array_equal(values, np.take(ordered, range(k), axis))
    np.testing.assert_array_equal(values, np.take_along_axis(x, np.asarray(indices), axis))
    assert (values.dtype, indices.dtype) == (x.dtype, np.int32)


def test_top_k_is_compiled_differentiated_and_checked() -> None:
    x = fnp.asarray([3.0, 9.0, 5.0])
    for mode, expected in (("largest", [0, 1, 1]), ("smallest", [1, 0, 1])):
        total = lambda x, mode=mode: fnp.sum(fnp.top_k(x, 2, mode=mode)[0])  # noqa: E731
        np.testing.assert_array_equal(fg.jit(fg.grad(total))(x), expected)
    with pytest.raises(ShapeError, match="k=4 of 3 elements along axis 0"):
        fnp.top_k(x, 4)
    with pytest.raises(ArgumentError, match="mode='most'"):
        fnp.top_k(x, 1, mode="most")
