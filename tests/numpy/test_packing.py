"""Packed bits: as NumPy's, eager, compiled and batched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcgrad as fg
import funcgrad.numpy as fnp
from tests.numpy.surface import Call, agree, arrays, axes, call, calls

ORDER = st.sampled_from(["big", "little"])
LONG = st.lists(st.booleans(), max_size=20).map(np.array).map(lambda x: x.astype(bool))
PACKED = calls(call(LONG, bitorder=ORDER), call(arrays("bI"), axes(None, low=-2), bitorder=ORDER))
UNPACKED = call(arrays("I"), axes(None), count=st.none() | st.integers(-9, 20), bitorder=ORDER)


def as_bytes(drawn: Call) -> Call:
    return Call((drawn.args[0].astype(np.uint8), *drawn.args[1:]), drawn.kwargs)


@pytest.mark.parametrize(("examples", "compiled"), [(60, False), (6, True)])
def test_packbits(examples: int, compiled: bool) -> None:
    @settings(max_examples=examples)
    @given(PACKED)
    def check(drawn: Call) -> None:
        agree("packbits", drawn, compiled=compiled)

    check()


@pytest.mark.parametrize(("examples", "compiled"), [(60, False), (8, True)])
def test_unpackbits(examples: int, compiled: bool) -> None:
    @settings(max_examples=examples)
    @given(UNPACKED.map(as_bytes))
    def check(drawn: Call) -> None:
        agree("unpackbits", drawn, compiled=compiled)

    check()


@pytest.mark.parametrize("function", ["packbits", "unpackbits"])
def test_bits_are_batched(function: str) -> None:
    x = np.arange(60, dtype=np.uint8).reshape(3, 2, 10)
    found: Any = fg.vmap(lambda row: getattr(fnp, function)(row, axis=1))(fnp.asarray(x))
    np.testing.assert_array_equal(found, getattr(np, function)(x, axis=2))


def test_bits_there_and_back() -> None:
    flags = fnp.asarray([True, False, True, True, False, False, True, False, True, True])
    for order in ("big", "little"):
        back = fnp.unpackbits(fnp.packbits(flags, bitorder=order), count=10, bitorder=order)
        assert back.astype(bool).tolist() == flags.tolist()
