"""Golden messages of mistakes with eigenvalues, singular values, norms and matrix functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.lax import linalg as exact
from funcgrad.scipy import linalg
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
UNKNOWN = fnp.array([[np.nan, 1.0], [1.0, 2.0]])
WIDE = fnp.ones((2, 3))
SQUARE = fnp.eye(3)


@mistake(
    errors.LinAlgError,
    "eigh takes square matrices; the last two axes of shape (2, 3) have different lengths",
)
def eigh_of_what_is_not_square() -> Any:
    return fnp.linalg.eigh(WIDE)


@mistake(
    errors.LinAlgError,
    "svd takes a matrix, or a batch of them along leading axes; got shape (3,)",
)
def svd_of_a_vector() -> Any:
    return fnp.linalg.svd(fnp.ones(3))


@mistake(
    errors.ArgumentError,
    'eigh: UPLO=\'lower\'; expected "L" for the lower triangle or "U" for the upper one',
)
def eigh_of_a_side_that_is_none() -> Any:
    return fnp.linalg.eigh(SQUARE, "lower")


@mistake(
    errors.LinAlgError,
    "eigh: the algorithm did not converge, most likely because a matrix contains NaN or infinities.\n"
    "Look for them with fnp.isfinite(a), or accept NaN as the result with fg.config(check_linalg=False).",
)
def eigh_of_nan() -> Any:
    return fnp.linalg.eigh(UNKNOWN)


@mistake(
    errors.LinAlgError,
    "svd: the algorithm did not converge, most likely because a matrix contains NaN or infinities.\n"
    "Look for them with fnp.isfinite(a), or accept NaN as the result with fg.config(check_linalg=False).",
)
def compiled_svd_of_nan() -> Any:
    return np.asarray(fg.jit(fnp.linalg.svdvals)(UNKNOWN))


@mistake(
    errors.DTypeError,
    "eigh takes float32, float64, complex64 or complex128, not float16: convert it first, x.astype('float32')",
)
def eigenvalues_of_half_precision() -> Any:
    return fnp.linalg.eigvalsh(SQUARE.astype("float16"))


@mistake(
    errors.ArgumentError,
    "matrix_rank takes an absolute tolerance, tol, or a relative one, rtol, not both",
)
def two_tolerances_of_a_rank() -> Any:
    return fnp.linalg.matrix_rank(SQUARE, 0.1, rtol=0.1)


@mistake(
    errors.ArgumentError,
    "pinv: rcond and rtol are the same; give one of them",
)
def two_names_of_a_tolerance() -> Any:
    return fnp.linalg.pinv(SQUARE, 0.1, rtol=0.1)


@mistake(
    errors.LinAlgError,
    "lstsq: a has 3 rows and b has 2; shapes (3, 3) and (2,)",
)
def least_squares_of_other_rows() -> Any:
    return fnp.linalg.lstsq(SQUARE, fnp.ones(2))


@mistake(
    errors.LinAlgError,
    "lstsq takes one matrix and one or two dimensions of b; got shapes (2, 3, 3) and (3,)",
)
def least_squares_of_stacked_matrices() -> Any:
    return fnp.linalg.lstsq(fnp.ones((2, 3, 3)), fnp.ones(3))


@mistake(
    errors.ArgumentError,
    'norm: ord=3 is no norm of matrices; there are "fro", "nuc", 1, -1, 2, -2, fnp.inf and -fnp.inf',
)
def norm_that_is_none() -> Any:
    return fnp.linalg.norm(SQUARE, 3)


@mistake(
    errors.ArgumentError,
    "norm: ord='fro' is a norm of matrices; for vectors give a number, such as 2 or fnp.inf",
)
def matrix_norm_of_a_vector() -> Any:
    return fnp.linalg.norm(fnp.ones(3), "fro")


@mistake(
    errors.ArgumentError,
    "norm: one axis is for vectors and two are for matrices; got 3: (0, 1, 2)",
)
def norm_of_too_many_axes() -> Any:
    return fnp.linalg.norm(fnp.ones((2, 2, 2)), axis=(0, 1, 2))


@mistake(
    errors.ArgumentError,
    "norm: with ord=2 and no axis, x must be a vector or a matrix; got shape (2, 2, 2). Name the axes: "
    "norm(x, 2, axis=-1)",
)
def norm_without_an_axis() -> Any:
    return fnp.linalg.norm(fnp.ones((2, 2, 2)), 2)


@mistake(
    errors.AxisError,
    "norm: axis=(0, 0) names one axis twice; a matrix has two",
)
def norm_of_one_axis_twice() -> Any:
    return fnp.linalg.norm(SQUARE, axis=(0, -2))


@mistake(
    errors.LinAlgError,
    "cond: matrices without elements have no condition number; got shape (0, 0)",
)
def condition_of_nothing() -> Any:
    return fnp.linalg.cond(fnp.ones((0, 0)))


@mistake(
    errors.DifferentiationError,
    "the Schur form is not differentiable: it is not unique, and the order of its eigenvalues may change."
    " Differentiate what it is used for: fnp.linalg.eigvals(a) for eigenvalues, fg.scipy.linalg.expm(a), "
    "sqrtm(a) or solve_sylvester(a, b, q) for matrix functions; or keep it fixed, fg.stop_gradient(a)",
)
def gradient_of_a_schur_form() -> Any:
    return fg.jvp(linalg.schur, (SQUARE,), (SQUARE,))


@mistake(
    errors.DifferentiationError,
    "the Hessenberg form is not differentiable: it is not unique, and has no derivative where a reflector"
    " vanishes. Differentiate what it is used for, such as fnp.linalg.eigh(a) or fnp.linalg.eigvals(a), "
    "or keep it fixed, fg.stop_gradient(a)",
)
def gradient_of_a_hessenberg_form() -> Any:
    return fg.jvp(linalg.hessenberg, (SQUARE,), (SQUARE,))


@mistake(
    errors.LinAlgError,
    "solve_sylvester: an eigenvalue of a is one of -b, so that no solution or many exist.\n"
    "Accept what is not finite as the result with fg.config(check_linalg=False).",
)
def equation_without_a_solution() -> Any:
    return linalg.solve_sylvester(SQUARE, -SQUARE, SQUARE)


@mistake(
    errors.ShapeError,
    "solve_sylvester: shapes (…, m, m), (…, n, n) and (…, m, n) are needed, got (3, 3), (3, 3) and (2, 3)",
)
def equation_of_other_shapes() -> Any:
    return linalg.solve_sylvester(SQUARE, SQUARE, WIDE)


@mistake(
    errors.LinAlgError,
    "eigh: b is not positive definite.\nAccept NaN as the result with fg.config(check_linalg=False).",
)
def generalised_problem_that_is_not_definite() -> Any:
    return linalg.eigh(SQUARE, -SQUARE)


@mistake(
    errors.ConcretizationError,
    "null_space: how many vectors there are depends on the values of the matrix, which are not known "
    "while a function is traced. Say how many to return: null_space(a, size=2)",
)
def compiled_null_space() -> Any:
    return fg.jit(lambda a: linalg.null_space(a))(SQUARE)


@mistake(
    errors.ConcretizationError,
    'eigh_tridiagonal: select="v" makes the number of results depend on values, which are not known while'
    ' a function is traced. Select by number: select="i", select_range=(first, last)',
)
def compiled_selection_by_value() -> Any:
    return fg.jit(lambda d: linalg.eigh_tridiagonal(d, d[1:], select="v", select_range=(0, 1)))(fnp.ones(3))


@mistake(
    errors.ArgumentError,
    'polar: side=\'up\'; expected "left" or "right"',
)
def polar_of_a_side_that_is_none() -> Any:
    return linalg.polar(SQUARE, "up")


@mistake(
    errors.ShapeError,
    "tridiagonal_solve: for a right-hand side of shape (3, 1) each of dl, d and du must have shape (3,), "
    "got (2,), (3,) and (2,); dl[0] and du[-1] are not used, but must be there",
)
def tridiagonal_solve_of_short_diagonals() -> Any:
    return exact.tridiagonal_solve(fnp.ones(2), fnp.ones(3), fnp.ones(2), fnp.ones((3, 1)))


@mistake(
    errors.ShapeError,
    "qdwh takes matrices with at least as many rows as columns, got f32[2,3]; pass the adjoint",
)
def qdwh_of_a_wide_matrix() -> Any:
    return exact.qdwh(WIDE)


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_message(row: Mistake) -> None:
    row.check()
