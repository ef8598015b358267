"""Discrete Fourier transforms under NumPy's names, in the precision of what is transformed.

Integers become the default float, and numbers of less precision float32, before they are transformed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from ..backend.array import Array
from ..core.dtypes import (
    FLOAT32,
    DTypeLike,
    canonical,
    complex_dtype,
    default_float,
    is_complex,
    is_float,
    is_low_precision,
)
from ..errors import ArgumentError, AxisError, DTypeError
from ..ops.complex_parts import conj
from ..ops.fft import FLIPPED, FourierTransform
from ..ops.slicing import pad, slice_in_dim
from ..ops.structure import canonical_axis, convert, zeros_of
from .conversion import SCALARS, as_operand, asarray, place, refuse_out
from .elementwise import divide, multiply
from .fast import SIMPLE, named, quick_call
from .promotion import to_inexact
from .shape import roll

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip


def _operand(name: str, kind: str, a: Any, out: Any) -> Any:
    """The array to transform, in a dtype that `kind` takes."""
    refuse_out(f"fft.{name}", out)
    x = as_operand(a)
    if x.dtype.char in ("fd" if kind == "rfft" else "FD"):
        return x
    x = to_inexact(x)
    if kind != "rfft":
        return convert(x, complex_dtype(x.dtype))
    if is_complex(x.dtype):
        raise DTypeError(
            f"fft.{name} takes real numbers, not {x.dtype.name}: only their spectrum is determined by its half. "
            f"Use fft.{name.replace('ihfft', 'ifft').replace('rfft', 'fft')}, or take the real part: x.real"
        )
    return convert(x, FLOAT32) if is_low_precision(x.dtype) else x


def _fitted(x: Any, axis: int, length: int) -> Any:
    """`x` cut off, or filled up with zeros, to a length along an axis."""
    missing = length - x.shape[axis]
    if missing < 0:
        return slice_in_dim(x, 0, length, 1, axis)
    if missing == 0:
        return x
    return pad(x, zeros_of(x.type.update(shape=())), [(0, missing * (i == axis), 0) for i in range(x.ndim)])


def _length(name: str, wanted: Any, present: int) -> int:
    """How many elements take part in a transform: as many as wanted, or as there are."""
    length = present if wanted is None else index(wanted)
    if length < 1:
        what = f"n={length}" if wanted is not None else "the axis has no elements and n is not given"
        raise ArgumentError(f"fft.{name}: {what}; a transform needs at least one element")
    return length


def _norm(name: str, norm: str | None) -> str:
    if norm is None:
        return "backward"
    if norm not in FLIPPED:
        raise ArgumentError(f'fft.{name}: norm={norm!r}; expected "backward", "ortho" or "forward"')
    return norm


def _single(name: str, kind: str, x: Any, n: Any, axis: int, norm: str) -> Any:
    """A transform over one axis."""
    # Hot (benchmark: eager): an array that is taken as it is comes through quickly.
    axis = canonical_axis(index(axis), x.ndim)
    if kind == "irfft":
        length = _length(name, n, 2 * (x.shape[axis] - 1))
        return FourierTransform(kind, (axis,), norm, length)(_fitted(x, axis, length // 2 + 1))
    length = _length(name, n, x.shape[axis])
    return FourierTransform(kind, (axis,), norm)(_fitted(x, axis, length))


def _several(name: str, kind: str, x: Any, s: Any, axes: Any, norm: str) -> Any:
    """A transform over several axes, the last one of which is halved if `kind` halves one."""
    places, lengths = _axes(name, x, s, axes)
    if not places:
        if kind in ("fft", "ifft"):
            return x
        raise AxisError(f"fft.{name} needs at least one axis; the array has shape {x.shape}, and axes={axes}")
    if s is None and kind == "irfft":
        lengths[-1] = 2 * (x.shape[places[-1]] - 1)
    lengths = [_length(name, n, x.shape[axis]) for n, axis in zip(lengths, places, strict=True)]
    if len(set(places)) < len(places):
        return _one_by_one(name, kind, x, lengths, places, norm)
    halved = lengths[-1] // 2 + 1
    for n, axis in zip([*lengths[:-1], halved if kind == "irfft" else lengths[-1]], places, strict=True):
        x = _fitted(x, axis, n)
    return FourierTransform(kind, tuple(places), norm, lengths[-1] if kind == "irfft" else None)(x)


def _axes(name: str, x: Any, s: Any, axes: Any) -> tuple[list[int], list[int]]:
    """The axes that are meant, and as many lengths, as they are or as they are wanted."""
    if axes is None:
        count = x.ndim if s is None else len(_sequence(s))
        axes = range(-count, 0)
    places = [canonical_axis(axis, x.ndim) for axis in _sequence(axes)]
    present = [x.shape[axis] for axis in places]
    if s is None:
        return places, present
    lengths = _sequence(s)
    if len(lengths) != len(places):
        raise ArgumentError(
            f"fft.{name}: {len(lengths)} lengths, s={tuple(lengths)}, for {len(places)} axes; give one for each axis, "
            f"-1 where it keeps its length"
        )
    return places, [n if wanted == -1 else wanted for wanted, n in zip(lengths, present, strict=True)]


def _sequence(values: Any) -> list[Any]:
    return [index(v) for v in (values if isinstance(values, Sequence | np.ndarray | range) else (values,))]


def _one_by_one(name: str, kind: str, x: Any, lengths: list[int], places: list[int], norm: str) -> Any:
    """A transform over axes of which some are named several times: each time it is done once more."""
    whole = "ifft" if kind in ("ifft", "irfft") else "fft"
    steps = [(whole, *step) for step in zip(lengths, places, strict=True)]
    steps[-1] = (kind, *steps[-1][1:])
    for one, n, axis in steps if kind == "irfft" else reversed(steps):
        x = _single(name, one, x, n, axis, norm)
    return x


# -- the transforms --------------------------------------------------------------------------------------------------

_ARGUMENTS = """
        norm: which direction divides by the number n of elements: "backward" (or None) the inverse one, "forward" the
            forward one, "ortho" both by √n.

    Raises:
        AxisError: an axis that the array does not have.
        ArgumentError: a length below 1, or an unknown norm.
        DTypeError: complex numbers where real ones are transformed.
