"""Samples of Fourier transforms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from funcgrad.ops.fft import FourierTransform

from .sample import Sample

DTYPES = {"fft": "FD", "ifft": "FD", "rfft": "fd", "irfft": "FD"}


def values(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Numbers of either sign, none of them special."""
    random = np.random.default_rng(shape)
    real = random.uniform(0.2, 1, shape) * random.choice([-1, 1], shape)
    return (real + 1j * random.uniform(-1, 1, shape)).astype(dtype) if dtype.kind == "c" else real.astype(dtype)


def rows(shape: tuple[int, ...], axes: tuple[int, ...], norm: str, chars: slice = slice(None)) -> Iterator[Sample]:
    """Transforms of every kind that take, or for "irfft" give, an array of `shape`."""
    for kind, dtypes in DTYPES.items():
        length, taken = None, shape
        if kind == "irfft":
            length = shape[axes[-1]]
            taken = tuple(n // 2 + 1 if i == axes[-1] else n for i, n in enumerate(shape))
        for char in dtypes[chars]:
            x = values(taken, np.dtype(char))
            name = f"{kind} {norm} {char}{list(shape)} over {axes}"
            yield Sample(name, FourierTransform(kind, axes, norm, length), (x,), ulps=8)


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    yield from rows((8,), (0,), "backward")
    yield from rows((5,), (0,), "ortho")
    yield from rows((2, 6, 3), (1,), "forward")
    double = slice(1, 2)
    yield from rows((1,), (0,), "forward", double)
    yield from rows((2,), (0,), "backward", double)
    yield from rows((3, 4), (0, 1), "ortho", double)
    yield from rows((3, 4), (1, 0), "backward", double)
    yield from rows((2, 3, 2, 5), (0, 3, 1), "forward", double)
    yield from rows((2, 3, 2, 5), (0, 1, 2, 3), "backward", double)
    yield from rows((2, 2, 3, 2, 2), (4, 1, 0, 2, 3), "ortho", double)
    yield from rows((0, 4), (1,), "backward", double)
