"""Condensed forms: a matrix turned by orthogonal transformations into a triangular, Hessenberg or tridiagonal one.

The Hessenberg and the tridiagonal form are given as LAPACK gives them: packed, with the Householder reflectors below
the diagonal next to the main one, and the factors τ of the reflectors I - τ v vᴴ.

None of them is differentiable: small changes of the matrix may change the form by more than a derivative can say.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import is_complex, real_dtype
from ..core.types import ArrayType
from ..errors import DifferentiationError
from .decompositions import Decomposition
from .factorizations import each_matrix, routine
from .lapack import call, info_type, triangle

__all__ = ["Hessenberg", "Schur", "Tridiagonal"]


class Schur(Decomposition):
    """The Schur form t of a = z t zᴴ, and z, or (t,).

    t is upper triangular; of real matrices it has 2 x 2 blocks on the diagonal for pairs of complex eigenvalues.

    Fields:
        vectors: whether there is z.
    """

    vectors: bool = True

    def results(self, a: ArrayType) -> tuple[ArrayType, ...]:
        return (a.strong(),) * (2 if self.vectors else 1)

    def decompose(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        return each_matrix(self._one, a)

    def _one(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        t, *_, z, _, info = routine("gees", a.dtype)(lambda *_: False, a, self.vectors)
        if info:
            raise np.linalg.LinAlgError("gees does not converge")
        return (t, z) if self.vectors else (t,)

    def emit(self, build: Any, a: Any, type: ArrayType) -> tuple[Any, ...]:
        info = info_type(type)
        values = (type.update(shape=type.shape[:-1]),) * (1 if is_complex(type.dtype) else 2)
        parameters = {"mode": "V" if self.vectors else "N", "sort": "N"}
        outs = call(build, "gees", (a,), (type,), (type, type, *values, info, info), parameters, None)
        return (outs[0], outs[1], outs[-1]) if self.vectors else (outs[0], outs[-1])

    def derivative(self, a: Any, da: Any) -> Any:
        raise DifferentiationError(
            "the Schur form is not differentiable: it is not unique, and the order of its eigenvalues may change. "
            "Differentiate what it is used for: fnp.linalg.eigvals(a) for eigenvalues, fg.scipy.linalg.expm(a), "
            "sqrtm(a) or solve_sylvester(a, b, q) for matrix functions; or keep it fixed, fg.stop_gradient(a)"
        )


class Hessenberg(Decomposition):
    """The Hessenberg form h of a = q h qᴴ, with reflectors below its first subdiagonal, and their factors."""

    def results(self, a: ArrayType) -> tuple[ArrayType, ...]:
        return a.strong(), a.update(shape=(*a.shape[:-2], max(a.shape[-1] - 1, 0)))

    def decompose(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        return each_matrix(self._one, a)

    def _one(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        if a.shape[-1] == 1:
            return a, np.zeros((0,), a.dtype)
        return routine("gehrd", a.dtype)(a)[:2]

    def emit(self, build: Any, a: Any, type: ArrayType) -> tuple[Any, ...]:
        n, info = type.shape[-1], info_type(type)
        if n == 1:
            return a, build.constant(0, build.out_types[1]), build.constant(0, info)
        types, bounds = (type, self.results(type)[1], info), {"low": np.int32(1), "high": np.int32(n)}
        return call(build, "gehrd", (a,), (type,), types, bounds, None)

    def derivative(self, a: Any, da: Any) -> Any:
        raise DifferentiationError(_not_unique("Hessenberg"))


class Tridiagonal(Decomposition):
    """The tridiagonal form of a Hermitian matrix: reflectors, the diagonal, the one next to it, and the factors.

    Fields:
        upper: whether the upper triangle is read and written, or the lower one.
    """

    upper: bool = False

    def results(self, a: ArrayType) -> tuple[ArrayType, ...]:
        *batch, n = a.shape[:-1]
        real, short = real_dtype(a.dtype), (*batch, max(n - 1, 0))
        return a.strong(), ArrayType((*batch, n), real), ArrayType(short, real), ArrayType(short, a.dtype)

    def read(self, a: np.ndarray) -> np.ndarray:
        return np.triu(a) if self.upper else np.tril(a)

    def lower_read(self, build: Any, a: Any, type: ArrayType) -> Any:
        return triangle(build, a, type, not self.upper)

    def decompose(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        return each_matrix(self._one, a)

    def _one(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        if a.shape[-1] == 1:
            return a, a[0].real, np.zeros((0,), real_dtype(a.dtype)), np.zeros((0,), a.dtype)
        return routine("sytrd", a.dtype)(a, lower=not self.upper)[:4]

    def emit(self, build: Any, a: Any, type: ArrayType) -> tuple[Any, ...]:
        types, info = self.results(type), info_type(type)
        if type.shape[-1] == 1:
            diagonal = build.op("real", (a,), type.update(dtype=types[1].dtype)) if is_complex(type.dtype) else a
            empty = [build.constant(0, t) for t in types[2:]]
            return a, build.op("reshape", (diagonal,), types[1]), *empty, build.constant(0, info)
        cpu, gpu = {"uplo": "U" if self.upper else "L"}, {"lower": not self.upper}
        return call(build, "sytrd", (a,), (type,), (*types, info), cpu, gpu)

    def derivative(self, a: Any, da: Any) -> Any:
        raise DifferentiationError(_not_unique("tridiagonal"))


def _not_unique(form: str) -> str:
    return (
        f"the {form} form is not differentiable: it is not unique, and has no derivative where a reflector vanishes. "
        f"Differentiate what it is used for, such as fnp.linalg.eigh(a) or fnp.linalg.eigvals(a), or keep it fixed, "
        f"fg.stop_gradient(a)"
    )
