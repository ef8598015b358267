"""Spectra, condensed forms and matrix functions: SciPy's answers, what they satisfy, and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError, ConcretizationError, DifferentiationError, LinAlgError, ShapeError
from funcgrad.lax import linalg as exact
from funcgrad.scipy import linalg
from tests.numpy.surface import matrices

RUNS = {"eager": lambda f: f, "jit": fg.jit, "vmap": lambda f: lambda *xs: _first(fg.vmap(f)(*[x[None] for x in xs]))}
runs = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
RNG = np.random.default_rng(5)
REAL = RNG.normal(size=(4, 4))
COMPLEX = REAL + 1j * RNG.normal(size=(4, 4))
SMALL = RNG.normal(size=(3, 3))
POSITIVE = REAL @ REAL.T + np.eye(4)
kinds = pytest.mark.parametrize("a", [REAL, COMPLEX, REAL.astype(np.float32)], ids=["real", "complex", "single"])


def _first(out: Any) -> Any:
    return tuple(x[0] for x in out) if isinstance(out, tuple) else out[0]


def close(found: Any, expected: Any, ulps: float = 1000) -> None:
    """Equal up to rounding, relative to the largest element."""
    found, expected = np.asarray(found), np.asarray(expected)
    tolerance = ulps * float(np.finfo(found.dtype).eps) * max(1.0, float(np.abs(expected).max(initial=0)))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def adjoint(a: Any) -> Any:
    return fnp.conj(fnp.matrix_transpose(a))


def checked(f: Callable[..., Any], *args: np.ndarray, order: int = 2) -> None:
    fg.testing.check_grads(f, tuple(map(fnp.asarray, args)), order, atol=2e-5, rtol=2e-5)


# -- matrix functions --------------------------------------------------------------------------------------------------


@given(matrices(kinds="FC"), st.sampled_from([1e-3, 0.1, 0.4, 1.0, 5.0, 20.0]))
def test_expm(a: np.ndarray, size: float) -> None:
    a = (a * size / np.sqrt(max(a.shape[-1], 1))).astype(a.dtype)
    found = linalg.expm(fnp.asarray(a))
    assert found.dtype == a.dtype
    wide = a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    expected = np.stack([scipy.linalg.expm(x) for x in wide.reshape(-1, *a.shape[-2:])]) if a.size else wide
    close(found, expected.reshape(a.shape), 1 << 14)


@pytest.mark.parametrize("run", [*RUNS.values(), lambda f: fg.jit(fg.vmap(f))], ids=[*RUNS, "jit of vmap"])
def test_expm_of_matrices_of_several_sizes(run: Any) -> None:
    a = np.stack([REAL * 0.01, REAL * 3, REAL * 10])
    found = run(linalg.expm)(fnp.asarray(a))
    for one, x in zip(found, a, strict=True):
        close(one, scipy.linalg.expm(x), 1 << 14)


def test_options_of_expm() -> None:
    upper = np.triu(REAL) * 4
    close(linalg.expm(fnp.asarray(upper), upper_triangular=True), scipy.linalg.expm(upper), 1 << 14)
    assert bool(fnp.all(fnp.isnan(linalg.expm(fnp.asarray(REAL * 50), max_squarings=2))))
    close(linalg.expm(fnp.asarray(REAL), max_squarings=2), scipy.linalg.expm(REAL), 1 << 14)
    for f in (linalg.expm, fg.jit(linalg.expm)):
        assert bool(fnp.all(fnp.isnan(f(fnp.full((2, 2), np.nan)))))


@pytest.mark.parametrize("size", [0.1, 1.0, 8.0])
def test_derivatives_of_expm(size: float) -> None:
    scale = float(np.linalg.norm(scipy.linalg.expm(size * REAL)))
    checked(lambda a: linalg.expm(size * a) / scale, REAL, order=2 if size < 1 else 1)
    found, derivative = linalg.expm_frechet(fnp.asarray(size * REAL), fnp.asarray(POSITIVE))
    expected = scipy.linalg.expm_frechet(size * REAL, POSITIVE)
    close(found, expected[0], 1 << 14)
    close(derivative, expected[1], 1 << 14)
    close(linalg.expm_frechet(fnp.asarray(REAL), fnp.asarray(POSITIVE), compute_expm=False),
          scipy.linalg.expm_frechet(REAL, POSITIVE, compute_expm=False), 1 << 14)  # fmt: skip


def test_compiled_derivatives_of_expm() -> None:
    gradient = fg.grad(lambda a: fnp.sum(fnp.abs(linalg.expm(8 * a))))
    a = fnp.asarray(COMPLEX)
    close(fg.jit(gradient)(a), gradient(a), 1 << 14)


def test_derivative_of_expm_where_eigenvalues_are_equal() -> None:
    checked(linalg.expm, np.eye(3))
    checked(linalg.expm, np.zeros((2, 2)), order=1)


@kinds
@runs
def test_sqrtm(a: np.ndarray, run: Any) -> None:
    root = run(linalg.sqrtm)(fnp.asarray(a))
    assert root.dtype.kind == "c"
    close(root @ root, a, 1 << 12)
    assert bool(fnp.all(fnp.real(fnp.linalg.eigvals(root)) > -1e-4))


def test_derivatives_of_sqrtm() -> None:
    checked(lambda a: linalg.sqrtm(a).real, POSITIVE)
    checked(lambda a: linalg.sqrtm(a), POSITIVE + 0.3 * COMPLEX, order=1)


@runs
def test_funm(run: Any) -> None:
    close(run(lambda a: linalg.funm(a, fnp.exp))(fnp.asarray(REAL)), scipy.linalg.expm(REAL), 1 << 14)
    result, error = linalg.funm(fnp.asarray(COMPLEX), fnp.sin, disp=False)
    close(result, scipy.linalg.sinm(COMPLEX), 1 << 14)
    assert float(error) < 1e-12


@runs
@pytest.mark.parametrize("batch", [(), (2,)])
def test_solve_sylvester(run: Any, batch: tuple[int, ...]) -> None:
    a, b, q = (np.broadcast_to(x, (*batch, *x.shape)) for x in (REAL, SMALL, REAL[:, :3]))
    found = run(linalg.solve_sylvester)(*map(fnp.asarray, (a, b, q)))
    close(found, np.broadcast_to(scipy.linalg.solve_sylvester(REAL, SMALL, REAL[:, :3]), q.shape), 1 << 12)


def test_equations_with_complex_matrices_and_derivatives() -> None:
    found = linalg.solve_sylvester(fnp.asarray(COMPLEX), fnp.asarray(SMALL), fnp.asarray(COMPLEX[:, :3]))
    close(found, scipy.linalg.solve_sylvester(COMPLEX, SMALL, COMPLEX[:, :3]), 1 << 12)
    checked(linalg.solve_sylvester, REAL, SMALL, REAL[:, :3])
    checked(linalg.solve_sylvester, COMPLEX, SMALL.astype(complex), COMPLEX[:, :3], order=1)

    def total(a: Any, b: Any, q: Any) -> Any:
        return fnp.sum(linalg.solve_sylvester(a, b, q))

    gradient = fg.grad(total, argnums=(0, 1, 2))
    args = [fnp.asarray(x) for x in (REAL, SMALL, REAL[:, :3])]
    for one, other in zip(fg.jit(gradient)(*args), gradient(*args), strict=True):
        close(one, other, 1 << 12)


@pytest.mark.parametrize("a", [REAL, COMPLEX], ids=["real", "complex"])
def test_lyapunov(a: np.ndarray) -> None:
    x = linalg.solve_continuous_lyapunov(fnp.asarray(a), fnp.asarray(POSITIVE))
    close(x, scipy.linalg.solve_continuous_lyapunov(a, POSITIVE), 1 << 14)
    x = linalg.solve_discrete_lyapunov(fnp.asarray(a), fnp.asarray(POSITIVE))
    close(x, scipy.linalg.solve_discrete_lyapunov(a, POSITIVE), 1 << 14)
    checked(lambda a: linalg.solve_discrete_lyapunov(a, fnp.asarray(POSITIVE)), REAL, order=1)


def test_an_equation_without_a_solution() -> None:
    with pytest.raises(LinAlgError, match="an eigenvalue of a is one of -b"):
        linalg.solve_sylvester(fnp.eye(2), -fnp.eye(2), fnp.ones((2, 2)) * 0)
    with pytest.raises(ShapeError):
        linalg.solve_sylvester(fnp.eye(2), fnp.eye(3), fnp.ones((3, 2)))


# -- eigenvalues -------------------------------------------------------------------------------------------------------


@runs
@pytest.mark.parametrize("type", [1, 2, 3])
@pytest.mark.parametrize("a", [REAL, COMPLEX], ids=["real", "complex"])
def test_generalised_hermitian_problems(run: Any, type: int, a: np.ndarray) -> None:
    for lower in (True, False):
        b = POSITIVE.astype(a.dtype)
        found = run(lambda a, b, lower=lower: linalg.eigh(a, b, lower=lower, type=type))
        w, v = found(fnp.asarray(a), fnp.asarray(b))
        expected = scipy.linalg.eigh(a, b, lower=lower, type=type)
        close(w, expected[0], 1 << 12)
        close(fnp.abs(v), np.abs(expected[1]), 1 << 12)
        values = linalg.eigh(fnp.asarray(a), fnp.asarray(b), lower=lower, type=type, eigvals_only=True)
        close(values, expected[0], 1 << 12)


def test_derivatives_of_generalised_problems() -> None:
    def f(a: Any, b: Any) -> Any:
        w, v = linalg.eigh(a + a.T, b @ b.T + fnp.eye(4))
        return fnp.sum(fnp.sin(w)), v[:, :2] @ v[:, :2].T

    checked(f, REAL, POSITIVE, order=1)


def test_subsets_of_eigenvalues() -> None:
    a = REAL + REAL.T
    found = linalg.eigh(fnp.asarray(a), subset_by_index=(1, 2))
    expected = scipy.linalg.eigh(a, subset_by_index=(1, 2))
    close(found[0], expected[0])
    close(fnp.abs(found[1]), np.abs(expected[1]))
    with pytest.raises(ArgumentError):
        linalg.eigh(fnp.asarray(a), subset_by_index=(2, 4))
    with pytest.raises(ArgumentError):
        linalg.eigh(fnp.asarray(a), type=4)
    with pytest.raises(LinAlgError, match="not positive definite"):
        linalg.eigh(fnp.asarray(a), -fnp.eye(4))


@pytest.mark.parametrize(
    "select", [{}, {"select": "i", "select_range": (1, 2)}, {"select": "v", "select_range": (-1, 1)}]
)
def test_tridiagonal_eigenvalues(select: dict[str, Any]) -> None:
    d, e = REAL[0], REAL[1, :3]
    w, v = linalg.eigh_tridiagonal(fnp.asarray(d), fnp.asarray(e), **select)
    expected = scipy.linalg.eigh_tridiagonal(d, e, **select)
    close(w, expected[0])
    close(fnp.abs(v), np.abs(expected[1]))
    close(linalg.eigh_tridiagonal(fnp.asarray(d), fnp.asarray(e), True, **select), expected[0])


def test_a_number_of_eigenvalues_that_is_not_known() -> None:
    with pytest.raises(ConcretizationError, match='select="i"'):
        fg.jit(lambda d, e: linalg.eigh_tridiagonal(d, e, select="v", select_range=(0, 1)))(fnp.ones(2), fnp.ones(1))


def test_general_problems() -> None:
    close(fnp.sort(fnp.abs(linalg.eigvals(fnp.asarray(REAL), fnp.asarray(POSITIVE)))),
          np.sort(np.abs(scipy.linalg.eigvals(REAL, POSITIVE))), 1 << 12)  # fmt: skip
    close(linalg.eigvals(fnp.asarray(REAL)).sum(), np.trace(REAL))
    w, left, right = linalg.eig(fnp.asarray(REAL), left=True)
    close(adjoint(left) @ REAL, fnp.expand_dims(w, 1) * adjoint(left))
    close(fnp.asarray(REAL) @ right, right * w)
    w, right = linalg.eig(fnp.asarray(REAL), fnp.asarray(POSITIVE))
    close(fnp.asarray(REAL) @ right, fnp.asarray(POSITIVE) @ right * w, 1 << 12)
    assert linalg.eig(fnp.asarray(REAL), right=False).shape == (4,)


# -- singular values and condensed forms -------------------------------------------------------------------------------


@kinds
def test_singular_values(a: np.ndarray) -> None:
    for driver in ("gesdd", "gesvd"):
        u, s, vh = linalg.svd(fnp.asarray(a[:3]), False, lapack_driver=driver)
        close(u * s @ vh, a[:3])
        assert linalg.svd(fnp.asarray(a[:3]), lapack_driver=driver)[2].shape == (4, 4)
        close(linalg.svd(fnp.asarray(a), compute_uv=False, lapack_driver=driver), linalg.svdvals(fnp.asarray(a)))


def test_pinv_and_its_rank() -> None:
    a = REAL[:, :2] @ REAL[:2]
    for options in ({}, {"atol": 0.1}, {"atol": 1e-9, "rtol": 1e-9}):
        found, rank = linalg.pinv(fnp.asarray(a), return_rank=True, **options)
        expected, wanted = scipy.linalg.pinv(a, return_rank=True, **options)
        assert int(rank) == wanted
        close(found, expected, 1 << 12)
    close(linalg.pinv(fnp.asarray(a)), scipy.linalg.pinv(a), 1 << 12)


@runs
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (4, 4)], ids=str)
def test_polar(run: Any, side: str, shape: tuple[int, int]) -> None:
    a = COMPLEX[: shape[0], : shape[1]]
    u, p = run(lambda a: linalg.polar(a, side))(fnp.asarray(a))
    expected = scipy.linalg.polar(a, side)
    if shape[0] >= shape[1] or side == "left":
        close(u, expected[0], 1 << 12)
    close(p, expected[1], 1 << 12)
    close(p @ u if side == "left" else u @ p, a)


def test_derivatives_of_polar_at_equal_singular_values() -> None:
    checked(linalg.polar, np.eye(3) * 2, order=1)
    checked(linalg.polar, COMPLEX[:, :3])


def test_ranges_and_null_spaces() -> None:
    a = REAL[:, :2] @ REAL[:2]
    x = fnp.asarray(a)
    assert linalg.orth(x).shape == (4, 2)
    assert linalg.null_space(x).shape == (4, 2)
    close(x @ linalg.null_space(x), np.zeros((4, 2)))
    for f in (linalg.orth, linalg.null_space):
        basis, compiled = f(x), fg.jit(lambda x, f=f: f(x, size=2))(x)
        close(compiled @ compiled.T, basis @ basis.T)
        with pytest.raises(ConcretizationError, match="size=2"):
            fg.jit(f)(x)
        with pytest.raises(LinAlgError):
            f(x[None])


@kinds
@runs
def test_schur_and_hessenberg(a: np.ndarray, run: Any) -> None:
    x = fnp.asarray(a)
    for output in ("real", "complex"):
        t, z = run(lambda x, output=output: linalg.schur(x, output))(x)
        close(z @ t @ adjoint(z), a)
        close(z @ adjoint(z), np.eye(4))
        close(fnp.tril(t, -1 if t.dtype.kind == "c" else -2), np.zeros((4, 4)))
    t, z = linalg.rsf2csf(*linalg.schur(x))
    close(z @ t @ adjoint(z), a)
    close(fnp.tril(t, -1), np.zeros((4, 4)))
    h, q = run(lambda x: linalg.hessenberg(x, calc_q=True))(x)
    close(q @ h @ adjoint(q), a)
    close(q @ adjoint(q), np.eye(4))
    close(linalg.hessenberg(x), scipy.linalg.hessenberg(a))


def test_condensed_forms_of_stacked_and_small_matrices() -> None:
    x = fnp.asarray(np.stack([REAL, POSITIVE]))
    h, q = linalg.hessenberg(x, calc_q=True)
    close(q @ h @ adjoint(q), np.asarray(x))
    close(linalg.hessenberg(fnp.ones((1, 1)), calc_q=True)[1], np.ones((1, 1)))
    assert linalg.schur(fnp.zeros((0, 0)))[0].shape == (0, 0)


@pytest.mark.parametrize("f", [linalg.schur, linalg.hessenberg, exact.tridiagonal, lambda a: linalg.funm(a, fnp.exp)])
def test_condensed_forms_have_no_derivative(f: Callable[[Any], Any]) -> None:
    if f is linalg.schur or f is linalg.hessenberg or f is exact.tridiagonal:
        with pytest.raises(DifferentiationError, match="not differentiable"):
            fg.jvp(f, (fnp.asarray(REAL),), (fnp.asarray(REAL),))
    f(fg.stop_gradient(fnp.asarray(REAL)))


# -- the exact level ---------------------------------------------------------------------------------------------------


@runs
def test_the_exact_level_agrees(run: Any) -> None:
    x = fnp.asarray(POSITIVE)
    v, w = run(exact.eigh)(x)
    close(v * w @ v.T, POSITIVE)
    v, w = run(lambda x: exact.eigh(x, subset_by_index=(1, 3)))(x)
    assert w.shape == (2,)
    assert v.shape == (4, 2)
    u, s, vh = run(lambda x: exact.svd(x, algorithm=exact.SvdAlgorithm.QR))(x)
    close(u * s @ vh, POSITIVE)
    u, s, vh = run(lambda x: exact.svd(x, full_matrices=False, subset_by_index=(0, 2)))(x)
    assert (u.shape, s.shape, vh.shape) == ((4, 2), (2,), (2, 4))
    close(run(lambda x: exact.schur(x, compute_schur_vectors=False)[0])(x), linalg.schur(x)[0], 1 << 12)
    packed, d, e, taus = run(exact.tridiagonal)(x)
    assert (packed.shape, taus.shape) == ((4, 4), (3,))
    close(linalg.eigh_tridiagonal(d, e, eigvals_only=True), np.linalg.eigvalsh(POSITIVE))
    assert len(run(lambda x: exact.eig(x, compute_left_eigenvectors=False))(x)) == 2
    packed, taus = run(exact.hessenberg)(x)
    close(fnp.triu(packed, -1), scipy.linalg.hessenberg(POSITIVE))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_qdwh(dtype: Any) -> None:
    a = COMPLEX[:, :3].astype(dtype) if np.dtype(dtype).kind == "c" else REAL[:, :3].astype(dtype)
    u, h, count, converged = exact.qdwh(fnp.asarray(a))
    expected = scipy.linalg.polar(a)
    close(u, expected[0])
    close(h, expected[1])
    assert count <= 7
    assert bool(converged)
    close(fg.jit(exact.qdwh)(fnp.asarray(a))[0], u)
    u, h, *_ = exact.qdwh(fnp.asarray(POSITIVE), is_hermitian=True)
    close(u, np.eye(4))
    assert not bool(exact.qdwh(fnp.asarray(REAL), max_iterations=1)[3])
    with pytest.raises(ShapeError):
        exact.qdwh(fnp.ones((2, 3)))


@runs
def test_tridiagonal_solve(run: Any) -> None:
    dl, d, du = REAL[0], REAL[1] + 5, REAL[2]
    matrix = np.diag(d) + np.diag(dl[1:], -1) + np.diag(du[:-1], 1)
    found = run(exact.tridiagonal_solve)(*map(fnp.asarray, (dl, d, du, REAL[:, :2])))
    close(found, np.linalg.solve(matrix, REAL[:, :2]))
    with pytest.raises(ShapeError, match="dl\\[0\\] and du\\[-1\\] are not used"):
        exact.tridiagonal_solve(fnp.ones(3), fnp.ones(4), fnp.ones(4), fnp.ones((4, 1)))
