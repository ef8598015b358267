"""Samples of dense linear algebra: triangular systems, Cholesky, LU, QR, linear systems and determinants."""

from collections.abc import Iterator

import numpy as np
import scipy.linalg

from funcgrad.ops.determinants import Cofactors, Det, SlogDet
from funcgrad.ops.factorizations import LU, AssumeHermitian, Cholesky, PivotsToPermutation
from funcgrad.ops.linear_systems import FactoredSolve, Solve
from funcgrad.ops.reflections import QR, Householder, HouseholderProduct
from funcgrad.ops.triangular import Triangle, TriangularSolve

from .sample import Sample

ULPS = 300  # of elements that come of sums with cancellation; the matrices are well conditioned


def matrix(*shape: int, dtype: str = "float64", seed: int = 0) -> np.ndarray:
    """Random numbers, with more on the diagonal, so that the matrix stays well conditioned however it is rolled."""
    rng = np.random.default_rng([seed, *shape])
    values = rng.uniform(-1, 1, shape)
    if dtype.startswith("complex"):
        values = values + 1j * rng.uniform(-1, 1, shape)
    return (values + 2 * np.eye(*shape[-2:])).astype(dtype)


def positive(*shape: int, dtype: str = "float64") -> np.ndarray:
    """Positive definite matrices of which only the lower triangle is right."""
    root = matrix(*shape, dtype=dtype)
    return root @ root.conj().swapaxes(-1, -2) + np.triu(root, 1)


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    yield from _triangular()
    yield from _factorizations()
    yield from _systems()


def _triangular() -> Iterator[Sample]:
    yield Sample("lower triangle", Triangle(True, 1), (matrix(2, 3, 4),))
    yield Sample("upper triangle of integers", Triangle(False), (np.arange(6, dtype=np.int32).reshape(3, 2),))
    yield Sample("hermitian", AssumeHermitian(), (matrix(2, 2),), differentiable=False)
    for number, dtype in enumerate(("float32", "float64", "complex64", "complex128")):
        for left in (True, False):
            op = TriangularSolve(left, number % 2 == 0, number > 1, number == 2, number == 1)
            a, b = matrix(3, 3, dtype=dtype), matrix(*((3, 2) if left else (2, 3)), dtype=dtype, seed=1)
            yield Sample(f"triangular solve {op}, {dtype}", op, (a, b), ulps=ULPS)
    conjugated = TriangularSolve(True, False, False, True)
    yield Sample("triangular conjugated", conjugated, (matrix(2, 2, dtype="complex128"), matrix(2, 1) + 0j), ulps=ULPS)
    for left in (True, False):
        for low in (True, False):
            op = TriangularSolve(left, low, low != left)
            yield Sample(f"triangular batch {op}", op, (matrix(2, 2, 2), matrix(2, 2, 2, seed=1)), low, ULPS)
            many = (matrix(40, 2, 2, dtype="complex128"), matrix(40, 2, 2, dtype="complex128", seed=1))
            yield Sample(f"triangular by rows {op}", TriangularSolve(left, low, low != left, left), many, False, ULPS)
    yield Sample("triangular empty", TriangularSolve(), (matrix(0, 2, 2), matrix(0, 2, 3)))
    yield Sample("triangular no columns", TriangularSolve(), (matrix(2, 2), matrix(2, 0)))


