"""Laws: `infer` agrees with `evaluate`, and `evaluate` with the compiled `lower`, for every sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from funcgrad.backend.client import find_device
from funcgrad.compiler.cache import compile_program
from funcgrad.core.check import check_program
from funcgrad.core.primitive import infer
from funcgrad.core.program import stage
from funcgrad.ops.collective import Collective
from tests.laws.collected import applied, arrays, assert_agree, assert_holds, chunk, chunks, evaluated, scales, types_of
from tests.laws.sample import Sample

CHUNKS = chunks()


def runnable(part: tuple[str, int]) -> list[Sample]:
    """Collectives have a meaning only inside a vmap; tests/transforms checks them."""
    return [row for row in chunk(part) if not isinstance(row.op, Collective)]


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_infer_agrees_with_evaluate(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        before = [np.array(x) for x in row.operands]
        results = evaluated(row.op, row.operands)
        expected = infer(row.op, *types_of(row.operands))
        assert types_of(results) == expected, f"infer says {expected}, evaluate gives {types_of(results)}"
        for x, copy in zip(row.operands, before, strict=True):
            assert np.array(x).tobytes() == copy.tobytes(), "evaluate wrote into an operand"

    assert_holds(law, runnable(part))


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_evaluate_takes_views_of_any_strides(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        expected = evaluated(row.op, row.operands)
        strided = [np.repeat(x, 2, axis=-1)[..., ::2] if np.ndim(x) else x for x in row.operands]
        spread = scales(row.op, row.operands)
        for found, want, scale in zip(evaluated(row.op, strided), expected, spread, strict=True):
            assert_agree(found, want, 4, scale)

    assert_holds(law, runnable(part))


def compiled_together(rows: Sequence[Sample]) -> list[tuple[np.ndarray, ...]]:
    """Each sample's results, all computed by one compiled program."""
    types = [types_of(row.operands) for row in rows]

    def every_row(*args: Any) -> list[Any]:
        given = iter(args)
        return [
            out for row, own in zip(rows, types, strict=True) for out in applied(row.op, [next(given) for _ in own])
        ]

    program = stage(every_row, [t for own in types for t in own], "samples")
    check_program(program)
    device = find_device("cpu")
    buffers = [x.buffer(device) for row in rows for x in arrays(row.operands)]
    outs = iter(np.asarray(out) for out in compile_program(program, device)(buffers))
    return [tuple(next(outs) for _ in infer(row.op, *own)) for row, own in zip(rows, types, strict=True)]


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_evaluate_agrees_with_lower(part: tuple[str, int]) -> None:
    rows = runnable(part)
    try:
        results = dict(zip((row.name for row in rows), compiled_together(rows), strict=True))
    except Exception:  # one bad row must not hide the others
        results = {}

    def law(row: Sample) -> None:
        found = results[row.name] if results else compiled_together([row])[0]
        expected = evaluated(row.op, row.operands)
        for one, two, scale in zip(found, expected, scales(row.op, row.operands), strict=True):
            assert_agree(one, two, row.ulps, scale)

    assert_holds(law, rows)
