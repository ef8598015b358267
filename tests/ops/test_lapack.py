"""Library calls of linear algebra: the text that they become on each platform, and what runs on the CPU."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.compiler.lower import lower_program
from funcgrad.core.program import stage
from funcgrad.core.types import ArrayType
from funcgrad.errors import EngineError
from funcgrad.ops import factorizations, lapack, reflections
from funcgrad.ops.triangular import Triangle, TriangularSolve, solve_triangular

DTYPES = ("float32", "float64", "complex64", "complex128")
BATCHES = ((), (2,), (2, 3), (0,), (2, 0))


def text(function: Callable[..., Any], platform: str, *shapes: tuple[int, ...], dtype: str = "float32") -> str:
    """The module of a function for a platform."""
    types = [ArrayType(shape, np.dtype(dtype)) for shape in shapes]

    def flat(*args: Any) -> Any:
        out = function(*args)
        return out if isinstance(out, tuple) else (out,)

    return lower_program(stage(flat, types, "lapack"), platform).text()


def targets(module: str) -> list[str]:
    return re.findall(r"custom_call @(\w+)", module)


# -- text --------------------------------------------------------------------------------------------------------------

CALLS = {
    "cholesky": (factorizations.cholesky, "lapack_spotrf_ffi", "cusolver_potrf_ffi"),
    "lu": (factorizations.lu, "lapack_sgetrf_ffi", "cusolver_getrf_ffi"),
    "qr": (reflections.Householder(), "lapack_sgeqrf_ffi", "cusolver_geqrf_ffi"),
}


@pytest.mark.parametrize("name", CALLS)
def test_targets_by_platform(name: str) -> None:
    function, cpu, gpu = CALLS[name]
    assert targets(text(function, "cpu", (3, 3))) == [cpu]
    assert targets(text(function, "gpu", (3, 3))) == [gpu]


@pytest.mark.parametrize("platform", ["cpu", "gpu"])
def test_layouts_and_parameters_are_always_given(platform: str) -> None:
    module = text(factorizations.cholesky, platform, (2, 4, 3, 3))
    assert "operand_layouts = [dense<[2, 3, 1, 0]> : tensor<4xindex>]" in module
    assert "result_layouts = [dense<[2, 3, 1, 0]> : tensor<4xindex>, dense<[1, 0]> : tensor<2xindex>]" in module
    assert "api_version = 4" in module
    parameters = {"cpu": "backend_config = {uplo = 76 : ui8}", "gpu": "backend_config = {lower = true}"}
    assert parameters[platform] in module


def test_vectors_are_handed_over_as_they_are() -> None:
    module = text(reflections.householder_product, "gpu", (2, 3, 3), (2, 3))
    assert targets(module) == ["cusolver_orgqr_ffi"]
    assert "operand_layouts = [dense<[1, 2, 0]> : tensor<3xindex>, dense<[1, 0]> : tensor<2xindex>]" in module


def test_complex_routines_have_names_of_their_own() -> None:
    names = [lapack.full_name(name, np.dtype("complex64")) for name in ("orgqr", "ormqr", "syevd", "sytrd", "getrf")]
    assert names == ["cungqr", "cunmqr", "cheevd", "chetrd", "cgetrf"]
    assert lapack.full_name("orgqr", np.dtype("float64")) == "dorgqr"


def test_where_the_libraries_are_missing_the_engine_has_its_own() -> None:
    assert "stablehlo.cholesky" in text(factorizations.cholesky, "tpu", (3, 3))
    for platform in ("gpu", "tpu"):
        module = text(lambda a, b: solve_triangular(a, b, True), platform, (3, 3), (3, 1))
        assert "stablehlo.triangular_solve" in module


def test_large_triangular_systems_are_left_to_the_engine_on_the_cpu_too() -> None:
    assert "stablehlo.triangular_solve" in text(TriangularSolve(), "cpu", (300, 300), (300, 200))
    assert targets(text(TriangularSolve(), "cpu", (300, 300), (300, 1))) == ["lapack_strsm_ffi"]


@pytest.mark.parametrize("platform", ["tpu", "gpu"])
def test_what_a_platform_lacks_is_refused(platform: str) -> None:
    function = reflections.Householder(True) if platform == "gpu" else reflections.Householder()
    routine = "geqp3" if platform == "gpu" else "geqrf"
    with pytest.raises(EngineError, match=f"no routine {routine} for platform '{platform}'"):
        text(function, platform, (3, 3))


@pytest.mark.parametrize("function", [factorizations.cholesky, factorizations.lu, reflections.qr])
def test_nothing_is_called_for_arrays_without_elements(function: Any) -> None:
    for shape in ((0, 0), (0, 3, 3), (2, 0, 0)):
        for platform in ("cpu", "gpu"):
            assert targets(text(function, platform, shape)) == []


# -- what runs ---------------------------------------------------------------------------------------------------------


def random(*shape: int, dtype: str) -> np.ndarray:
    rng = np.random.default_rng(shape)
    return (rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype[0] == "c" else 0)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_routines_run_on_batches_of_any_rank(dtype: str) -> None:
    tolerance = {"rtol": 2e-4, "atol": 2e-4} if dtype in ("float32", "complex64") else {"rtol": 1e-10, "atol": 1e-10}

    @fg.jit
    def compiled(a: Any, p: Any) -> Any:
        low = factorizations.cholesky(p)
        q, r = reflections.qr(a)
        return low, q, r, solve_triangular(low, a, True, True, True)

    for batch in BATCHES:
        a = random(*batch, 3, 3, dtype=dtype)
        p = (a @ a.conj().swapaxes(-1, -2) + np.eye(3)).astype(dtype)
        low, q, r, x = map(np.asarray, compiled(fnp.asarray(a), fnp.asarray(p + np.triu(np.ones((3, 3), dtype), 1))))
        np.testing.assert_allclose(low, np.linalg.cholesky(p), **tolerance)
        np.testing.assert_allclose(q @ r, a, **tolerance)
        np.testing.assert_allclose(q.conj().swapaxes(-1, -2) @ q, np.broadcast_to(np.eye(3), q.shape), **tolerance)
        np.testing.assert_allclose(low.conj().swapaxes(-1, -2) @ x, a, **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_elimination_is_scipys(dtype: str) -> None:
    a = random(4, 3, dtype=dtype)
    found, pivots = fg.jit(factorizations.lu)(fnp.asarray(a))
    wanted, swaps = scipy.linalg.lu_factor(a)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(pivots, swaps)


def test_what_fails_is_nan_and_the_rest_of_the_batch_is_right() -> None:
    a = fnp.stack([fnp.eye(2), -fnp.eye(2), 4 * fnp.eye(2)])
    found = np.asarray(fg.jit(factorizations.cholesky)(a))
    np.testing.assert_array_equal(found, np.stack([np.eye(2), np.full((2, 2), np.nan), 2 * np.eye(2)]))


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (8, 8), (6, 0), (9, 5), (40, 40)], ids=str)
def test_permutations_are_those_of_swapping_one_after_the_other(shape: tuple[int, int]) -> None:
    size, count = shape
    rng = np.random.default_rng(size)
    pivots = np.array([[rng.integers(i, size) for i in range(count)] for _ in range(3)], np.int32).reshape(3, count)
    wanted = np.stack([np.arange(size)] * 3)
    for row, swaps in zip(wanted, pivots, strict=True):
        for i, j in enumerate(swaps):
            row[[i, j]] = row[[j, i]]

    def permutation(p: Any) -> Any:
        return factorizations.pivots_to_permutation(p, size)

    for function in (permutation, fg.jit(permutation), fg.vmap(permutation)):
        np.testing.assert_array_equal(function(fnp.asarray(pivots)), wanted)


def test_large_systems_in_both_ways() -> None:
    """Sizes at which the compiled form is the engine's own, in blocks."""
    a = fnp.asarray(np.tril(random(260, 260, dtype="float64")) / 20 + np.eye(260))
    b = fnp.asarray(random(260, 130, dtype="float64"))
    for low in (True, False):
        matrix = a if low else a.T
        x = fg.jit(lambda a, b, low=low: solve_triangular(a, b, low))(matrix, b)
        np.testing.assert_allclose(np.asarray(matrix) @ np.asarray(x), b, atol=1e-9)


def test_triangles() -> None:
    a = random(2, 3, 4, dtype="float32")
    for lower, offset in ((True, 0), (True, -1), (False, 1), (False, 5)):
        wanted = (np.tril if lower else np.triu)(a, offset)
        np.testing.assert_array_equal(fg.jit(Triangle(lower, offset))(fnp.asarray(a)), wanted)
