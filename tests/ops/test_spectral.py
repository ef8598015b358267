"""Spectra for GPUs: the library calls that they become. There is none here to run them on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from funcgrad.errors import EngineError
from funcgrad.ops.condensed import Schur, Tridiagonal
from funcgrad.ops.eigen import Eig
from funcgrad.ops.spectral import Eigh, Svd

from .test_lapack import targets, text

CALLS = {
    "eigh": (Eigh(), (3, 3), "cusolver_syevd_ffi", "algorithm = 0 : ui8, lower = true"),
    "upper eigh": (Eigh(True, False), (2, 3, 3), "cusolver_syevd_ffi", "algorithm = 0 : ui8, lower = false"),
    "tridiagonal": (Tridiagonal(), (3, 3), "cusolver_sytrd_ffi", "lower = true"),
    "tall svd": (Svd(), (4, 3), "cusolver_gesvd_ffi", "compute_uv = true, full_matrices = false, transposed = false"),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_on_gpus(name: str) -> None:
    op, shape, target, parameters = CALLS[name]
    module = text(op, "gpu", shape)
    assert targets(module) == [target]
    assert f"{{{parameters}}}" in module


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("op", [Svd(), Svd(True), Svd(False, False)], ids=str)
def test_wide_matrices_are_handed_over_as_their_adjoints(op: Any, dtype: str) -> None:
    module = text(op, "gpu", (2, 3, 5), dtype=dtype)
    element = {"float32": "f32", "complex64": "complex<f32>"}[dtype]
    (call,) = [line for line in module.splitlines() if "custom_call" in line]
    assert re.search(rf": \(tensor<2x5x3x{re.escape(element)}>\)", call)


@pytest.mark.parametrize("op", [Eig(), Schur()], ids=str)
def test_what_gpus_cannot_do_says_so(op: Any) -> None:
    with pytest.raises(EngineError, match="Compute it on the CPU"):
        text(op, "gpu", (3, 3))
