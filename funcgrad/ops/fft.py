"""Discrete Fourier transforms over any axes: complex ones, and those of real numbers to and from half a spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, prod
from typing import Any

import numpy as np

from ..core.dtypes import COMPLEX64, COMPLEX128, FLOAT32, FLOAT64, INT32, real_dtype
from ..core.graph import Graph, filled, is_filled_with
from ..core.primitive import Linear, infer
from ..core.program import Atom
from ..core.types import ArrayType
from ..errors import ArgumentError, AxisError, DTypeError, ShapeError
from .bits import or_
from .complex_parts import conj
from .elementwise import eq, ge, mul, where
from .scipy_modules import scipy_module
from .structure import broadcast_in_dim, convert, full, iota

__all__ = ["FLIPPED", "FourierTransform", "fourier_transform"]

FLIPPED = {"backward": "forward", "ortho": "ortho", "forward": "backward"}

_KINDS = ("fft", "ifft", "rfft", "irfft")
_SPECTRA = {FLOAT32: COMPLEX64, FLOAT64: COMPLEX128}
_MOST_AXES = 3  # that StableHLO transforms at once
_BUTTERFLY = 4  # steps of a transform take as long as this many additions


class FourierTransform(Linear):
    """The discrete Fourier transform over `axes`.

    With w = exp(-2πi/n), element k of the forward transform over one axis is Σ x[j] w^(jk); the inverse has 1/w for w.

    Fields:
        kind: "fft" and "ifft" take complex numbers. "rfft" takes real ones and gives, along the last of `axes`, only
            the first n // 2 + 1 elements, of which the others are conjugates. "irfft" takes such a half, whose
            imaginary part is ignored where it has to be 0, and gives real numbers.
        axes: different axes, at least one.
        norm: with n the number of transformed elements, "backward" divides inverse transforms by n, "forward" divides
            forward ones, and "ortho" divides both by √n.
        length: of the result along the last of `axes`, for "irfft" only.
    """

    kind: str
    axes: tuple[int, ...]
    norm: str = "backward"
    length: int | None = None

    def work(self, in_types: Sequence[ArrayType], out_types: Sequence[ArrayType]) -> float:
        return _BUTTERFLY * max(in_types[0].size, out_types[0].size) * max(log2(max(self._count(in_types[0]), 1)), 1)

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        _check(self, x)
        last, shape = self.axes[-1], list(x.shape)
        if self.kind == "rfft":
            shape[last] = shape[last] // 2 + 1
            return (ArrayType(tuple(shape), _SPECTRA[x.dtype]),)
        if self.kind == "irfft":
            shape[last] = self.length  # type: ignore[call-overload]
            return (ArrayType(tuple(shape), real_dtype(x.dtype)),)
        return (x.strong(),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        if not x.size:
            (result,) = infer(self, ArrayType(x.shape, x.dtype))
            return (np.zeros(result.shape, result.dtype),)
        module = scipy_module("fft")
        one, many = getattr(module, self.kind), getattr(module, f"{self.kind}n")
        if len(self.axes) == 1:
            return (one(x, self.length, self.axes[0], self.norm),)
        if self.length is None:
            return (many(x, None, self.axes, self.norm),)
        return (many(x, [*[x.shape[i] for i in self.axes[:-1]], self.length], self.axes, self.norm),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        (source,), (result,) = build.in_types, build.out_types
        if not source.size:
            return (build.constant(0, result),)
        ndim, count = source.ndim, len(self.axes)
        order = (*(i for i in range(ndim) if i not in self.axes), *self.axes)
        type = source.update(shape=tuple(source.shape[i] for i in order))
        moved = order != tuple(range(ndim))
        if moved:
            x = build.op("transpose", (x,), type, {"permutation": build.integers(order)})
        for kind, places in self._steps(ndim - count, ndim):
            x, type = _lower_step(build, x, type, kind, places, self.length)
        if moved:
            back = sorted(range(ndim), key=order.__getitem__)
            x = build.op("transpose", (x,), result, {"permutation": build.integers(back)})
        scale = self._scale(self._count(source))
        if scale == 1:
            return (x,)
        part = result.update(dtype=real_dtype(result.dtype))
        if part is result:
            return (build.op("multiply", (x, build.constant(scale, result)), result),)
        factor = build.constant(scale, part)
        parts = [build.op("multiply", (build.op(name, (x,), part), factor), part) for name in ("real", "imag")]
        return (build.op("complex", parts, result),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        (ct,) = cts
        if self.kind in ("fft", "ifft"):
            return (self(ct),)  # the matrix w^(jk) is symmetric
        last = self.axes[-1]
        if self.kind == "rfft":  # Σ Re(ct[k] w^(jk)) over half a spectrum is an inverse transform of conj(ct), in which
            n = x.shape[last]  # all but the elements that have no partner would count twice
            halved = mul(conj(ct), _occurrences(ct.type, last, n, 1, 0.5))
            return (FourierTransform("irfft", self.axes, FLIPPED[self.norm], n)(halved),)
        spectrum = FourierTransform("rfft", self.axes, FLIPPED[self.norm])(ct)
        return (conj(mul(spectrum, _occurrences(spectrum.type, last, ct.shape[last], 1, 2))),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        mapped = axes[0]
        shifted = tuple(i + (i >= mapped) for i in self.axes)  # type: ignore[operator]
        return (FourierTransform(self.kind, shifted, self.norm, self.length)(operands[0]),), (mapped,)

    def simplified(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        if is_filled_with(inputs[0], 0.0):
            return (filled(0, infer(self, inputs[0].type)[0]),)
        return None

    def _count(self, source: ArrayType) -> int:
        """How many elements are transformed together."""
        lengths = [source.shape[i] for i in self.axes]
        return prod(lengths if self.length is None else [*lengths[:-1], self.length])

    def _scale(self, count: int) -> float:
        """What StableHLO's transform, which divides inverse ones by `count`, has yet to be multiplied by."""
        power = {"backward": 0, "ortho": 0.5, "forward": 1}[self.norm]
        return count ** (power if self.kind in ("ifft", "irfft") else -power)

    def _steps(self, start: int, stop: int) -> list[tuple[str, range]]:
        """Transforms of at most three axes from `start` to `stop`, the half spectrum's own first or last."""
        chunks = [range(max(start, end - _MOST_AXES), end) for end in range(stop, start, -_MOST_AXES)]
        if self.kind == "rfft":
            return [("rfft", chunks[0]), *(("fft", places) for places in chunks[1:])]
        if self.kind == "irfft":
            return [*(("ifft", places) for places in chunks[1:]), ("irfft", chunks[0])]
        return [(self.kind, places) for places in chunks]


