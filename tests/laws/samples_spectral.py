"""Samples of eigenvalues, singular values and condensed forms.

Signs and phases of complex vectors are LAPACK's; what does not depend on them is differentiated in
tests/numpy/test_linalg_spectral.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from funcgrad.ops.condensed import Hessenberg, Schur, Tridiagonal
from funcgrad.ops.eigen import Eig
from funcgrad.ops.pseudo_inverse import PseudoInverse
from funcgrad.ops.spectral import Eigh, Svd
from funcgrad.ops.tridiagonal import TridiagonalSolve

from .sample import Sample

PRECISIONS = (np.float32, np.float64, np.complex64, np.complex128)
ULPS = 2000  # another build of LAPACK; errors are relative to the largest element of the result


def _matrix(*shape: int, dtype: type = np.float64, seed: int = 0) -> np.ndarray:
    """Well separated eigenvalues and singular values: of size 1 to n on the diagonal, smaller beside it."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.2, 0.5, shape) * rng.choice([-1, 1], shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.uniform(-0.4, 0.4, shape)
    n = min(shape[-2:])
    values[..., np.arange(n), np.arange(n)] += 1.5 * np.arange(1, n + 1)
    return values.astype(dtype)


def samples() -> Iterator[Sample]:
    """Every row of this file."""
    yield from _hermitian()
    yield from _general()
    yield from _singular()
    yield from _pseudo_inverses()
    yield from _condensed()
    yield from _tridiagonal()


def _hermitian() -> Iterator[Sample]:
    for dtype in PRECISIONS:
        real = np.dtype(dtype).kind == "f"
        name = np.dtype(dtype).name
        yield Sample(f"eigh {name}", Eigh(), (_matrix(3, 3, dtype=dtype),), real, ULPS)
        yield Sample(f"eigvalsh {name}", Eigh(True, False), (_matrix(3, 3, dtype=dtype),), ulps=ULPS)
    yield Sample("eigh upper batch", Eigh(True), (_matrix(2, 3, 3),), ulps=ULPS)
    yield Sample("eigh 1x1", Eigh(), (_matrix(1, 1),), ulps=ULPS)
    yield Sample("eigh 0x0", Eigh(), (_matrix(0, 0),))
    yield Sample("eigh empty batch", Eigh(), (_matrix(0, 2, 2),))
    yield Sample("eigh NaN in one matrix", Eigh(), (_with_nan(_matrix(2, 3, 3), 1, 0),), False, ULPS)
    yield Sample("eigh NaN in the other triangle", Eigh(), (_with_nan(_matrix(3, 3), 0, 2),), False, ULPS)
    yield Sample("eigh of the identity", Eigh(), (np.eye(3),), False, ULPS)


def _general() -> Iterator[Sample]:
    for dtype in PRECISIONS:
        name = np.dtype(dtype).name
        # Signs of eigenvectors are arbitrary, and NumPy's LAPACK may choose others than the compiled program's.
        yield Sample(f"eig {name}", Eig(), (_matrix(3, 3, dtype=dtype),), ulps=ULPS, batch=False)
        yield Sample(f"eigvals {name}", Eig(False, False), (_matrix(3, 3, dtype=dtype),), ulps=ULPS)
    yield Sample("eig left", Eig(True, False), (_matrix(3, 3),), ulps=ULPS)
    yield Sample("eig of a rotation, batch", Eig(True, True), (_matrix(2, 2, 2) * [[1, 9], [-9, 1]],), ulps=ULPS)
    yield Sample("eig 0x0", Eig(), (_matrix(0, 0),))
    yield Sample("eig NaN in one matrix", Eig(), (_with_nan(_matrix(2, 3, 3), 1, 0),), False, ULPS, False)


def _pseudo_inverses() -> Iterator[Sample]:
    for dtype in PRECISIONS:
        for shape in ((3, 2), (2, 3), (2, 2, 3)):
            a = _matrix(*shape, dtype=dtype)
            rtol = np.full(shape[:-2], 0.3, a.real.dtype)  # the small singular value counts as 0
            name = f"pseudo_inverse {np.dtype(dtype).name} {shape}"
            yield Sample(name, PseudoInverse(), (a, *np.linalg.svd(a, False), rtol), False, ULPS)
    a = np.zeros((0, 3))
    yield Sample("pseudo_inverse 0x3", PseudoInverse(), (a, *np.linalg.svd(a, False), np.zeros(())), False)


