"""Operations across a named axis of an enclosing `vmap`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from .. import tree
from ..numpy.conversion import as_operand
from ..ops import collective

__all__ = [
    "all_gather",
    "axis_index",
    "axis_size",
    "pmax",
    "pmean",
    "pmin",
    "ppermute",
    "psum",
]


axis_index, axis_size = collective.axis_index, collective.axis_size


def _over_axes(function: Callable[[Any, Any], Any], x: Any, axis_name: Any) -> Any:
    """A tree of arrays, each combined over one named axis or a tuple of them."""
    names = axis_name if isinstance(axis_name, tuple) else (axis_name,)

    def combined(leaf: Any) -> Any:
        leaf = as_operand(leaf)
        for name in names:
            leaf = function(leaf, name)
        return leaf

    return tree.map(combined, x)


def psum(x: Any, axis_name: Any) -> Any:
    """The sum over a named axis (or a tuple of them) of every leaf of a tree; of a Python number, known at once."""
    if type(x) in (int, float, complex):
        names = axis_name if isinstance(axis_name, tuple) else (axis_name,)
        return x * prod(axis_size(name) for name in names)
    return _over_axes(collective.psum, x, axis_name)


def pmean(x: Any, axis_name: Any) -> Any:
    """The mean over a named axis (or a tuple of them) of every leaf of a tree."""
    return _over_axes(collective.pmean, x, axis_name)


def pmax(x: Any, axis_name: Any) -> Any:
    """The maximum over a named axis (or a tuple of them) of every leaf of a tree."""
    return _over_axes(collective.pmax, x, axis_name)


def pmin(x: Any, axis_name: Any) -> Any:
    """The minimum over a named axis (or a tuple of them) of every leaf of a tree."""
    return _over_axes(collective.pmin, x, axis_name)


def all_gather(x: Any, axis_name: Any, *, axis: int = 0, tiled: bool = False) -> Any:
    """Every member's leaves, stacked along a new axis, or with `tiled` joined along an existing one."""
    return tree.map(lambda leaf: collective.all_gather(as_operand(leaf), axis_name, axis=axis, tiled=tiled), x)


def ppermute(x: Any, axis_name: Any, perm: Sequence[tuple[int, int]]) -> Any:
    """Every leaf sent along a named axis by (source, target) pairs; who is no target gets zeros."""
    return tree.map(lambda leaf: collective.ppermute(as_operand(leaf), axis_name, perm), x)
