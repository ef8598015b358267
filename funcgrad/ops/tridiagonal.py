"""Tridiagonal systems of linear equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.primitive import Primitive
from ..core.types import ArrayType, Zero
from ..errors import DTypeError, ShapeError
from .decompositions import as_column
from .elementwise import add, mul, neg, sub
from .factorizations import each_matrix, routine
from .gather import lead_axis
from .lapack import call, nan_where_failed
from .slicing import pad
from .structure import zeros_of
from .triangular import check_matrices

__all__ = ["TridiagonalSolve", "tridiagonal_product"]


class TridiagonalSolve(Primitive):
    """x with A x = b, where A has `dl` below its diagonal `d` and `du` above it; NaN where A is singular.

    Operands: dl, d, du of shape (…, n), of which dl[…, 0] and du[…, n-1] do not matter, and b of shape (…, n, m).
    """

    takes_zeros = True

    def infer(self, *types: ArrayType) -> tuple[ArrayType, ...]:
        dl, d, du, b = types
        check_matrices(self.name, b)
        if any(t.dtype != b.dtype for t in types):
            raise DTypeError(
                f"tridiagonal_solve: operands must have equal dtypes, got {', '.join(t.dtype.name for t in types)}"
            )
        if any(t.shape != b.shape[:-1] for t in (dl, d, du)):
            shapes = f"{dl.shape}, {d.shape} and {du.shape}"
            raise ShapeError(
                f"tridiagonal_solve: for a right-hand side of shape {b.shape} each of dl, d and du must have shape "
                f"{b.shape[:-1]}, got {shapes}; dl[0] and du[-1] are not used, but must be there"
            )
        return (b.strong(),)

    def evaluate(self, *operands: np.ndarray) -> tuple[np.ndarray, ...]:
        *diagonals, b = operands
        if not b.size:
            return (np.zeros(b.shape, b.dtype),)
        matrix = np.stack(diagonals, -1)  # beside b, so that both have the same number of axes
        return each_matrix(_solve, matrix, b)

    def lower(self, build: Any, *operands: Any) -> tuple[Any, ...]:
        types = build.in_types
        info = ArrayType(types[3].shape[:-2], np.dtype(np.int32))
        *_, x, failed = call(build, "gtsv", operands, types, (*types, info), {}, None)
        return (nan_where_failed(build, x, types[3], failed) if types[3].size else x,)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        x = self(*primals)
        moved = [None if type(t) is Zero else t for t in tangents]
        right = moved[3]
        if any(t is not None for t in moved[:3]):
            dl, d, du = (zeros_of(p.type) if t is None else t for p, t in zip(primals[:3], moved[:3], strict=True))
            product = tridiagonal_product(dl, d, du, x)
            right = neg(product) if right is None else sub(right, product)
        return (x,), (Zero(x.type) if right is None else self(*primals[:3], right),)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        dl, d, du, _ = inputs
        return None, None, None, self(_shifted(du, 1), d, _shifted(dl, -1), cts[0])

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(*(lead_axis(size, x, axis) for x, axis in zip(operands, axes, strict=True))),), (0,)


def _solve(matrix: np.ndarray, b: np.ndarray) -> tuple[np.ndarray]:
    lower, middle, upper = matrix.T
    if len(middle) == 1:
        with np.errstate(all="ignore"):
            return (np.where(middle == 0, np.asarray(np.nan, b.dtype), b / middle[0]),)
    *_, x, info = routine("gtsv", b.dtype)(lower[1:], middle, upper[:-1], b)
    return (np.full_like(b, np.nan) if info else x,)


def _shifted(x: Any, places: int) -> Any:
    """Each element `places` further along the last axis, zeros coming in."""
    moves = [(0, 0, 0)] * (x.ndim - 1) + [(places, -places, 0)]
    return pad(x, zeros_of(x.type.update(shape=())), moves)


def tridiagonal_product(dl: Any, d: Any, du: Any, x: Any) -> Any:
    """The product of a tridiagonal matrix with `x`; shapes are those of `TridiagonalSolve`."""
    count = x.shape[-1]
    rows = x.ndim - 2

    def neighbour(step: int) -> Any:
        moves = [(0, 0, 0)] * x.ndim
        moves[rows] = (step, -step, 0)
        return pad(x, zeros_of(x.type.update(shape=())), moves)

    product = mul(as_column(d, count), x)
    product = add(product, mul(as_column(dl, count), neighbour(1)))
    return add(product, mul(as_column(du, count), neighbour(-1)))
