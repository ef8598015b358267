"""Samples of every elementwise operation: all dtypes, empty and 0-d shapes, smooth points and special values."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from funcgrad.core import dtypes as dt
from funcgrad.core.primitive import Primitive
from funcgrad.ops import bits, complex_parts, elementwise, exponential, special, trigonometry
from tests.laws.sample import Sample

FLOATS = (dt.FLOAT32, dt.FLOAT64, dt.FLOAT16, dt.BFLOAT16)
WIDE = (dt.FLOAT32, dt.FLOAT64)
INTEGERS = dt.INTEGERS
COMPLEXES = dt.COMPLEXES
EIGHT = tuple(d for d in dt.FLOAT8 if d.name in ("float8_e4m3fn", "float8_e5m2"))
NUMBERS = (*FLOATS, *EIGHT, *COMPLEXES, *INTEGERS)
ORDERED = (*FLOATS, *EIGHT, *INTEGERS)
LOGICAL = (dt.BOOL, *INTEGERS)

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 2.0, -3.0, 7.25, -40.0, 1000.0, np.inf, -np.inf, np.nan)


@dataclass
class Row:
    """An operation, the dtypes it takes, and per operand the interval in which it is smooth.

    Attributes:
        ulps: for wide dtypes; low precision is computed in float32, so one rounding apart at most twice.
        extreme: the special values that the operands of floating dtype are crossed from; none for no such row.
    """

    op: Primitive
    dtypes: tuple[np.dtype, ...]
    domains: tuple[tuple[float, float], ...] = ((-2.0, 2.0),)
    ulps: float = 4
    extreme: tuple[float, ...] = SPECIAL
    differentiable: bool = True


_PAIR = ((-2.0, 2.0), (0.5, 3.0))
_SIGNED_PAIR = ((-2.0, 2.0), (-3.0, 3.0))
_UNIT = ((-0.9, 0.9),)
_POSITIVE = ((0.3, 4.0),)

ROWS = (
    Row(elementwise.neg, NUMBERS),
    Row(elementwise.add, NUMBERS, _SIGNED_PAIR),
    Row(elementwise.sub, NUMBERS, _SIGNED_PAIR),
    Row(elementwise.mul, NUMBERS, _SIGNED_PAIR),
    Row(elementwise.div, NUMBERS, _PAIR),
    Row(elementwise.rem, ORDERED, ((0.1, 0.8), (1.0, 3.0))),
    Row(elementwise.absolute, NUMBERS, _POSITIVE),
    Row(elementwise.sign, NUMBERS, _POSITIVE),
    Row(elementwise.maximum, (dt.BOOL, *ORDERED), ((-2.0, -0.1), (0.5, 3.0))),
    Row(elementwise.minimum, (dt.BOOL, *ORDERED), ((-2.0, -0.1), (0.5, 3.0))),
    Row(elementwise.floor, (*FLOATS, *EIGHT), ((0.1, 0.9),)),
    Row(elementwise.ceil, (*FLOATS, *EIGHT), ((0.1, 0.9),)),
    Row(elementwise.Round(to_even=True), FLOATS, ((0.6, 1.4),)),
    Row(elementwise.Round(to_even=False), FLOATS, ((0.6, 1.4),)),
    Row(elementwise.nextafter, FLOATS, ((1.0, 2.0), (3.0, 4.0)), 0, differentiable=False),
    Row(elementwise.is_finite, FLOATS),
    Row(elementwise.eq, (dt.BOOL, *NUMBERS), _SIGNED_PAIR),
    Row(elementwise.ne, (dt.BOOL, *NUMBERS), _SIGNED_PAIR),
    Row(elementwise.lt, (dt.BOOL, *ORDERED), _SIGNED_PAIR),
    Row(elementwise.le, (dt.BOOL, *ORDERED), _SIGNED_PAIR),
    Row(elementwise.gt, (dt.BOOL, *ORDERED), _SIGNED_PAIR),
    Row(elementwise.ge, (dt.BOOL, *ORDERED), _SIGNED_PAIR),
    Row(elementwise.stop_gradient, (dt.BOOL, *NUMBERS), differentiable=False),
    Row(elementwise.copy, (dt.BOOL, *NUMBERS)),
    Row(bits.and_, LOGICAL, _SIGNED_PAIR),
    Row(bits.or_, LOGICAL, _SIGNED_PAIR),
    Row(bits.xor, LOGICAL, _SIGNED_PAIR),
    Row(bits.not_, LOGICAL),
    Row(bits.shift_left, INTEGERS, ((-100.0, 100.0), (-2.0, 70.0))),
    Row(bits.shift_right_logical, INTEGERS, ((-100.0, 100.0), (-2.0, 70.0))),
    Row(bits.shift_right_arithmetic, INTEGERS, ((-100.0, 100.0), (-2.0, 70.0))),
    Row(bits.population_count, INTEGERS, ((-100.0, 100.0),)),
    Row(bits.clz, INTEGERS, ((-100.0, 100.0),)),
    Row(bits.eq_to, ORDERED, _SIGNED_PAIR),
    Row(bits.lt_to, ORDERED, _SIGNED_PAIR),
    Row(bits.le_to, ORDERED, _SIGNED_PAIR),
    Row(complex_parts.real, COMPLEXES),
    Row(complex_parts.imag, COMPLEXES),
    Row(complex_parts.conj, COMPLEXES),
    Row(complex_parts.complex_, WIDE, _SIGNED_PAIR),
    Row(exponential.square, (*FLOATS, *COMPLEXES, *INTEGERS)),
    *(Row(exponential.IntegerPow(n), (*FLOATS, *COMPLEXES, *INTEGERS), ((0.5, 2.0),)) for n in (0, 2, 3, 5)),
    *(Row(exponential.IntegerPow(n), (*FLOATS, *COMPLEXES), ((0.5, 2.0),)) for n in (-1, -3)),
    Row(exponential.power, (*FLOATS, *COMPLEXES, *INTEGERS), ((0.3, 2.0), (-2.0, 2.0))),
    Row(exponential.sqrt, (*FLOATS, *COMPLEXES), _POSITIVE),
    Row(exponential.rsqrt, (*FLOATS, *COMPLEXES), _POSITIVE),
    Row(exponential.cbrt, FLOATS, _POSITIVE),
    Row(exponential.exp, (*FLOATS, *COMPLEXES)),
    Row(exponential.exp2, (*FLOATS, *COMPLEXES)),
    Row(exponential.expm1, (*FLOATS, *COMPLEXES), ulps=6),
    Row(exponential.log, (*FLOATS, *COMPLEXES), _POSITIVE),
    Row(exponential.log1p, (*FLOATS, *COMPLEXES), _POSITIVE),
    Row(exponential.logistic, (*FLOATS, *COMPLEXES)),
    Row(trigonometry.sin, (*FLOATS, *COMPLEXES)),
    Row(trigonometry.cos, (*FLOATS, *COMPLEXES)),
    Row(trigonometry.tan, (*FLOATS, *COMPLEXES), ((-1.2, 1.2),)),
    Row(trigonometry.asin, (*FLOATS, *COMPLEXES), _UNIT),
    Row(trigonometry.acos, (*FLOATS, *COMPLEXES), _UNIT),
    Row(trigonometry.atan, (*FLOATS, *COMPLEXES), _UNIT),
    Row(trigonometry.atan2, FLOATS, _PAIR),
    Row(trigonometry.sinh, (*FLOATS, *COMPLEXES)),
    Row(trigonometry.cosh, (*FLOATS, *COMPLEXES)),
    Row(trigonometry.tanh, (*FLOATS, *COMPLEXES), ulps=8),
    Row(trigonometry.asinh, (*FLOATS, *COMPLEXES)),
    Row(trigonometry.acosh, (*FLOATS, *COMPLEXES), ((1.3, 4.0),)),
    Row(trigonometry.atanh, (*FLOATS, *COMPLEXES), _UNIT),
    Row(special.erf, FLOATS),
    Row(special.erfc, FLOATS, ulps=16),
    Row(special.erf_inv, FLOATS, _UNIT, 8),
)


def _values(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype, domain: tuple[float, float]
) -> np.ndarray:
    low, high = domain
    if dtype == dt.BOOL:
        return rng.random(shape) < 0.5
    values = rng.uniform(low, high, shape)
    if dt.is_integer(dtype):
        limits = np.iinfo(dtype)
        return np.clip(np.rint(values * 4), max(limits.min, -128), 127).astype(dtype)
    if dt.is_complex(dtype):
        return (values + 1j * rng.uniform(-0.8, 0.8, shape)).astype(dtype)
    return values.astype(np.float32 if dtype in EIGHT else np.float64).astype(dtype)


def _crossed(dtype: np.dtype, values: tuple[float, ...], operands: int) -> tuple[np.ndarray, ...]:
    if dt.is_integer(dtype):
        limits = np.iinfo(dtype)
        one = np.array([limits.min, limits.max, limits.max // 2, 0, 1, 2, 3, 7, 31], dtype)
    else:
        one = np.array(values, np.float32).astype(dtype)
    if operands == 1:
        return (one,)
    first, second = np.meshgrid(one, one)
    return first, second


def samples() -> Iterator[Sample]:
    """Every row times its dtypes and shapes, then its special values."""
    for row in ROWS:
        label = repr(row.op) if type(row.op).__annotations__ else row.op.name
        rng = np.random.default_rng(zlib.crc32(label.encode()))
        for dtype in row.dtypes:
            wide = dtype in (*WIDE, *COMPLEXES)
            ulps = row.ulps if wide else min(row.ulps, 2)
            for shape in ((3, 4), (), (0, 3)) if dtype in (dt.BOOL, dt.FLOAT32, dt.COMPLEX64, np.int32) else ((3, 4),):
                operands = tuple(_values(rng, shape, dtype, domain) for domain in row.domains)
                name = f"{label}-{dtype.name}-{'x'.join(map(str, shape)) or 'scalar'}"
                yield Sample(name, row.op, operands, row.differentiable and wide, ulps)
            if row.extreme and not dt.is_complex(dtype) and dtype != dt.BOOL:
                operands = _crossed(dtype, row.extreme, len(row.domains))
                yield Sample(f"{label}-{dtype.name}-special", row.op, operands, False, ulps, False)
    yield from _selections()
    yield from _clamps()


def _selections() -> Iterator[Sample]:
    rng = np.random.default_rng(1)
    for dtype in (dt.BOOL, *NUMBERS):
        for shape in ((3, 4), (), (0, 3)) if dtype == dt.FLOAT32 else ((3, 4),):
            x, y, z = (_values(rng, shape, dtype, (-2.0, 2.0)) for _ in range(3))
            place, smooth = f"{dtype.name}-{'x'.join(map(str, shape)) or 'scalar'}", dtype in (*WIDE, *COMPLEXES)
            full = rng.random(shape) < 0.5
            yield Sample(f"select-{place}-full", elementwise.select, (np.asarray(full), x, y), smooth, 0)
            yield Sample(f"select-{place}-one", elementwise.select, (np.asarray(True), x, y), smooth, 0)
            which = np.asarray(rng.integers(-1, 4, shape), np.int32)
            yield Sample(f"select-{place}-three", elementwise.select, (which, x, y, z), smooth, 0)
            which = np.asarray(1, np.int32)
            yield Sample(f"select-{place}-one-of-three", elementwise.select, (which, x, y, z), smooth, 0)


def _clamps() -> Iterator[Sample]:
    rng = np.random.default_rng(2)
    for dtype in ORDERED:
        for shape in ((3, 4), (), (0, 3)) if dtype == dt.FLOAT32 else ((3, 4),):
            x = _values(rng, shape, dtype, (-3.0, 3.0))
            place, smooth = f"{dtype.name}-{'x'.join(map(str, shape)) or 'scalar'}", dtype in WIDE
            low, high = (_values(rng, (), dtype, d) for d in ((0.2, 0.4), (1.0, 2.0)))
            yield Sample(f"clamp-{place}-scalars", elementwise.clamp, (low, x, high), smooth, 0)
            low, high = (_values(rng, shape, dtype, d) for d in ((0.2, 0.4), (1.0, 2.0)))
            yield Sample(f"clamp-{place}-full", elementwise.clamp, (low, x, high), smooth, 0)
            one = _values(rng, (), dtype, (1.0, 2.0))
            yield Sample(f"clamp-{place}-mixed", elementwise.clamp, (low, x, one), smooth, 0)
        if dt.is_float(dtype):
            x = np.array(SPECIAL, np.float32).astype(dtype)
            bounds = np.asarray(0.5, dtype), np.asarray(2, dtype)
            yield Sample(f"clamp-{dtype.name}-special", elementwise.clamp, (bounds[0], x, bounds[1]), False, 0, False)
