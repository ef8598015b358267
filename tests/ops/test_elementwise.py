"""Elementwise operations where the laws do not reach: derivatives at kinks, integer corners, complex functions."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import funcgrad  # noqa: F401  (gives arrays their operators)
from funcgrad.backend.array import Array
from funcgrad.compiler.evaluate import quiet
from funcgrad.core.primitive import Primitive
from funcgrad.core.types import ArrayType, Zero
from funcgrad.errors import ArgumentError, DifferentiationError, DTypeError, ShapeError
from funcgrad.ops import bits, complex_parts, elementwise, exponential, special, trigonometry
from funcgrad.special import gamma

INT8 = np.arange(-128, 128, dtype=np.int8)


def evaluate(op: Primitive, *operands: np.ndarray) -> np.ndarray:
    return quiet(op.evaluate, *operands)[0]


def slopes(op: Primitive, *operands: float) -> list[float]:
    """The partial derivatives of a real operation of numbers."""
    primals = tuple(Array(np.asarray(x, np.float64)) for x in operands)
    found = []
    for moved in range(len(operands)):
        tangents = tuple(Array(np.asarray(1.0)) if i == moved else Zero(x.type) for i, x in enumerate(primals))
        _, (tangent,) = op.jvp(primals, tangents)
        found.append(float(tangent.host()))
    return found


@pytest.mark.parametrize(
    ("op", "operands", "expected"),
    [
        (elementwise.absolute, (0.0,), [0.0]),
        (elementwise.maximum, (1.0, 1.0), [0.5, 0.5]),
        (elementwise.minimum, (1.0, 1.0), [0.5, 0.5]),
        (elementwise.maximum, (2.0, 1.0), [1.0, 0.0]),
        (elementwise.minimum, (2.0, 1.0), [0.0, 1.0]),
        (elementwise.rem, (7.5, 2.0), [1.0, -3.0]),
        (elementwise.rem, (-7.5, 2.0), [1.0, 3.0]),
        (elementwise.clamp, (0.0, 0.5, 1.0), [0.0, 1.0, 0.0]),
        (elementwise.clamp, (0.0, -0.5, 1.0), [1.0, 0.0, 0.0]),
        (elementwise.clamp, (0.0, 1.5, 1.0), [0.0, 0.0, 1.0]),
        (exponential.power, (0.0, 0.0), [0.0, 0.0]),
        (exponential.power, (0.0, 1.0), [1.0, 0.0]),
        (exponential.power, (0.0, 2.0), [0.0, 0.0]),
        (exponential.power, (-2.0, 3.0), [12.0, np.nan]),
        (exponential.sqrt, (0.0,), [np.inf]),
        (exponential.IntegerPow(2), (0.0,), [0.0]),
        (exponential.IntegerPow(-1), (2.0,), [-0.25]),
        (special.erf, (0.0,), [2 / np.sqrt(np.pi)]),
        (gamma.lgamma, (1.0,), [-np.euler_gamma]),
        (gamma.digamma, (1.0,), [np.pi**2 / 6]),
    ],
    ids=lambda value: value.name if isinstance(value, Primitive) else str(value),
)
def test_derivatives_at_kinks_and_poles(op: Primitive, operands: tuple[float, ...], expected: list[float]) -> None:
    np.testing.assert_allclose(slopes(op, *operands), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("op", "operands"),
    [(special.erf_inv, (0.7,)), (gamma.polygamma, (2.0, 0.7)), (gamma.zeta, (2.5, 0.7))],
    ids=lambda value: value.name if isinstance(value, Primitive) else "",
)
def test_derivatives_of_special_functions(op: Primitive, operands: tuple[float, ...]) -> None:
    *fixed, x = (np.asarray(v) for v in operands)
    primals = tuple(Array(v) for v in (*fixed, x))
    tangents = (*(Zero(p.type) for p in primals[:-1]), Array(np.asarray(1.0)))
    _, (tangent,) = op.jvp(primals, tangents)
    difference = (evaluate(op, *fixed, x + 1e-5) - evaluate(op, *fixed, x - 1e-5)) / 2e-5
    assert float(tangent.host()) == pytest.approx(float(difference), rel=1e-6)


def test_orders_have_no_derivative() -> None:
    primals = Array(np.asarray(2.0)), Array(np.asarray(0.7))
    with pytest.raises(DifferentiationError, match=r"second operand|order"):
        gamma.polygamma.jvp(primals, (Array(np.asarray(1.0)), Zero(primals[1].type)))


def test_integer_division_truncates_and_keeps_the_remainders_identity() -> None:
    x, y = (a.ravel() for a in np.meshgrid(INT8, INT8))
    quotient, remainder = evaluate(elementwise.div, x, y), evaluate(elementwise.rem, x, y)
    apart = y != 0
    exact = np.trunc(x[apart] / y[apart].astype(np.float64)).astype(np.int64).astype(np.int8)
    np.testing.assert_array_equal(quotient[apart], exact)
    np.testing.assert_array_equal(quotient * y + remainder, x)
    np.testing.assert_array_equal(quotient[~apart], -1)


def test_integer_power_of_every_exponent() -> None:
    x, y = (a.ravel() for a in np.meshgrid(INT8[96:160], INT8))
    expected = [
        pow(int(a), int(b), 256) if b >= 0 else {1: 1, -1: (-1) ** int(b)}.get(int(a), 0)
        for a, b in zip(x, y, strict=True)
    ]
    np.testing.assert_array_equal(evaluate(exponential.power, x, y), np.array(expected).astype(np.uint8).view(np.int8))


def test_bit_counts_against_python() -> None:
    patterns = [int(v) & 255 for v in INT8]
    np.testing.assert_array_equal(evaluate(bits.population_count, INT8), [v.bit_count() for v in patterns])
    np.testing.assert_array_equal(evaluate(bits.clz, INT8), [8 - v.bit_length() for v in patterns])


def test_total_order_sorts_zeros_and_nan() -> None:
    ordered = np.array([-np.nan, -np.inf, -1, -0.0, 0.0, 1, np.inf, np.nan], np.float32)
    ordered[[0, -1]] = np.copysign(np.float32(np.nan), np.float32([-1, 1]))
    assert evaluate(bits.lt_to, ordered[:-1], ordered[1:]).all()
    assert evaluate(bits.eq_to, ordered, ordered).all()


def test_sign_and_rounding_keep_negative_zero() -> None:
    zero = np.array([-0.0, -0.3, -0.5], np.float32)
    for op in (elementwise.Round(to_even=True), elementwise.ceil):
        assert np.signbit(evaluate(op, zero)).all()
    assert np.signbit(evaluate(elementwise.sign, zero)).all()


@pytest.mark.parametrize("value", [0.49999997, 8388609.0, -0.49999997, 2.5, -2.5])
def test_rounding_away_from_zero_is_exact(value: float) -> None:
    x = np.float32([value])
    np.testing.assert_array_equal(evaluate(elementwise.Round(to_even=False), x), jax.lax.round(x))


COMPLEX = (
    elementwise.absolute,
    complex_parts.real,
    complex_parts.imag,
    complex_parts.conj,
    exponential.sqrt,
    exponential.rsqrt,
    exponential.log,
    exponential.IntegerPow(3),
    trigonometry.asin,
    trigonometry.acos,
    trigonometry.atan,
    trigonometry.acosh,
    trigonometry.tanh,
)


@pytest.mark.parametrize("op", COMPLEX, ids=lambda op: op.name)
def test_complex_derivatives_in_all_quadrants(op: Primitive) -> None:
    z = np.array([0.3 + 0.4j, -2 + 0.1j, 1.5 - 2j, -0.2 - 0.7j])
    dz = np.array([1, 1j, 1 + 1j, 0.5 - 2j])
    _, (tangent,) = op.jvp((Array(z),), (Array(dz),))
    difference = (evaluate(op, z + 1e-6 * dz) - evaluate(op, z - 1e-6 * dz)) / 2e-6
    np.testing.assert_allclose(tangent.host(), difference, rtol=1e-7, atol=1e-9)


def test_complex_sign_moves_only_across_its_direction() -> None:
    z, along, across = (Array(np.asarray(v, np.complex128)) for v in (3 + 4j, 3 + 4j, -4 + 3j))
    assert abs(elementwise.sign.jvp((z,), (along,))[1][0].host()) < 1e-15
    np.testing.assert_allclose(elementwise.sign.jvp((z,), (across,))[1][0].host(), (-4 + 3j) / 5, rtol=1e-15)


def float32(*shape: int) -> ArrayType:
    return ArrayType(shape, np.dtype(np.float32))


@pytest.mark.parametrize(
    ("op", "types", "error", "words"),
    [
        (elementwise.add, (float32(2), float32(3)), ShapeError, "equal shapes"),
        (elementwise.add, (float32(2), float32(2).update(dtype=np.dtype(np.int32))), DTypeError, "equal dtypes"),
        (bits.and_, (float32(2), float32(2)), DTypeError, "bool, integer"),
        (elementwise.select, (float32(2), float32(2), float32(2)), DTypeError, "bool or int32"),
        (elementwise.clamp, (float32(1), float32(2), float32()), ShapeError, "bound"),
        (complex_parts.real, (float32(2),), DTypeError, "complex"),
        (exponential.IntegerPow(-1), (float32(2).update(dtype=np.dtype(np.int32)),), ArgumentError, "negative power"),
    ],
    ids=lambda value: value.name if isinstance(value, Primitive) else "",
)
def test_unfit_operands_are_refused(op: Primitive, types: tuple[ArrayType, ...], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        op.infer(*types)


def test_float16_nextafter_crosses_zero() -> None:
    result = evaluate(elementwise.nextafter, np.float16([-0.0]), np.float16([0.0]))
    assert not np.signbit(result).any()
