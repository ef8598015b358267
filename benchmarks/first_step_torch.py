"""PyTorch's side of the first step: the GPT and the deep network as its users write them."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from .first_step_programs import Case, Workload, leaves, map_tree

__all__ = ["TorchStep"]


class TorchStep:
    """A training step of PyTorch, whose loss, with its gradient, goes through `torch.compile` or not."""

    def __init__(self, case: Case, work: Workload, compiled: bool) -> None:
        """Place the state; compiles nothing yet.

        Raises:
            LookupError: there is no PyTorch version of this program.
        """
        loss = {"gpt": _gpt_loss, "mlp": _mlp_loss}[case.kind]
        self._loss = torch.compile(loss) if compiled else loss
        self.state = map_tree(torch.tensor, work.state)
        self._batch = [torch.tensor(x) for x in work.batch]
        self._params = self.state[0] if case.kind == "gpt" else self.state
        self._update = self._adam if case.kind == "gpt" else self._descend
        for parameter in leaves(self._params):
            parameter.requires_grad_()

    def step(self) -> None:
        """One step, which changes the state in place."""
        parameters = leaves(self._params)
        gradients = torch.autograd.grad(self._loss(self._params, *self._batch), parameters)
        with torch.no_grad():
            self._update(parameters, gradients)

    def wait(self) -> None:
        """On the CPU every step is waited for anyway."""

    def _adam(self, parameters: Any, gradients: Any) -> None:
        for p, m, s, g in zip(parameters, leaves(self.state[1]), leaves(self.state[2]), gradients, strict=True):
            m.mul_(0.9).add_(g, alpha=0.1)
            s.mul_(0.99).addcmul_(g, g, value=0.01)
            p.addcdiv_(m, s.sqrt().add_(1e-8), value=-1e-3)

    def _descend(self, parameters: Any, gradients: Any) -> None:
        for p, g in zip(parameters, gradients, strict=True):
            p.sub_(g, alpha=0.01)


def _mlp_loss(params: Any, x: Any, y: Any) -> Any:
    *hidden, (weight, bias) = params
    for w, b in hidden:
        x = torch.tanh(torch.addmm(b, x, w))
    return functional.mse_loss(torch.addmm(bias, x, weight), y)


def _attention(block: Any, x: Any, heads: int = 4) -> Any:
    batch, length, width = x.shape
    parts = (x @ block["qkv"]).view(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    mixed = functional.scaled_dot_product_attention(*parts.unbind(0), is_causal=True)
    return mixed.transpose(1, 2).reshape(batch, length, width) @ block["projection"]


def _norm(x: Any, scale: Any) -> Any:
    return functional.layer_norm(x, scale.shape, scale, eps=1e-5)


def _gpt_loss(params: Any, tokens: Any) -> Any:
    x = functional.embedding(tokens[:, :-1], params["embedding"]) + params["position"]
    for block in params["blocks"]:
        x = x + _attention(block, _norm(x, block["attention_norm"]))
        hidden = functional.gelu(_norm(x, block["mlp_norm"]) @ block["up"], approximate="tanh")
        x = x + hidden @ block["down"]
    logits = _norm(x, params["norm"]) @ params["embedding"].T
    return functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten().long())
