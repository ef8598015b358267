"""Laws: derivatives agree with differences, transposes with derivatives, and both again at the second order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
from funcgrad.ops.collective import Collective
from tests.laws.collected import (
    applied,
    arrays,
    assert_holds,
    chunk,
    chunks,
    differentiable_points,
    direction,
    inexact,
    pairing,
)
from tests.laws.sample import Sample

CHUNKS = chunks()
STEP = 1e-6  # the best compromise between truncation and rounding for first differences of doubles is near 1e-5
TOLERANCE = 2e-6  # so differences are good to about this, relative to the largest derivative


def points(part: tuple[str, int]) -> list[Sample]:
    rows = [row for row in chunk(part) if not isinstance(row.op, Collective)]
    return list(differentiable_points(rows))


def differences(function: Callable[..., Sequence[Any]], point: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """Central differences of the inexact results along the tangents."""

    def moved(step: float) -> list[np.ndarray]:
        operands = [
            np.asarray(x + step * dx, x.dtype) if dx.any() else x for x, dx in zip(point, tangents, strict=True)
        ]
        return [np.asarray(out) for out in inexact(function(*arrays(operands)))]

    pairs = zip(moved(STEP), moved(-STEP), strict=True)
    with np.errstate(all="ignore"):
        return [(above - below) / (2 * STEP) for above, below in pairs]


def assert_close(found: Sequence[Any], expected: Sequence[Any], tolerance: float = TOLERANCE) -> None:
    for one, two in zip(found, expected, strict=True):
        one, two = np.asarray(one), np.asarray(two)
        if np.iscomplexobj(two) and not np.iscomplexobj(one):
            two = two.real
        size = max(1.0, float(np.max(np.abs(two), initial=0)))
        np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance * size)


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_jvp_agrees_with_differences(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        def function(*operands: Any) -> Sequence[Any]:
            return applied(row.op, operands)

        tangents = [direction(x, 1) for x in row.operands]
        _, found = fg.jvp(function, tuple(arrays(row.operands)), tuple(arrays(tangents)))
        assert_close(inexact(found), differences(function, row.operands, tangents))

    assert_holds(law, points(part))


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_linearize_agrees_with_jvp(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        def function(*operands: Any) -> Sequence[Any]:
            return applied(row.op, operands)

        operands = arrays(row.operands)
        tangents = arrays([direction(x, 9) for x in row.operands])
        outs, expected = fg.jvp(function, tuple(operands), tuple(tangents))
        found, push = fg.linearize(function, *operands)
        assert_close(inexact(found), inexact(outs), 0)
        assert_close(inexact(push(*tangents)), inexact(expected), 1e-10)

    assert_holds(law, points(part))


def cotangents(outs: Sequence[Any], seed: int) -> list[Any]:
    return arrays([direction(np.asarray(out), seed) for out in outs])


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_transpose_is_the_adjoint_of_jvp(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        def function(*operands: Any) -> Sequence[Any]:
            return applied(row.op, operands)

        operands = arrays(row.operands)
        tangents = arrays([direction(x, 2) for x in row.operands])
        outs, out_tangents = fg.jvp(function, tuple(operands), tuple(tangents))
        cts = cotangents(outs, 3)
        _, pull = fg.vjp(function, *operands)
        pulled = pull(tuple(cts))
        assert [ct.type for ct in pulled] == [x.type for x in operands]
        forward, backward = pairing(cts, out_tangents), pairing(pulled, tangents)
        size = sum(float(np.sum(np.abs(np.asarray(a) * np.asarray(b)))) for a, b in zip(pulled, tangents, strict=True))
        assert abs(forward - backward) <= 1e-9 * max(1, size), f"<ct, J v> = {forward}, <Jᵀ ct, v> = {backward}"

    assert_holds(law, points(part))


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_the_second_order_agrees_with_differences(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        def function(*operands: Any) -> Sequence[Any]:
            return applied(row.op, operands)

        operands = arrays(row.operands)
        velocity = arrays([direction(x, 4) for x in row.operands])
        tangents = [direction(x, 5) for x in row.operands]
        cts = cotangents(function(*operands), 6)

        def pushed(*point: Any) -> Sequence[Any]:
            return fg.jvp(function, point, tuple(velocity))[1]

        def pulled(*point: Any) -> Sequence[Any]:
            return fg.vjp(function, *point)[1](tuple(cts))

        for first_order in (pushed, pulled):
            _, found = fg.jvp(first_order, tuple(operands), tuple(arrays(tangents)))
            assert_close(inexact(found), differences(first_order, row.operands, tangents), 20 * TOLERANCE)
            outs, pull = fg.vjp(first_order, *operands)
            second_cts = cotangents(outs, 7)
            forward, backward = pairing(second_cts, found), pairing(pull(tuple(second_cts)), tangents)
            assert abs(forward - backward) <= 1e-7 * max(1, abs(forward)), f"{first_order.__name__} is not transposed"

    assert_holds(law, points(part))


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_derivatives_compile_to_the_same(part: tuple[str, int]) -> None:
    """What the rules write uses operations with parameters that the samples may lack: these are lowered too."""
    rows = points(part)
    columns = [arrays(row.operands) for row in rows]

    def pulled(row: Sample, operands: Sequence[Any]) -> Sequence[Any]:
        outs, pull = fg.vjp(lambda *given: applied(row.op, given), *operands)
        return inexact(pull(tuple(cotangents_like(outs))))

    def every_row(*columns: Any) -> list[Any]:
        return [pulled(row, operands) for row, operands in zip(rows, columns, strict=True)]

    results = dict(zip((row.name for row in rows), fg.jit(every_row)(*columns), strict=True))

    def law(row: Sample) -> None:
        assert_close(results[row.name], pulled(row, arrays(row.operands)), 1e-10)

    assert_holds(law, rows)


def cotangents_like(outs: Sequence[Any]) -> list[Any]:
    """Cotangents for results that may be traced."""
    return arrays([direction(np.empty(out.shape, out.dtype), 8) for out in outs])
