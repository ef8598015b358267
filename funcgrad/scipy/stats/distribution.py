"""What a distribution is at location 0 and scale 1, and what follows from that: its functions for users

A definition gives a few functions of standard numbers inside the support, such as `logpdf` and `cdf`. The others are
derived here, once for all distributions: densities and tails from one another, location and scale, what holds outside
the support, NaN for parameters that are not allowed, promotion. Where a result does not depend on an argument, as
outside the support, that argument is replaced before anything is computed, so that derivatives there are 0, not NaN.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import numpy as np

from ...core.dtypes import FLOAT32, is_complex, is_low_precision
from ...errors import DTypeError
from ...numpy.conversion import SCALARS
from ...numpy.elementwise import clip, floor, where
from ...numpy.logic import isinf
from ...numpy.promotion import promote_dtypes, to_inexact
from ...numpy.transcendental import exp, expm1, log, log1p
from ...ops.structure import convert

__all__ = ["Distribution", "log1mexp"]

Function = Callable[..., Any]

# What each function tells, and what it is below and above the support.
_TAILS: dict[str, tuple[str, float, float]] = {
    "cdf": ("The probability of a value not above", 0.0, 1.0),
    "sf": ("The probability of a value above", 1.0, 0.0),
    "logcdf": ("The logarithm of the probability of a value not above", -inf, 0.0),
    "logsf": ("The logarithm of the probability of a value above", 0.0, -inf),
}
_QUANTILES = {
    "ppf": "The value not above which lies the probability",
    "isf": "The value above which lies the probability",
}
_TRIVIAL = {"loc": 0, "scale": 1}


def log1mexp(x: Any) -> Any:
    """log(1 - exp(-x)) for x > 0, accurate for small and large x (M. Mächler, 2012)."""
    small = x < 0.6931472
    return where(small, log(-expm1(-where(small, x, 1.0))), log1p(-exp(-where(small, 1.0, x))))


class Distribution:
    """A distribution, whose functions are its attributes: `norm.logpdf(x, loc, scale)`.

    Every function takes a value (or a probability), the parameters of the distribution's shape, its location `loc`
    and, if it is continuous, its `scale`. They promote and broadcast as those of `funcgrad.numpy`. Densities are 0
    outside the support; parameters that are not allowed give NaN.

    Args:
        name: the name under which it is public.
        doc: its docstring, with the density at location 0 and scale 1.
        shapes: the names of its shape parameters, with blanks between.
        support: the least and the largest value, or a function of the shapes that gives both.
        valid: whether shapes are allowed; by default all must be positive.
        vanishing: where in the support, at an end of it, the density is 0.
        inner: some value inside the support, or a function of the shapes that gives one.
        discrete: whether its values are integers.
        symmetric: whether x and -x are equally likely.
        standard: `logpdf` or `logpmf`, and any of `cdf`, `sf`, `logcdf`, `logsf`, `ppf`, `isf`, `pmf`, `entropy`, as
            functions of a value and the shapes, at location 0 and scale 1.
    """

    logpdf: Function
    pdf: Function
    logpmf: Function
    pmf: Function
    cdf: Function
    sf: Function
    logcdf: Function
    logsf: Function
    ppf: Function
    isf: Function
    entropy: Function

    def __init__(
        self,
        name: str,
        doc: str,
        shapes: str = "",
        *,
        support: tuple[float, float] | Function = (-inf, inf),
        valid: Function | None = None,
        vanishing: Function | None = None,
        inner: float | Function = 0.0,
        discrete: bool = False,
        symmetric: bool = False,
        **standard: Function,
    ) -> None:
        self.name, self.__doc__ = name, doc
        self._shapes = tuple(shapes.split())
        self._parameters = (*self._shapes, "loc") if discrete else (*self._shapes, "loc", "scale")
        self._support = support if callable(support) else lambda *shapes: support
        self._bounded = support != (-inf, inf)
        self._valid = valid
        self._vanishing = vanishing
        self._inner = inner if callable(inner) else lambda *shapes: inner
        self._discrete = discrete
        self._define(_completed(standard, symmetric))

    def __repr__(self) -> str:
        return f"<distribution {self.name}>"

    def _define(self, standard: dict[str, Function]) -> None:
        density = "logpmf" if self._discrete else "logpdf"
        value, plain = ("k", "pmf") if self._discrete else ("x", "pdf")
        kind = "probability" if self._discrete else "density"
        self._publish(density, value, self._log_density, standard[density], f"The logarithm of the {kind} of")
        self._publish(
            plain, value, self._density, standard.get(plain, standard[density]), f"The {kind} of", plain in standard
        )
        for name, (says, below, above) in _TAILS.items():
            if name in standard:
                self._publish(name, value, self._tail, standard[name], says, below, above)
        for name, says in _QUANTILES.items():
            if name in standard:
                self._publish(name, "q", self._quantile, standard[name], says)
        if "entropy" in standard:
            self._publish("entropy", None, self._constant, standard["entropy"], "The expected -log probability")

    def _publish(
        self, name: str, value: str | None, rule: Function, function: Function, says: str, *options: Any
    ) -> None:
        """Make a public function, with the signature that the distribution's parameters give it."""
        fields = [inspect.Parameter(p, inspect.Parameter.POSITIONAL_OR_KEYWORD) for p in (value, *self._shapes) if p]
        for parameter in self._parameters[len(self._shapes) :]:
            default = _TRIVIAL[parameter]
            fields.append(inspect.Parameter(parameter, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default))
        signature = inspect.Signature(fields)
        full, defaults = len(fields), tuple(field.default for field in fields)

        def public(*args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) > full or inspect.Parameter.empty in defaults[len(args) :]:
                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                args = bound.args
            return self._applied(rule, function, options, (*args, *defaults[len(args) :]), value is not None)

        public.__name__, public.__qualname__ = name, f"{self.name}.{name}"
        public.__module__ = "funcgrad.scipy.stats"
        public.__signature__ = signature  # type: ignore[attr-defined]
        public.__doc__ = f"{says}{f' `{value}`' if value else ''} under the distribution `{self.name}`."
        setattr(self, name, public)

    def _applied(self, rule: Function, function: Function, options: Sequence[Any], args: Any, has_value: bool) -> Any:
        """A rule for operands of one floating dtype; trivial locations and scales are None."""
        names = (*(("",) if has_value else ()), *self._parameters)
        trivial = [type(a) in SCALARS and a == _TRIVIAL.get(n, ()) for a, n in zip(args, names, strict=True)]
        operands = promote_dtypes(*[a for a, t in zip(args, trivial, strict=True) if not t])
        dtype = to_inexact(operands[0]).dtype
        if is_complex(dtype):
            raise DTypeError(f"{self.name} takes real numbers, not {dtype.name}")
        wide = FLOAT32 if is_low_precision(dtype) else dtype
        rest = iter([to_inexact(x) if dtype == wide else convert(x, wide) for x in operands])
        given = [None if t else next(rest) for t in trivial]
        if self._discrete:
            given.append(None)  # the scale
        value, given = (given[0], given[1:]) if has_value else (None, given)
        *shapes, loc, scale = given
        result = rule(function, value, shapes, loc, scale, *options)
        for allowed in self._conditions(shapes, scale):
            result = where(allowed, result, np.nan)
        return result if dtype == wide else convert(result, dtype)

    def _conditions(self, shapes: Sequence[Any], scale: Any) -> list[Any]:
        """What must be true of the parameters."""
        conditions = [] if scale is None else [scale > 0]
        if self._valid is not None:
            return [*conditions, self._valid(*shapes)]
        return conditions + [shape > 0 for shape in shapes]

    # -- rules -----------------------------------------------------------------------------------------------------

    def _log_density(self, function: Function, x: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        y = _standardized(x, loc, scale)
        outside, y = self._inside(y, shapes, self._bounded)
        value = function(y, *shapes)
        value = value if scale is None else value - log(scale)
        return value if outside is None else where(outside, -inf, value)

    def _density(self, function: Function, x: Any, shapes: Any, loc: Any, scale: Any, plain: bool) -> Any:
        y = _standardized(x, loc, scale)
        outside, y = self._inside(y, shapes, True)
        value = function(y, *shapes)
        value = value if plain else exp(value)
        value = value if scale is None else value / scale
        return where(outside, 0.0, value)

    def _inside(self, y: Any, shapes: Any, needed: bool) -> tuple[Any, Any]:
        """Where the density is 0, and the value with these replaced."""
        outside = isinf(y) if needed else None
        if self._bounded:
            low, high = self._support(*shapes)
            outside = outside | (y < low) | (y > high)
        if self._discrete:
            outside = outside | (y > floor(y))
        if self._vanishing is not None:
            gone = self._vanishing(y, *shapes)
            outside = gone if outside is None else outside | gone
        return outside, y if outside is None else where(outside, self._inner(*shapes), y)

    def _tail(
        self, function: Function, x: Any, shapes: Any, loc: Any, scale: Any, at_low: float, at_high: float
    ) -> Any:
        y = _standardized(x, loc, scale)
        if self._discrete:
            y = floor(y)
        low, high = self._support(*shapes)
        below, above = (y < low if self._discrete else y <= low), y >= high
        y = where(below | above, self._inner(*shapes), y)
        return where(below, at_low, where(above, at_high, function(y, *shapes)))

    def _quantile(self, function: Function, q: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        result = function(where((q >= 0) & (q <= 1), q, np.nan), *shapes)
        result = result if scale is None else result * scale
        return result if loc is None else result + loc

    def _constant(self, function: Function, _: Any, shapes: Any, loc: Any, scale: Any) -> Any:
        result = function(*shapes)
        return result if loc is None else result + 0 * loc


def _standardized(x: Any, loc: Any, scale: Any) -> Any:
    y = x if loc is None else x - loc
    return y if scale is None else y / scale


# -- what follows ----------------------------------------------------------------------------------------------------


def _completed(standard: dict[str, Function], symmetric: bool) -> dict[str, Function]:
    """The given functions, and those that follow from them."""
    made = dict(standard)
    cdf, logcdf, ppf = made.get("cdf"), made.get("logcdf"), made.get("ppf")
    if cdf is not None:
        made.setdefault("sf", _mirrored(cdf) if symmetric else lambda x, *shapes: 1 - cdf(x, *shapes))
        if logcdf is not None and symmetric:
            made.setdefault("logsf", _mirrored(logcdf))
        made.setdefault("logcdf", _log_probability(cdf, made["sf"]))
        made.setdefault("logsf", _log_probability(made["sf"], cdf))
    if ppf is not None:
        made.setdefault("isf", lambda q, *shapes: -ppf(q, *shapes) if symmetric else ppf(1 - q, *shapes))
    return made


def _mirrored(function: Function) -> Function:
    return lambda x, *shapes: function(-x, *shapes)


def _log_probability(probability: Function, opposite: Function) -> Function:
    """The logarithm of a probability, by that of the opposite where it is the smaller; -inf with derivative 0 for 0."""

    def logarithm(x: Any, *shapes: Any) -> Any:
        p, rest = probability(x, *shapes), opposite(x, *shapes)
        likely, never = p > 0.5, p == 0
        small = log(where(likely | never, 0.5, p))
        return where(never, -inf, where(likely, log1p(-clip(where(likely, rest, 0.0), max=0.75)), small))

    return logarithm
