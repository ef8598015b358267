"""Density estimation: a normal distribution around every point of a sample, all of one covariance"""

from __future__ import annotations

from collections.abc import Sequence
from math import log as natural_log
from math import pi, prod
from typing import Any

from ...errors import ArgumentError, ShapeError
from ...numpy.contraction import diagonal, matmul
from ...numpy.conversion import as_operand
from ...numpy.covariance import cov
from ...numpy.creation import eye, full
from ...numpy.elementwise import square
from ...numpy.indexing import take
from ...numpy.linalg import cholesky
from ...numpy.promotion import promote_dtypes, to_inexact
from ...numpy.reductions import sum
from ...numpy.shape import atleast_2d, expand_dims, reshape
from ...numpy.transcendental import exp, log
from ...random.choosing import choice
from ...random.distributions import normal
from ...random.keys import split
from ...tree import register_pytree_node_class
from ..linalg import solve_triangular
from ..special import logsumexp, ndtr

__all__ = ["gaussian_kde"]


@register_pytree_node_class
class gaussian_kde:
    """A density estimated from a sample by putting a normal distribution around each of its points.

    It is immutable and a container: it may be an argument or result of a transformed function.

    Args:
        dataset: shape (dimensions, points), or (points,) for one dimension.
        bw_method: the factor between the sample's standard deviations and those of the normal distributions: "scott"
            (the default), "silverman", a number, or a function of this object that gives one.
        weights: of the points, by default equal.

    Attributes:
        dataset, weights: as given, the weights made to sum to 1.
        covariance: of the normal distributions.
        neff: the effective number of points, (Σ w)² / Σ w².

    Example:
        >>> density = gaussian_kde(fnp.array([0.0, 1.0, 1.5]))
        >>> density.pdf(fnp.array([1.0])).shape
        (1,)
    """

    dataset: Any
    weights: Any
    covariance: Any
    neff: Any

    def __init__(self, dataset: Any, bw_method: Any = None, weights: Any = None) -> None:
        points = atleast_2d(to_inexact(as_operand(dataset)))
        if points.ndim != 2 or points.shape[1] < 2:
            raise ShapeError(
                f"gaussian_kde: dataset has shape {points.shape}; expected (dimensions, points), with at least 2 points"
            )
        if weights is None:
            shares = full((points.shape[1],), 1 / points.shape[1], points.dtype)
        else:
            points, shares = promote_dtypes(points, weights)
            if shares.shape != points.shape[1:]:
                raise ShapeError(f"gaussian_kde: {points.shape[1]} points, but weights of shape {shares.shape}")
            shares = shares / sum(shares)
        fields = self.__dict__
        fields |= {"dataset": points, "weights": shares, "neff": 1 / sum(square(shares))}
        factor = _bandwidth(self, bw_method)
        spread = reshape(cov(points, bias=False, aweights=shares), (self.d, self.d))
        fields["covariance"] = spread * square(as_operand(factor))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"gaussian_kde is immutable; make a new one instead of setting {name}")

    def tree_flatten(self) -> tuple[Any, Any]:
        return (self.dataset, self.weights, self.covariance, self.neff), None

    @classmethod
    def tree_unflatten(cls, static: Any, children: Any) -> gaussian_kde:
        made = object.__new__(cls)
        made.__dict__.update(zip(("dataset", "weights", "covariance", "neff"), children, strict=True))
        return made

    @property
    def d(self) -> int:
        """How many dimensions there are."""
        return self.dataset.shape[0]

    @property
    def n(self) -> int:
        """How many points there are."""
        return self.dataset.shape[1]

    @property
    def inv_cov(self) -> Any:
        """The inverse of the covariance."""
        half = solve_triangular(cholesky(self.covariance), eye(self.d, dtype=self.covariance.dtype), lower=True)
        return matmul(half.T, half)

    def logpdf(self, x: Any) -> Any:
        """The logarithm of the density at points: shape (dimensions, points), or (points,) for one dimension."""
        return self._log_mixture(self._points(x), self.covariance)

    def pdf(self, x: Any) -> Any:
        """The density at points: shape (dimensions, points), or (points,) for one dimension."""
        return exp(self.logpdf(x))

    def evaluate(self, points: Any) -> Any:
        """As `pdf`."""
        return self.pdf(points)

    __call__ = evaluate

    def integrate_gaussian(self, mean: Any, cov: Any) -> Any:
        """The integral of the density times a normal density of this mean and covariance."""
        centre = reshape(to_inexact(as_operand(mean)), (-1, 1))
        spread = reshape(to_inexact(as_operand(cov)), (self.d, self.d))
        if centre.shape[0] != self.d:
            raise ShapeError(
                f"integrate_gaussian: mean has {centre.shape[0]} elements, the density {self.d} dimensions"
            )
        return exp(self._log_mixture(centre, self.covariance + spread))[0]

    def integrate_box_1d(self, low: Any, high: Any) -> Any:
        """The integral of a density of one dimension between two bounds."""
        if self.d != 1:
            raise ArgumentError(f"integrate_box_1d is for densities of one dimension, and this one has {self.d}")
        scale = self.covariance[0, 0] ** 0.5
        centre = self.dataset[0]
        return sum(self.weights * (ndtr((high - centre) / scale) - ndtr((low - centre) / scale)))

    def integrate_kde(self, other: gaussian_kde) -> Any:
        """The integral of this density times another one of as many dimensions."""
        if other.d != self.d:
            raise ShapeError(f"integrate_kde: densities of {self.d} and {other.d} dimensions")
        values = exp(self._log_mixture(other.dataset, self.covariance + other.covariance))
        return sum(values * other.weights)

    def resample(self, key: Any, shape: int | Sequence[int] = ()) -> Any:
        """Random points of this density: shape (dimensions, *shape)."""
        wanted = (shape,) if isinstance(shape, int) else tuple(shape)
        which, how = split(key)
        centres = take(self.dataset, choice(which, self.n, wanted, p=self.weights), 1)
        steps = matmul(cholesky(self.covariance), normal(how, (self.d, prod(wanted)), self.dataset.dtype))
        return centres + reshape(steps, (self.d, *wanted))

    def _points(self, x: Any) -> Any:
        points = atleast_2d(to_inexact(as_operand(x)))
        if points.shape[0] != self.d:
            if points.shape == (1, self.d):
                return points.T  # one point, given as a vector
            raise ShapeError(f"points of shape {points.shape} do not fit a density of {self.d} dimensions")
        return points

    def _log_mixture(self, points: Any, spread: Any) -> Any:
        """The logarithm of the weighted mean of normal densities around the points of the sample."""
        factor = cholesky(spread)
        here, there = (solve_triangular(factor, p, lower=True) for p in promote_dtypes(self.dataset, points))
        distance = sum(square(expand_dims(here, 2) - expand_dims(there, 1)), 0)
        scale = sum(log(diagonal(factor))) + self.d * natural_log(2 * pi) / 2
        return logsumexp(-distance / 2, axis=0, b=expand_dims(self.weights, 1)) - scale


def _bandwidth(kde: gaussian_kde, method: Any) -> Any:
    """The factor by which the sample's spread is scaled (D. W. Scott, Multivariate Density Estimation, 1992)."""
    if method is None or (isinstance(method, str) and method == "scott"):
        return kde.neff ** (-1.0 / (kde.d + 4))
    if isinstance(method, str):
        if method != "silverman":
            raise ArgumentError(
                f"gaussian_kde: bw_method={method!r}, expected scott, silverman, a number or a function"
            )
        return (kde.neff * (kde.d + 2) / 4.0) ** (-1.0 / (kde.d + 4))
    return method(kde) if callable(method) else method
