"""How reductions are lowered: the StableHLO that combines elements along axes, by the fastest way the engine has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.types import ArrayType

__all__ = ["lower_reduce"]

_SHORT, _WINDOW = 64, 1 << 10


def lower_reduce(build: Any, name: str, x: Any, type: ArrayType, axes: Sequence[int], identity: Any) -> Any:
    """The elements of `x` (of `type`) along `axes` combined by the StableHLO operation `name`."""
    if build.platform == "cpu" and type.dtype.kind in "iub" and type.ndim - 1 in axes and type.shape[-1] > _SHORT:
        x, type = _in_windows(build, name, x, type, identity)
    scalar = type.update(shape=())
    (total,) = build.ops(
        "reduce",
        (x, build.constant(identity, scalar)),
        [type.update(shape=tuple(n for i, n in enumerate(type.shape) if i not in axes))],
        {"dimensions": build.integers(axes)},
        [_combining(build, name, scalar)],
    )
    return total


def _in_windows(build: Any, name: str, x: Any, type: ArrayType, identity: Any) -> tuple[Any, ArrayType]:
    """One result for each thousand or so along the last axis.

    XLA's CPU code for a reduction of integers or booleans in rows takes five times as long as for floats. That for
    windows side by side, which holds one loop each, is as fast.
    """
    scalar, length, outer = type.update(shape=()), type.shape[-1], type.ndim - 1
    count = -(-length // _WINDOW)
    window = [1] * outer + [-(-length // count)]
    padding = [[0, 0]] * outer + [[0, window[-1] * count - length]]
    partial = type.update(shape=(*type.shape[:-1], count))
    (combined,) = build.ops(
        "reduce_window",
        (x, build.constant(identity, scalar)),
        [partial],
        {
            "window_dimensions": build.integers(window),
            "window_strides": build.integers(window),
            "padding": build.attribute(f"dense<{padding}> : tensor<{type.ndim}x2xi64>"),
        },
        [_combining(build, name, scalar)],
    )
    return combined, partial


def _combining(build: Any, name: str, scalar: ArrayType) -> Any:
    """The region that combines two scalars."""
    return (scalar, scalar), lambda a, b: (build.op(name, (a, b), scalar),)
