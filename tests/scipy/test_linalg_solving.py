"""Systems, factorizations and special matrices under SciPy's names: SciPy's answers, and derivatives."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
import funcgrad.scipy.linalg as fsl
from funcgrad.errors import ArgumentError, LinAlgError, ShapeError
from funcgrad.testing import check_grads
from tests.numpy.surface import Call, agree, call, calls, matrices, shaped

ULPS = 2000  # of solutions: the matrices' condition numbers are up to some tens
RUNS = {"eager": lambda f: f, "jit": fg.jit}
runs = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def check(name: str, *args: Any, run: Callable[..., Any] = lambda f: f, ulps: float = ULPS, **kwargs: Any) -> None:
    """Compare a function with SciPy's, its arrays traced if `run` is `jit`."""
    ours, theirs = getattr(fsl, name), getattr(scipy.linalg, name)
    call = Call(args, kwargs)
    agree(lambda module, *a, **k: ours(*a, **k), call, ulps, run is fg.jit, reference=theirs)


def random(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng([seed, *shape])
    values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype.startswith("complex") else 0)
    return values.astype(dtype)


def regular(n: int, dtype: str = "float64") -> np.ndarray:
    return (random(n, n, dtype=dtype) + 3 * np.eye(n)).astype(dtype)


def positive(n: int, dtype: str = "float64") -> np.ndarray:
    a = regular(n, dtype)
    return a @ a.conj().T


DTYPES = ("float32", "float64", "complex64", "complex128")


# -- factorizations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("lower", [False, True])
def test_cholesky(lower: bool, dtype: str) -> None:
    a, b = positive(3, dtype), random(3, 2, dtype=dtype)
    check("cholesky", a, lower)
    for run in RUNS.values():
        found = run(lambda a, b: fsl.cho_solve(fsl.cho_factor(a, lower), b))(fnp.asarray(a), fnp.asarray(b))
        np.testing.assert_allclose(
            found, np.linalg.solve(a, b), rtol=1e-3 if a.itemsize // (1 + np.iscomplexobj(a)) == 4 else 1e-9
        )
        vector = run(lambda a, b: fsl.cho_solve(fsl.cho_factor(a, lower), b))(fnp.asarray(a), fnp.asarray(b[:, 0]))
        assert vector.shape == (3,)


@runs
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)], ids=str)
def test_lu(shape: tuple[int, ...], dtype: str, run: Callable[..., Any]) -> None:
    a = random(*shape, dtype=dtype)
    check("lu", a, run=run)
    check("lu", a, True, run=run)
    check("lu_factor", a, run=run)
    p, low, up = run(lambda a: fsl.lu(a, p_indices=True))(fnp.asarray(a))
    np.testing.assert_allclose(np.asarray(low)[np.asarray(p)] @ np.asarray(up), a, rtol=1e-4)


@runs
@pytest.mark.parametrize("trans", [0, 1, 2])
def test_lu_solve(trans: int, run: Callable[..., Any]) -> None:
    a, b = regular(4, "complex128"), random(4, 2, dtype="complex128")

    def solved(a: Any, b: Any) -> Any:
        return fsl.lu_solve(fsl.lu_factor(a), b, trans)

    op = {0: a, 1: a.T, 2: a.conj().T}[trans]
    np.testing.assert_allclose(run(solved)(fnp.asarray(a), fnp.asarray(b)), np.linalg.solve(op, b))
    np.testing.assert_allclose(run(solved)(fnp.asarray(a), fnp.asarray(b[:, 0])), np.linalg.solve(op, b[:, 0]))


@runs
@pytest.mark.parametrize("pivoting", [False, True])
@pytest.mark.parametrize("mode", ["full", "economic", "r", "raw"])
def test_qr(mode: str, pivoting: bool, run: Callable[..., Any]) -> None:
    shapes = ((4, 2), (2, 4), (3, 3)) if run is not fg.jit else ((4, 2),)
    for shape in shapes:
        check("qr", random(*shape, dtype="complex128"), mode=mode, pivoting=pivoting, run=run)


