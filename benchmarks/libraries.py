"""The libraries to compare with, where installed, and one namespace through which the same program runs on two."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy

import funcgrad
import funcgrad.numpy

__all__ = ["AUTOGRAD", "JAX", "OURS", "TORCH", "Library", "only_with", "versions"]


def _optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


class Library(NamedTuple):
    """funcgrad or JAX: the same names in both, so a workload is written once.

    Attributes:
        top: `grad`, `vmap`, `jit`, `nn`, `tree`, ….
        np: the NumPy face.
    """

    top: Any
    np: Any


OURS = Library(funcgrad, funcgrad.numpy)
JAX = Library(jax, jax.numpy)
TORCH: Any = _optional("torch")
AUTOGRAD: Any = _optional("autograd")
if AUTOGRAD:
    _optional("autograd.numpy")


def only_with(library: Any, make: Callable[[], Callable[[], Any]]) -> Callable[[], Any] | None:
    """The contender that `make` builds, or None where its library is not installed."""
    return make() if library else None


def versions() -> dict[str, str]:
    """Version by library, of those that are installed."""
    names = ("numpy", "jax", "jaxlib", "torch", "autograd")
    return {name: importlib.metadata.version(name) for name in names if _optional(name)}
