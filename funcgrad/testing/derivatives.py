"""Derivatives checked: against central differences, forward against reverse, and custom rules against all of these."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..core.dtypes import is_complex
from ..errors import ArgumentError, CustomRuleError, DisagreementError, FuncgradError
from ..higher_order.custom import Custom
from ..source import function_source
from ..transforms.arguments import check_callable, is_array_like, lift, strong
from ..transforms.grad import vjp
from ..transforms.jvp import jvp

__all__ = ["check_custom", "check_grads"]

_TOLERANCE = {2: 5e-2, 4: 5e-3, 8: 1e-6}  # by bytes of the real dtype; differences cost about half the digits
_STEP = {2: 1 / 8, 4: 1 / 256, 8: 1e-4}


class _FlatPoint:
    """A function of the differentiable leaves of its arguments alone, at a point.

    Attributes:
        values: those leaves.
        rtol, atol, step: as the least precise of them allows, where the caller did not say.
    """

    def __init__(self, args: Sequence[Any], rtol: float | None, atol: float | None, step: float | None) -> None:
        leaves, self._tree = tree.flatten(tuple(args))
        lifted = [strong(lift(leaf)) if is_array_like(leaf) else leaf for leaf in leaves]
        self._moves = [is_array_like(x) and x.type.differentiable for x in lifted]
        self._leaves = lifted
        self.values = [x for x, m in zip(lifted, self._moves, strict=True) if m]
        if not self.values:
            raise ArgumentError("there is nothing to differentiate: no argument has a floating-point leaf")
        width = min(x.dtype.itemsize // (2 if is_complex(x.dtype) else 1) for x in self.values)
        self.rtol = _TOLERANCE.get(width, _TOLERANCE[2]) if rtol is None else rtol
        self.atol = _TOLERANCE.get(width, _TOLERANCE[2]) if atol is None else atol
        self.step = _STEP.get(width, _STEP[2]) if step is None else step

    def flat(self, function: Callable[..., Any]) -> Callable[..., list[Any]]:
        """`function` with the differentiable leaves as arguments and those of its result as results."""

        def of_leaves(*values: Any) -> list[Any]:
            given = iter(values)
            leaves = [next(given) if m else x for x, m in zip(self._leaves, self._moves, strict=True)]
            outs = [lift(out) for out in tree.leaves(function(*self._tree.unflatten(leaves)))]
            return [out for out in outs if out.type.differentiable]

        return of_leaves

    def differences(self, function: Callable[..., list[Any]], direction: Sequence[Any]) -> list[np.ndarray]:
        """The derivative along a direction by central differences, in double precision."""
        half = self.step / 2
        ends = []
        for sign in (half, -half):
            moved = [strong(lift(_moved(x, dx, sign))) for x, dx in zip(self.values, direction, strict=True)]
            ends.append([_double(y) for y in function(*moved)])
        return [(high - low) / self.step for high, low in zip(*ends, strict=True)]

    def compare(self, what: str, found: Sequence[Any], expected: Sequence[Any]) -> None:
        """Refuse values that are further apart than the tolerances allow; says where and by how much."""
        for number, (a, b) in enumerate(zip(found, expected, strict=True)):
            left, right = _double(a), _double(b)
            excess = np.abs(left - right) - (self.atol + self.rtol * np.abs(right))
            wrong = ~(excess <= 0) & ~(np.isnan(left) & np.isnan(right)) & ~(left == right)
            if not wrong.any():
                continue
            place = np.unravel_index(
                int(np.argmax(np.where(wrong, np.nan_to_num(excess, nan=np.inf), -np.inf))), a.shape
            )
            difference = float(np.abs(left[place] - right[place]))
            where = f"result {number}" + (f"{[int(i) for i in place]}" if place else "")
            raise DisagreementError(
                f"{what}: at {where} {_number(left[place])} against {_number(right[place])}, "
                f"a difference of {difference:.3g} where {self.atol + self.rtol * abs(right[place]):.3g} is allowed "
                f"({int(wrong.sum())} of {wrong.size} elements disagree)"
            )


def _double(x: Any) -> np.ndarray:
    array = np.asarray(x)
    return array.astype(np.complex128 if is_complex(array.dtype) else np.float64)


def _number(x: Any) -> str:
    return f"{x:.6g}"


def _moved(x: Any, dx: Any, step: float) -> np.ndarray:
    return (_double(x) + step * _double(dx)).astype(x.dtype)


def _directions(values: Sequence[Any], seed: int) -> list[Any]:
    """Random directions, the same ones every time."""
    generator = np.random.default_rng(seed)
    found = []
    for x in values:
        direction = generator.standard_normal(x.shape)
        if is_complex(x.dtype):
            direction = direction + 1j * generator.standard_normal(x.shape)
        found.append(lift(np.asarray(direction, x.dtype)))
    return found


def _inner(a: Sequence[Any], b: Sequence[Any]) -> np.ndarray:
    """The pairing of cotangents and tangents: sum(a b), of its real part (cotangents are not conjugated)."""
    return np.asarray(sum(float(np.sum(np.real(_double(x) * _double(y)))) for x, y in zip(a, b, strict=True)))


def _size(a: Sequence[Any], b: Sequence[Any]) -> float:
    """How large the terms of the pairing are: what its rounding errors are relative to."""
    return math.sqrt(sum(float(np.sum(np.abs(_double(x)) ** 2)) for x in a)) * math.sqrt(
        sum(float(np.sum(np.abs(_double(y)) ** 2)) for y in b)
    )


def _compare_inner(point: _FlatPoint, what: str, first: Any, second: Any) -> None:
    """Compare two pairings, relative to the size of their terms."""
    size = max(1.0, _size(*first), _size(*second))
    point.compare(what, [_inner(*first) / size], [_inner(*second) / size])


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int,
    modes: Sequence[str] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Check derivatives of a function against central differences along random directions.

    Args:
        f: a function of arrays and pytrees of arrays, smooth around `args`.
        args: where to check, as a tuple. Leaves that are not floating-point are held fixed.
        order: how many derivatives to check; each next one is that of forward and of reverse mode.
        modes: "fwd", "rev", or both.
        atol, rtol: how far apart values may be; by default as the least precise dtype among `args` allows.
        eps: the distance between the two points of a difference.

    Raises:
        DisagreementError: they disagree; the message says which and by how much.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> fg.testing.check_grads(fnp.sin, (0.5,), order=2)
    """
    check_callable(f, "check_grads")
    modes = [modes] if isinstance(modes, str) else list(modes)
    if unknown := [mode for mode in modes if mode not in ("fwd", "rev")]:
        raise ArgumentError(f"check_grads: modes are 'fwd' and 'rev', got {unknown[0]!r}")
    point = _FlatPoint(args, rtol, atol, eps)
    _check_grads(point, point.flat(f), function_source(f), order, modes, 0)