@pytest.mark.parametrize("mode", ["left", "right"])
@pytest.mark.parametrize("pivoting", [False, True])
def test_qr_multiply(mode: str, pivoting: bool) -> None:
    a = random(4, 3, dtype="complex128")
    c = random(3, 2, dtype="complex128") if mode == "left" else random(2, 4, dtype="complex128")
    for conjugate in (False, True):
        check("qr_multiply", a, c, mode, pivoting, conjugate)
    check("qr_multiply", a, c[:, 0] if mode == "left" else c[0], mode, pivoting)


# -- systems -----------------------------------------------------------------------------------------------------------

ASSUMED = ["general", "symmetric", "hermitian", "positive definite", "diagonal", "tridiagonal", "banded",
           "upper triangular", "lower triangular", "gen", "sym", "her", "pos", None]  # fmt: skip


@pytest.mark.parametrize("assume_a", ASSUMED)
def test_solve_by_structure(assume_a: str | None) -> None:
    a = positive(3, "complex128") if assume_a in ("positive definite", "pos") else regular(3, "complex128")
    if assume_a in ("symmetric", "sym"):
        a = a + a.T
    elif assume_a in ("hermitian", "her"):
        a = a + a.conj().T
    elif assume_a == "diagonal":
        a = np.diag(np.diag(a))
    elif assume_a in ("tridiagonal", "banded"):
        a = np.tril(np.triu(a, -1), 1)
    elif assume_a is not None and "triangular" in assume_a:
        a = np.triu(a) if "upper" in assume_a else np.tril(a)
    exact = {"upper triangular": np.triu, "lower triangular": np.tril}.get(assume_a, lambda x: x)(a)
    for b in (random(3, 2), random(3)):
        for lower, transposed in ((False, False), (True, False), (False, True), (True, True)):
            settings = {"lower": lower, "transposed": transposed, "assume_a": assume_a}
            wanted = np.linalg.solve(exact.T if transposed else exact, b)
            for run in RUNS.values() if lower != transposed else (RUNS["eager"],):
                found = run(partial(fsl.solve, **settings))(fnp.asarray(a), fnp.asarray(b))
                np.testing.assert_allclose(found, wanted, rtol=1e-9)


@given(
    matrices(st.integers(0, 3), kinds="FC").map(lambda a: a + np.asarray(4 * np.eye(a.shape[-1]), a.dtype)),
    st.sampled_from([0, 1, 2, "N", "T", "C"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_solve_triangular(a: np.ndarray, trans: Any, lower: bool, unit: bool, vector: bool) -> None:
    b = np.ones((a.shape[-1],) if vector else (a.shape[-1], 2), a.dtype)
    found = np.asarray(fsl.solve_triangular(fnp.asarray(a), fnp.asarray(b), trans, lower, unit))
    matrix = np.tril(a) if lower else np.triu(a)
    if unit:
        matrix = matrix - matrix * np.eye(a.shape[-1]) + np.eye(a.shape[-1])
    matrix = matrix if trans in (0, "N") else matrix.swapaxes(-1, -2)
    matrix = matrix.conj() if trans in (2, "C") else matrix
    np.testing.assert_allclose(found, np.linalg.solve(matrix, b), rtol=1e-3, atol=1e-3)
    assert found.dtype == a.dtype


@runs
@pytest.mark.parametrize("bands", [(1, 1), (0, 0), (2, 1), (0, 2), (3, 0)], ids=str)
def test_solve_banded(bands: tuple[int, int], run: Callable[..., Any]) -> None:
    ab = random(sum(bands) + 1, 6)
    ab[bands[1]] += 5
    for b in (random(6), random(6, 2)):
        check("solve_banded", bands, ab, b, run=run)
    check_grads(lambda ab, b: fsl.solve_banded(bands, ab, b), (fnp.asarray(ab), fnp.asarray(b)), order=1)


@runs
@pytest.mark.parametrize("lower", [False, True])
def test_solveh_banded(lower: bool, run: Callable[..., Any]) -> None:
    ab = random(3, 6, dtype="complex128")
    ab[0 if lower else -1] = 9
    for b in (random(6), random(6, 2)):
        check("solveh_banded", ab, b, lower=lower, run=run)


def test_inverse_and_determinant() -> None:
    check("inv", regular(3, "complex64"))
    check("det", regular(3))
    for assume_a in ("pos", "her", "upper triangular"):
        a = np.triu(positive(3)) if assume_a.startswith("upper") else positive(3)
        np.testing.assert_allclose(fsl.inv(fnp.asarray(a), assume_a=assume_a), np.linalg.inv(a), rtol=1e-9)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)], ids=str)
