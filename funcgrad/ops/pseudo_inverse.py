"""The pseudo-inverse of a matrix, from its singular value decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..compiler.lower import lower_by
from ..core.dtypes import real_dtype
from ..core.primitive import Primitive, not_linear
from ..core.types import ArrayType
from ..errors import ShapeError
from .decompositions import as_row, inverse_beyond
from .elementwise import add, mul, sub
from .gather import lead_axis
from .reduction import reduce_max
from .structure import broadcast_in_dim, convert, zeros_of
from .triangular import adjoint, check_matrices, identity_like, matrix_product

__all__ = ["PseudoInverse"]


class PseudoInverse(Primitive):
    """The inverse of `a` on its range, and 0 elsewhere: singular values up to rtol · the largest one count as 0.

    Operands: `a` of shape (…, m, n), its decomposition u (…, m, k), s (…, k), vh (…, k, n), and rtol (…).

    The derivative is that of G. H. Golub and V. Pereyra, The differentiation of pseudo-inverses (1973), for changes
    that keep the rank; it depends on `a` alone, so tangents of the other operands are not looked at.
    """

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        a, u, s, vh, rtol = types
        check_matrices(self.name, a, u, vh)
        *batch, m, n = a.shape
        k = min(m, n)
        wanted = [(*batch, m, k), (*batch, k), (*batch, k, n), tuple(batch)]
        if [t.shape for t in (u, s, vh, rtol)] != wanted or s.dtype != real_dtype(a.dtype) or rtol.dtype != s.dtype:
            raise ShapeError(
                f"pseudo_inverse: for matrices {a} the operands u, s, vh and rtol must have shapes {wanted}, got "
                f"{', '.join(map(str, (u, s, vh, rtol)))}"
            )
        return (a.update(shape=(*batch, n, m)),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        _, u, s, vh, rtol = operands
        bound = rtol[..., None] * s.max(-1, keepdims=True, initial=0)
        inverse = np.divide(1, s, out=np.zeros_like(s), where=~(s <= bound))
        return (np.matmul(vh.conj().swapaxes(-1, -2) * inverse[..., None, :], u.conj().swapaxes(-1, -2)),)

    def composed(self, a: Any, u: Any, s: Any, vh: Any, rtol: Any) -> Any:
        """The same, written with operations."""
        if not s.size:
            return zeros_of(a.type.update(shape=(*a.shape[:-2], a.shape[-1], a.shape[-2])))
        bound = mul(rtol, reduce_max(s, (s.ndim - 1,)))
        inverse = inverse_beyond(s, broadcast_in_dim(bound, s.shape, range(bound.ndim)))
        v = mul(adjoint(vh), convert(as_row(inverse, vh.shape[-1]), vh.dtype))
        return matrix_product(v, adjoint(u))

    lower = lower_by(composed)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        a, da = primals[0], tangents[0]
        p = self(*primals)
        da_h, p_h = adjoint(da), adjoint(p)
        outside_range = sub(identity_like(a, a.shape[-2], a.shape[-2]), matrix_product(a, p))
        outside_rows = sub(identity_like(a, a.shape[-1], a.shape[-1]), matrix_product(p, a))
        left = matrix_product(p, matrix_product(p_h, matrix_product(da_h, outside_range)))
        right = matrix_product(matrix_product(matrix_product(outside_rows, da_h), p_h), p)
        return (p,), (sub(add(left, right), matrix_product(p, matrix_product(da, p))),)

    transpose = not_linear

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(*(lead_axis(size, x, axis) for x, axis in zip(operands, axes, strict=True))),), (0,)
