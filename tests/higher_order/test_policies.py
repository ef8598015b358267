"""Policies: what each keeps, compared with JAX's where both have it, and what they are asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax._src.ad_checkpoint import saved_residuals as jax_saved_residuals
from jax.ad_checkpoint import checkpoint_name as jax_checkpoint_name

import funcgrad as fg
import funcgrad.numpy as fnp

OURS = fg.checkpoint_policies
THEIRS = jax.checkpoint_policies
X = np.asarray(np.random.default_rng(0).normal(size=(4, 3)), np.float32)
W = np.asarray(np.random.default_rng(1).normal(size=(3, 3)), np.float32)
B = np.asarray(np.random.default_rng(2).normal(size=(5, 3, 3)), np.float32)


def name(x: Any, label: str) -> Any:
    """`checkpoint_name` of either library."""
    return jax_checkpoint_name(x, label) if isinstance(x, jax.Array) else fg.checkpoint_name(x, label)


def mlp(xp: Any) -> Callable[..., Any]:
    def mlp(x: Any, w: Any) -> Any:
        hidden = name(xp.sin(name(x @ w, "first")), "hidden")
        return xp.sin(name(xp.cos(hidden @ w), "last")).sum()

    return mlp


def batched(xp: Any) -> Callable[..., Any]:
    def batched(x: Any, w: Any, b: Any) -> Any:
        rows = xp.sin(xp.matmul(b, xp.sin(b)))
        return xp.sin(x @ w).sum() + rows.sum()

    return batched


POLICIES: dict[str, Callable[[Any], Any]] = {
    "default": lambda p: None,
    "everything": lambda p: p.everything_saveable,
    "nothing": lambda p: p.nothing_saveable,
    "dots": lambda p: p.dots_saveable,
    "checkpoint_dots": lambda p: p.checkpoint_dots,
    "no_batch": lambda p: p.dots_with_no_batch_dims_saveable,
    "checkpoint_no_batch": lambda p: p.checkpoint_dots_with_no_batch_dims,
    "only": lambda p: p.save_only_these_names("first", "last"),
    "any_but": lambda p: p.save_any_names_but_these("first"),
    "both": lambda p: p.save_from_both_policies(p.save_only_these_names("hidden"), p.dots_saveable),
}


def bytes_by_type(residuals: Any) -> Counter[str]:
    return Counter(f"{np.dtype(t.dtype).name}{tuple(t.shape)}" for t, _ in residuals)


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_kept_is_what_jax_keeps(policy: str) -> None:
    for make, args in ((mlp, (X, W)), (batched, (X, W, B))):
        if make is batched and policy in ("only", "any_but"):
            continue
        ours = fg.checkpoint(make(fnp), policy=POLICIES[policy](OURS))
        theirs = jax.checkpoint(make(jnp), policy=POLICIES[policy](THEIRS))
        expected = jax_saved_residuals(theirs, *map(jnp.asarray, args))
        assert bytes_by_type(fg.saved_residuals(ours, *args)) == bytes_by_type(expected)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_gradient_does_not_depend_on_the_policy(policy: str) -> None:
    function = fg.checkpoint(mlp(fnp), policy=POLICIES[policy](OURS))
    for wrap in (lambda f: f, fg.jit):
        found = wrap(fg.grad(function, (0, 1)))(X, W)
        for one, two in zip(found, fg.grad(mlp(fnp), (0, 1))(X, W), strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def kept(function: Callable[..., Any], *args: Any) -> list[str]:
    """What is kept besides arguments, without the places."""
    origins = [residual.origin for residual in fg.saved_residuals(function, *args)]
    return [origin.split(" at ")[0] for origin in origins if not origin.startswith("from the argument")]


def test_save_anything_except_refuses_the_value_itself() -> None:
    def f(x: Any) -> Any:
        return fnp.sin(fg.checkpoint_name(fnp.exp(fnp.sin(x)), "big"))

    everything = kept(fg.checkpoint(f, policy=OURS.everything_saveable), X)
    assert any("exp" in origin for origin in everything)
    refusing = kept(fg.checkpoint(f, policy=OURS.save_anything_except_these_names("big")), X)
    assert refusing
    assert not any("exp" in origin for origin in refusing)
    both = OURS.save_from_both_policies(OURS.save_anything_except_these_names("big"), OURS.save_only_these_names("big"))
    assert any("exp" in origin for origin in kept(fg.checkpoint(f, policy=both), X))


def test_a_named_value_is_kept_once_also_where_its_operation_needs_it() -> None:
    def f(x: Any) -> Any:
        return fnp.sin(fg.checkpoint_name(fg.checkpoint_name(fnp.tanh(x), "first"), "second"))

    for label in ("first", "second"):
        function = fg.checkpoint(f, policy=OURS.save_only_these_names(label))
        assert kept(function, X) == ["named 'first', output of tanh"]
        found = fg.make_program(fg.grad(lambda x, function=function: function(x).sum()))(X)
        assert str(found).count("= tanh") == 1


def test_offloading_keeps_what_saving_keeps() -> None:
    offloading = OURS.save_and_offload_only_these_names(
        names_which_can_be_saved=["first"], names_which_can_be_offloaded=["last"], offload_src="device",
        offload_dst="pinned_host",
    )  # fmt: skip
    assert offloading is OURS.save_only_these_names("first", "last")
    assert OURS.offload_dot_with_no_batch_dims("device", "pinned_host") is OURS.dots_with_no_batch_dims_saveable


def test_equal_policies_are_the_same() -> None:
    assert OURS.save_only_these_names("a", "b") is OURS.save_only_these_names("b", "a")
    assert OURS.save_only_these_names("a") is not OURS.save_any_names_but_these("a")
    assert OURS.checkpoint_dots is OURS.dots_saveable


def test_a_policy_of_ones_own_is_asked_with_the_operation_and_its_operands() -> None:
    asked = []

    def policy(op: Any, types: Any) -> bool:
        asked.append((op.name, *map(str, types)))
        return op.name == "exp"

    assert kept(fg.checkpoint(lambda x: fnp.sin(fnp.exp(fnp.sin(x))), policy=policy), X) == ["output of exp"]
    assert ("exp", "f32[4,3]") in asked


def test_policies_reach_into_compiled_functions() -> None:
    inner = fg.jit(lambda x, w: fnp.sin(x @ w))
    function = fg.checkpoint(lambda x, w: fnp.sin(fg.jit(inner)(x, w) @ w), policy=OURS.dots_saveable)
    assert kept(function, X, W) == ["output of dot_general"] * 2


def test_random_bits_are_never_kept() -> None:
    def noisy(x: Any, seed: Any) -> Any:
        return (x * fg.random.normal(fg.random.key(seed), x.shape)).sum()

    def bits_only(op: Any, types: Any) -> bool:
        asked.append(op.name)
        return op.name == "threefry2x32"

    asked: list[str] = []
    assert kept(fg.checkpoint(noisy, policy=bits_only), X, 3) == []
    assert "mul" in asked
    np.testing.assert_array_equal(fg.grad(fg.checkpoint(noisy))(X, 3), fg.grad(noisy)(X, 3))
