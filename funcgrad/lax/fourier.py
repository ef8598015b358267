"""Discrete Fourier transforms over the last axes."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

from ..errors import ArgumentError
from ..numpy.conversion import as_operand
from ..ops.fft import fourier_transform

__all__ = ["FftType", "fft"]


class FftType(enum.IntEnum):
    """The kinds of Fourier transforms: complex, inverse, and of real numbers to and from half a spectrum."""

    FFT = 0
    IFFT = 1
    RFFT = 2
    IRFFT = 3


def fft(x: Any, fft_type: FftType | str | int, fft_lengths: Sequence[int]) -> Any:
    """The Fourier transform over the last `len(fft_lengths)` axes; inverse ones are divided by the number of elements.

    Args:
        x: complex numbers, or real ones for "RFFT".
        fft_type: an `FftType`, or its name or value.
        fft_lengths: lengths of the axes; for "IRFFT" those of the result.

    Raises:
        ArgumentError: another kind, or lengths that are not those of the axes.
        DTypeError: a dtype that this kind does not take.
    """
    try:
        kind = FftType[fft_type.upper()] if isinstance(fft_type, str) else FftType(fft_type)
    except (KeyError, ValueError):
        kinds = ", ".join(FftType.__members__)
        raise ArgumentError(f"fft: {fft_type!r} is not a kind of transform; expected one of {kinds}") from None
    x, lengths = as_operand(x), tuple(fft_lengths)
    inverse = kind is FftType.IRFFT
    present = x.shape[x.ndim - len(lengths) :]
    expected = (*lengths[:-1], *(n // 2 + 1 for n in lengths[-1:])) if inverse else lengths
    if present != expected:
        raise ArgumentError(
            f"fft: the lengths {lengths} are those of the last axes of an array of shape {x.shape}; cut off or fill up "
            f"first"
        )
    axes = range(x.ndim - len(lengths), x.ndim)
    return fourier_transform(x, kind.name.lower(), axes, length=lengths[-1] if inverse else None)