def test_lstsq(shape: tuple[int, ...]) -> None:
    a = random(*shape)
    for b in (random(shape[0]), random(shape[0], 3)):
        for found, wanted in zip(fsl.lstsq(fnp.asarray(a), fnp.asarray(b)), scipy.linalg.lstsq(a, b), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-9)
            assert np.shape(found) == np.shape(wanted)


@runs
def test_what_cannot_be_solved_raises(run: Callable[..., Any]) -> None:
    bad, b = fnp.array([[1.0, 1.0], [1.0, 1.0]]), fnp.ones(2)
    failing = [
        lambda: run(lambda a: fsl.solve(a, b))(bad),
        lambda: run(lambda a: fsl.inv(a))(bad),
        lambda: run(lambda a: fsl.solve(a, b, assume_a="pos"))(-bad),
        lambda: run(lambda a: fsl.solve(a, b, assume_a="diagonal"))(bad - 1),
        lambda: run(lambda a: fsl.solve_triangular(a, b))(bad - 1),
        lambda: run(lambda a: fsl.solve_banded((1, 1), a, b))(fnp.zeros((3, 2))),
        lambda: run(lambda a: fsl.solve_banded((0, 1), a, b))(fnp.zeros((2, 2))),
        lambda: run(lambda a: fsl.solveh_banded(a, b))(fnp.zeros((1, 2))),
    ]
    for attempt in failing:
        with pytest.raises(LinAlgError):
            np.asarray(attempt())


def test_refusals() -> None:
    eye, b = fnp.eye(2), fnp.ones(2)
    for wrong in (
        lambda: fsl.solve(eye, b, assume_a="orthogonal"),
        lambda: fsl.solve_triangular(eye, b, "X"),
        lambda: fsl.lu_solve(fsl.lu_factor(eye), b, 3),
        lambda: fsl.qr(eye, mode="complete"),
        lambda: fsl.qr_multiply(eye, eye, "both"),
    ):
        with pytest.raises(ArgumentError):
            wrong()
    for wrong in (
        lambda: fsl.solve_triangular(eye, fnp.ones(3)),
        lambda: fsl.cho_solve((eye, True), fnp.ones((3, 1))),
        lambda: fsl.solve_banded((1, 1), fnp.ones((2, 2)), b),
        lambda: fsl.solve_banded((1, 1), fnp.ones((3, 2)), fnp.ones(3)),
        lambda: fsl.qr_multiply(eye, fnp.ones(3)),
    ):
        with pytest.raises(ShapeError):
            wrong()


def test_derivatives() -> None:
    a, b = fnp.asarray(regular(3)), fnp.asarray(random(3, 2))
    check_grads(lambda a, b: fsl.solve_triangular(a, b, lower=True), (a, b), order=2)
    check_grads(lambda a, b: fsl.lu_solve(fsl.lu_factor(a), b), (a, b), order=2)
    check_grads(lambda a, b: fsl.cho_solve(fsl.cho_factor(a @ a.T), b), (a, b), order=2)
    check_grads(lambda a, b: fsl.qr_multiply(a, b, "left")[0], (a, b), order=1)
    check_grads(lambda a: fsl.lu(a)[1:], (a,), order=2)


