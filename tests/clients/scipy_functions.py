"""Functions of SciPy and scikit-learn on our arrays, each compared with itself on NumPy's.

SciPy reads SCIPY_ARRAY_API when it is imported, hence a process of its own: `python -m tests.clients.scipy_functions`
prints, as JSON, for each function "ok" or what went wrong. The functions in `IN_PLACE` write into arrays and end with
the error that says so.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import scipy.cluster.hierarchy
import scipy.cluster.vq
import scipy.optimize.elementwise
import sklearn
from scipy import (
    cluster,
    differentiate,
    fft,
    integrate,
    interpolate,
    ndimage,
    optimize,
    signal,
    spatial,
    special,
    stats,
)
from sklearn.decomposition import PCA
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import funcgrad as fg
import funcgrad.interop.array_api_extra
import funcgrad.numpy as fnp

NUMBERS = np.random.default_rng(0).random((2, 24))
SOLVERS = scipy.optimize.elementwise


def _columns(x: Any) -> Any:
    return x.reshape(8, 6)


def _dispatched(function: Callable[[], Any]) -> Any:
    with sklearn.config_context(array_api_dispatch=True):
        return function()


UNCHANGED: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "special.erf": lambda xp, x, y, z: special.erf(x),
    "special.expit": lambda xp, x, y, z: special.expit(x),
    "special.gammaln": lambda xp, x, y, z: special.gammaln(x),
    "special.ndtr": lambda xp, x, y, z: special.ndtr(x),
    "special.softmax": lambda xp, x, y, z: special.softmax(_columns(z), axis=0),
    "special.xlogy": lambda xp, x, y, z: special.xlogy(x, y),
    "stats.combine_pvalues": lambda xp, x, y, z: stats.combine_pvalues(x),
    "stats.entropy": lambda xp, x, y, z: stats.entropy(x),
    "stats.gmean": lambda xp, x, y, z: stats.gmean(x),
    "stats.jarque_bera": lambda xp, x, y, z: stats.jarque_bera(x),
    "stats.kurtosis": lambda xp, x, y, z: stats.kurtosis(x),
    "stats.rankdata": lambda xp, x, y, z: stats.rankdata(x),
    "stats.skew": lambda xp, x, y, z: stats.skew(x),
    "stats.ttest_ind": lambda xp, x, y, z: stats.ttest_ind(x, y),
    "signal.convolve": lambda xp, x, y, z: signal.convolve(x, y[:5]),
    "signal.detrend": lambda xp, x, y, z: signal.detrend(x),
    "signal.fftconvolve": lambda xp, x, y, z: signal.fftconvolve(x, y),
    "signal.windows.hann": lambda xp, x, y, z: signal.windows.hann(9, xp=xp),
    "ndimage.gaussian_filter": lambda xp, x, y, z: ndimage.gaussian_filter(_columns(z), 1.0),
    "ndimage.label": lambda xp, x, y, z: ndimage.label(_columns(z) > 0.5),
    "ndimage.zoom": lambda xp, x, y, z: ndimage.zoom(_columns(z), 2.0),
    "cluster.hierarchy.linkage": lambda xp, x, y, z: cluster.hierarchy.linkage(_columns(z)),
    "cluster.vq.vq": lambda xp, x, y, z: cluster.vq.vq(_columns(z), _columns(z)[:2, ...]),
    "fft.dct": lambda xp, x, y, z: fft.dct(x),
    "fft.fft": lambda xp, x, y, z: fft.fft(x),
    "fft.irfftn": lambda xp, x, y, z: fft.irfftn(fft.rfftn(_columns(z))),
    "integrate.cubature": lambda xp, x, y, z: (
        integrate.cubature(lambda t: xp.sum(t**2, axis=-1), x[:2] * 0, y[:2]).estimate
    ),
    "integrate.cumulative_trapezoid": lambda xp, x, y, z: integrate.cumulative_trapezoid(x),
    "integrate.trapezoid": lambda xp, x, y, z: integrate.trapezoid(x),
    "interpolate.make_interp_spline": lambda xp, x, y, z: interpolate.make_interp_spline(xp.arange(24), x)(y * 20),
    "optimize.rosen": lambda xp, x, y, z: optimize.rosen(x),
    "sklearn.decomposition.PCA": lambda xp, x, y, z: _dispatched(lambda: PCA().fit(_columns(z)).explained_variance_),
    "sklearn.metrics.mean_squared_error": lambda xp, x, y, z: _dispatched(lambda: mean_squared_error(x, y)),
    "spatial.transform.Rotation": lambda xp, x, y, z: spatial.transform.Rotation.from_rotvec(x[:3]).as_matrix(),
}
# These write through `array_api_extra.at`, SciPy's copy of which `funcgrad.interop.array_api_extra` teaches our arrays.
THROUGH_AT: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "special.logsumexp": lambda xp, x, y, z: special.logsumexp(_columns(z), axis=0),
    "special.log_softmax": lambda xp, x, y, z: special.log_softmax(x),
    "special.rel_entr": lambda xp, x, y, z: special.rel_entr(x, y),
    "stats.bartlett": lambda xp, x, y, z: stats.bartlett(x, y),
    "stats.iqr": lambda xp, x, y, z: stats.iqr(x),
    "stats.mannwhitneyu": lambda xp, x, y, z: stats.mannwhitneyu(x, y),
    "stats.pearsonr": lambda xp, x, y, z: stats.pearsonr(x, y).statistic,
    "stats.quantile": lambda xp, x, y, z: stats.quantile(x, 0.3),
    "stats.variation": lambda xp, x, y, z: stats.variation(x),
    "stats.wilcoxon": lambda xp, x, y, z: stats.wilcoxon(x, y),
    "stats.zscore": lambda xp, x, y, z: stats.zscore(x),
    "signal.savgol_filter": lambda xp, x, y, z: signal.savgol_filter(x, 5, 2),
    "cluster.vq.whiten": lambda xp, x, y, z: cluster.vq.whiten(_columns(z)),
    "differentiate.derivative": lambda xp, x, y, z: differentiate.derivative(xp.exp, x[:3]).df,
    "differentiate.jacobian": lambda xp, x, y, z: differentiate.jacobian(lambda t: t**2, x[:3]).df,
}
IN_PLACE: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "signal.resample": lambda xp, x, y, z: signal.resample(x, 12),
    "integrate.cumulative_simpson": lambda xp, x, y, z: integrate.cumulative_simpson(x),
    "integrate.nsum": lambda xp, x, y, z: integrate.nsum(lambda k: k**-2, x[0] * 0 + 1, x[0] * 0 + 9),
    "integrate.tanhsinh": lambda xp, x, y, z: integrate.tanhsinh(xp.exp, x[:2], y[:2]),
    "interpolate.Akima1DInterpolator": lambda xp, x, y, z: interpolate.Akima1DInterpolator(xp.arange(24), x)(y),
    "optimize.elementwise.find_minimum": lambda xp, x, y, z: SOLVERS.find_minimum(xp.cos, (x[0], x[0] + 3, x[0] + 6)),
    "optimize.elementwise.find_root": lambda xp, x, y, z: SOLVERS.find_root(xp.cos, (x[0], x[0] + 2)),
    "optimize.rosen_der": lambda xp, x, y, z: optimize.rosen_der(x),
    "sklearn.metrics.r2_score": lambda xp, x, y, z: _dispatched(lambda: r2_score(x, y)),
    "sklearn.preprocessing.MinMaxScaler": lambda xp, x, y, z: _dispatched(
        lambda: MinMaxScaler().fit(_columns(z)).scale_
    ),
    "sklearn.preprocessing.StandardScaler": lambda xp, x, y, z: _dispatched(
        lambda: StandardScaler().fit(_columns(z)).scale_
    ),
}


def leaves(found: Any) -> list[Any]:
    """The arrays and numbers of a result."""
    if isinstance(found, tuple):
        return [leaf for item in found for leaf in leaves(item)]
    return [found.statistic, found.pvalue] if hasattr(found, "pvalue") else [found]


def outcome(function: Callable[..., Any]) -> str:
    """What came of a function on our arrays, compared with NumPy's."""
    expected = leaves(function(np, *NUMBERS, NUMBERS.ravel()))
    found = leaves(function(fnp, *map(fnp.asarray, NUMBERS), fnp.asarray(NUMBERS.ravel())))
    for ours, theirs in zip(found, expected, strict=True):
        if isinstance(theirs, np.ndarray) and not isinstance(ours, fg.Array):
            return f"a result of type {type(ours).__name__}"
        if not np.allclose(np.asarray(ours), theirs, rtol=1e-9, atol=1e-12):
            return f"{ours} is not {theirs}"
    return "ok"


def guarded(function: Callable[..., Any]) -> str:
    try:
        return outcome(function)
    except Exception as error:  # whatever it is, the test shows it
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    groups = {"unchanged": UNCHANGED, "through at": THROUGH_AT, "in place": IN_PLACE}
    found = {group: {name: guarded(function) for name, function in rows.items()} for group, rows in groups.items()}
    sys.stdout.write(json.dumps(found))
