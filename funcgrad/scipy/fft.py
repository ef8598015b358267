"""Discrete cosine transforms under SciPy's names: all four types, norms, and several axes, by Fourier transforms."""

from __future__ import annotations

from math import pi, sqrt
from operator import index
from typing import Any

import numpy as np
import scipy.fft

from ..core.dtypes import FLOAT32, default_float, is_complex, is_inexact, is_low_precision
from ..errors import ArgumentError
from ..numpy.conversion import as_operand, asarray
from ..numpy.elementwise import multiply, real
from ..numpy.fast import quick_call
from ..numpy.fft import fft
from ..numpy.shape import moveaxis
from ..ops.complex_parts import complex_, imag
from ..ops.complex_parts import real as real_part
from ..ops.fft import FLIPPED
from ..ops.slicing import concatenate, pad, rev, slice_in_dim
from ..ops.structure import canonical_axis, convert, zeros_of

__all__ = ["dct", "dctn", "idct", "idctn"]

_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


@quick_call(scipy.fft.dct)
def dct(
    x: Any,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: str | None = None,
    *,
    orthogonalize: bool | None = None,
) -> Any:
    """The discrete cosine transform along one axis.

    Args:
        x: numbers; complex ones are transformed by parts, integers become the default float.
        type: 1, 2, 3 or 4, by how the numbers are thought to go on beyond their ends.
        n: how many elements take part: `x` is cut off, or filled up with zeros, to so many along the axis.
        axis: the axis to transform.
        norm: "backward" (or None), "ortho" or "forward": the sums as they are, divided by √(2n), or by 2n (for type 1,
            n - 1 stands for n).
        orthogonalize: weigh the ends so that "ortho" makes the transform orthogonal; by default for "ortho" only.

    Raises:
        ArgumentError: another type or norm, or too few elements.

    >>> dct(fnp.array([1.0, 2.0, 4.0])).round(3)
    Array([14.   , -5.196,  1.   ], dtype=float32)
    """
    return _along_axis("dct", as_operand(x), type, n, axis, _norm("dct", norm), orthogonalize)


@quick_call(scipy.fft.idct)
def idct(
    x: Any,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: str | None = None,
    *,
    orthogonalize: bool | None = None,
) -> Any:
    """The inverse of `dct` of the same arguments."""
    flipped = FLIPPED[_norm("idct", norm)]
    return _along_axis("idct", as_operand(x), _INVERSE.get(type, type), n, axis, flipped, orthogonalize)


def dctn(
    x: Any,
    type: int = 2,
    s: Any = None,
    axes: Any = None,
    norm: str | None = None,
    *,
    orthogonalize: bool | None = None,
) -> Any:
    """The discrete cosine transform over several axes: `dct` over one after the other.

    Args:
        s: how many elements take part along each axis; -1 for all.
        axes: which axes, by default all, or the last ones if `s` is given.
    """
    x = as_operand(x)
    for axis, n in _axes("dctn", x, s, axes):
        x = dct(x, type, n, axis, norm, orthogonalize=orthogonalize)
    return x


def idctn(
    x: Any,
    type: int = 2,
    s: Any = None,
    axes: Any = None,
    norm: str | None = None,
    *,
    orthogonalize: bool | None = None,
) -> Any:
    """The inverse of `dctn` of the same arguments."""
    x = as_operand(x)
    for axis, n in _axes("idctn", x, s, axes):
        x = idct(x, type, n, axis, norm, orthogonalize=orthogonalize)
    return x


def _norm(name: str, norm: str | None) -> str:
    norm = "backward" if norm is None else norm
    if norm not in FLIPPED:
        raise ArgumentError(f'{name}: norm={norm!r}; expected "backward", "ortho" or "forward"')
    return norm


def _axes(name: str, x: Any, s: Any, axes: Any) -> list[tuple[int, int | None]]:
    lengths = None if s is None else [index(n) for n in (s if np.iterable(s) else (s,))]
    if axes is None:
        count = x.ndim if lengths is None else len(lengths)
        axes = range(x.ndim - count, x.ndim)
    places = [canonical_axis(index(axis), x.ndim) for axis in (axes if np.iterable(axes) else (axes,))]
    if lengths is None:
        return [(axis, None) for axis in places]
    if len(lengths) != len(places):
        raise ArgumentError(
            f"{name}: {len(lengths)} lengths, s={tuple(lengths)}, for {len(places)} axes; give one for each"
        )
    return [(axis, None if n == -1 else n) for axis, n in zip(places, lengths, strict=True)]


