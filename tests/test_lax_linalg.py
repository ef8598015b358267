"""`funcgrad.lax.linalg` against `jax.lax.linalg`: values and dtypes, eager and compiled."""

from __future__ import annotations

from typing import Any

import jax
import jax.lax.linalg as jax_linalg
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import DTypeError, ShapeError
from funcgrad.lax import linalg
from funcgrad.testing import check_grads

KINDS = ("float64", "complex128")
kinds = pytest.mark.parametrize("dtype", KINDS)


def check(name: str, *args: np.ndarray, compiled: bool = False, **static: Any) -> None:
    """Compare a function with JAX's, eagerly and, if asked, compiled."""

    def ours(*given: Any) -> Any:
        return getattr(linalg, name)(*given, **static)

    with jax.enable_x64(True):
        wanted = jax.tree.map(np.asarray, getattr(jax_linalg, name)(*args, **static))
    for function in (ours, fg.jit(ours)) if compiled else (ours,):
        found = function(*map(fnp.asarray, args))
        for one, two in zip(_tuple(found), _tuple(wanted), strict=True):
            np.testing.assert_allclose(one, two, atol=1e-9, err_msg=f"{name}{static}")
            assert one.dtype == two.dtype


def _tuple(results: Any) -> tuple[Any, ...]:
    return tuple(results) if isinstance(results, tuple | list) else (results,)


def random(*shape: int, dtype: str = "float64") -> np.ndarray:
    rng = np.random.default_rng(shape)
    return (rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype[0] == "c" else 0)).astype(dtype)


@kinds
def test_factorizations(dtype: str) -> None:
    a = random(2, 4, 4, dtype=dtype)
    check("cholesky", a @ a.conj().swapaxes(-1, -2), compiled=True)
    check("cholesky", a @ a.conj().swapaxes(-1, -2), symmetrize_input=False)
    for shape in ((2, 4, 4), (5, 3), (3, 5)):
        check("lu", random(*shape, dtype=dtype), compiled=len(shape) == 3)
        for pivoting in (False, True):
            for full_matrices in (False, True):
                check("qr", random(*shape, dtype=dtype), pivoting=pivoting, full_matrices=full_matrices)


@kinds
@pytest.mark.parametrize("left_side", [False, True])
@pytest.mark.parametrize("transpose_a", [False, True])
def test_triangular_solve(left_side: bool, transpose_a: bool, dtype: str) -> None:
    a, b = random(2, 4, 4, dtype=dtype) + 5 * np.eye(4), random(2, 4, 4, dtype=dtype)
    for lower in (False, True):
        for conjugate_a in (False, True):
            options = {"lower": lower, "conjugate_a": conjugate_a, "unit_diagonal": lower != conjugate_a}
            check("triangular_solve", a, b, left_side=left_side, transpose_a=transpose_a, **options)


def test_triangular_solve_of_vectors() -> None:
    a, b = fnp.asarray(random(3, 3) + 5 * np.eye(3)), fnp.asarray(random(3))
    for left_side in (False, True):
        found = np.asarray(linalg.triangular_solve(a, b, left_side=left_side))
        matrix = np.triu(a) if left_side else np.triu(a).T
        np.testing.assert_allclose(found, np.linalg.solve(matrix, np.asarray(b)))


@kinds
def test_reflections(dtype: str) -> None:
    h, taus = np.linalg.qr(random(5, 3, dtype=dtype), mode="raw")
    packed = np.ascontiguousarray(h.T)
    check("householder_product", packed, taus, compiled=True)
    for transpose in (False, True):
        check("ormqr", packed, taus, random(5, 2, dtype=dtype), transpose=transpose)
        check("ormqr", packed, taus, random(2, 5, dtype=dtype), left=False, transpose=transpose, compiled=transpose)


def test_products_and_updates() -> None:
    a, c = random(3, 4), np.eye(3)
    check("symmetric_product", a, c, alpha=2.0, beta=3.0, symmetrize_output=True, compiled=True)
    check("cholesky_update", np.linalg.cholesky(a @ a.T, upper=True), random(3), compiled=True)
    check("lu_pivots_to_permutation", np.array([2, 2, 3], np.int32), permutation_size=4, compiled=True)
    lower = linalg.symmetric_product(fnp.asarray(a), fnp.asarray(random(3, 3)), beta=1.0, symmetrize_output=True)
    np.testing.assert_allclose(lower, lower.T)


def test_updates_of_complex_factors() -> None:
    a, w = random(3, 4, dtype="complex128"), random(3, dtype="complex128")
    factor = np.linalg.cholesky(a @ a.conj().T, upper=True)
    found = np.asarray(linalg.cholesky_update(fnp.asarray(factor), fnp.asarray(w)))
    wanted = np.linalg.cholesky(a @ a.conj().T + np.outer(w, w.conj()), upper=True)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_failures_are_nan() -> None:
    bad = -fnp.eye(2)
    for run in (lambda f: f, fg.jit):
        assert np.isnan(run(linalg.cholesky)(bad)).all()
        assert not np.isfinite(run(linalg.triangular_solve)(0 * bad, bad)).any()


def test_nothing_promotes_or_broadcasts() -> None:
    with pytest.raises(DTypeError):
        linalg.cholesky(fnp.eye(2, dtype="int32"))
    with pytest.raises(DTypeError):
        linalg.triangular_solve(fnp.eye(2), fnp.eye(2, dtype="float64"))
    with pytest.raises(ShapeError):
        linalg.cholesky(fnp.ones((2, 3)))
    with pytest.raises(ShapeError):
        linalg.triangular_solve(fnp.ones((1, 2, 2)), fnp.ones((3, 2, 2)))
    with pytest.raises(ShapeError):
        linalg.ormqr(fnp.ones((3, 2)), fnp.ones(2), fnp.ones((2, 2)))
    with pytest.raises(ShapeError):
        linalg.symmetric_product(fnp.ones((3, 2)), fnp.ones((2, 2)))
    with pytest.raises(ShapeError):
        linalg.householder_product(fnp.ones((2, 3)), fnp.ones(2))
    with pytest.raises(ShapeError):
        linalg.lu_pivots_to_permutation(fnp.ones(3, "int32"), 2)


def test_derivatives_of_what_is_composed() -> None:
    a = random(4, 2)
    h, taus = np.linalg.qr(a, mode="raw")
    packed, c = fnp.asarray(h.T), fnp.asarray(random(4, 2))
    check_grads(lambda p, t, c: linalg.ormqr(p, t, c), (packed, fnp.asarray(taus), c), order=2)
    check_grads(lambda p, t: linalg.householder_product(p, t), (packed, fnp.asarray(taus)), order=2)
    check_grads(lambda a: linalg.qr(a, pivoting=True)[:2], (fnp.asarray(a),), order=2)
    r = fnp.asarray(np.triu(random(3, 3)) + 3 * np.eye(3))
    check_grads(linalg.cholesky_update, (r, fnp.asarray(random(3))), order=1)