def _check_grads(
    point: _FlatPoint, function: Callable[..., list[Any]], name: str, order: int, modes: Sequence[str], seed: int
) -> None:
    if order < 1:
        return
    values = point.values
    direction = _directions(values, seed)
    slope = point.differences(function, direction)
    outs = function(*values)
    if "fwd" in modes:
        found_outs, found = jvp(function, values, direction)
        point.compare(f"{name} against its value under jvp", found_outs, outs)
        point.compare(f"jvp of {name} against central differences", found, slope)
        _check_grads(
            point, lambda *x: jvp(function, x, tuple(direction))[1], f"jvp of {name}", order - 1, modes, seed + 1
        )
    if "rev" in modes:
        cts = _directions(outs, seed + 100)
        found_outs, pull = vjp(function, *values)
        point.compare(f"{name} against its value under vjp", found_outs, outs)
        what = f"vjp of {name} against central differences, <J'ct, v> against <ct, Jv>"
        _compare_inner(point, what, (pull(cts), direction), (cts, slope))
        _check_grads(point, lambda *x: list(vjp(function, *x)[1](cts)), f"vjp of {name}", order - 1, modes, seed + 1)


def check_custom(
    f: Callable[..., Any], *args: Any, rtol: float | None = None, atol: float | None = None, order: int = 1
) -> None:
    """Check the rules of a custom function at a point, along random directions.

    The values that the rules return are compared with the function's; the tangent rule and the cotangent rule with one
    another, with the derivative of the undecorated function where it has one, and with central differences.

    Args:
        f: what `custom_jvp`, `custom_vjp` or `custom_vmap` made.
        *args: where to check; away from kinks. Leaves that are not floating-point are held fixed.
        rtol, atol: how far apart values may be; by default as the least precise dtype among `args` allows.
        order: how many derivatives to check.

    Raises:
        DisagreementError: an AssertionError that says which disagree and by how much.

    Example:
        >>> import funcgrad as fg, funcgrad.numpy as fnp
        >>> @fg.custom_vjp
        ... def square(x):
        ...     return x * x
        >>> square.defvjp(lambda x: (x * x, x), lambda x, ct: (2 * x * ct,))
        >>> fg.testing.check_custom(square, 3.0, order=2)
    """
    if not isinstance(f, Custom):
        raise ArgumentError(
            f"check_custom takes a function made by custom_jvp, custom_vjp or custom_vmap, got {type(f).__name__}; "
            f"use check_grads for any other"
        )
    point = _FlatPoint(args, rtol, atol, None)
    function, plain = point.flat(f), point.flat(f.__wrapped__)  # type: ignore[attr-defined]
    name = function_source(f)
    values = point.values
    outs = function(*values)
    direction, cts = _directions(values, 0), _directions(outs, 100)
    forward, reverse = _by_rules(point, f, name, function, outs, direction, cts)
    if forward is not None:
        what = f"the two rules of {name}, <J'ct, v> against <ct, Jv>"
        _compare_inner(point, what, (reverse, direction), (cts, forward))
    references = [("central differences", point.differences(plain, direction))]
    with contextlib.suppress(FuncgradError):  # some functions have rules because they have no derivative otherwise
        references.insert(0, ("the derivative of the undecorated function", jvp(plain, values, direction)[1]))
    for reference, slope in references:
        if forward is not None:
            point.compare(f"the tangents of {name} against {reference}", forward, slope)
        what = f"the cotangents of {name} against {reference}, <J'ct, v> against <ct, Jv>"
        _compare_inner(point, what, (reverse, direction), (cts, slope))
    modes = ["rev"] if forward is None else ["fwd", "rev"]
    if "fwd" in modes:
        _check_grads(point, lambda *x: jvp(function, x, tuple(direction))[1], f"jvp of {name}", order - 1, modes, 1)
    _check_grads(point, lambda *x: list(vjp(function, *x)[1](cts)), f"vjp of {name}", order - 1, modes, 1)


def _by_rules(
    point: _FlatPoint,
    f: Custom,
    name: str,
    function: Callable[..., list[Any]],
    outs: Sequence[Any],
    direction: Sequence[Any],
    cts: Sequence[Any],
) -> tuple[list[Any] | None, Any]:
    """Tangents (None if there is no rule to have them by) and cotangents; values are checked."""
    forward = None
    try:
        found_outs, forward = jvp(function, point.values, direction)
        point.compare(f"the value of {name} against what its rule for tangents returns", found_outs, outs)
    except CustomRuleError:
        if f.has_jvp_rule:
            raise  # else its bwd rule is not linear
    found_outs, pull = vjp(function, *point.values)
    point.compare(f"the value of {name} against what its rule for cotangents returns", found_outs, outs)
    return forward, pull(cts)
