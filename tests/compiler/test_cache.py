"""Equal programs share one executable; another device, type or literal needs its own."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.backend.executable import compile_count
from funcgrad.compiler.cache import compile_program, compiled_count
from funcgrad.core.program import stage
from funcgrad.core.types import ArrayType

VECTOR = ArrayType((917,), np.dtype(np.float32))


def staged(scale: float) -> Any:
    return stage(lambda x: [fnp.cosh(x) * scale], [VECTOR], "cached")


def test_equal_programs_share_one_executable() -> None:
    device = fg.devices("cpu")[0]
    one = compile_program(staged(3.25), device)
    before = compile_count()
    assert compile_program(staged(3.25), device) is one
    assert compile_count() == before
    assert compile_program(staged(3.5), device) is not one
    assert compile_count() == before + 1


def test_functions_of_equal_programs_share_it_too() -> None:
    x = fnp.ones(919)
    first = fg.jit(lambda x: fnp.sin(x) * 4.5)(x)
    before = compile_count()
    second = fg.jit(lambda y: fnp.sin(y) * 4.5)(x)
    assert compile_count() == before
    np.testing.assert_array_equal(first, second)


def test_closed_over_arrays_do_not_need_another_executable() -> None:
    def function(table: Any) -> Any:
        return fg.jit(lambda x: x * table + 2.75)

    x = fnp.arange(921.0)
    tables = [fnp.asarray(np.arange(921.0, dtype=np.float32) + shift) for shift in (0, 1)]
    np.testing.assert_array_equal(function(tables[0])(x), np.arange(921.0) ** 2 + 2.75)
    before = compile_count()
    np.testing.assert_allclose(function(tables[1])(x), np.arange(921.0) * np.arange(1, 922.0) + 2.75)
    assert compile_count() == before


def test_threads_get_working_executables() -> None:
    def call(seed: int) -> float:
        return float(fg.jit(lambda x: fnp.sum(x * x) + 0.125)(fnp.arange(923.0)))

    with ThreadPoolExecutor(6) as pool:
        results = set(pool.map(call, range(6)))
    assert len(results) == 1


def test_threads_compile_once() -> None:
    device, start = fg.devices("cpu")[0], threading.Barrier(8)

    def compile_after_all_are_here(_: int) -> Any:
        program = staged(3.875)
        start.wait()
        return compile_program(program, device)

    before = compile_count()
    with ThreadPoolExecutor(8) as pool:
        executables = set(pool.map(compile_after_all_are_here, range(8)))
    assert len(executables) == 1
    assert compile_count() == before + 1


def test_donation_needs_its_own_executable() -> None:
    device = fg.devices("cpu")[0]
    plain, donating = compile_program(staged(3.25), device), compile_program(staged(3.25), device, donated=(0,))
    assert plain is not donating
    assert compile_program(staged(3.25), device, donated=(0,)) is donating


def test_clearing_forgets() -> None:
    device = fg.devices("cpu")[0]
    compile_program(staged(3.25), device)
    fg.clear_caches()
    assert compiled_count() == 0
    before = compile_count()
    compile_program(staged(3.25), device)
    assert (compile_count(), compiled_count()) == (before + 1, 1)
