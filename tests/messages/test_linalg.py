"""Golden messages of linear algebra: matrices that cannot be solved, and arguments that are no matrices."""

from __future__ import annotations

from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
import funcgrad.scipy.linalg as fsl
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
linalg = fnp.linalg
SINGULAR = fnp.ones((2, 2))


@mistake(
    errors.LinAlgError,
    "solve: a matrix is singular, so there is no unique solution.\n"
    "For the best approximate one use fnp.linalg.lstsq(a, b) or fnp.linalg.pinv(a); accept NaN as the "
    "result with fg.config(check_linalg=False).",
)
def solve_a_singular_system() -> Any:
    return linalg.solve(SINGULAR, fnp.ones(2))


@mistake(
    errors.LinAlgError,
    "solve: a matrix is singular, so there is no unique solution.\n"
    "For the best approximate one use fnp.linalg.lstsq(a, b) or fnp.linalg.pinv(a); accept NaN as the "
    "result with fg.config(check_linalg=False).",
)
def compiled_solve_of_a_singular_system() -> Any:
    return fg.jit(lambda a: linalg.solve(a, fnp.ones(2)))(SINGULAR).tolist()


@mistake(
    errors.LinAlgError,
    "solve: a matrix is singular, so there is no unique solution.\n"
    "For the best approximate one use fnp.linalg.lstsq(a, b) or fnp.linalg.pinv(a); accept NaN as the "
    "result with fg.config(check_linalg=False).\n"
    "(at index 1 of the mapped axis)",
)
def mapped_solve_of_a_singular_system() -> Any:
    return fg.vmap(lambda a: linalg.solve(a, fnp.ones(2)))(fnp.stack([fnp.eye(2), SINGULAR]))


@mistake(
    errors.LinAlgError,
    "inv: a matrix is singular, so there is no unique solution.\n"
    "For the best approximate one use fnp.linalg.lstsq(a, b) or fnp.linalg.pinv(a); accept NaN as the "
    "result with fg.config(check_linalg=False).",
)
def invert_a_singular_matrix() -> Any:
    return linalg.inv(SINGULAR)


@mistake(
    errors.LinAlgError,
    "inv: a matrix is singular, so there is no unique solution.\n"
    "For the best approximate one use fnp.linalg.lstsq(a, b) or fnp.linalg.pinv(a); accept NaN as the "
    "result with fg.config(check_linalg=False).",
)
def power_of_a_singular_matrix() -> Any:
    return linalg.matrix_power(SINGULAR, -2)


@mistake(
    errors.LinAlgError,
    "cholesky: a matrix is not positive definite.\n"
    "Rounding can make it so: add a little to its diagonal, a + 1e-6 * fnp.eye(2); accept NaN as the "
    "result with fg.config(check_linalg=False).",
)
def cholesky_of_an_indefinite_matrix() -> Any:
    return linalg.cholesky(-SINGULAR)


@mistake(
    errors.LinAlgError,
    "cholesky: a matrix is not positive definite.\n"
    "Rounding can make it so: add a little to its diagonal, a + 1e-6 * fnp.eye(2); accept NaN as the "
    "result with fg.config(check_linalg=False).",
)
def compiled_cholesky_of_an_indefinite_matrix() -> Any:
    return fg.jit(lambda a: linalg.cholesky(a))(-SINGULAR).tolist()


@mistake(
    errors.LinAlgError,
    "solve_triangular: a matrix is singular, so there is no unique solution.\n"
    "For the best approximate one use fnp.linalg.lstsq(a, b) or fnp.linalg.pinv(a); accept NaN as the "
    "result with fg.config(check_linalg=False).",
)
def substitution_with_a_zero_on_the_diagonal() -> Any:
    return fsl.solve_triangular(fnp.zeros((2, 2)), fnp.ones(2))


@mistake(
    errors.LinAlgError,
    "inv takes a matrix, or a batch of them along leading axes; got shape (3,)",
)
def inverse_of_a_vector() -> Any:
    return linalg.inv(fnp.ones(3))


