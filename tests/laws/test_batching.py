"""Laws: `batch` agrees with a loop, for every subset of batched operands and several axis positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
from funcgrad.core import dtypes as dt
from funcgrad.ops.collective import Collective
from tests.laws.collected import applied, arrays, assert_agree, assert_holds, chunk, chunks, scales
from tests.laws.sample import Sample

CHUNKS = chunks()
SIZE = 3
MOST = 3  # operations of more operands: each alone, and all together


def batchable(part: tuple[str, int]) -> list[Sample]:
    rows = [row for row in chunk(part) if not isinstance(row.op, Collective)]
    return [row for row in rows if row.batch and row.operands]


def subsets(count: int) -> Iterator[tuple[bool, ...]]:
    """Which operands are batched."""
    if count <= MOST:
        yield from (chosen for chosen in product((True, False), repeat=count) if any(chosen))
        return
    yield (True,) * count
    for alone in range(count):
        yield tuple(i == alone for i in range(count))


def examples(x: np.ndarray) -> list[np.ndarray]:
    """Different values of an operand, within its domain: its elements in another order, scalars scaled."""
    x = np.asarray(x)
    if x.ndim:
        return [np.roll(x.ravel(), shift).reshape(x.shape) for shift in range(SIZE)]
    if x.dtype == dt.BOOL:
        return [x, ~x, x]
    if dt.is_integer(x.dtype):
        return [x, x // 2, x // 3]
    return [np.asarray(x.astype(np.complex128) * factor if dt.is_complex(x.dtype) else float(x) * factor, x.dtype)
            for factor in (1, 0.5, 0.25)]  # fmt: skip


def assert_batches(row: Sample, columns: Sequence[list[np.ndarray]], expected: list[Any], axes: Sequence[Any]) -> None:
    """Compare the batched operation with the loop's results."""
    operands = [
        np.stack(column, axis) if axis is not None else column[0] for column, axis in zip(columns, axes, strict=True)
    ]
    found = fg.vmap(lambda *given: applied(row.op, given), in_axes=tuple(axes))(*arrays(operands))
    for number in range(SIZE):
        one = [column[0 if axis is None else number] for column, axis in zip(columns, axes, strict=True)]
        for out, want, scale in zip(found, expected[number], scales(row.op, one), strict=True):
            assert_agree(np.asarray(out)[number], want, max(row.ulps, 2), scale, f"axes {axes}, example {number}: ")


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_batch_agrees_with_a_loop(part: tuple[str, int]) -> None:
    def law(row: Sample) -> None:
        columns = [examples(x) for x in row.operands]
        for chosen in subsets(len(columns)):
            loop = [arrays([c[i if own else 0] for c, own in zip(columns, chosen, strict=True)]) for i in range(SIZE)]
            expected = [[np.asarray(out) for out in applied(row.op, operands)] for operands in loop]
            for last in (False, True):
                axes = [
                    (column[0].ndim if last and number % 2 == 0 else 0) if own else None
                    for number, (column, own) in enumerate(zip(columns, chosen, strict=True))
                ]
                assert_batches(row, columns, expected, axes)

    assert_holds(law, batchable(part))


@pytest.mark.parametrize("part", CHUNKS, ids=str)
def test_the_batched_program_compiles_to_the_same(part: tuple[str, int]) -> None:
    """What `batch` writes uses operations with parameters that the samples may lack: these are lowered too."""
    seen: dict[Any, Sample] = {}
    for row in batchable(part):
        if all(x.dtype not in dt.FLOAT8 for x in row.operands):
            seen.setdefault((row.op, tuple(np.shape(x) for x in row.operands)), row)
    rows = list(seen.values())
    groups = [arrays([np.stack(examples(x)) for x in row.operands]) for row in rows]

    def every_row(*groups: Any) -> list[Any]:
        return [
            fg.vmap(lambda *given, row=row: applied(row.op, given))(*group)
            for row, group in zip(rows, groups, strict=True)
        ]

    def compiled_apart() -> list[Any]:
        return [_or_error(row, group) for row, group in zip(rows, groups, strict=True)]

    try:
        compiled = fg.jit(every_row)(*groups)
    except Exception:  # one bad row must not hide the others
        compiled = compiled_apart()
    results = dict(zip((row.name for row in rows), compiled, strict=True))

    def law(row: Sample) -> None:
        found = results[row.name]
        if isinstance(found, Exception):
            raise found
        columns = [examples(x) for x in row.operands]
        for number in range(SIZE):
            one = [column[number] for column in columns]
            for out, want, scale in zip(found, applied(row.op, arrays(one)), scales(row.op, one), strict=True):
                assert_agree(np.asarray(out)[number], want, max(row.ulps, 2), scale, f"example {number}: ")

    assert_holds(law, rows)


def _or_error(row: Sample, group: list[Any]) -> Any:
    try:
        return fg.jit(fg.vmap(lambda *given: applied(row.op, given)))(*group)
    except Exception as error:
        return error
