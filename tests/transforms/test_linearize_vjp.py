"""`linearize` is `jvp` paid once; `vjp` is its transpose; `linear_transpose` needs no point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors

X = fnp.asarray([0.3, -0.7, 1.2], dtype="float64")
V = fnp.asarray([1.0, 2.0, -0.5], dtype="float64")


def wave(x: Any) -> dict[str, Any]:
    return {"a": fnp.sin(x) * x[0], "b": fnp.sum(x * x)}


def test_linearize_agrees_with_jvp() -> None:
    out, push = fg.linearize(wave, X)
    expected, tangent = fg.jvp(wave, (X,), (V,))
    for found, want in ((out, expected), (push(V), tangent), (push(2 * V), fg.tree.map(lambda t: 2 * t, tangent))):
        assert fg.tree.structure(found) == fg.tree.structure(want)
        for one, two in zip(fg.tree.leaves(found), fg.tree.leaves(want), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-14)


def test_linearize_does_not_run_the_function_again() -> None:
    calls = []

    def counted(x: Any) -> Any:
        calls.append(1)
        return fnp.exp(x)

    _, push = fg.linearize(counted, 1.0)
    push(1.0)
    push(2.0)
    assert len(calls) == 1


def test_linearize_keeps_auxiliary_data() -> None:
    out, push, aux = fg.linearize(lambda x: (x * x, "note"), 3.0, has_aux=True)
    assert (float(out), float(push(1.0)), aux) == (9.0, 6.0, "note")


def test_linearize_refuses_other_trees() -> None:
    _, push = fg.linearize(lambda p: p["w"] * 2, {"w": 1.0})
    with pytest.raises(errors.TreeError, match="structure"):
        push(1.0)


def test_vjp_is_the_transpose_of_jvp() -> None:
    out, pull = fg.vjp(wave, X)
    ct = fg.tree.map(lambda y: fnp.cos(y) + 1, out)
    (gradient,) = pull(ct)
    _, tangent = fg.jvp(wave, (X,), (V,))
    pairs = zip(fg.tree.leaves(ct), fg.tree.leaves(tangent), strict=True)
    np.testing.assert_allclose(sum(float(fnp.sum(c * t)) for c, t in pairs), float(fnp.sum(gradient * V)), rtol=1e-13)


def test_vjp_pulls_repeatedly_and_under_vmap() -> None:
    _, pull = fg.vjp(lambda x: x * x, X)
    rows = fg.vmap(pull)(fnp.eye(3, dtype="float64"))[0]
    np.testing.assert_allclose(rows, np.diag(2 * np.asarray(X)))
    np.testing.assert_allclose(pull(V)[0], 2 * np.asarray(X) * np.asarray(V))


def test_vjp_of_integers_is_zero() -> None:
    n = fnp.arange(3)
    _, pull = fg.vjp(lambda x, n: x * n, X, n)
    dx, dn = pull(V)
    np.testing.assert_allclose(dx, np.asarray(V) * [0, 1, 2])
    assert dn.dtype == n.dtype
    assert not np.any(np.asarray(dn))


def test_unused_inputs_have_zero_cotangents() -> None:
    dx, dy = fg.vjp(lambda x, y: x * 2, X, V)[1](V)
    np.testing.assert_allclose(dx, 2 * np.asarray(V))
    np.testing.assert_array_equal(dy, np.zeros(3))


def test_outputs_that_are_inputs_or_constants() -> None:
    _, pull = fg.vjp(lambda x: (x, x, fnp.ones(2)), X)
    (dx,) = pull((V, V, fnp.ones(2)))
    np.testing.assert_allclose(dx, 2 * np.asarray(V))


def test_vjp_keeps_auxiliary_data() -> None:
    out, pull, aux = fg.vjp(lambda x: (x * x, x + 1), 3.0, has_aux=True)
    assert (float(out), float(pull(1.0)[0]), float(aux)) == (9.0, 6.0, 4.0)


def test_linear_transpose_of_a_matrix_product() -> None:
    matrix = fnp.asarray(np.arange(6.0).reshape(2, 3))
    transposed = fg.linear_transpose(lambda x: matrix @ x, X)
    ct = fnp.asarray([1.0, -2.0], dtype="float64")
    np.testing.assert_allclose(transposed(ct)[0], np.asarray(matrix).T @ np.asarray(ct))


def test_linear_transpose_uses_only_shapes() -> None:
    struct = fg.ShapeDtypeStruct((2, 3), "float32")
    transposed = fg.linear_transpose(lambda x: x.sum(axis=0), struct)
    np.testing.assert_array_equal(transposed(fnp.arange(3.0))[0], np.tile(np.arange(3.0), (2, 1)))


def test_linear_transpose_of_jit() -> None:
    transposed = fg.linear_transpose(fg.jit(lambda x: 3.0 * x[::-1]), fnp.ones(3))
    np.testing.assert_array_equal(transposed(fnp.arange(3.0))[0], [6, 3, 0])
    np.testing.assert_array_equal(fg.jit(transposed)(fnp.arange(3.0))[0], [6, 3, 0])


def test_transposing_twice_is_the_identity() -> None:
    def function(x: Any) -> Any:
        return 2.0 * fnp.concatenate([x, x[:1]])

    once = fg.linear_transpose(function, fnp.ones(3))
    twice = fg.linear_transpose(lambda y: once(y)[0], fnp.ones(4))
    np.testing.assert_array_equal(twice(fnp.arange(3.0))[0], function(fnp.arange(3.0)))


FLAT_IN_PARTS = {
    "sign": lambda x: fnp.sign(x) * x,
    "abs": lambda x: fnp.abs(x) * x * x,
    "maximum": lambda x: fnp.maximum(x, 0.0) * fnp.sign(x) * x,
    "concatenate": lambda x: fnp.concatenate([fnp.sign(x), x * x]),
    "matmul": lambda x: fnp.outer(fnp.sign(x), x) @ x,
}


@pytest.mark.parametrize("name", FLAT_IN_PARTS)
def test_zero_derivatives_pass_through_every_way_of_linearizing(name: str) -> None:
    # A tangent may turn out to be zero only when the tape is replayed.
    f = FLAT_IN_PARTS[name]
    x, dx = fnp.array([1.0, -2.0]), fnp.array([0.5, 3.0])
    expected = fg.jvp(f, (x,), (dx,))[1]
    np.testing.assert_allclose(fg.linearize(f, x)[1](dx), expected)
    np.testing.assert_allclose(fg.jit(lambda x: fg.linearize(f, x)[1](dx))(x), expected)
    np.testing.assert_allclose(fg.jacfwd(f)(x) @ dx, expected)
    np.testing.assert_allclose(fg.jacrev(f)(x) @ dx, expected)
    twice = fg.jacfwd(fg.jacfwd(f))(x)
    np.testing.assert_allclose(fg.jacfwd(fg.jacrev(f))(x), twice)
    np.testing.assert_allclose(fg.jit(fg.jacfwd(fg.jacrev(f)))(x), twice)
