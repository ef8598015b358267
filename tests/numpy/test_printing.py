"""How arrays print: by NumPy's options, as NumPy's arrays do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp

VALUES = np.array([[1.0, 123.456789], [1e-9, -2.5]], np.float32)
OPTIONS: list[dict[str, Any]] = [
    {"precision": 2},
    {"suppress": True},
    {"threshold": 2, "edgeitems": 1},
    {"linewidth": 20},
    {"sign": "+"},
    {"floatmode": "fixed"},
    {"formatter": {"float": lambda x: f"<{x:.1f}>"}},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options))
def test_options_hold_for_our_arrays(options: dict[str, Any]) -> None:
    before = fnp.get_printoptions()
    x = fnp.asarray(VALUES)
    with fnp.printoptions(**options):
        assert str(x) == str(VALUES) == fnp.array_str(x)
        assert repr(x) == fnp.array_repr(x)
        body = np.array2string(VALUES, separator=", ", prefix="Array(")
        assert repr(x) == f"Array({body}, dtype=float32)"
    assert fnp.get_printoptions() == before


def test_options_are_set_for_both_libraries() -> None:
    before = fnp.get_printoptions()
    try:
        fnp.set_printoptions(precision=1)
        assert np.get_printoptions()["precision"] == 1
        assert str(fnp.asarray(1.25)) == str(np.float32(1.25)) or str(fnp.asarray([1.25])) == "[1.2]"
    finally:
        np.set_printoptions(**before)


def test_options_of_one_call() -> None:
    x = fnp.asarray(VALUES)
    assert fnp.array_repr(x, precision=1, suppress_small=True) == (
        "Array([[  1. , 123.5],\n       [  0. ,  -2.5]], dtype=float32)"
    )
    assert fnp.array_str(x, precision=1, suppress_small=True) == np.array_str(VALUES, None, 1, True)
    assert fnp.array2string(x, precision=2, separator=";") == np.array2string(VALUES, precision=2, separator=";")
    assert fnp.array2string(VALUES, max_line_width=15) == np.array2string(VALUES, max_line_width=15)


def test_low_precision_prints_as_numbers() -> None:
    x = fnp.asarray([1.5, -0.25], fnp.bfloat16)
    assert fnp.array_repr(x) == repr(x) == "Array([ 1.5 , -0.25], dtype=bfloat16)"
    assert fnp.array_str(x) == fnp.array2string(x) == "[ 1.5  -0.25]"
    assert fnp.format_float_positional(x[0]) == "1.5"


def test_empty_arrays_show_their_shape() -> None:
    assert fnp.array_repr(fnp.zeros((0, 2))) == "Array([], shape=(0, 2), dtype=float32)"


def test_tracers_print_what_is_known_of_them() -> None:
    seen: list[str] = []
    fg.jit(lambda x: seen.extend([fnp.array_repr(x), fnp.array_str(x)]) or x)(fnp.ones(2))
    assert all(text.startswith("Tracer(f32[2]") for text in seen)


@pytest.mark.parametrize("value", [0.1, 12345.678, 1e-10, 0.0])
def test_numbers_as_text(value: float) -> None:
    ours, theirs = fnp.asarray(value), np.float32(value)
    assert fnp.format_float_positional(ours) == np.format_float_positional(theirs)
    assert fnp.format_float_scientific(ours, 3) == np.format_float_scientific(theirs, 3)
    assert fnp.format_float_positional(ours, precision=3, unique=False, trim="k") == np.format_float_positional(
        theirs, precision=3, unique=False, trim="k"
    )


def test_integers_in_other_bases() -> None:
    n = fnp.asarray(-10)
    assert fnp.binary_repr(n, 8) == np.binary_repr(-10, 8) == "11110110"
    assert fnp.base_repr(n, 3) == np.base_repr(-10, 3) == "-101"