def _singular() -> Iterator[Sample]:
    for dtype in PRECISIONS:
        real = np.dtype(dtype).kind == "f"
        name = np.dtype(dtype).name
        for shape in ((3, 3), (4, 2), (2, 3)):
            where = f"{name} {shape[0]}x{shape[1]}"
            yield Sample(f"svd {where}", Svd(), (_matrix(*shape, dtype=dtype),), real, ULPS)
            yield Sample(f"svdvals {where}", Svd(False, False), (_matrix(*shape, dtype=dtype),), ulps=ULPS)
        yield Sample(f"svd {name} full", Svd(True), (_matrix(3, 2, dtype=dtype),), real, ULPS)
        yield Sample(f"svd {name} iterative", Svd(True, True, True), (_matrix(2, 3, dtype=dtype),), real, ULPS)
    yield Sample("svd batch", Svd(), (_matrix(2, 3, 2),), ulps=ULPS)
    yield Sample("svdvals iterative batch", Svd(False, False, True), (_matrix(2, 3, 2),), ulps=ULPS)
    for shape in ((0, 3), (2, 0), (0, 0), (0, 2, 2)):
        yield Sample(f"svd empty {shape}", Svd(True), (np.zeros(shape),))
        yield Sample(f"svd thin empty {shape}", Svd(False), (np.zeros(shape),))
    yield Sample("svd NaN in one matrix", Svd(), (_with_nan(_matrix(2, 3, 3), 1, 0),), False, ULPS)
    yield Sample("svd of zero", Svd(), (np.zeros((2, 2)),), False, ULPS)


def _condensed() -> Iterator[Sample]:
    for dtype in PRECISIONS:
        name = np.dtype(dtype).name
        square = _matrix(4, 4, dtype=dtype)
        yield Sample(f"schur {name}", Schur(), (square,), False, ULPS)
        yield Sample(f"hessenberg {name}", Hessenberg(), (square,), False, ULPS)
        yield Sample(f"tridiagonal {name}", Tridiagonal(), (square,), False, ULPS)
        yield Sample(f"tridiagonal {name} 1x1", Tridiagonal(True), (square[:1, :1],), False, ULPS)
    yield Sample("schur form alone", Schur(False), (_matrix(2, 3, 3),), False, ULPS)
    yield Sample("tridiagonal upper batch", Tridiagonal(True), (_matrix(2, 3, 3),), False, ULPS)
    yield Sample("hessenberg batch", Hessenberg(), (_matrix(2, 3, 3),), False, ULPS)
    yield Sample("hessenberg 1x1", Hessenberg(), (_matrix(1, 1),), False, ULPS)
    for op in (Schur(), Hessenberg(), Tridiagonal()):
        yield Sample(f"{op.name} 0x0", op, (np.zeros((0, 0)),), False)
        yield Sample(f"{op.name} NaN", op, (_with_nan(_matrix(2, 3, 3), 1, 0),), False, ULPS)


def _tridiagonal() -> Iterator[Sample]:
    op = TridiagonalSolve()
    for dtype in PRECISIONS:
        whole = _matrix(4, 4, dtype=dtype)
        diagonals = whole[0], whole.diagonal().copy(), whole[1]
        yield Sample(f"tridiagonal_solve {np.dtype(dtype).name}", op, (*diagonals, whole[:, 1:3]), ulps=ULPS)
    batch = _matrix(2, 3, 3)
    diagonals = batch[:, 0], batch.diagonal(axis1=1, axis2=2) + 1, batch[:, 1]
    yield Sample("tridiagonal_solve batch", op, (*diagonals, batch[:, :, :1]), ulps=ULPS)
    one = np.ones((1,))
    yield Sample("tridiagonal_solve 1x1", op, (one, 2 * one, one, np.ones((1, 2))), ulps=ULPS)
    zero = np.zeros((2,))
    yield Sample("tridiagonal_solve singular", op, (zero, zero, zero, np.ones((2, 1))), False, batch=False)
    yield Sample("tridiagonal_solve 0x0", op, (zero[:0], zero[:0], zero[:0], np.ones((0, 1))))


def _with_nan(a: np.ndarray, row: int, column: int) -> np.ndarray:
    a[(-1,) * (a.ndim - 2) + (row, column)] = np.nan
    return a
