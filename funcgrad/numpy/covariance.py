"""Covariances and correlations of variables under NumPy's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import DTypeLike, canonical, is_complex, is_inexact
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops.structure import convert
from .contraction import diagonal, matmul
from .conversion import array, as_operand
from .elementwise import clip, conjugate, maximum, sqrt
from .joining import concatenate
from .promotion import promote_dtypes, to_inexact
from .reductions import average, mean, sum
from .shape import expand_dims, squeeze

__all__ = ["corrcoef", "cov"]


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: DTypeLike | None = None,
) -> Any:
    """The covariance matrix of variables, from observations of them.

    Args:
        m: a matrix with a row for each variable and a column for each observation, or a vector: one variable.
        y: more variables, of the same form.
        rowvar: False if columns are the variables.
        bias: divide by the number of observations rather than by one less.
        ddof: what to take off that number, whatever `bias` says.
        fweights: how often each observation was made: integers.
        aweights: how much each observation weighs.
        dtype: of the result, by default that of the variables, integers counting as the default float.

    Returns:
        A matrix with a row and a column for each variable; a 0-dimensional array for one variable.

    Raises:
        ShapeError: more than 2 dimensions, or different numbers of observations.
    """
    if ddof is not None and ddof != int(ddof):
        raise ArgumentError(f"cov: ddof={ddof!r}, expected an integer")
    x = _variables("m", m, rowvar)
    if y is not None:
        more = _variables("y", y, rowvar)
        if more.shape[1] != x.shape[1]:
            raise ShapeError(f"cov: m has {x.shape[1]} observations and y has {more.shape[1]}; they must be the same")
        x = concatenate(promote_dtypes(x, more), 0)
    if dtype is not None and not is_inexact(canonical(dtype)):
        raise DTypeError(f"cov, corrcoef: dtype={canonical(dtype).name} has no fractions; pass a floating one")
    x = to_inexact(x) if dtype is None else convert(x, canonical(dtype))
    ddof = ddof if ddof is not None else 0 if bias else 1
    counts, scale = _observation_weight("fweights", fweights, x), _observation_weight("aweights", aweights, x)
    weight = counts if scale is None else scale if counts is None else counts * scale
    if weight is None:
        centre, total = mean(x, 1), x.shape[1]
        freedom: Any = max(total - ddof, 0)
    else:
        centre, total = average(x, 1, weights=weight), sum(weight)
        freedom = total - (ddof if scale is None else ddof * sum(weight * scale) / total)
        freedom = maximum(freedom, 0)
    distance = x - expand_dims(centre, 1)
    weighted = distance if weight is None else distance * weight
    return squeeze(convert(matmul(weighted, conjugate(distance).T) / freedom, x.dtype))


def _variables(name: str, values: Any, rowvar: bool) -> Any:
    """A matrix with a row for each variable."""
    x = array(values, ndmin=2)
    if x.ndim > 2:
        raise ShapeError(f"cov: {name} has shape {x.shape}; expected a vector or a matrix of variables")
    return x if rowvar or as_operand(values).ndim < 2 else x.T


def _observation_weight(name: str, weights: Any, x: Any) -> Any:
    if weights is None:
        return None
    w = as_operand(weights)
    if w.shape != x.shape[1:]:
        raise ShapeError(f"cov: {name} has shape {w.shape}, expected one for each of the {x.shape[1]} observations")
    if name == "fweights" and isinstance(w, Array) and not np.array_equal(w.host(), np.rint(w.host())):
        raise DTypeError("cov: fweights must be integers: they say how often each observation was made")
    if isinstance(w, Array) and (w.host() < 0).any():
        raise ArgumentError(f"cov: {name} must not be negative, got {w.host().min()}")
    return convert(w, x.real.dtype)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: DTypeLike | None = None) -> Any:
    """The matrix of correlation coefficients of variables: covariances divided by the standard deviations of both.

    Args:
        x, y, rowvar, dtype: as those of `cov`.

    Returns:
        A matrix with a row and a column for each variable; a 0-dimensional array for one variable.
    """
    covariance = cov(x, y, rowvar, dtype=dtype)
    if not covariance.ndim:
        return covariance / covariance
    deviation = sqrt(diagonal(covariance).real)
    result = covariance / expand_dims(deviation, 1) / deviation
    if is_complex(result.dtype):
        return clip(result.real, -1, 1) + 1j * clip(result.imag, -1, 1)
    return clip(result, -1, 1)
