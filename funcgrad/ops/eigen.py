"""Eigenvalues and eigenvectors of general matrices.

The derivative follows J. R. Magnus, On differentiating eigenvalues and eigenvectors (1985). Vectors keep LAPACK's
convention, which fixes their derivative: length 1, and the element of largest magnitude real. Of equal eigenvalues (up
to rounding) the terms that couple them are left out, as `ops/spectral.py` explains; a matrix without a full set of
eigenvectors has no derivative, and gets infinities or NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import INT32, complex_dtype, is_complex
from ..core.types import ArrayType
from .complex_parts import complex_, conj, imag, real
from .decompositions import Decomposition, as_row
from .elementwise import absolute, div, eq, mul, sub, where
from .factorizations import each_matrix
from .lapack import call, info_type
from .reduction import argmax
from .reflections import qr
from .scipy_modules import scipy_module
from .spectral import gaps_inverted
from .structure import convert, iota, reduce_sum, zeros_of
from .triangular import adjoint, diagonal_part, matrix_product, solve_triangular

__all__ = ["Eig"]


class Eig(Decomposition):
    """Eigenvalues, then, where asked for, the left and the right eigenvectors in columns; all of them complex.

    Fields:
        left: whether there are left eigenvectors, vₗᴴ a = w vₗᴴ.
        right: whether there are right eigenvectors, a vᵣ = w vᵣ.
    """

    left: bool = False
    right: bool = True

    def results(self, a: ArrayType) -> tuple[ArrayType, ...]:
        vectors = a.update(dtype=complex_dtype(a.dtype))
        return (vectors.update(shape=a.shape[:-1]), *[vectors] * (self.left + self.right))

    def decompose(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        dtype = complex_dtype(a.dtype)
        if self.left:
            found = each_matrix(self._one, a)
        else:
            found = np.linalg.eig(a) if self.right else (np.linalg.eigvals(a),)
        return tuple(x.astype(dtype, copy=False) for x in found)

    def _one(self, a: np.ndarray) -> tuple[np.ndarray, ...]:
        w, left, *right = scipy_module("linalg").eig(a, None, True, self.right, check_finite=False)
        return w, left, *right

    def emit(self, build: Any, a: Any, type: ArrayType) -> tuple[Any, ...]:
        values, vectors, info = type.update(shape=type.shape[:-1]), self.results(type)[0], info_type(type)
        vectors = type.update(dtype=vectors.dtype)
        parameters = {"compute_left": "NV"[self.left], "compute_right": "NV"[self.right]}
        parts = (values,) * (1 if is_complex(type.dtype) else 2)
        outs = call(build, "geev", (a,), (type,), (*parts, vectors, vectors, info), parameters, None)
        w = outs[0] if len(parts) == 1 else build.op("complex", outs[:2], values.update(dtype=vectors.dtype))
        chosen = [v for v, wanted in zip(outs[-3:-1], (self.left, self.right), strict=True) if wanted]
        return w, *chosen, outs[-1]

    def derivative(self, a: Any, da: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        outs = Eig(self.left, True)(a)
        w, *left, right = outs
        da = convert(da, w.dtype)
        moved = _in_basis(right, da)
        dw = reduce_sum(diagonal_part(moved), (moved.ndim - 1,))
        primals, tangents = [w], [dw]
        if self.left:
            primals.append(left[0])
            tangents.append(_vectors_moved(left[0], conj(w), _in_basis(left[0], adjoint(da))))
        if self.right:
            primals.append(right)
            tangents.append(_vectors_moved(right, w, moved))
        return tuple(primals), tuple(tangents)


def _in_basis(v: Any, a: Any) -> Any:
    """v⁻¹ a v."""
    q, r = qr(v, False)
    return solve_triangular(r, matrix_product(adjoint(q), matrix_product(a, v)), False)


def _vectors_moved(v: Any, w: Any, moved: Any) -> Any:
    """The tangents of right eigenvectors, each of length 1 and with a real largest element."""
    n, rows = v.shape[-1], v.ndim - 2
    dv = matrix_product(v, mul(gaps_inverted(w), moved))
    along = real(reduce_sum(mul(conj(v), dv), (rows,)))
    largest = argmax(absolute(v), rows, INT32)
    chosen = eq(iota(INT32, v.shape, rows), as_row(largest, n))
    element, moves = (reduce_sum(where(chosen, x, zeros_of(x.type)), (rows,)) for x in (v, dv))
    turn = div(imag(moves), real(element))
    return sub(dv, mul(v, as_row(complex_(along, turn), n)))