# -- special matrices --------------------------------------------------------------------------------------------------


def test_block_diag() -> None:
    for blocks in ((), (random(2, 3),), (random(2, 3), random(3), np.float32(2), np.zeros((0, 2))), (random(1, 1), 3)):
        check("block_diag", *blocks)
    batched = fsl.block_diag(fnp.ones((2, 1, 2)), fnp.ones((1, 1)))
    np.testing.assert_array_equal(batched, np.stack([scipy.linalg.block_diag(np.ones((1, 2)), 1.0)] * 2))


GIVEN = {
    "toeplitz": [(random(4),), (random(3), random(2)), (random(3, dtype="complex128"),), (np.arange(3),), (2.0,)],
    "hankel": [(random(4),), (random(3), random(2)), (np.arange(3), np.arange(3.0))],
    "circulant": [(random(4),), (random(2, 3),)],
    "companion": [(random(4),), (np.arange(1, 4),), (random(2, 3),), (random(1),)],
    "fiedler": [(random(4),), (random(2, dtype="complex128"),)],
    "fiedler_companion": [(random(n),) for n in (2, 3, 4, 5, 6, 9)],
    "leslie": [(random(4), random(3)), (random(4), random(4))],
    "convolution_matrix": [
        (random(m), n, mode) for m in (1, 2, 4) for n in (1, 3) for mode in ("full", "same", "valid")
    ],
}


@pytest.mark.parametrize("name", GIVEN)
def test_matrices_of_given_elements(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for args in GIVEN[name]:
            check(name, *args, ulps=8)
    real = next(args for args in GIVEN[name] if args[0].dtype == np.float64)
    check(name, *real, run=fg.jit, ulps=8)
    traced = tuple(fnp.asarray(x) for x in real if isinstance(x, np.ndarray))
    static = tuple(x for x in real if not isinstance(x, np.ndarray))
    check_grads(lambda *x: getattr(fsl, name)(*x, *static), traced, order=1)


NUMBERS = {
    "dft": [(1,), (4,), (5, "sqrtn"), (3, "n")],
    "hadamard": [(1,), (4,), (8, "float32")],
    "helmert": [(2,), (4,), (4, True)],
    "hilbert": [(0,), (1,), (4,)],
    "invhilbert": [(1,), (4,), (5, True)],
    "pascal": [(1,), (4,), (4, "lower"), (4, "upper"), (4, "symmetric", False)],
    "invpascal": [(1,), (4,), (4, "lower"), (4, "upper"), (4, "symmetric", False)],
}


@pytest.mark.parametrize("name", NUMBERS)
def test_matrices_of_numbers(name: str) -> None:
    for args in NUMBERS[name]:
        found, wanted = getattr(fsl, name)(*args), getattr(scipy.linalg, name)(*args)
        np.testing.assert_allclose(np.asarray(found), np.asarray(wanted, found.dtype), rtol=1e-6, atol=1e-6)
        assert found.dtype in (np.float32, np.int32, np.complex64)
    for args in ((-1,), (1.5,)):
        with pytest.raises(ArgumentError):
            getattr(fsl, name)(*args)


def test_elements_that_do_not_fit_are_refused() -> None:
    for name in ("pascal", "invpascal", "invhilbert"):
        with pytest.raises(ArgumentError, match="does not fit int32; use exact=False"):
            getattr(fsl, name)(30, exact=True)
    with pytest.raises(ArgumentError, match="power of two"):
        fsl.hadamard(6)


@given(calls(call(shaped((2, 3), "i")), call(shaped((2, 0)))))
def test_toeplitz_of_batches(drawn: Call) -> None:
    found = fsl.toeplitz(fnp.asarray(drawn.args[0]))
    wanted = [scipy.linalg.toeplitz(row) for row in drawn.args[0]]
    np.testing.assert_array_equal(found, np.stack(wanted).reshape(found.shape))
