"""Overflow, division by zero and the like are values here: no function lets one of NumPy's warnings through.

Warnings are errors in this suite, so it is enough to call.
"""

from __future__ import annotations

import numpy as np
import pytest

import funcgrad.numpy as fnp
import funcgrad.scipy as fsp

HUGE, SMALL, NAN, INFINITE = 3e38, 1e-44, np.nan, np.inf

CALLS = {
    "linalg.det": lambda a: fnp.linalg.det(a(np.eye(300) * 1e9)),
    "linalg.inv": lambda a: fnp.linalg.inv(a(np.eye(3) * SMALL)),
    "linalg.norm": lambda a: fnp.linalg.norm(a([HUGE] * 9)),
    "linalg.cond": lambda a: fnp.linalg.cond(a(np.zeros((2, 2)))),
    "linalg.pinv": lambda a: fnp.linalg.pinv(a(np.zeros((2, 2)))),
    "linalg.slogdet": lambda a: fnp.linalg.slogdet(a(np.zeros((2, 2)))),
    "linalg.matrix_power": lambda a: fnp.linalg.matrix_power(a([[1e30]]), 3),
    "fft.fft": lambda a: fnp.fft.fft(a([HUGE, HUGE])),
    "percentile": lambda a: fnp.percentile(a([1, INFINITE, NAN]), 50),
    "quantile": lambda a: fnp.quantile(a([INFINITE, -INFINITE]), 0.5),
    "nanmedian": lambda a: fnp.nanmedian(a([NAN])),
    "nanmean": lambda a: fnp.nanmean(a([NAN])),
    "var": lambda a: fnp.var(a([])),
    "cov": lambda a: fnp.cov(a([HUGE, -HUGE])),
    "corrcoef": lambda a: fnp.corrcoef(a(np.zeros((2, 3)))),
    "bincount": lambda a: fnp.bincount(fnp.asarray([0, 0]), a([HUGE, HUGE])),
    "interp": lambda a: fnp.interp(a([NAN]), a([0, 1]), a([0, 1])),
    "convolve": lambda a: fnp.convolve(a([HUGE]), a([9])),
    "diff": lambda a: fnp.diff(a([HUGE, -HUGE])),
    "gradient": lambda a: fnp.gradient(a([HUGE, -HUGE])),
    "trapezoid": lambda a: fnp.trapezoid(a([HUGE, HUGE])),
    "unwrap": lambda a: fnp.unwrap(a([HUGE, -HUGE])),
    "polyval": lambda a: fnp.polyval(a([1e30, 1]), 1e30),
    "poly": lambda a: fnp.poly(a([HUGE, HUGE])),
    "kron": lambda a: fnp.kron(a([HUGE]), a([9])),
    "einsum": lambda a: fnp.einsum("i,i", a([HUGE]), a([9])),
    "pad": lambda a: fnp.pad(a([1, 2]), 1, constant_values=1e300),
    "linspace": lambda a: fnp.linspace(-HUGE, HUGE, 5),
    "astype": lambda a: fnp.asarray([1e300], "float64").astype("float32"),
    "ldexp": lambda a: fnp.ldexp(a([1]), fnp.asarray([999])),
    "spacing": lambda a: fnp.spacing(a([INFINITE])),
    "cumprod": lambda a: fnp.cumprod(a([HUGE, 9])),
    "power.reduce": lambda a: fnp.power.reduce(a([9, 99])),
    "add.reduceat": lambda a: fnp.add.reduceat(a([HUGE, HUGE]), [0]),
    "special.gamma": lambda a: fsp.special.gamma(a([500, 0, -1])),
    "special.betainc": lambda a: fsp.special.betainc(1.0, 2.0, 3.0),
    "stats.gamma.logpdf": lambda a: fsp.stats.gamma.logpdf(-1.0, 2.0),
    "linalg.expm": lambda a: fsp.linalg.expm(a([[999]])),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_warning_comes_through(name: str) -> None:
    CALLS[name](lambda values: fnp.asarray(np.asarray(values, np.float32)))
