"""Binomial checkpointing: the order of steps, the places, and how often steps are repeated."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from math import comb
from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.higher_order.reversal import first_part, reverse_steps
from funcgrad.higher_order.while_loop import loop


def python_loop(cond: Callable[..., Any], body: Callable[..., Any], init: Any) -> list[Any]:
    values = list(init)
    while bool(cond(*values)):
        values = list(body(*values))
    return values


def integer(value: int) -> Any:
    return fnp.asarray(value, "int32")


def reversed_steps(count: int, places: int) -> tuple[list[int], list[int]]:
    """The steps that are reversed, in order; and how often each is repeated."""
    order: list[int] = []
    repeated = [0] * count

    def advance(k: Any, square: Any) -> list[Any]:
        repeated[int(k)] += 1
        return [k + 1, (k + 1) ** 2]

    def back(state: Any, flowing: Any) -> list[Any]:
        assert int(state[1]) == int(state[0]) ** 2
        order.append(int(state[0]))
        return [flowing[0] + 1]

    (backs,) = reverse_steps(python_loop, integer(count), advance, back, [integer(0)] * 2, [integer(0)], places)
    assert int(backs) == count
    return order, repeated


@lru_cache
def fewest(length: int, free: int) -> int:
    """The fewest repetitions that any schedule needs, by trying all."""
    if length < 2:
        return 0
    if not free:
        return length * (length - 1) // 2
    return min(m + fewest(length - m, free - 1) + fewest(m, free) for m in range(1, length))


@pytest.mark.parametrize("places", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 21])
def test_no_schedule_repeats_fewer_steps(count: int, places: int) -> None:
    order, repeated = reversed_steps(count, places)
    assert order == list(range(count))[::-1]
    assert sum(repeated) == fewest(count, places - 1)


@pytest.mark.parametrize(("free", "repeats"), [(1, 3), (2, 2), (3, 1), (4, 2)])
def test_the_binomial_bound(free: int, repeats: int) -> None:
    most = comb(free + 1 + repeats, repeats)
    assert max(reversed_steps(most, free + 1)[1]) == repeats
    assert max(reversed_steps(most + 1, free + 1)[1]) == repeats + 1


def test_long_loops_do_not_overflow() -> None:
    compiled = fg.jit(partial(first_part, loop))
    for free, length in ((1, 2**31 - 1), (19, 2**31 - 1), (200, 10**6)):
        part, repeats = int(compiled(integer(length), integer(free))), 0
        while comb(free + 1 + repeats, repeats) < length:
            repeats += 1
        assert part == min(comb(free + repeats, repeats - 1), length - comb(free + repeats - 1, repeats - 1))


def test_one_sweep_suffices_without_a_state() -> None:
    (found,) = reverse_steps(python_loop, integer(4), list, lambda _, f: [f[0] * 2], [], [fnp.asarray(3.0)], 2)
    assert float(found) == 48


def test_compiled_and_mapped_over_the_number_of_steps() -> None:
    def digits(count: Any) -> Any:
        advance, back = lambda k: [k + 1], lambda state, flowing: [flowing[0] * 10 + state[0]]
        return reverse_steps(loop, count, advance, back, [integer(0)], [integer(0)], 2)[0]

    counts = fnp.asarray([0, 3, 9, 1], "int32")
    want = [0, 210, 876543210, 0]
    assert [int(fg.jit(digits)(count)) for count in counts] == want
    assert [int(x) for x in fg.jit(fg.vmap(digits))(counts)] == want
