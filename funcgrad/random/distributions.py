"""Distributions drawn by transforming uniform numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from ..backend.array import Array
from ..core.dtypes import (
    DTypeLike,
    canonical,
    default_float,
    default_int,
    is_complex,
    is_float,
    real_dtype,
)
from ..core.types import ArrayType, Shape
from ..errors import ArgumentError, DTypeError
from ..numpy.conversion import as_operand, asarray
from ..ops.complex_parts import complex_
from ..ops.elementwise import absolute as magnitude
from ..ops.elementwise import clamp, div, lt, mul, neg, nextafter, sign, sub, where
from ..ops.exponential import log, log1p
from ..ops.slicing import slice_in_dim
from ..ops.special import erf, erf_inv
from ..ops.structure import (
    broadcast,
    full,
    reshape,
)
from .bits import draw_uniform, float_dtype
from .keys import as_shape, consume, split_pair

__all__ = ["bernoulli", "exponential", "gumbel", "laplace", "logistic", "normal", "rademacher", "truncated_normal"]


def normal(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Standard normal numbers: √2 erf⁻¹(u) of uniform u.

    Args:
        key: a single unused key.
        shape: of the result.
        dtype: a floating dtype, or a complex one, whose parts then have variance 1/2; by default the default float.
    """
    wanted = default_float() if dtype is None else canonical(dtype)
    part = float_dtype(real_dtype(wanted), "normal")
    data, shape = consume(key, "normal"), as_shape(shape, "normal")
    if not is_complex(wanted):
        return _normal(data, shape, part)
    parts = [_normal(piece, shape, part) for piece in split_pair(data)]
    return complex_(*(div(x, full(x.type, math.sqrt(2))) for x in parts))


def _normal(data: Any, shape: Shape, dtype: np.dtype) -> Any:
    lowest = Array(np.nextafter(np.array(-1, dtype), np.array(0, dtype)))
    x = erf_inv(draw_uniform(data, shape, dtype, lowest, 1.0))
    return mul(full(x.type, math.sqrt(2)), x)


def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: int | Sequence[int] | None = None, dtype: DTypeLike | None = None
) -> Any:
    """Standard normal numbers between bounds.

    Args:
        key: a single unused key.
        lower, upper: bounds, which broadcast to `shape`.
        shape: of the result; by default that of the bounds.
        dtype: a floating dtype; by default the default float.
    """
    dtype, data = float_dtype(dtype, "truncated_normal"), consume(key, "truncated_normal")
    low, high = asarray(lower, dtype), asarray(upper, dtype)
    shape = np.broadcast_shapes(low.shape, high.shape) if shape is None else as_shape(shape, "truncated_normal")
    low, high = broadcast(low, shape), broadcast(high, shape)
    root = full(low.type, math.sqrt(2))
    u = draw_uniform(data, shape, dtype, erf(div(low, root)), erf(div(high, root)))
    infinity = full(low.type, np.inf)
    return clamp(nextafter(low, infinity), mul(root, erf_inv(u)), nextafter(high, neg(infinity)))


def bernoulli(key: Any, p: Any = 0.5, shape: int | Sequence[int] | None = None, mode: str = "low") -> Any:
    """Booleans that are True with probability `p`.

    Args:
        key: a single unused key.
        p: probabilities of a floating dtype, which broadcast to `shape`.
        shape: of the result; by default that of `p`.
        mode: "high" draws twice as many bits, which matters for probabilities near 1e-7 in float32.
    """
    p = as_operand(p)
    if not is_float(p.dtype):
        raise DTypeError(f"random.bernoulli: p has a floating dtype, not {p.dtype.name}")
    if mode not in ("low", "high"):
        raise ArgumentError(f"bernoulli: mode={mode!r}; expected 'low' or 'high'")
    data, drawn = consume(key, "bernoulli"), p.shape if shape is None else as_shape(shape, "bernoulli")
    p = broadcast(p, drawn)
    if mode == "low":
        return lt(draw_uniform(data, drawn, p.dtype), p)
    both = draw_uniform(data, (2, *drawn), p.dtype)
    coarse, fine = (reshape(slice_in_dim(both, i, i + 1), drawn) for i in (0, 1))
    resolution = full(fine.type, 2.0 ** -ml_dtypes.finfo(p.dtype).nmant)
    return lt(mul(fine, resolution), sub(p, coarse))


def rademacher(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """-1 or 1 with equal probability, of the default int unless `dtype` says otherwise."""
    dtype = default_int() if dtype is None else canonical(dtype)
    heads = draw_uniform(consume(key, "rademacher"), as_shape(shape, "rademacher"), default_float())
    heads = lt(heads, full(heads.type, 0.5))
    result = ArrayType(heads.shape, dtype)
    return where(heads, full(result, 1), full(result, np.array(-1).astype(dtype)))


def exponential(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Numbers of the exponential distribution with mean 1."""
    dtype = float_dtype(dtype, "exponential")
    return neg(log1p(neg(draw_uniform(consume(key, "exponential"), as_shape(shape, "exponential"), dtype))))


def gumbel(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Numbers of the standard Gumbel distribution, -log(-log u)."""
    dtype = float_dtype(dtype, "gumbel")
    return draw_gumbel(consume(key, "gumbel"), as_shape(shape, "gumbel"), dtype)


def draw_gumbel(data: Any, shape: Shape, dtype: np.dtype) -> Any:
    return neg(log(neg(log(draw_uniform(data, shape, dtype, _smallest(dtype), 1.0)))))


def _smallest(dtype: np.dtype) -> Array:
    return Array(np.array(ml_dtypes.finfo(dtype).smallest_normal, dtype))


def laplace(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Numbers of the Laplace distribution with mean 0 and scale 1."""
    dtype = float_dtype(dtype, "laplace")
    lowest = Array(np.array(-1.0 + float(ml_dtypes.finfo(dtype).epsneg), dtype))
    u = draw_uniform(consume(key, "laplace"), as_shape(shape, "laplace"), dtype, lowest, 1.0)
    return mul(sign(u), log1p(neg(magnitude(u))))


def logistic(key: Any, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None) -> Any:
    """Numbers of the standard logistic distribution, log(u / (1 - u))."""
    dtype = float_dtype(dtype, "logistic")
    u = draw_uniform(consume(key, "logistic"), as_shape(shape, "logistic"), dtype, _smallest(dtype), 1.0)
    return sub(log(u), log1p(neg(u)))
