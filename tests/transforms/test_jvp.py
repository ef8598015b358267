"""Forward mode: values, tangents of trees, integers, auxiliary data, nesting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors


def test_value_and_tangent() -> None:
    y, dy = fg.jvp(fnp.sin, (0.5,), (2.0,))
    np.testing.assert_allclose(y, np.sin(0.5), rtol=1e-6)
    np.testing.assert_allclose(dy, 2 * np.cos(0.5), rtol=1e-6)


def test_trees_in_and_out() -> None:
    def function(params: dict[str, Any], x: Any) -> dict[str, Any]:
        return {"sum": params["w"] + x, "product": [params["w"] * x]}

    out, tangent = fg.jvp(function, ({"w": 3.0}, 2.0), ({"w": 1.0}, 10.0))
    assert {k: fg.tree.map(float, v) for k, v in out.items()} == {"sum": 5.0, "product": [6.0]}
    assert {k: fg.tree.map(float, v) for k, v in tangent.items()} == {"sum": 11.0, "product": [32.0]}


def test_several_arguments_share_one_direction() -> None:
    _, dz = fg.jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
    assert float(dz) == 4.0


def test_integers_have_no_tangents() -> None:
    n = fnp.arange(3)
    y, dy = fg.jvp(lambda x, n: x * n, (2.0, n), (1.0, n))
    np.testing.assert_array_equal(y, [0, 2, 4])
    np.testing.assert_array_equal(dy, [0, 1, 2])


def test_integer_results_have_zero_tangents() -> None:
    y, dy = fg.jvp(lambda x: fnp.argmax(x), (fnp.asarray([1.0, 3.0]),), (fnp.ones(2),))
    assert int(y) == 1
    assert not np.any(np.asarray(dy))


def test_auxiliary_data() -> None:
    y, dy, aux = fg.jvp(lambda x: (x * x, {"note": x + 1}), (3.0,), (1.0,), has_aux=True)
    assert (float(y), float(dy), float(aux["note"])) == (9.0, 6.0, 4.0)


def test_a_constant_function_has_zero_tangents() -> None:
    y, dy = fg.jvp(lambda x: fnp.ones(2), (1.0,), (1.0,))
    np.testing.assert_array_equal(y, [1, 1])
    np.testing.assert_array_equal(dy, [0, 0])


def test_nested_derivatives_do_not_mix() -> None:
    """The perturbation of the inner derivative is not that of the outer one (x d/dy (x + y) is 1, not 2)."""

    def inner(x: Any) -> Any:
        return x * fg.jvp(lambda y: x + y, (1.0,), (1.0,))[1]

    assert float(fg.jvp(inner, (1.0,), (1.0,))[1]) == 1.0


def test_third_derivative() -> None:
    def derivative(f: Any) -> Any:
        return lambda x: fg.jvp(f, (x,), (1.0,))[1]

    third = derivative(derivative(derivative(lambda x: x**4)))
    np.testing.assert_allclose(third(2.0), 48.0)
    np.testing.assert_allclose(fg.jit(third)(2.0), 48.0)


def test_python_control_flow_sees_concrete_values() -> None:
    def function(x: Any) -> Any:
        while x < 10:
            x = x * x
        return x

    y, dy = fg.jvp(function, (2.0,), (1.0,))
    assert (float(y), float(dy)) == (16.0, 32.0)


def test_tangents_keep_their_dtype() -> None:
    for dtype in (fnp.float16, fnp.bfloat16, fnp.float32, fnp.float64, fnp.complex64):
        x = fnp.ones(2, dtype)
        y, dy = fg.jvp(lambda x: x * x * 2, (x,), (x,))
        assert y.dtype == dy.dtype == x.dtype


def test_a_failure_inside_leaves_the_interpreter_as_it_was() -> None:
    with pytest.raises(errors.ShapeError):
        fg.jvp(lambda x: x + fnp.ones(3), (fnp.ones(2),), (fnp.ones(2),))
    assert float(fnp.ones(()) + 1) == 2.0
    assert float(fg.jvp(fnp.exp, (0.0,), (1.0,))[1]) == 1.0
