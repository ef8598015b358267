"""Triangular systems of linear equations, solved by substitution; matrices and their triangles."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import numpy as np

from ..core.dtypes import INT32, is_complex, real_dtype
from ..core.primitive import Linear, Primitive
from ..core.types import ArrayType, Zero
from ..errors import DTypeError, ShapeError
from . import lapack
from .complex_parts import conj
from .dot import dot_general
from .elementwise import eq, neg, sub
from .gather import lead_axis
from .scipy_modules import scipy_module
from .slicing import slice_in_dim
from .structure import broadcast, convert, iota, move_axis, reshape, transpose

__all__ = [
    "Triangle",
    "TriangularSolve",
    "adjoint",
    "check_matrices",
    "columns_of",
    "conjugate",
    "diagonal_of",
    "diagonal_part",
    "divided",
    "identity_like",
    "lower_triangle",
    "matrix_product",
    "more_columns",
    "rows_of",
    "solve_triangular",
    "strictly_lower",
    "swap_last",
    "upper_triangle",
]

MATRIX_DTYPES = ("float32", "float64", "complex64", "complex128")

# From these sizes on XLA's blocked substitution, whose work is matrix products, beats LAPACK's; it compiles slowly.
_BLOCKED_ROWS, _BLOCKED_COLUMNS = 256, 128
_SUBSTITUTED = 8  # batches of so many matrices a row are solved row by row, all matrices at once


# -- matrices, written with operations ---------------------------------------------------------------------------------


def check_matrices(name: str, *types: ArrayType, square: bool = False) -> None:
    """Refuse what the libraries of linear algebra do not take.

    Raises:
        DTypeError: not a floating or complex dtype of 32 bits a part or more.
        ShapeError: fewer than two dimensions, matrices that are not square, batches that differ.
    """
    first = types[0]
    for type in types:
        if type.dtype.name not in MATRIX_DTYPES:
            raise DTypeError(
                f"{name} takes float32, float64, complex64 or complex128, not {type.dtype.name}: convert it first, "
                f"x.astype('float32')"
            )
        if type.dtype != first.dtype:
            raise DTypeError(f"{name}: operands must have equal dtypes, got {first.dtype.name} and {type.dtype.name}")
        if type.ndim < 2:
            raise ShapeError(f"{name} takes matrices, or batches of them along leading axes; got shape {type.shape}")
        if type.shape[:-2] != first.shape[:-2]:
            raise ShapeError(f"{name}: the batch axes of shapes {first.shape} and {type.shape} differ")
    if square and first.shape[-1] != first.shape[-2]:
        raise ShapeError(f"{name} takes square matrices, got shape {first.shape}")


def swap_last(x: Any) -> Any:
    """The transposed matrices."""
    n = x.ndim
    return transpose(x, (*range(n - 2), n - 1, n - 2))


def conjugate(x: Any) -> Any:
    """Complex numbers conjugated, real ones as they are."""
    return conj(x) if is_complex(x.dtype) else x


def adjoint(x: Any) -> Any:
    """The transposed matrices, conjugated."""
    return conjugate(swap_last(x))


def matrix_product(x: Any, y: Any) -> Any:
    """Products of matrices whose batches are equal."""
    batch, n = tuple(range(x.ndim - 2)), x.ndim
    return dot_general(x, y, ((n - 1,), (n - 2,)), (batch, batch), precision="highest")


class Triangle(Linear):
    """Matrices with zeros above (or, if not `lower`, below) the diagonal number `offset`."""

    lower_part: bool
    offset: int = 0

    def infer(self, x: ArrayType) -> tuple[ArrayType, ...]:
        if x.ndim < 2:
            raise ShapeError(f"a triangle is cut out of matrices; got shape {x.shape}")
        return (x.strong(),)

    def evaluate(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return ((np.tril if self.lower_part else np.triu)(x, self.offset),)

    def lower(self, build: Any, x: Any) -> tuple[Any, ...]:
        return (lapack.triangle(build, x, build.out_types[0], self.lower_part, self.offset),)

    def transpose(self, cts: tuple[Any, ...], x: Any) -> tuple[Any | None, ...]:
        return (self(cts[0]),)

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        return (self(move_axis(operands[0], axes[0], 0)),), (0,)


lower_triangle, upper_triangle, strictly_lower = Triangle(True), Triangle(False), Triangle(True, -1)


def diagonal_part(x: Any) -> Any:
    """Matrices with zeros off the diagonal."""
    return lower_triangle(upper_triangle(x))


def diagonal_of(x: Any) -> Any:
    """The diagonals of matrices, as vectors: in memory, every element whose distance is one more than a row."""
    *batch, rows, columns = x.shape
    count = min(rows, columns)
    if not x.size:
        return reshape(x, (*batch, count))
    flat = reshape(x, (*batch, rows * columns))
    return slice_in_dim(flat, 0, (count - 1) * (columns + 1) + 1, columns + 1, len(batch))


def identity_like(x: Any, rows: int | None = None, columns: int | None = None) -> Any:
    """Identity matrices of the batch and dtype of `x`, and of its shape unless said otherwise."""
    *batch, own_rows, own_columns = x.shape
    shape = own_rows if rows is None else rows, own_columns if columns is None else columns
    ones = convert(eq(iota(INT32, shape, 0), iota(INT32, shape, 1)), x.dtype)
    return broadcast(ones, (*batch, *shape))


# -- triangular systems ------------------------------------------------------------------------------------------------


class TriangularSolve(Primitive):
    """x with op(a) x = b, or with x op(a) = b; operands a and b, batches of matrices.

    Only one triangle of `a` is read. A zero on the diagonal makes results infinite or NaN.

    Fields:
        left: whether `a` stands left of x.
        low: whether the lower triangle of `a` is read.
        transposed, conjugated: what op does.
        unit: whether the diagonal counts as ones and is not read.
    """

    takes_zeros = True

    left: bool = True
    low: bool = True
    transposed: bool = False
    conjugated: bool = False
    unit: bool = False

    def work(self, in_types: Any, out_types: Any) -> float:
        return in_types[1].size * in_types[0].shape[-1] / 12

    def infer(self, a: ArrayType, b: ArrayType) -> tuple[ArrayType, ...]:
        check_matrices("triangular_solve", a, b, square=True)
        if b.shape[-2 if self.left else -1] != a.shape[-1]:
            raise ShapeError(f"triangular_solve: shapes {a.shape} and {b.shape} do not fit: {self._equation()}")
        return (b.strong(),)

    def _equation(self) -> str:
        return "a x = b needs as many rows in b as in a" if self.left else "x a = b needs as many columns in b as in a"

    def evaluate(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
        if not b.size:
            return (np.array(b),)
        batch, n = b.shape[:-2], a.shape[-1]
        count = prod(batch)
        if self.conjugated and (batch or not self.transposed):
            a = a.conj()
        if not batch:
            return (self._substituted(a, b),)
        if count > _SUBSTITUTED * n:
            return (self._by_rows(a, b),)
        pairs = zip(a.reshape(count, n, n), b.reshape(count, *b.shape[-2:]), strict=True)
        exact = TriangularSolve(self.left, self.low, self.transposed, False, self.unit)
        return (np.stack([exact._substituted(*pair) for pair in pairs]).reshape(b.shape),)

    def _substituted(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """One system. BLAS reads arrays in the other order, so it is given the transposed equation."""
        trans = 0 if not self.transposed else 2 if self.conjugated else 1
        solve = _blas()[b.dtype.char]
        return solve(1, a.T, b.T, side=self.left, lower=not self.low, trans_a=trans, diag=self.unit).T

    def _by_rows(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """All systems at once, one row of unknowns after the other."""
        a = a.swapaxes(-1, -2) if self.transposed == self.left else a
        x = np.array(b if self.left else b.swapaxes(-1, -2))
        forward = self.low == (self.transposed != self.left)
        n = a.shape[-1]
        for i in range(n) if forward else reversed(range(n)):
            done = slice(0, i) if forward else slice(i + 1, n)
            x[..., i, :] -= (a[..., i : i + 1, done] @ x[..., done, :])[..., 0, :]
            if not self.unit:
                x[..., i, :] /= a[..., i, i, None]
        return x if self.left else x.swapaxes(-1, -2)

    def lower(self, build: Any, a: Any, b: Any) -> tuple[Any, ...]:
        (a_type, b_type), type = build.in_types, build.out_types[0]
        n, columns = a_type.shape[-1], b_type.shape[-1 if self.left else -2]
        conjugated = self.conjugated and is_complex(type.dtype)
        blocked = n >= _BLOCKED_ROWS and columns >= _BLOCKED_COLUMNS
        if build.platform == "cpu" and not blocked and (self.transposed or not conjugated):
            trans = "N" if not self.transposed else "C" if conjugated else "T"
            parameters = {
                "side": "L" if self.left else "R",
                "uplo": "L" if self.low else "U",
                "trans_x": trans,
                "diag": "U" if self.unit else "N",
            }
            return lapack.call(build, "trsm", (a, b), build.in_types, (type,), parameters, None, type.ndim - 2)
        if conjugated and not self.transposed:
            parts = [build.op(part, (a,), real_part_type(a_type)) for part in ("real", "imag")]
            parts[1] = build.op("negate", (parts[1],), real_part_type(a_type))
            a = build.op("complex", parts, a_type)
        trans = "NO_TRANSPOSE" if not self.transposed else "ADJOINT" if conjugated else "TRANSPOSE"
        attributes = {
            "left_side": build.boolean(self.left),
            "lower": build.boolean(self.low),
            "unit_diagonal": build.boolean(self.unit),
            "transpose_a": build.attribute(f"#stablehlo<transpose {trans}>"),
        }
        return (build.op("triangular_solve", (a, b), type, attributes),)

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (a, b), (da, db) = primals, tangents
        x = self(a, b)
        rest = None if type(db) is Zero else db
        if type(da) is not Zero:
            moved = self._applied(Triangle(self.low, (1 - 2 * self.low) * self.unit)(da), x)
            rest = neg(moved) if rest is None else sub(rest, moved)
        return (x,), (Zero(x.type) if rest is None else self(a, rest),)

    def _applied(self, a: Any, x: Any) -> Any:
        """op(a) x or x op(a)."""
        a = swap_last(a) if self.transposed else a
        a = conjugate(a) if self.conjugated else a
        return matrix_product(a, x) if self.left else matrix_product(x, a)

    def transpose(self, cts: tuple[Any, ...], a: Any, b: Any) -> tuple[Any | None, ...]:
        return None, TriangularSolve(self.left, self.low, not self.transposed, self.conjugated, self.unit)(a, cts[0])

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (a, b), (a_axis, b_axis) = operands, axes
        if a_axis is None:
            return (more_columns(self.left, lambda columns: self(a, columns), b, b_axis),), (0,)
        return (self(lead_axis(size, a, a_axis), lead_axis(size, b, b_axis)),), (0,)


def more_columns(left: bool, solve: Any, b: Any, axis: Any) -> Any:
    """Solve for several right-hand sides of one matrix at once: the mapped axis becomes more columns (or rows) of `b`.

    Returns:
        The solutions, the mapped axis in front.
    """
    b = move_axis(b, axis, b.ndim - 1 if left else b.ndim - 3)
    shape = b.shape
    wide = (*shape[:-2], shape[-2] * shape[-1]) if left else (*shape[:-3], shape[-3] * shape[-2], shape[-1])
    solved = reshape(solve(reshape(b, wide)), shape)
    return move_axis(solved, b.ndim - 1 if left else b.ndim - 3, 0)


def real_part_type(type: ArrayType) -> ArrayType:
    """The type of the real parts of complex numbers."""
    return type.update(dtype=real_dtype(type.dtype))


@cache
def _blas() -> Any:
    """BLAS's substitution by dtype."""
    blas = scipy_module("linalg.blas")
    return {"f": blas.strsm, "d": blas.dtrsm, "F": blas.ctrsm, "D": blas.ztrsm}


def solve_triangular(
    a: Any, b: Any, low: bool, transposed: bool = False, conjugated: bool = False, unit: bool = False
) -> Any:
    """x with op(a) x = b, where `a` is triangular; see `TriangularSolve`."""
    return TriangularSolve(True, low, transposed, conjugated, unit)(a, b)


def divided(x: Any, upper: Any) -> Any:
    """x U⁻¹ for the upper triangle U of square matrices."""
    return TriangularSolve(False, False)(upper, x)


def rows_of(x: Any, start: int, stop: int) -> Any:
    """Some rows of matrices."""
    return slice_in_dim(x, start, stop, 1, x.ndim - 2)


def columns_of(x: Any, start: int, stop: int) -> Any:
    """Some columns of matrices."""
    return slice_in_dim(x, start, stop, 1, x.ndim - 1)
