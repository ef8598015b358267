"""Logarithms and exponentials as statistics combines them, under SciPy's names: entropies, logits, softmax"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...nn.normalization import log_softmax as along_log_softmax
from ...nn.normalization import logsumexp as along_logsumexp
from ...nn.normalization import softmax as along_softmax
from ...numpy.elementwise import where
from ...numpy.logic import isinf
from ...ops.exponential import exp, expm1, log, log1p, logistic
from ...special.entropy import xlog1py as product_1p
from ...special.entropy import xlogy as product
from .faces import face

__all__ = [
    "boxcox", "boxcox1p", "entr", "expit", "kl_div", "log_expit", "log_softmax", "logit", "logsumexp", "rel_entr",
    "softmax", "xlog1py", "xlogy",
]  # fmt: skip

Axis = int | Sequence[int] | None


def _entr(x: Any) -> Any:
    return where(x < 0, -np.inf, -product(x, x))


def _rel_entr(x: Any, y: Any) -> Any:
    both = (x > 0) & (y > 0)
    ratio = product(where(both, x, 1.0), where(both, x, 1.0) / where(both, y, 1.0))
    result = where(both, ratio, where((x == 0) & (y >= 0), 0.0, np.inf))
    return where((x != x) | (y != y), np.nan, result)


def _kl_div(x: Any, y: Any) -> Any:
    defined = (x >= 0) & (y >= 0)
    return where(defined, _rel_entr(x, y) - where(defined, x - y, 0.0), _rel_entr(x, y))


def _logit(p: Any) -> Any:
    return log(p) - log1p(-p)


def _log_expit(x: Any) -> Any:
    size = where(x < 0, x, -x)
    return where(x < 0, x, 0.0) - log1p(exp(size))


def _power_slope(lmbda: Any, growth: Any) -> Any:
    """expm1(lmbda · growth) / lmbda, which is the growth for lmbda = 0."""
    flat = lmbda == 0
    step = where(flat, 1.0, lmbda)
    finite = where(isinf(growth), 0.0, growth)
    series = growth * (1.0 + lmbda * finite * (0.5 + lmbda * finite / 6.0))  # keeps two derivatives right at 0
    return where(flat, series, expm1(step * growth) / step)


def _boxcox(x: Any, lmbda: Any) -> Any:
    return _power_slope(lmbda, log(x))


def _boxcox1p(x: Any, lmbda: Any) -> Any:
    return _power_slope(lmbda, log1p(x))


xlogy = face(product, "xlogy", "x y", "x log(y), elementwise; 0 for x = 0 unless y is NaN.")
xlog1py = face(product_1p, "xlog1py", "x y", "x log(1 + y), elementwise; 0 for x = 0 unless y is NaN.")
entr = face(_entr, "entr", "x", "-x log(x), elementwise: 0 for x = 0, -inf for negative x.")
rel_entr = face(_rel_entr, "rel_entr", "x y", "x log(x / y), elementwise: 0 for x = 0 ≤ y, else inf unless both > 0.")
kl_div = face(_kl_div, "kl_div", "x y", "x log(x / y) - x + y, elementwise: y for x = 0 ≤ y, else inf unless both > 0.")
expit = face(logistic, "expit", "x", "1 / (1 + exp(-x)), elementwise.")
log_expit = face(_log_expit, "log_expit", "x", "log(expit(x)), elementwise, without underflow.")
logit = face(_logit, "logit", "p", "log(p / (1 - p)), elementwise.")
boxcox = face(_boxcox, "boxcox", "x lmbda", "(x**lmbda - 1) / lmbda, elementwise; log(x) for lmbda = 0.")
boxcox1p = face(_boxcox1p, "boxcox1p", "x lmbda", "((1 + x)**lmbda - 1) / lmbda, elementwise; log1p(x) for lmbda = 0.")


def softmax(x: Any, axis: Axis = None) -> Any:
    """exp(x) / Σ exp(x) over an axis, without overflow.

    Args:
        x: array.
        axis: the axis or axes whose results add up to 1; None for all.
    """
    return along_softmax(x, axis)


def log_softmax(x: Any, axis: Axis = None) -> Any:
    """log(softmax(x)), without overflow or underflow; see `softmax`."""
    return along_log_softmax(x, axis)


def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """log(Σ b · exp(a)) over axes, without overflow.

    Args:
        a: array.
        axis: the axis or axes to sum over; None for all.
        b: factors that broadcast with `a`, of any sign; by default 1.
        keepdims: keep the summed axes with length 1.
        return_sign: return the logarithm of the sum's absolute value, and its sign.

    Returns:
        The logarithm (-inf for a sum of 0, NaN for a negative sum), or with `return_sign` a pair (logarithm, sign).
    """
    return along_logsumexp(a, axis, b, keepdims, return_sign)
