"""einops takes arrays and tracers, through our backend and through its own functions of the Array API."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import einops
import einops.array_api
import numpy as np
import pytest

import funcgrad as fg
import funcgrad.interop.einops
import funcgrad.numpy as fnp

CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7

OPERATIONS: dict[str, Callable[..., Any]] = {
    "rearrange": lambda e, x: e.rearrange(x, "a (b d) c -> (c d) a b", d=3),
    "transpose with an ellipsis": lambda e, x: e.rearrange(x, "a ... c -> c ... a"),
    "new axes": lambda e, x: e.rearrange(x, "a b c -> a 1 b c 1"),
    "a list": lambda e, x: e.rearrange([x, x + 1], "n a b c -> a (n b) c"),
    "max": lambda e, x: e.reduce(x, "a b c -> a c", "max"),
    "min": lambda e, x: e.reduce(x, "a b c -> b", "min"),
    "sum": lambda e, x: e.reduce(x, "... c -> ...", "sum"),
    "prod": lambda e, x: e.reduce(x, "a b c -> () b ()", "prod"),
    "mean of pools": lambda e, x: e.reduce(x, "a b (c k) -> a b c", "mean", k=2),
    "any": lambda e, x: e.reduce(x > 2, "a b c -> a", "any"),
    "all": lambda e, x: e.reduce(x > 0, "a b c -> b", "all"),
    "repeat": lambda e, x: e.repeat(x, "a b c -> a (b r) c s", r=2, s=3),
    "pack": lambda e, x: e.pack([x, x[:, 0], x[:, :, None] * 2], "a * c")[0],
    "unpack": lambda e, x: e.unpack(x, [(2,), (1, 1)], "a * c"),
}
CONTRACTIONS: dict[str, Callable[..., Any]] = {
    "matrix product": lambda x: einops.einsum(x, x, "a b c, a d c -> a b d"),
    "long names": lambda x: einops.einsum(x, x[0], "batch row column, row column -> batch"),
    "one operand": lambda x: einops.einsum(x, "a b c -> c a"),
}
BACKEND = {name: partial(f, einops) for name, f in OPERATIONS.items()} | CONTRACTIONS


def leaves(found: Any) -> list[np.ndarray]:
    return [np.asarray(x) for x in fg.tree.leaves(found)]


def agree(found: Any, expected: Any) -> None:
    pairs = zip(leaves(found), expected if isinstance(expected, list) else [expected], strict=True)
    for x, y in pairs:
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, fg.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("name", BACKEND)
def test_every_operation_of_einops(name: str, wrap: Any) -> None:
    found = wrap(BACKEND[name])(fnp.asarray(CUBE))
    assert all(isinstance(x, fg.Array) for x in fg.tree.leaves(found))
    agree(found, BACKEND[name](CUBE))


@pytest.mark.parametrize("wrap", [lambda f: f, fg.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("name", [n for n in OPERATIONS if n not in ("any", "all")])
def test_einops_through_the_array_api(name: str, wrap: Any) -> None:
    agree(wrap(lambda x: OPERATIONS[name](einops.array_api, x))(fnp.asarray(CUBE)), OPERATIONS[name](einops, CUBE))


@pytest.mark.parametrize("name", [n for n in BACKEND if n not in ("any", "all", "a list", "unpack")])
def test_einops_under_vmap_and_grad(name: str) -> None:
    function, x = BACKEND[name], fnp.asarray(CUBE)
    agree(fg.vmap(function)(fnp.stack([x, x + 1])), np.stack([function(CUBE), function(CUBE + 1)]))
    slope = fg.grad(lambda x: function(x).sum())(x)
    ahead, back = (float(np.sum(function(CUBE.astype(float) + h), dtype=float)) for h in (1e-4, -1e-4))
    np.testing.assert_allclose(float(slope.sum()), (ahead - back) / 2e-4, rtol=1e-4)


def test_einops_asks_for_shapes_and_gives_numpy() -> None:
    x = fnp.asarray(CUBE)
    assert einops.parse_shape(x, "a _ c") == {"a": 2, "c": 4}
    assert fg.jit(lambda x: x * einops.parse_shape(x, "a _ _")["a"])(x).shape == CUBE.shape
    np.testing.assert_array_equal(einops.asnumpy(x), CUBE)
    np.testing.assert_array_equal(einops.array_api.asnumpy(x), CUBE)
    backend = funcgrad.interop.einops.EinopsBackend()
    np.testing.assert_array_equal(backend.from_numpy(CUBE), CUBE)
    np.testing.assert_array_equal(backend.arange(2, 5), [2, 3, 4])


def test_errors_of_einops_say_what_is_wrong() -> None:
    with pytest.raises(einops.EinopsError, match="can't divide axis"):
        einops.rearrange(fnp.asarray(CUBE), "a (b d) c -> a b c d", d=2)
