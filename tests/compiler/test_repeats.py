"""Repeats in sequences: laws on random sequences made of random blocks, and the periods that are to be found."""

from __future__ import annotations

from collections.abc import Sequence

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from funcgrad.compiler.repeats import Repeat, find_repeats

BLOCKS = st.lists(st.integers(0, 5), min_size=1, max_size=12)


def found_in(sequence: Sequence[int], price: float = 0.5) -> list[Repeat]:
    return find_repeats(sequence, [1.0] * len(sequence), [0.0] * (len(sequence) + 1), price)


@st.composite
def patterned(draw: st.DrawFn) -> list[int]:
    """A sequence of a few blocks, repeated side by side or far apart."""
    blocks = draw(st.lists(BLOCKS, min_size=1, max_size=4))
    picks = draw(st.lists(st.tuples(st.integers(0, len(blocks) - 1), st.integers(1, 6)), max_size=12))
    return [number for which, times in picks for number in blocks[which] * times]


@given(patterned(), st.sampled_from([0.5, 3.0, 12.0]))
def test_repeats_are_equal_and_do_not_overlap(sequence: list[int], price: float) -> None:
    taken = np.zeros(len(sequence), int)
    for repeat in found_in(sequence, price):
        stretches = {tuple(sequence[start : start + repeat.length]) for start in repeat.starts}
        assert len(stretches) == 1
        assert len(next(iter(stretches))) == repeat.length > 0
        assert list(repeat.starts) == sorted(repeat.starts)
        for start in repeat.starts:
            taken[start : start + repeat.length] += 1
    assert (taken <= 1).all()


@given(patterned(), st.sampled_from([0.5, 3.0, 12.0]))
def test_taking_repeats_is_worth_its_price(sequence: list[int], price: float) -> None:
    repeats = found_in(sequence, price)
    if repeats:
        saved = sum(repeat.length * (len(repeat.starts) - 1) for repeat in repeats)
        assert saved > price * sum(len(repeat.starts) - 1 for repeat in repeats)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True), st.integers(8, 30))
def test_a_long_tandem_repeat_leaves_one_period(block: list[int], times: int) -> None:
    (repeat,) = found_in(block * times, price=0.01 * len(block))
    assert repeat.length == len(block)
    assert len(repeat.starts) == times


def test_the_primitive_period_is_found_not_the_longest_repeated_string() -> None:
    (repeat,) = found_in([1, 2, 3, 4, 5, 6, 7, 8] * 16, price=0.1)
    assert repeat == Repeat(8, tuple(range(0, 128, 8)))


def test_what_surrounds_a_repeat_stays_outside() -> None:
    (repeat,) = found_in([90, 91, *[1, 2, 3, 4, 5, 6] * 5, 92])
    assert repeat == Repeat(6, (2, 8, 14, 20, 26))


def test_repeats_of_repeats_leave_the_least() -> None:
    inner = [1, 2, 3, 4, 5, 6, 7, 8]
    sequence = [*(inner * 6), 20, 21, 22, 23] * 5
    repeats = {repeat.length: len(repeat.starts) for repeat in found_in(sequence, price=0.1)}
    assert repeats == {8: 30, 4: 5}


def test_a_price_keeps_small_pieces_together() -> None:
    (cheap,) = found_in([1, 2, 3, 4] * 64, price=0.01)
    (dear,) = found_in([1, 2, 3, 4] * 64, price=10.0)
    assert cheap.length == 4
    assert dear.length > 4
    assert dear.length % 4 == 0
    assert found_in([1, 2, 3, 4] * 64, price=1000.0) == []


@pytest.mark.parametrize("period", [3, 8, 50])
def test_pieces_do_not_depend_on_how_many_periods_there_are(period: int) -> None:
    lengths = {found_in(list(range(period)) * times, price=10.0)[0].length for times in (60, 120)}
    assert len(lengths) == 1


def test_stretches_that_stand_apart_are_found() -> None:
    block = list(range(20))
    (repeat,) = found_in([*block, 50, 51, *block, 52, *block], price=2.0)
    assert repeat == Repeat(20, (0, 22, 43))


def test_seams_choose_where_a_period_begins() -> None:
    sequence = [1, 2, 3, 4, 5, 6] * 6 + [1, 2, 3]
    seams = [0.0 if place % 6 == 2 else 1.0 for place in range(len(sequence) + 1)]
    (repeat,) = find_repeats(sequence, [1.0] * len(sequence), seams, 0.5)
    assert repeat.starts == (2, 8, 14, 20, 26, 32)


def test_weights_say_what_is_worth_while() -> None:
    sequence = [1, 2] * 3
    assert find_repeats(sequence, [1.0] * 6, [0.0] * 7, 10.0) == []
    (repeat,) = find_repeats(sequence, [100.0, 1.0] * 3, [0.0] * 7, 10.0)
    assert len(repeat.starts) == 3


@pytest.mark.parametrize("sequence", [[], [1], [1, 2, 3, 4]])
def test_nothing_repeats(sequence: list[int]) -> None:
    assert found_in(sequence) == []


def test_a_large_sequence_takes_one_pass() -> None:
    random = np.random.default_rng(0)
    layer = random.integers(0, 50, 97).tolist()
    (repeat,) = found_in([*random.integers(50, 10_000, 500).tolist(), *layer * 1000], price=12.0)
    assert repeat.length % 97 == 0
    assert repeat.length * len(repeat.starts) > 90 * 1000
