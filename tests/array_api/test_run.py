"""What `make array-api` makes of the suite's outcomes, and the namespace of compiled functions that it tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from tests.array_api.compiling import DATA_DEPENDENT, OPERATORS, WITHOUT_ARRAYS, compiled, compiled_names
from tests.array_api.run import judge, known_faults


def test_every_known_fault_has_a_name_and_a_reason() -> None:
    known = known_faults()
    assert known
    for name, reason in known.items():
        assert name.startswith("array_api_tests/")
        assert "::test_" in name
        assert len(reason.split()) > 10


def test_only_known_faults_are_forgiven(capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = {"a": "passed", "b": "failed", "c": "skipped", "d": "failed"}
    assert judge(outcomes, {"b": "reason", "a": "reason"}) == 2
    said = capsys.readouterr().out
    assert "known failed: b" in said
    assert "\nskipped: c\nfailed: d\n" in said
    assert "passed, though listed as a fault: a" in said
    assert "1 passed, 2 failed, 1 skipped; of those not passed, 2 are no known fault" in said
    assert judge({"a": "passed", "b": "failed"}, {"b": "reason"}) == 0


def test_compiled_functions_trace_arrays_and_keep_all_else_static() -> None:
    seen = []

    def probe(x: fg.Array, *, axis: int, scale: float | None = None) -> fg.Array:
        seen.append((type(x) is fg.Array, axis, scale))
        return x.sum(axis=axis)

    np.testing.assert_array_equal(compiled(probe)(fnp.ones((2, 3)), axis=1), [3, 3])
    assert seen == [(False, 1, None)]
    assert compiled(probe).__wrapped__ is probe  # type: ignore[attr-defined]


def test_the_namespace_compiles_all_but_the_named_functions() -> None:
    names = compiled_names(fnp)
    assert set(names) == set(fnp.__all__)
    assert names["sin"] is not fnp.sin
    assert all(names[name] is getattr(fnp, name) for name in (*DATA_DEPENDENT, *WITHOUT_ARRAYS))
    assert all(hasattr(fg.Array, f"__{name}__") for name in OPERATORS)
    assert float(names["sum"](names["stack"]([fnp.ones(2), fnp.ones(2)], axis=1))) == 4
    np.testing.assert_array_equal(names["repeat"](fnp.arange(2), fnp.asarray([0, 2])), [1, 1])


def test_operators_are_compiled_and_items_assigned_in_the_suites_process() -> None:
    program = """
import tests.array_api.compiled as xp, tests.array_api.plugin, funcgrad as fg
compiles, real = [], fg.jit
fg.jit = lambda function: compiles.append(function.__name__) or real(function)
x = xp.asarray([1.0, 2.0, 3.0])
assert (x + x[0]).tolist() == [2, 3, 4]
assert x[x > 1.5].tolist() == [2, 3]
assert float(xp.linalg.vector_norm(x)) > 3.7 and xp.fft.fft(x).shape == (3,)
assert compiles[:3] == ["asarray", "getitem", "apply"], compiles
y = xp.asarray(x, copy=True)
y[1:] = 7
assert (y.tolist(), x.tolist()) == ([1, 7, 7], [1, 2, 3])
"""
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, timeout=120)


def test_a_checkout_is_asked_for() -> None:
    command = [sys.executable, "-m", "tests.array_api.run", str(Path(__file__).parent)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 2
    assert "is no checkout of data-apis/array-api-tests" in finished.stderr