"""
_ONE_AXIS = f"""

    Args:
        a: the array.
        n: how many elements take part: `a` is cut off, or filled up with zeros, to so many along the axis. {{n}}
        axis: the axis to transform.{_ARGUMENTS}"""
_SEVERAL_AXES = f"""

    Args:
        a: the array.
        s: how many elements take part along each axis: `a` is cut off, or filled up with zeros, to so many; -1 keeps
            what is there. {{n}}
        axes: the axes to transform; {{axes}}.
            One that is named twice is transformed twice.{_ARGUMENTS}"""
_TAKEN = "By default as many as there are."
_GIVEN = "These are the elements of the result; by default twice those of the half spectrum, less two."
_GIVEN_LAST = "Along the last one so many are the result; by default twice those of the half spectrum, less two."


def _over_one_axis(name: str, kind: str, summary: str) -> Any:
    def transform(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
        return _single(name, kind, _operand(name, kind, a, out), n, axis, _norm(name, norm))

    return _named(transform, name, summary + _ONE_AXIS.format(n=_GIVEN if kind == "irfft" else _TAKEN))


def _over_axes(name: str, kind: str, default: tuple[int, int] | None, summary: str) -> Any:
    def transform(a: Any, s: Any = None, axes: Any = default, norm: str | None = None, out: None = None) -> Any:
        return _several(name, kind, _operand(name, kind, a, out), s, axes, _norm(name, norm))

    which = "by default all, or the last ones if `s` is given" if default is None else "by default the last two"
    arguments = _SEVERAL_AXES.format(n=_GIVEN_LAST if kind == "irfft" else _TAKEN, axes=which)
    return _named(transform, name, summary + arguments)


def _named(function: Any, name: str, doc: str) -> Any:
    function = named(function, name, doc)
    function.__module__ = "funcgrad.numpy.fft"
    return function


_HALF = "; of each spectrum only the half that determines it"
fft = _over_one_axis("fft", "fft", "The discrete Fourier transform along one axis.")
ifft = _over_one_axis("ifft", "ifft", "The inverse of `fft`.")
rfft = _over_one_axis("rfft", "rfft", f"The Fourier transform of real numbers along one axis{_HALF}.")
irfft = _over_one_axis("irfft", "irfft", "The inverse of `rfft`: real numbers from half a spectrum.")
fft2 = _over_axes("fft2", "fft", (-2, -1), "The discrete Fourier transform over two axes.")
ifft2 = _over_axes("ifft2", "ifft", (-2, -1), "The inverse of `fft2`.")
rfft2 = _over_axes("rfft2", "rfft", (-2, -1), f"The Fourier transform of real numbers over two axes{_HALF}.")
irfft2 = _over_axes("irfft2", "irfft", (-2, -1), "The inverse of `rfft2`: real numbers from half a spectrum.")
fftn = _over_axes("fftn", "fft", None, "The discrete Fourier transform over any axes.")
ifftn = _over_axes("ifftn", "ifft", None, "The inverse of `fftn`.")
rfftn = _over_axes("rfftn", "rfft", None, f"The Fourier transform of real numbers over any axes{_HALF}.")
irfftn = _over_axes("irfftn", "irfft", None, "The inverse of `rfftn`: real numbers from half a spectrum.")


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
    """The real spectrum of a signal of which only half is given, the other half being conjugate; arguments as `irfft`.

    The forward transform here is the one from the half signal to its spectrum.
    """
    x = conj(_operand("hfft", "irfft", a, out))
    return _single("hfft", "irfft", x, n, axis, FLIPPED[_norm("hfft", norm)])


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: None = None) -> Any:
    """The inverse of `hfft`: half the signal that has this real spectrum; arguments as those of `rfft`."""
    x = _operand("ihfft", "rfft", a, out)
    return conj(_single("ihfft", "rfft", x, n, axis, FLIPPED[_norm("ihfft", norm)]))


# -- frequencies and their order ---------------------------------------------------------------------------------------


def fftfreq(n: int, d: Any = 1.0, device: Any = None, *, dtype: DTypeLike | None = None) -> Any:
    """The frequencies of the elements of `fft`: 0, 1, …, then the negative ones up to -1, all over `n * d`.

    Args:
        n: how many elements are transformed.
        d: the distance between samples.
        device: where the result shall live.
        dtype: its floating dtype; by default the default float, or that of `d` if it is an array.

    >>> fnp.fft.fftfreq(5, 0.2)
    Array([ 0.,  1.,  2., -2., -1.], dtype=float32)
    """
    return _frequencies("fftfreq", np.fft.fftfreq, n, d, device, dtype)


def rfftfreq(n: int, d: Any = 1.0, device: Any = None, *, dtype: DTypeLike | None = None) -> Any:
    """The frequencies of the elements of `rfft`: 0, 1, …, n // 2, all over `n * d`; arguments as those of `fftfreq`."""
    return _frequencies("rfftfreq", np.fft.rfftfreq, n, d, device, dtype)


