"""Initial values of parameters: each function here returns `init(key, shape, dtype=None)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any

from .. import random
from ..core.dtypes import DTypeLike, canonical, default_float
from ..core.types import ArrayType
from ..errors import ArgumentError, ShapeError
from ..numpy.conversion import as_operand
from ..ops.structure import broadcast, convert, full

__all__ = [
    "Initializer",
    "constant",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Initializer = Callable[..., Any]
Axes = int | Sequence[int]

# The standard deviation of a standard normal number cut off at ±2.
_CUT_OFF_DEVIATION = 0.87962566103423978


def _dtype(dtype: DTypeLike | None) -> Any:
    return default_float() if dtype is None else canonical(dtype)


def zeros(key: Any, shape: Sequence[int], dtype: DTypeLike | None = None) -> Any:
    """Zeros; the key is not used."""
    return full(ArrayType(tuple(shape), _dtype(dtype)), 0)


def ones(key: Any, shape: Sequence[int], dtype: DTypeLike | None = None) -> Any:
    """Ones; the key is not used."""
    return full(ArrayType(tuple(shape), _dtype(dtype)), 1)


def constant(value: Any, dtype: DTypeLike | None = None) -> Initializer:
    """An initializer that returns `value`, broadcast to the shape."""

    def init(key: Any, shape: Sequence[int], dtype: DTypeLike | None = dtype) -> Any:
        return broadcast(convert(as_operand(value), _dtype(dtype)), tuple(shape))

    return init


def uniform(scale: float = 1e-2, dtype: DTypeLike | None = None) -> Initializer:
    """An initializer of uniform numbers between 0 and `scale`."""

    def init(key: Any, shape: Sequence[int], dtype: DTypeLike | None = dtype) -> Any:
        return random.uniform(key, shape, _dtype(dtype)) * scale

    return init


def normal(stddev: float = 1e-2, dtype: DTypeLike | None = None) -> Initializer:
    """An initializer of normal numbers with mean 0."""

    def init(key: Any, shape: Sequence[int], dtype: DTypeLike | None = dtype) -> Any:
        return random.normal(key, shape, _dtype(dtype)) * stddev

    return init


def truncated_normal(
    stddev: float = 1e-2, dtype: DTypeLike | None = None, lower: float = -2.0, upper: float = 2.0
) -> Initializer:
    """An initializer of `stddev` times standard normal numbers between `lower` and `upper`."""

    def init(key: Any, shape: Sequence[int], dtype: DTypeLike | None = dtype) -> Any:
        return random.truncated_normal(key, lower, upper, shape, _dtype(dtype)) * stddev

    return init


def variance_scaling(
    scale: float,
    mode: str,
    distribution: str,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: DTypeLike | None = None,
) -> Initializer:
    """An initializer whose variance is `scale` / n, n counting the connections of a unit.

    Args:
        scale: positive.
        mode: what n is: "fan_in", "fan_out", "fan_avg" (their mean) or "fan_geo_avg" (their geometric mean).
        distribution: "truncated_normal", "normal" or "uniform".
        in_axis: axis or axes of the inputs.
        out_axis: axis or axes of the outputs.
        batch_axis: axes that do not count; every other axis belongs to the receptive field.
        dtype: the default dtype of the values.
    """

    def init(key: Any, shape: Sequence[int], dtype: DTypeLike | None = dtype) -> Any:
        shape = tuple(shape)
        fan_in, fan_out = _fans(shape, in_axis, out_axis, batch_axis)
        fans = {
            "fan_in": fan_in,
            "fan_out": fan_out,
            "fan_avg": (fan_in + fan_out) / 2,
            "fan_geo_avg": sqrt(fan_in * fan_out),
        }
        if mode not in fans:
            raise ArgumentError(f"variance_scaling: mode={mode!r}; expected one of {', '.join(map(repr, fans))}")
        deviation = sqrt(scale / max(1.0, fans[mode]))
        if distribution == "normal":
            return random.normal(key, shape, _dtype(dtype)) * deviation
        if distribution == "truncated_normal":
            return random.truncated_normal(key, -2.0, 2.0, shape, _dtype(dtype)) * (deviation / _CUT_OFF_DEVIATION)
        if distribution == "uniform":
            return random.uniform(key, shape, _dtype(dtype), -1.0, 1.0) * (sqrt(3) * deviation)
        raise ArgumentError(
            f"variance_scaling: distribution={distribution!r}; expected 'truncated_normal', 'normal' or 'uniform'"
        )

    return init


def _fans(shape: tuple[int, ...], in_axis: Axes, out_axis: Axes, batch_axis: Axes) -> tuple[float, float]:
    """How many inputs and outputs a unit is connected to."""
    if len(shape) <= 1:
        raise ShapeError(f"the variance of weights of shape {shape} cannot be scaled: they need two axes, in and out")

    def length(axes: Axes) -> int:
        return prod(shape[axis] for axis in ((axes,) if isinstance(axes, int) else axes))

    inputs, outputs = length(in_axis), length(out_axis)
    field = prod(shape) / max(inputs * outputs * length(batch_axis), 1)
    return inputs * field, outputs * field


def _family(scale: float, mode: str, distribution: str, name: str, source: str) -> Callable[..., Initializer]:
    def make(
        in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: DTypeLike | None = None
    ) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"The initializer of {source}: variance_scaling({scale}, {mode!r}, {distribution!r})."
    return make


_GLOROT, _HE, _LECUN = "Glorot and Bengio (2010)", "He et al. (2015)", "LeCun et al. (1998)"
glorot_uniform = xavier_uniform = _family(1.0, "fan_avg", "uniform", "glorot_uniform", _GLOROT)
glorot_normal = xavier_normal = _family(1.0, "fan_avg", "truncated_normal", "glorot_normal", _GLOROT)
lecun_uniform = _family(1.0, "fan_in", "uniform", "lecun_uniform", _LECUN)
lecun_normal = _family(1.0, "fan_in", "truncated_normal", "lecun_normal", _LECUN)
he_uniform = kaiming_uniform = _family(2.0, "fan_in", "uniform", "he_uniform", _HE)
he_normal = kaiming_normal = _family(2.0, "fan_in", "truncated_normal", "he_normal", _HE)
