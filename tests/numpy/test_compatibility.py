"""Distinctions that NumPy makes and arrays here do not, and questions about dtypes: as NumPy's, with our defaults."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, ConcretizationError, DTypeError
from tests.numpy.surface import agree, arrays, call


@given(call(arrays("biFC", special=True)))
def test_arrays_of_arrays(drawn: object) -> None:
    for name in ("asanyarray", "asfortranarray"):
        agree(name, drawn)
    agree("asarray_chkfinite", drawn)


def test_memory_order_is_not_visible() -> None:
    x = fnp.ones((2, 3))
    assert fnp.asanyarray(x) is x
    assert fnp.asfortranarray(x, "float16").dtype == np.float16
    assert not fnp.isfortran(fnp.asfortranarray(x))


def test_checks_of_finiteness_need_values() -> None:
    with pytest.raises(ConcretizationError):
        fg.jit(fnp.asarray_chkfinite)(fnp.ones(2))
    with pytest.raises(ArgumentError, match=r"shape \(2,\) holds NaN or infinities"):
        fnp.asarray_chkfinite([1.0, np.inf])


@given(
    st.lists(st.sampled_from(["int8", "int32", "float16", "float32", "float64", "complex64", "complex128"]), max_size=3)
)
def test_common_type(names: list[str]) -> None:
    theirs = np.common_type(*(np.zeros(1, name) for name in names))
    floats = [name for name in names if not name.startswith("int")]
    if len(floats) == len(names):  # integers count as float64 there, as the default float here
        assert fnp.common_type(*(fnp.zeros(1, name) for name in names)) is theirs
    else:
        expected = np.result_type(np.float16, np.float32, *floats)
        assert fnp.common_type(*(fnp.zeros(1, name) for name in names)) is expected.type


def test_common_type_refuses_booleans() -> None:
    with pytest.raises(DTypeError, match="not of booleans"):
        fnp.common_type(fnp.ones(2, bool))


@pytest.mark.parametrize("value", [3, -3, 300, -40000, 2**40, 2.5, 1e300, 1j, True])
def test_min_scalar_type(value: complex) -> None:
    assert fnp.min_scalar_type(value) == np.min_scalar_type(value)
    if abs(value) < 1e9:
        assert fnp.min_scalar_type(fnp.asarray(value)) == np.min_scalar_type(np.asarray(fnp.asarray(value))[()])


def test_min_scalar_type_of_arrays_is_their_own() -> None:
    assert fnp.min_scalar_type(fnp.ones(3)) == np.float32
    assert fnp.min_scalar_type(fnp.asarray(1, fnp.bfloat16)) == fnp.bfloat16


@pytest.mark.parametrize("tol", [100, 0.5])
@pytest.mark.parametrize("imaginary", [0, 1e-7, 0.1, 1.0])
def test_real_if_close(imaginary: float, tol: float) -> None:
    x = np.array([1 + 1j * imaginary, 2], np.complex64)
    ours, theirs = fnp.real_if_close(fnp.asarray(x), tol), np.real_if_close(x, tol)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_real_if_close_needs_the_values() -> None:
    with pytest.raises(ConcretizationError):
        fg.jit(fnp.real_if_close)(fnp.ones(2, "complex64"))
    assert fg.jit(fnp.real_if_close)(fnp.ones(2)).dtype == np.float32


def test_names_of_dtypes() -> None:
    fixed = {
        "half": "float16", "single": "float32", "double": "float64", "csingle": "complex64", "cdouble": "complex128",
        "byte": "int8", "ubyte": "uint8", "short": "int16", "ushort": "uint16", "intc": "int32", "uintc": "uint32",
        "int_": "int64", "uint": "uint64", "intp": "int64", "uintp": "uint64", "long": "int64", "ulong": "uint64",
        "longlong": "int64", "ulonglong": "uint64",
    }  # fmt: skip
    for name, dtype in fixed.items():
        assert fnp.zeros(1, getattr(fnp, name)).dtype == dtype
    assert fnp.mintypecode("if") == np.mintypecode("if")
    assert float(fnp.around(2.567, 1)) == pytest.approx(2.6)
    assert fnp.where(fnp.True_, 1, 2) == 1
    assert np.isclose(fnp.euler_gamma, 0.5772156649)