def _check(op: FourierTransform, x: ArrayType) -> None:
    if op.kind not in _KINDS or op.norm not in FLIPPED:
        raise ArgumentError(f"fourier_transform: there is no transform {op.kind!r} of norm {op.norm!r}")
    wanted = (FLOAT32, FLOAT64) if op.kind == "rfft" else (COMPLEX64, COMPLEX128)
    if x.dtype not in wanted:
        raise DTypeError(
            f"{op.kind} takes {wanted[0].name} or {wanted[1].name}, not {x.dtype.name}; funcgrad.numpy.fft converts"
        )
    if not op.axes or len(set(op.axes)) != len(op.axes) or not all(0 <= i < x.ndim for i in op.axes):
        raise AxisError(f"{op.kind}: axes {op.axes} must be different axes of {x}, at least one")
    lengths = [x.shape[i] for i in op.axes]
    if op.kind == "irfft":
        half = lengths.pop()
        if op.length is None or op.length < 1 or op.length // 2 + 1 != half:
            raise ShapeError(f"irfft: the half spectrum of {op.length} numbers has another length than {half}")
    if 0 in lengths:
        raise ShapeError(
            f"{op.kind}: cannot transform an axis without elements; {x} has lengths {lengths} along {op.axes}"
        )


def _lower_step(
    build: Any, x: Any, type: ArrayType, kind: str, places: range, length: int | None
) -> tuple[Any, ArrayType]:
    """One `stablehlo.fft` over consecutive axes; those after `places` are moved in front of them and back."""
    trailing = range(places.stop, type.ndim)
    order = (*range(places.start), *trailing, *places)
    shape = [type.shape[i] for i in order]
    moved = type.update(shape=tuple(shape))
    if trailing:
        x = build.op("transpose", (x,), moved, {"permutation": build.integers(order)})
    lengths = shape[len(shape) - len(places) :]
    dtype = type.dtype
    if kind == "rfft":
        shape[-1], dtype = lengths[-1] // 2 + 1, _SPECTRA[dtype]
    elif kind == "irfft":
        shape[-1] = lengths[-1] = length  # type: ignore[assignment]
        dtype = real_dtype(dtype)
    result = ArrayType(tuple(shape), dtype)
    attributes = {
        "fft_type": build.attribute(f"#stablehlo<fft_type {kind.upper()}>"),
        "fft_length": build.integers(lengths),
    }
    x = build.op("fft", (x,), result, attributes)
    if not trailing:
        return x, result
    back = sorted(range(len(order)), key=order.__getitem__)
    final = result.update(shape=tuple(result.shape[i] for i in back))
    return build.op("transpose", (x,), final, {"permutation": build.integers(back)}), final


def _occurrences(type: ArrayType, axis: int, length: int, once: float, twice: float) -> Any:
    """An array of `type` that says which elements of half a spectrum occur twice in the whole one."""
    count = type.shape[axis]
    places = iota(INT32, (count,))
    last = count if length % 2 else count - 1  # an even length has a last element without a partner
    alone = or_(eq(places, full(places.type, 0)), ge(places, full(places.type, last)))
    part = ArrayType((count,), real_dtype(type.dtype))
    factors = where(alone, full(part, once), full(part, twice))
    return broadcast_in_dim(convert(factors, type.dtype), type.shape, (axis,))


def fourier_transform(x: Any, kind: str, axes: Sequence[int], norm: str = "backward", length: int | None = None) -> Any:
    """The discrete Fourier transform of `x` over different axes; see `FourierTransform`."""
    op = FourierTransform(kind, tuple(axes), norm, length)
    infer(op, x.type)
    return op(x)