def _along_axis(name: str, x: Any, type: int, n: Any, axis: int, norm: str, orthogonalize: bool | None) -> Any:
    if is_complex(x.dtype):
        parts = (_along_axis(name, z, type, n, axis, norm, orthogonalize) for z in (real_part(x), imag(x)))
        return complex_(*parts)
    if type not in _INVERSE:
        raise ArgumentError(f"{name}: type={type}; expected 1, 2, 3 or 4")
    wanted = default_float() if not is_inexact(x.dtype) else FLOAT32 if is_low_precision(x.dtype) else x.dtype
    axis = canonical_axis(index(axis), x.ndim)
    x = moveaxis(convert(x, wanted), axis, -1)
    count = x.shape[-1] if n is None else index(n)
    if count < (2 if type == 1 else 1):
        raise ArgumentError(f"{name}: n={count}; type {type} needs at least {2 if type == 1 else 1} elements")
    x = _part(x, 0, min(count, x.shape[-1]))
    x = _filled(x, 0, count - x.shape[-1])
    weigh = norm == "ortho" if orthogonalize is None else orthogonalize
    if weigh and type in (1, 3):
        x = _weighted(x, sqrt(2), type == 1)
    y = _sums(x, type, count)
    if weigh and type in (1, 2):
        y = _weighted(y, 1 / sqrt(2), type == 1)
    scale = {"backward": 0, "ortho": -0.5, "forward": -1}[norm]
    factor = (2 * (count - 1 if type == 1 else count)) ** scale
    return moveaxis(multiply(y, factor) if scale else y, -1, axis)


def _part(x: Any, start: int, stop: int) -> Any:
    return slice_in_dim(x, start, stop, 1, x.ndim - 1)


def _filled(x: Any, front: int, back: int) -> Any:
    """`x` with zeros before and after its last axis."""
    if not front and not back:
        return x
    margins = [(0, 0, 0)] * (x.ndim - 1) + [(front, back, 0)]
    return pad(x, zeros_of(x.type.update(shape=())), margins)


def _weighted(x: Any, factor: float, both: bool) -> Any:
    """`x` with its first element, or those at both ends, multiplied by a factor."""
    weights = np.ones(x.shape[-1])
    weights[0] = factor
    if both:
        weights[-1] = factor
    return multiply(x, asarray(weights, x.dtype))


def _turned(x: Any, angles: np.ndarray) -> Any:
    """`x` times exp(i · angle)."""
    cosines, sines = asarray(np.cos(angles), x.dtype), asarray(np.sin(angles), x.dtype)
    return complex_(multiply(x, cosines), multiply(x, sines))


def _real_of_turned(z: Any, angles: np.ndarray) -> Any:
    """The real part of `z` times exp(i · angle)."""
    a, b = real_part(z), imag(z)
    return multiply(a, asarray(np.cos(angles), a.dtype)) - multiply(b, asarray(np.sin(angles), a.dtype))


def _sums(x: Any, type: int, n: int) -> Any:
    """The sums of a transform, not divided by anything, along the last axis of n real numbers.

    Each is a Fourier transform of the numbers, continued to twice their count (Makhoul, IEEE Trans. ASSP 28, 1980).
    """
    last = x.ndim - 1
    places = np.arange(n)
    if type == 1:
        mirrored = concatenate([x, rev(_part(x, 1, n - 1), (last,))], last)
        return _part(real(fft(mirrored)), 0, n)
    if type == 2:
        mirrored = concatenate([x, rev(x, (last,))], last)
        return _real_of_turned(_part(fft(mirrored), 0, n), -pi * places / (2 * n))
    if type == 3:
        first = _weighted(x, 0.5, False)
        return _part(real(fft(_filled(2 * _turned(first, -pi * places / (2 * n)), 0, n))), 0, n)
    turned = _turned(x, -pi * (2 * places + 1) / (4 * n))
    return 2 * _real_of_turned(_part(fft(_filled(turned, 0, n)), 0, n), -pi * places / (2 * n))
