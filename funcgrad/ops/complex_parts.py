"""Complex numbers and their parts: real, imag, complex, conj.

All four are linear over the reals. A cotangent c of a complex value z stands for the map z → Re(c·z), so that
transposition needs no conjugation for maps that are linear over the complex numbers; the minus signs below follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.dtypes import COMPLEX64, COMPLEX128, FLOAT32, FLOAT64, real_dtype
from ..core.graph import Graph
from ..core.program import Atom
from ..core.types import ArrayType, Zero, is_linear
from ..errors import DTypeError
from .families import Elementwise, same_operands
from .structure import zeros_of

__all__ = ["complex_", "conj", "imag", "real"]


class Real(Elementwise):
    """The real part of a complex number."""

    stablehlo, accepts = "real", "c"
    pushforwards = (lambda dx, out, x: real(dx),)

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        (x,) = super().infer(*types)
        return (x.update(dtype=real_dtype(x.dtype), weak=x.weak),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.real(operands[0]),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (complex_(cts[0], zeros_of(cts[0].type)),)

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        inner = graph.producer(inputs[0], Complex)
        return inner and (inner.inputs[0],)


class Imag(Elementwise):
    """The imaginary part of a complex number."""

    stablehlo, accepts = "imag", "c"
    pushforwards = (lambda dx, out, x: imag(dx),)

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        (x,) = super().infer(*types)
        return (x.update(dtype=real_dtype(x.dtype), weak=x.weak),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        return (np.imag(operands[0]),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (complex_(zeros_of(cts[0].type), -cts[0]),)

    def identity(self, graph: Graph, *inputs: Atom) -> Sequence[Atom] | None:
        inner = graph.producer(inputs[0], Complex)
        return inner and (inner.inputs[1],)


class Complex(Elementwise):
    """The complex number with given real and imaginary parts (float32 or float64)."""

    stablehlo, accepts = "complex", "f"

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        part = same_operands(self.name, types)
        if part.dtype not in (FLOAT32, FLOAT64):
            raise DTypeError(f"complex takes float32 or float64 parts, not {part.dtype.name}")
        return (part.update(dtype=COMPLEX64 if part.dtype == FLOAT32 else COMPLEX128, weak=all(t.weak for t in types)),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        x, y = operands
        # x + 1j * y would spread infinities, NaN and the sign of zero from one part into the other.
        result = np.empty(x.shape, COMPLEX64 if x.dtype == FLOAT32 else COMPLEX128)
        result.real, result.imag = x, y
        return (result,)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        out = self(*primals)
        if all(type(t) is Zero for t in tangents):
            return (out,), (Zero(out.type),)
        return (out,), (self(*(zeros_of(t.type) if type(t) is Zero else t for t in tangents)),)

    def transpose(self, cts: tuple[Any, ...], x: Any, y: Any) -> tuple[Any | None, ...]:
        return real(cts[0]) if is_linear(x) else None, -imag(cts[0]) if is_linear(y) else None


class Conj(Elementwise):
    """The complex conjugate."""

    involution = True
    compute, accepts = np.conjugate, "c"
    pushforwards = (lambda dx, out, x: conj(dx),)

    def emit(self, build: Any, type: ArrayType, *operands: Any) -> Any:
        part = type.update(dtype=real_dtype(type.dtype))
        imaginary = build.op("negate", (build.op("imag", operands, part),), part)
        return build.op("complex", (build.op("real", operands, part), imaginary), type)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (conj(cts[0]),)


real, imag, complex_, conj = Real(), Imag(), Complex(), Conj()
