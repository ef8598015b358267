"""Laws: the checker accepts what each rule stages, and running it gives what the rule gives eagerly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
from funcgrad.core import dtypes as dt
from funcgrad.core.check import check_program
from funcgrad.core.program import Program, run_program, stage
from funcgrad.ops.collective import Collective
from funcgrad.ops.condensed import Hessenberg, Schur, Tridiagonal
from funcgrad.special.gamma import Polygamma
from funcgrad.special.integrals import Expn
from tests.laws.collected import (
    applied,
    arrays,
    assert_agree,
    assert_holds,
    chunk,
    chunks,
    differentiable_points,
    direction,
)
from tests.laws.sample import Sample

CHUNKS = chunks()


def staged(function: Any, args: Sequence[Any]) -> Program:
    """The checked program of a flat function; it must compute what the function computes."""
    program = stage(lambda *given: list(function(*given)), [x.type for x in args], ("law", function))
    check_program(program)
    for one, two in zip(run_program(program, args), function(*args), strict=True):
        assert_agree(np.asarray(one), np.asarray(two), 4)
    return program


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_rules_stage_well_typed_programs(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        def primal(*operands: Any) -> Sequence[Any]:
            return applied(row.op, operands)

        def pushed(*operands: Any) -> Sequence[Any]:
            return fg.jvp(primal, operands, tuple(tangents))[1]

        def pulled(*operands: Any) -> Sequence[Any]:
            return fg.vjp(primal, *operands)[1](tuple(cts))

        operands = arrays(row.operands)
        tangents = arrays([direction(x, 1) for x in row.operands])
        cts = arrays([direction(np.asarray(out), 2) for out in primal(*operands)])
        for function in (primal, pushed, pulled):
            staged(function, operands)

    rows = [row for row in chunk(part) if not isinstance(row.op, Collective)]
    assert_holds(law, list(differentiable_points(rows)))


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_derivatives_have_the_types_of_what_they_belong_to(part: tuple[str, int]) -> None:
    """At every sample's own precision, also where the derivative does not exist."""

    def law(row: Sample) -> None:
        def primal(*operands: Any) -> Sequence[Any]:
            return applied(row.op, operands)

        operands = arrays(row.operands)
        tangents = arrays([direction(np.asarray(x, x.dtype), 1) for x in row.operands])
        outs, out_tangents = fg.jvp(primal, tuple(operands), tuple(tangents))
        assert [t.type for t in out_tangents] == [out.type for out in outs]
        _, pull = fg.vjp(primal, *operands)
        assert [ct.type for ct in pull(outs)] == [x.type for x in operands]

    # The last ones say that they, or their first operands, have no derivative.
    left_out = (Collective, Expn, Hessenberg, Polygamma, Schur, Tridiagonal)
    rows = [row for row in chunk(part) if not isinstance(row.op, left_out)]
    assert_holds(law, [row for row in rows if any(dt.is_inexact(x.dtype) for x in row.operands)])


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_batch_stages_well_typed_programs(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        def batched(*operands: Any) -> Sequence[Any]:
            return fg.vmap(lambda *given: applied(row.op, given))(*operands)

        staged(batched, arrays([np.stack([x, x]) for x in row.operands]))

    rows = [row for row in chunk(part) if not isinstance(row.op, Collective) and row.batch and row.operands]
    assert_holds(law, rows[::2])  # the loop law runs every rule; every second row is enough here