@mistake(
    errors.LinAlgError,
    "det takes square matrices; the last two axes of shape (2, 3) have different lengths",
)
def determinant_of_a_rectangle() -> Any:
    return linalg.det(fnp.ones((2, 3)))


@mistake(
    errors.ShapeError,
    "solve: a x = b with a of shape (2, 2) takes b of shape (2,) or (…, 2, k), got (3,)",
)
def solve_with_lengths_that_differ() -> Any:
    return linalg.solve(fnp.eye(2), fnp.ones(3))


@mistake(
    errors.ShapeError,
    "shapes (2,) and (3,) do not broadcast: lined up from the right, two lengths must be equal or one of "
    "them 1, but 2 meets 3",
)
def solve_with_batches_that_differ() -> Any:
    return linalg.solve(fnp.ones((2, 1, 1)), fnp.ones((3, 1, 1)))


@mistake(
    errors.DTypeError,
    "solve takes float32, float64, complex64 or complex128, not float16: convert it first, x.astype('float32')",
)
def solve_in_half_precision() -> Any:
    return linalg.solve(fnp.eye(2, dtype="float16"), fnp.ones(2, "float16"))


@mistake(
    errors.ArgumentError,
    "qr: mode='full'; expected 'reduced', 'complete', 'r' or 'raw'",
)
def qr_in_another_mode() -> Any:
    return linalg.qr(SINGULAR, "full")


@mistake(
    errors.ArgumentError,
    "multi_dot takes at least two arrays, got 1",
)
def multi_dot_of_one_matrix() -> Any:
    return linalg.multi_dot([SINGULAR])


@mistake(
    errors.ShapeError,
    "multi_dot: array 0 of shape (2, 3) has rows of length 3, but array 1 of shape (2, 2) has columns of length 2",
)
def multi_dot_of_matrices_that_do_not_fit() -> Any:
    return linalg.multi_dot([fnp.ones((2, 3)), SINGULAR])


@mistake(
    errors.DTypeError,
    "matrix_power: n=0.5; expected an int. For other powers use fsp.linalg.expm(n * logarithm)",
)
def matrix_power_of_a_fraction() -> Any:
    return linalg.matrix_power(SINGULAR, 0.5)


@mistake(
    errors.LinAlgError,
    "tensorsolve: a of shape (2, 3) and b of shape (2,) make no square system: the axes of a beyond those"
    " of b, (3,), have 3 elements, and b has 2; these must be equal",
)
def tensorsolve_that_is_not_square() -> Any:
    return linalg.tensorsolve(fnp.ones((2, 3)), fnp.ones(2))


@mistake(
    errors.LinAlgError,
    "tensorinv: the first 2 axes of shape (2, 3, 4) have 6 elements, the others 4; these must be equal",
)
def tensorinv_that_is_not_square() -> Any:
    return linalg.tensorinv(fnp.ones((2, 3, 4)))


@mistake(
    errors.ArgumentError,
    "solve: assume_a='orthogonal'; expected None or one of 'gen', 'general', 'banded', 'tridiagonal', "
    "'sym', 'symmetric', 'her', 'hermitian', 'pos', 'positive definite', 'diagonal', 'lower triangular', "
    "'upper triangular'",
)
def solve_by_an_unknown_structure() -> Any:
    return fsl.solve(SINGULAR, fnp.ones(2), assume_a="orthogonal")


@mistake(
    errors.ShapeError,
    "solve_banded: 1 diagonals below the main one and 1 above it take ab of shape (3, n), got (2, 4)",
)
def banded_solve_of_another_width() -> Any:
    return fsl.solve_banded((1, 1), fnp.ones((2, 4)), fnp.ones(4))


@mistake(
    errors.ArgumentError,
    "hadamard: n=6; expected a power of two",
)
def hadamard_of_six() -> Any:
    return fsl.hadamard(6)


@mistake(
    errors.ArgumentError,
    "pascal: the element 27217014869199032015600 does not fit int32; use exact=False",
)
def pascal_beyond_the_integers() -> Any:
    return fsl.pascal(40)


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()
