"""Systems of linear equations: one factorization serves the solution and all of its derivatives."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from ..compiler.lower import lower_by
from ..core.dtypes import BOOL, INT32
from ..core.primitive import Primitive
from ..core.types import ArrayType, Zero
from ..errors import ShapeError
from .elementwise import ne, neg, stop_gradient, sub, where
from .factorizations import lead, lu, pivots_to_permutation, take_rows
from .gather import lead_axis
from .reduction import reduce_and
from .sorting import argsort
from .structure import broadcast_in_dim, full, instantiate, zeros_of
from .triangular import (
    TriangularSolve,
    check_matrices,
    diagonal_of,
    matrix_product,
    more_columns,
    solve_triangular,
    swap_last,
)

__all__ = ["FactoredSolve", "Solve", "factored", "permutation_and_regular", "solve", "solve_and_tell"]


def _check_system(name: str, a: ArrayType, b: ArrayType) -> None:
    check_matrices(name, a, b, square=True)
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"{name}: a x = b needs as many rows in b as in a, got shapes {a.shape} and {b.shape}")


class Solve(Primitive):
    """x with a x = b, and whether each matrix is regular; x is NaN throughout for those that are not.

    A matrix counts as singular if elimination meets a pivot that is exactly zero, as in LAPACK.
    """

    multiple = True
    takes_zeros = True

    def work(self, in_types: Any, out_types: Any) -> float:
        n = in_types[0].shape[-1]
        return in_types[0].size * n / 18 + in_types[1].size * n / 6

    def infer(self, a: ArrayType, b: ArrayType) -> tuple[ArrayType, ...]:
        _check_system("solve", a, b)
        return b.strong(), ArrayType(a.shape[:-2], BOOL)

    def evaluate(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
        try:
            return np.linalg.solve(a, b), np.ones(a.shape[:-2], bool)
        except np.linalg.LinAlgError:
            x, regular = np.full(b.shape, np.nan, b.dtype), np.zeros(a.shape[:-2], bool)
            for place in np.ndindex(regular.shape):
                with contextlib.suppress(np.linalg.LinAlgError):
                    x[place] = np.linalg.solve(a[place], b[place])
                    regular[place] = True
            return x, regular

    def composed(self, a: Any, b: Any) -> tuple[Any, Any]:
        """The same, written with operations."""
        return _solved(factored(a), a, b)

    lower = lower_by(lambda self, a, b: self.composed(a, b))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (a, b), (da, db) = primals, tangents
        factors = factored(a)
        x, regular = _solved(factors, a, b)
        rest = _remainder(da, db, x, False)
        moved = Zero(x.type) if rest is None else _solved(factors, a, rest)[0]
        return (x, regular), (moved, Zero(regular.type))

    def transpose(self, cts: tuple[Any, ...], a: Any, b: Any) -> tuple[Any | None, ...]:
        return None, self(swap_last(a), instantiate(cts[0]))[0]

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        (a, b), (a_axis, b_axis) = operands, axes
        if a_axis is not None:
            return self(lead_axis(size, a, a_axis), lead_axis(size, b, b_axis)), (0, 0)
        told = []

        def solve_all(columns: Any) -> Any:
            x, regular = self(a, columns)
            told.append(regular)
            return x

        return (more_columns(True, solve_all, b, b_axis), told[0]), (0, None)


def factored(a: Any) -> tuple[Any, Any, Any]:
    """L and U in one matrix, the permutation of rows, and whether no pivot is zero; without derivatives."""
    factors, swaps = lu(stop_gradient(a))
    return factors, *permutation_and_regular(factors, swaps)


def permutation_and_regular(factors: Any, swaps: Any) -> tuple[Any, Any]:
    """The permutation of rows that LU made, and whether no pivot is zero."""
    pivot = diagonal_of(factors)
    regular = reduce_and(ne(pivot, zeros_of(pivot.type)), (pivot.ndim - 1,))
    return pivots_to_permutation(swaps, factors.shape[-1]), regular


def _solved(factors: tuple[Any, Any, Any], a: Any, b: Any) -> tuple[Any, Any]:
    packed, permutation, regular = factors
    x = FactoredSolve()(a, packed, permutation, b)
    spread = broadcast_in_dim(regular, x.shape, range(regular.ndim))
    return where(spread, x, full(x.type, np.nan)), regular


def _remainder(da: Any, db: Any, x: Any, transposed: bool) -> Any | None:
    """db - da x, the right-hand side for the tangent of x; None if it is zero."""
    rest = None if type(db) is Zero else db
    if type(da) is not Zero:
        moved = matrix_product(swap_last(da) if transposed else da, x)
        rest = neg(moved) if rest is None else sub(rest, moved)
    return rest


class FactoredSolve(Primitive):
    """x with a x = b (or aᵀ x = b, if `transposed`), found from the factors of `a`.

    Operands: a; L and U in one matrix and the permutation of rows, as `factored` gives them; b. The derivative is that
    of a⁻¹ b: the factors say how to find it and are no arguments, so that their tangents do not count. Thus one
    factorization serves derivatives of every order.
    """

    takes_zeros = True

    transposed: bool = False

    def work(self, in_types: Any, out_types: Any) -> float:
        return in_types[3].size * in_types[0].shape[-1] / 6

    def infer(self, a: ArrayType, factors: ArrayType, permutation: ArrayType, b: ArrayType) -> tuple[ArrayType, ...]:
        _check_system("solve", a, b)
        if factors.shape != a.shape or permutation.shape != a.shape[:-1] or permutation.dtype != INT32:
            raise ShapeError(f"the factors {factors} and {permutation} do not belong to a matrix {a}")
        return (b.strong(),)

    def evaluate(
        self, a: np.ndarray, factors: np.ndarray, permutation: np.ndarray, b: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        if a.ndim > 2 or a.shape[-1] <= _SMALL:  # in one call of NumPy's, though it factors again
            return (Solve().evaluate(a.swapaxes(-1, -2) if self.transposed else a, b)[0],)
        low, high = (
            TriangularSolve(True, True, self.transposed, False, True),
            TriangularSolve(True, False, self.transposed),
        )
        if not self.transposed:
            return high.evaluate(factors, low.evaluate(factors, b[permutation])[0])
        x = np.empty_like(b)
        x[permutation] = low.evaluate(factors, high.evaluate(factors, b)[0])[0]
        return (x,)

    def composed(self, a: Any, factors: Any, permutation: Any, b: Any) -> Any:
        """The same, written with operations."""
        if not self.transposed:
            return solve_triangular(
                factors, solve_triangular(factors, take_rows(b, permutation), True, unit=True), False
            )
        x = solve_triangular(factors, solve_triangular(factors, b, False, True), True, True, unit=True)
        return take_rows(x, argsort(permutation))

    lower = lower_by(lambda self, *operands: self.composed(*operands))

    def jvp(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        (a, factors, permutation, _), (da, _, _, db) = primals, tangents
        x = self(*primals)
        rest = _remainder(da, db, x, self.transposed)
        return (x,), (Zero(x.type) if rest is None else self(a, factors, permutation, rest),)

    def transpose(self, cts: tuple[Any, ...], *inputs: Any) -> tuple[Any | None, ...]:
        return None, None, None, FactoredSolve(not self.transposed)(*inputs[:3], cts[0])

    def batch(self, size: int, operands: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        if axes[:3] == (None, None, None):
            return (more_columns(True, lambda columns: self(*operands[:3], columns), operands[3], axes[3]),), (0,)
        return lead(self, size, operands, axes)


_SMALL = 32  # rows up to which factoring again costs less than two substitutions


def solve_and_tell(a: Any, b: Any) -> tuple[Any, Any]:
    """x with a x = b, NaN for singular matrices, and which matrices are regular; see `Solve`."""
    return Solve()(a, b)


def solve(a: Any, b: Any) -> Any:
    """x with a x = b, NaN for singular matrices."""
    return Solve()(a, b)[0]
