"""Distributions of vectors: multivariate normal, Dirichlet and multinomial"""

from __future__ import annotations

from math import inf, pi
from math import log as natural_log
from typing import Any

import numpy as np

from ...errors import ArgumentError, ShapeError
from ...numpy.contraction import diagonal
from ...numpy.creation import eye
from ...numpy.elementwise import absolute, floor, square, where
from ...numpy.joining import concatenate
from ...numpy.linalg import cholesky
from ...numpy.promotion import broadcast_shapes, promote_dtypes, to_inexact
from ...numpy.reductions import all, any, sum
from ...numpy.shape import broadcast_to, expand_dims
from ...numpy.transcendental import exp, log
from ..linalg import solve_triangular
from ..special import gammaln, xlogy

__all__ = ["dirichlet", "multinomial", "multivariate_normal"]

TOLERANCE = 1e-5  # how far from 1 the sum of fractions may be: several roundings of a float32


class MultivariateNormal:
    """The normal distribution of vectors. Density: exp(-dᵀ C⁻¹ d / 2) / √((2π)ⁿ det C), d = x - mean, C = cov."""

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: None = None) -> Any:
        """The logarithm of the density.

        Args:
            x: vectors along the last axis.
            mean: a vector, or vectors that broadcast with `x`; a number stands for all elements, by default 0.
            cov: covariance matrices, positive definite; a number or a vector stands for the diagonal.
            allow_singular: must be None or False: densities need covariances that can be inverted.

        Returns:
            An array of the shape of `x` without the last axis.

        Raises:
            LinAlgError: a covariance that is not positive definite; in compiled code, when a result is read.
            ShapeError: shapes that do not fit.
        """
        if allow_singular:
            raise ArgumentError("multivariate_normal: allow_singular=True is not supported; add to the diagonal of cov")
        x, mean, cov = [to_inexact(v) for v in promote_dtypes(x, 0.0 if mean is None else mean, cov)]
        size = max([v.shape[-1] for v in (x, mean, cov) if v.ndim], default=1)
        if cov.ndim < 2:
            cov = eye(size, dtype=cov.dtype) * cov
        x, mean = (v if v.ndim else expand_dims(v, 0) for v in (x, mean))
        if cov.shape[-2:] != (size, size) or x.shape[-1] not in (1, size) or mean.shape[-1] not in (1, size):
            raise ShapeError(
                f"multivariate_normal: x of shape {x.shape}, mean of shape {mean.shape} and cov of shape {cov.shape} "
                f"do not fit: cov takes square matrices, as long as the vectors"
            )
        factor = cholesky(cov)
        distance = x - mean
        if distance.shape[-1] != size:
            distance = broadcast_to(distance, (*distance.shape[:-1], size))
        batch = broadcast_shapes(distance.shape[:-1], factor.shape[:-2])
        distance = broadcast_to(distance, (*batch, size))
        factor = broadcast_to(factor, (*batch, size, size)) if factor.ndim > 2 else factor
        if factor.ndim > 2:
            white = solve_triangular(factor, expand_dims(distance, -1), lower=True)[..., 0]
        else:
            white = solve_triangular(factor, distance.reshape((-1, size)).T, lower=True).T.reshape(distance.shape)
        scale = sum(log(diagonal(factor, axis1=-2, axis2=-1)), -1)
        return -sum(square(white), -1) / 2 - scale - size * natural_log(2 * pi) / 2

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: None = None) -> Any:
        """The density; arguments as those of `logpdf`."""
        return exp(self.logpdf(x, mean, cov, allow_singular))


class Dirichlet:
    """The Dirichlet distribution. Density: Γ(Σ alpha) / Π Γ(alphaᵢ) · Π xᵢ^(alphaᵢ - 1) for x >= 0 with sum 1."""

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density.

        Args:
            x: the fractions along the first axis; the last one may be left out.
            alpha: a vector of positive numbers, one for each fraction.

        Returns:
            An array of the shape of `x` without the first axis: -inf where `x` are no fractions of 1, NaN where
            `alpha` is not positive.
        """
        x, alpha = [to_inexact(v) for v in promote_dtypes(x, alpha)]
        if alpha.ndim != 1 or not x.ndim or x.shape[0] not in (alpha.shape[0], alpha.shape[0] - 1):
            raise ShapeError(
                f"dirichlet: x of shape {x.shape} and alpha of shape {alpha.shape}; alpha must be a vector, and x as "
                f"long along its first axis, or one less"
            )
        if x.shape[0] != alpha.shape[0]:
            x = concatenate([x, 1 - sum(x, 0, keepdims=True)], 0)
        powers = alpha.reshape((-1, *(1,) * (x.ndim - 1)))
        outside = (x < 0) | ((x == 0) & (powers > 1))
        inside = ~any(outside, 0) & (absolute(sum(x, 0) - 1) < TOLERANCE)
        fractions = where(outside, 1.0, x)
        value = sum(xlogy(powers - 1, fractions), 0) + gammaln(sum(alpha)) - sum(gammaln(alpha))
        return where(all(alpha > 0), where(inside, value, -inf), np.nan)

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density; arguments as those of `logpdf`."""
        return exp(self.logpdf(x, alpha))


class Multinomial:
    """The multinomial distribution of counts x in n trials. Probability: n! / Π xᵢ! · Π pᵢ^xᵢ."""

    def logpmf(self, x: Any, n: Any, p: Any) -> Any:
        """The logarithm of the probability.

        Args:
            x: the counts along the last axis.
            n: the number of trials.
            p: the probability of each outcome, along the last axis.

        Returns:
            An array of the shape of `x` without the last axis: -inf where the counts do not sum to `n`.
        """
        x, n, p = [to_inexact(v) for v in promote_dtypes(x, n, p)]
        counts = all((x >= 0) & (x == floor(x)), -1) & (sum(x, -1) == n)
        safe = where(expand_dims(counts, -1), x, 0.0)
        value = gammaln(n + 1) + sum(xlogy(safe, p) - gammaln(safe + 1), -1)
        valid = all((p >= 0) & (p <= 1), -1) & (n >= 0)
        return where(valid, where(counts, value, -inf), np.nan)

    def pmf(self, x: Any, n: Any, p: Any) -> Any:
        """The probability; arguments as those of `logpmf`."""
        return exp(self.logpmf(x, n, p))


multivariate_normal = MultivariateNormal()
dirichlet = Dirichlet()
multinomial = Multinomial()