def _frequencies(name: str, reference: Callable[..., np.ndarray], n: int, d: Any, device: Any, dtype: Any) -> Any:
    if not isinstance(n, int | np.integer) or n < 1:
        raise ArgumentError(f"fft.{name}: n={n!r}; expected a positive int")
    wanted = None if dtype is None else canonical(dtype)
    if wanted is not None and not is_float(wanted):
        raise DTypeError(f"fft.{name}: dtype={wanted.name}; frequencies are floating-point numbers")
    if type(d) in SCALARS:
        found = Array(reference(n, d).astype(default_float() if wanted is None else wanted))
        return found if device is None else place(found, device)
    spacing = to_inexact(as_operand(d))
    found = divide(asarray(reference(n, 1 / n), spacing.dtype, device=device), multiply(spacing, n))
    return found if wanted is None else convert(found, wanted)


@quick_call(np.fft.fftshift, SIMPLE)
def fftshift(x: Any, axes: Any = None) -> Any:
    """`x` with the element of frequency 0 moved to the middle of the axes, by default of all."""
    x = as_operand(x)
    places = list(range(x.ndim)) if axes is None else [canonical_axis(axis, x.ndim) for axis in _sequence(axes)]
    return roll(x, [x.shape[axis] // 2 for axis in places], places) if places else x


@quick_call(np.fft.ifftshift, SIMPLE)
def ifftshift(x: Any, axes: Any = None) -> Any:
    """The inverse of `fftshift`."""
    x = as_operand(x)
    places = list(range(x.ndim)) if axes is None else [canonical_axis(axis, x.ndim) for axis in _sequence(axes)]
    return roll(x, [-(x.shape[axis] // 2) for axis in places], places) if places else x