def _factorizations() -> Iterator[Sample]:
    for dtype in ("float32", "float64", "complex64", "complex128"):
        yield Sample(f"cholesky {dtype}", Cholesky(), (positive(3, 3, dtype=dtype),), ulps=ULPS)
        yield Sample(f"lu {dtype}", LU(), (matrix(3, 3, dtype=dtype),), ulps=ULPS)
        yield Sample(f"qr {dtype}", QR(), (matrix(3, 2, dtype=dtype),), ulps=ULPS)
    yield Sample("cholesky batch", Cholesky(), (positive(2, 2, 2),), ulps=ULPS)
    yield Sample("cholesky fails for one", Cholesky(), (np.stack([np.eye(2), -np.eye(2)]),), differentiable=False)
    yield Sample("cholesky empty", Cholesky(), (matrix(0, 0),))
    for shape in ((4, 2), (2, 4), (2, 3, 3), (2, 0), (0, 2, 2)):
        dtype = "complex128" if shape in ((4, 2), (2, 4)) else "float64"
        yield Sample(f"lu {shape}", LU(), (matrix(*shape, dtype=dtype),), ulps=ULPS)
    for shape in ((2, 4), (2, 3, 3), (4, 2), (3, 0), (0, 2), (0, 2, 2)):
        full = shape[-2] > shape[-1]
        dtype = "complex128" if shape in ((2, 4), (4, 2)) else "float64"
        yield Sample(f"qr {shape}", QR(full), (matrix(*shape, dtype=dtype),), ulps=ULPS)
    for pivoting in (False, True):
        for shape in ((3, 2), (2, 2, 3), (2, 0)):
            yield Sample(f"householder {shape} {pivoting}", Householder(pivoting), (matrix(*shape),), ulps=ULPS)
    yield Sample("householder complex", Householder(), (matrix(3, 3, dtype="complex128"),), ulps=ULPS)
    for dtype in ("float64", "complex128"):
        taus = matrix(2, 2, dtype=dtype, seed=3)[0] / 4
        yield Sample(f"householder product {dtype}", HouseholderProduct(), (matrix(4, 2, dtype=dtype), taus), ulps=ULPS)
    yield Sample("fewer reflections", HouseholderProduct(), (matrix(2, 3, 3), matrix(2, 2)[:, :1] / 4), ulps=ULPS)
    yield Sample("no reflections", HouseholderProduct(), (matrix(2, 2), np.ones(0)))
    swaps = np.array([[3, 4, 3], [2, 3, 4]], np.int32)  # valid however they are rolled
    yield Sample("pivots", PivotsToPermutation(5), (swaps,))
    yield Sample("fewer pivots", PivotsToPermutation(6), (np.array([5, 4, 5, 4], np.int32),))
    yield Sample("no pivots", PivotsToPermutation(2), (np.zeros((2, 0), np.int32),))


def _systems() -> Iterator[Sample]:
    for dtype in ("float32", "float64", "complex64", "complex128"):
        a, b = matrix(3, 3, dtype=dtype), matrix(3, 2, dtype=dtype, seed=1)
        yield Sample(f"solve {dtype}", Solve(), (a, b), ulps=ULPS)
        yield Sample(f"det {dtype}", Det(), (a,), ulps=ULPS)
        yield Sample(f"slogdet {dtype}", SlogDet(), (a,), ulps=ULPS)
        yield Sample(f"cofactors {dtype}", Cofactors(), (a,), ulps=ULPS)
        factors, swaps = scipy.linalg.lu_factor(a)
        order = PivotsToPermutation(3).evaluate(swaps.astype(np.int32))[0]
        for transposed in (False, True):
            op = FactoredSolve(transposed)
            # The factors are no arguments: differences by them are not what the derivative says.
            yield Sample(f"{op} {dtype}", op, (a, factors, order, b), False, ULPS, batch=False)
    singular = np.stack([np.eye(2), np.ones((2, 2))])
    yield Sample("solve singular", Solve(), (singular, matrix(2, 2, 1)), differentiable=False, ulps=ULPS)
    yield Sample("solve empty", Solve(), (matrix(2, 0, 0), matrix(2, 0, 3)))
    yield Sample("solve no columns", Solve(), (matrix(2, 2), matrix(2, 0)))
    for op in (Det(), SlogDet(), Cofactors()):
        yield Sample(f"{op} batch", op, (matrix(2, 2, 2),), ulps=ULPS)
        yield Sample(f"{op} empty", op, (matrix(2, 0, 0),))
    yield Sample("det singular", Det(), (np.ones((2, 2)),), differentiable=False)
    yield Sample("slogdet singular", SlogDet(), (np.zeros((2, 2)),), differentiable=False)
    for dtype in ("float64", "complex64"):
        limits = np.array([[[1, 1], [1, 1]], [[1, 2], [2, 4]]], dtype)
        yield Sample(f"cofactors singular {dtype}", Cofactors(), (limits,), False, ULPS, batch=False)
