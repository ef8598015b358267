"""Lowered modules carry the user's lines, share functions, and take closed-over arrays as arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.compiler.lower import lower_program
from funcgrad.ops.trigonometry import sin


def marked(x: Any) -> Any:
    y = fnp.sin(x)  # the sine
    return y @ y  # the product


def line_of(comment: str) -> int:
    with open(__file__) as file:
        return next(number for number, line in enumerate(file, 1) if line.rstrip().endswith(comment))


def test_locations_are_the_users_lines() -> None:
    text = fg.jit(marked).lower(fnp.ones((2, 2))).as_text(debug=True)
    assert f'test_lower.py":{line_of("# the sine")}' in text
    assert f'test_lower.py":{line_of("# the product")}' in text
    assert "funcgrad/numpy" not in text


def test_locations_survive_differentiation() -> None:
    text = fg.jit(fg.grad(lambda x: fnp.sum(marked(x)))).lower(fnp.ones((2, 2))).as_text(debug=True)
    assert "test_lower.py" in text


def test_equal_inner_programs_become_one_function() -> None:
    inner = fg.jit(lambda x: fnp.tanh(x) * 2.0)
    program = fg.make_program(lambda x: inner(inner(inner(x))))(fnp.ones(3))
    text = lower_program(program, "cpu").text(False)
    assert text.count("stablehlo.tanh") == 1
    assert text.count("call @") == 3
    np.testing.assert_allclose(fg.jit(lambda x: inner(inner(x)))(1.0), 2 * np.tanh(2 * np.tanh(1)), rtol=1e-6)


def test_arguments_and_results() -> None:
    text = fg.jit(lambda p: {"out": p["b"] + 1}).lower({"a": fnp.ones(2), "b": fnp.arange(3)}).as_text()
    assert "@main(%arg0: tensor<2xf32>, %arg1: tensor<3xi32>) -> tensor<3xi32>" in text.replace("(tensor", "tensor")


def test_every_dtype_lowers() -> None:
    for name in ("bool", "uint8", "int64", "bfloat16", "float16", "float64", "float8_e4m3fn", "complex64"):
        x = fnp.ones(2, name)
        found = fg.jit(lambda x: fnp.concatenate([x, x]))(x)
        assert found.dtype == x.dtype
        np.testing.assert_array_equal(np.asarray(found).astype("complex64"), np.ones(4))


def test_an_operation_that_the_engine_refuses_is_named_with_the_users_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(sin), "lower", lambda self, build, x: (build.op("no_such_operation", (x,), "bad"),))
    with pytest.raises(
        fg.errors.EngineError, match=r"lowering program marked\(f32\[2,2\]\) failed at its operation sin"
    ) as caught:
        fg.jit(marked).lower(fnp.ones((2, 2)))
    assert caught.value.source is not None
    assert caught.value.source.line == line_of("# the sine")
