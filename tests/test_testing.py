"""`fg.testing`: true derivatives pass, each kind of false one is found and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors

X = np.array([0.3, -0.8, 1.4], np.float32)


def made(value: float = 1.0, tangent: float | None = None, cotangent: float | None = None) -> Any:
    """A custom sine with rules that are true but for factors."""
    f = fg.custom_vjp(fnp.sin) if cotangent is not None else fg.custom_jvp(fnp.sin)
    if tangent is not None:
        f.defjvp(lambda primals, tangents: (value * f(*primals), tangent * fnp.cos(primals[0]) * tangents[0]))
    if cotangent is not None:
        f.defvjp(lambda x: (value * f(x), x), lambda x, ct: (cotangent * fnp.cos(x) * ct,))
    return f


@pytest.mark.parametrize("f", [made(tangent=1), made(cotangent=1), made(tangent=1, cotangent=1)])
def test_true_rules_pass(f: Any) -> None:
    fg.testing.check_custom(f, X, order=2)
    fg.testing.check_grads(f, (X,), order=2)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (made(tangent=1.1), "the tangents of .* against the derivative of the undecorated function"),
        (made(cotangent=1.1), "the tangents of .* against the derivative of the undecorated function"),
        (made(tangent=1, cotangent=1.1), "the two rules of .* against <ct, Jv>"),
        (made(tangent=1.1, cotangent=1.1), "the tangents of "),
        (made(value=1.1, tangent=1), "the value of .* against what its rule for tangents returns"),
        (made(value=1.1, cotangent=1), "the value of .* against what its rule for (co)?tangents returns"),
    ],
)
def test_false_rules_are_named(f: Any, message: str) -> None:
    with pytest.raises(errors.DisagreementError, match=message):
        fg.testing.check_custom(f, X)


def test_a_rule_that_is_not_linear_is_checked_in_reverse() -> None:
    f = fg.custom_vjp(lambda x: x * 1)
    f.defvjp(lambda x: (x * 1, None), lambda residuals, ct: (fnp.clip(ct, -0.1, 0.1),))
    with pytest.raises(errors.DisagreementError, match="the cotangents of "):
        fg.testing.check_custom(f, X)
    f.defvjp(lambda x: (x * 1, None), lambda residuals, ct: (fnp.clip(ct, -100.0, 100.0),))
    fg.testing.check_custom(f, X)


def test_functions_without_a_derivative_of_their_own_are_checked_by_differences() -> None:
    inner = fg.custom_jvp(fnp.sin)  # without rules
    f = fg.custom_jvp(lambda x: inner(x))
    f.defjvp(lambda primals, tangents: (f(*primals), fnp.cos(primals[0]) * tangents[0]))
    fg.testing.check_custom(f, X)
    f.defjvp(lambda primals, tangents: (f(*primals), 2 * fnp.cos(primals[0]) * tangents[0]))
    with pytest.raises(errors.DisagreementError, match="central differences"):
        fg.testing.check_custom(f, X)


def test_wrong_second_derivatives_are_found() -> None:
    f = fg.custom_jvp(fnp.sin)
    f.defjvp(lambda primals, tangents: (f(*primals), fg.stop_gradient(fnp.cos(primals[0])) * tangents[0]))
    fg.testing.check_custom(f, X)
    with pytest.raises(errors.DisagreementError, match="jvp of "):
        fg.testing.check_custom(f, X, order=2)


def test_trees_integers_and_nondiff_arguments_are_held() -> None:
    f = fg.custom_jvp(lambda kind, p, n: {"y": p["a"] ** n, "n": n}, nondiff_argnums=0)

    @f.defjvp
    def tangents(kind: str, primals: Any, tangents: Any) -> Any:
        assert kind == "power"
        (p, n), (dp, dn) = primals, tangents
        return f(kind, p, n), {"y": n * p["a"] ** (n - 1) * dp["a"], "n": dn}

    fg.testing.check_custom(f, "power", {"a": X}, 2)


@pytest.mark.parametrize("dtype", ["float16", "float64", "complex64"])
def test_other_dtypes(dtype: str) -> None:
    fg.testing.check_grads(lambda x: x * x * x, (fnp.asarray(X, dtype=dtype),), order=1)


def test_check_grads_finds_wrong_derivatives_in_either_mode() -> None:
    f = made(tangent=1, cotangent=1.1)
    fg.testing.check_grads(f, (X,), 1, modes="fwd")
    with pytest.raises(errors.DisagreementError, match=r"vjp of sin .* against central differences"):
        fg.testing.check_grads(f, (X,), 1)
    with pytest.raises(AssertionError, match=r"at result 0\[\d\]"):
        fg.testing.check_grads(made(tangent=2), (X,), 1, modes=["fwd"])


def test_misuse() -> None:
    with pytest.raises(errors.ArgumentError, match="use check_grads for any other"):
        fg.testing.check_custom(fnp.sin, X)
    with pytest.raises(errors.ArgumentError, match="no argument has a floating-point leaf"):
        fg.testing.check_grads(fnp.sin, (3,), 1)
    with pytest.raises(errors.ArgumentError, match=r"modes are 'fwd' and 'rev'"):
        fg.testing.check_grads(fnp.sin, (X,), 1, modes=["forward"])
