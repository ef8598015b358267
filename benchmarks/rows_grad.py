"""Eager transformations of small functions, and proof that none of them compiles anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from .libraries import AUTOGRAD, JAX, OURS, TORCH, only_with
from .timing import AtMost, Ratio, Row
from .workloads import mlp_loss, mlp_params

__all__ = ["rows"]

BUDGET = (Ratio("torch", 1.0), Ratio("autograd", 2 / 3), Ratio("jax", 1 / 20))

EAGER_SESSION = """
import funcgrad as fg, funcgrad.numpy as fnp
from funcgrad.backend.executable import compile_count
x = fnp.arange(16.0).reshape(4, 4) / 16
f = lambda x: fnp.sum(fnp.tanh(x @ x)[1:] * fg.nn.softmax(x)[0])
fg.grad(f)(x), fg.vmap(fnp.sum)(x), fg.hessian(f)(x), fg.jvp(f, (x,), (x,)), x.at[1].set(0.0), fnp.sort(x)
fg.random.normal(fg.random.key(0), (3,)), fg.vmap(fg.grad(lambda r: fnp.sum(r * r)))(x), fnp.einsum("ij,kj->ik", x, x)
print(compile_count())
"""


def _compiles() -> float:
    ran = subprocess.run([sys.executable, "-c", EAGER_SESSION], capture_output=True, text=True, check=True)
    return float(ran.stdout)


def _tanh_row() -> Row:
    host = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)

    def contender(library: Any) -> Any:
        x = library.np.asarray(host)
        gradient = library.top.grad(lambda x: library.np.sum(library.np.tanh(x @ x)))
        return lambda: gradient(x)

    def in_torch() -> Any:
        x = TORCH.tensor(host, requires_grad=True)
        return lambda: TORCH.autograd.grad(TORCH.sum(TORCH.tanh(x @ x)), x)

    def in_autograd() -> Any:
        gradient = AUTOGRAD.grad(lambda x: AUTOGRAD.numpy.sum(AUTOGRAD.numpy.tanh(AUTOGRAD.numpy.matmul(x, x))))
        return lambda: gradient(host)

    return Row("grad", "grad of sum(tanh(x @ x))", _all(contender, in_torch, in_autograd), BUDGET)


def _mlp_row() -> Row:
    params, x, y = mlp_params(), np.ones((16, 8), np.float32), np.ones((16, 4), np.float32)

    def contender(library: Any) -> Any:
        mine = library.top.tree.map(library.np.asarray, (params, x, y))
        gradient = library.top.grad(lambda p, x, y: mlp_loss(library.np, p, x, y))
        return lambda: gradient(*mine)

    def in_torch() -> Any:
        mine = [[TORCH.tensor(leaf, requires_grad=True) for leaf in layer] for layer in params]
        leaves = [leaf for layer in mine for leaf in layer]
        torch_x, torch_y = TORCH.tensor(x), TORCH.tensor(y)
        return lambda: TORCH.autograd.grad(mlp_loss(TORCH, mine, torch_x, torch_y), leaves)

    def in_autograd() -> Any:
        gradient = AUTOGRAD.grad(lambda p: mlp_loss(AUTOGRAD.numpy, p, x, y))
        return lambda: gradient(params)

    return Row("grad", "grad of a two-layer MLP", _all(contender, in_torch, in_autograd), BUDGET)


def _vmap_row() -> Row:
    host = np.ones((8, 4), np.float32)

    def contender(library: Any) -> Any:
        x = library.np.asarray(host)
        mapped = library.top.vmap(lambda row: library.np.sum(row))
        return lambda: mapped(x)

    def in_torch() -> Any:
        x, mapped = TORCH.tensor(host), TORCH.vmap(lambda row: TORCH.sum(row))
        return lambda: mapped(x)

    return Row("grad", "vmap of a sum", _all(contender, in_torch, None), (Ratio("jax", 1 / 20),))


def _hessian_row() -> Row:
    host = np.linspace(0.1, 1, 4).astype(np.float32)

    def function(np: Any) -> Any:
        return lambda x: np.sum(np.sin(x) * x**2)

    def contender(library: Any) -> Any:
        x, hessian = library.np.asarray(host), library.top.hessian(function(library.np))
        return lambda: hessian(x)

    def in_torch() -> Any:
        x, hessian = TORCH.tensor(host), TORCH.func.hessian(function(TORCH))
        return lambda: hessian(x)

    def in_autograd() -> Any:
        hessian = AUTOGRAD.hessian(function(AUTOGRAD.numpy))
        return lambda: hessian(host)

    return Row("grad", "hessian, n = 4", _all(contender, in_torch, in_autograd), (Ratio("jax", 1 / 20),))


def _all(contender: Any, in_torch: Any, in_autograd: Any) -> dict[str, Any]:
    return {
        "ours": contender(OURS),
        "jax": contender(JAX),
        "torch": only_with(TORCH and in_torch, in_torch),
        "autograd": only_with(AUTOGRAD and in_autograd, in_autograd),
    }


def rows(quick: bool) -> Iterator[Row]:
    """Eager gradients, batching and second order, and the count of compiles."""
    yield _tanh_row()
    yield _mlp_row()
    yield _vmap_row()
    yield _hessian_row()
    yield Row("compiles", "XLA compiles of an eager session", {"ours": _compiles}, (AtMost("nothing", 0),), value=True)
