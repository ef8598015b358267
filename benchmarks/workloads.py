"""Programs written once for funcgrad and JAX: a two-layer network and a small GPT, each with its training step."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # whoever measures one library in a process of its own does not want the others loaded
    from .libraries import Library

__all__ = ["gpt_loss", "gpt_params", "gpt_step", "gpt_tokens", "mlp_loss", "mlp_params", "mlp_step"]

_random = np.random.default_rng(0)


def _normal(*shape: int, scale: float = 0.1) -> np.ndarray:
    return (scale * _random.standard_normal(shape)).astype(np.float32)


def mlp_params(sizes: tuple[int, ...] = (8, 16, 4)) -> list[Any]:
    """Weights and biases of a network with these widths."""
    return [[_normal(n, m), np.zeros(m, np.float32)] for n, m in itertools.pairwise(sizes)]


def mlp_loss(np: Any, params: Any, x: Any, y: Any) -> Any:
    """Mean square error of a network with tanh; `np` is any namespace like NumPy's."""
    *hidden, (weight, bias) = params
    for w, b in hidden:
        x = np.tanh(x @ w + b)
    return np.mean((x @ weight + bias - y) ** 2)


def mlp_step(library: Library, params: Any, x: Any, y: Any) -> Any:
    """One step of gradient descent."""
    gradient = library.top.grad(lambda p: mlp_loss(library.np, p, x, y))(params)
    return library.top.tree.map(lambda p, g: p - 0.01 * g, params, gradient)


def gpt_params(layers: int, width: int, vocabulary: int, length: int) -> dict[str, Any]:
    """Parameters of a decoder with tied embeddings; with Adam's moments, the state of a training step."""
    block = {
        "attention_norm": np.ones(width, np.float32),
        "qkv": _normal(width, 3 * width),
        "projection": _normal(width, width),
        "mlp_norm": np.ones(width, np.float32),
        "up": _normal(width, 4 * width),
        "down": _normal(4 * width, width),
    }
    blocks = [{name: value.copy() for name, value in block.items()} for _ in range(layers)]
    return {
        "embedding": _normal(vocabulary, width),
        "position": _normal(length, width),
        "blocks": blocks,
        "norm": np.ones(width, np.float32),
    }


def gpt_tokens(batch: int, length: int, vocabulary: int) -> np.ndarray:
    """Random token numbers, one more than the length, so that each has a successor."""
    return _random.integers(0, vocabulary, (batch, length + 1)).astype(np.int32)


def _layer_norm(np: Any, x: Any, scale: Any) -> Any:
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * scale


def _attention(library: Library, block: Any, x: Any, heads: int) -> Any:
    np = library.np
    batch, length, width = x.shape
    q, k, v = np.split(x @ block["qkv"], 3, axis=-1)
    q, k, v = (t.reshape(batch, length, heads, width // heads).transpose(0, 2, 1, 3) for t in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) / (width // heads) ** 0.5
    causal = np.arange(length)[:, None] >= np.arange(length)
    mixed = library.top.nn.softmax(np.where(causal, scores, -1e9), axis=-1) @ v
    return mixed.transpose(0, 2, 1, 3).reshape(batch, length, width) @ block["projection"]


def gpt_loss(library: Library, params: Any, tokens: Any, heads: int) -> Any:
    np, nn = library.np, library.top.nn
    x = params["embedding"][tokens[:, :-1]] + params["position"]
    for block in params["blocks"]:
        x = x + _attention(library, block, _layer_norm(np, x, block["attention_norm"]), heads)
        x = x + nn.gelu(_layer_norm(np, x, block["mlp_norm"]) @ block["up"]) @ block["down"]
    logits = _layer_norm(np, x, params["norm"]) @ params["embedding"].T
    picked = np.take_along_axis(nn.log_softmax(logits, axis=-1), tokens[:, 1:, None], axis=-1)
    return -np.mean(picked)


def gpt_step(library: Library, state: Any, tokens: Any, heads: int = 4) -> Any:
    """One step of Adam; the state is (params, mean, square)."""
    params, mean, square = state
    map_tree = library.top.tree.map
    _, gradient = library.top.value_and_grad(lambda p: gpt_loss(library, p, tokens, heads))(params)
    mean = map_tree(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
    square = map_tree(lambda s, g: 0.99 * s + 0.01 * g * g, square, gradient)
    params = map_tree(lambda p, m, s: p - 1e-3 * m / (library.np.sqrt(s) + 1e-8), params, mean, square)
    return params, mean, square
