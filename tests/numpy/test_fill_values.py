"""Numbers that fill gaps in an array of integers must fit its dtype; nothing wraps silently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp

SMALL = np.array([1, 2], np.int8)
FAR = np.array([5])
FILLING: dict[str, Callable[[Any, int], Any]] = {
    "at.get": lambda x, value: x.at[FAR].get(mode="fill", fill_value=value),
    "at.set": lambda x, value: x.at[0].set(value),
    "compress": lambda x, value: fnp.compress([True, False], x, size=3, fill_value=value),
    "fill_diagonal": lambda x, value: fnp.fill_diagonal(fnp.stack([x, x]), value, inplace=False),
    "full_like": lambda x, value: fnp.full_like(x, value),
    "initial": lambda x, value: fnp.maximum.reduce(x, initial=value),
    "initial of max": lambda x, value: fnp.max(x, initial=value, where=[True, False]),
    "insert": lambda x, value: fnp.insert(x, 0, value),
    "insert a list": lambda x, value: fnp.insert(x, [0, 1], [1, value]),
    "lax.full": lambda x, value: fg.lax.full((2,), value, x.dtype),
    "lax.pad": lambda x, value: fg.lax.pad(x, value, [(1, 1, 0)]),
    "pad": lambda x, value: fnp.pad(x, 1, constant_values=value),
    "pad with two": lambda x, value: fnp.pad(x, 1, constant_values=(1, value)),
    "place": lambda x, value: fnp.place(x, np.array([True, False]), [value], inplace=False),
    "put": lambda x, value: fnp.put(x, np.array([0]), value, inplace=False),
    "put_along_axis": lambda x, value: fnp.put_along_axis(x, np.array([0]), value, 0, inplace=False),
    "putmask": lambda x, value: fnp.putmask(x, np.array([True, False]), value),
    "setdiff1d": lambda x, value: fnp.setdiff1d(x, x[:1], size=3, fill_value=value),
    "take": lambda x, value: fnp.take(x, FAR, mode="fill", fill_value=value),
    "unique": lambda x, value: fnp.unique(x, size=4, fill_value=value),
    "where": lambda x, value: fnp.where(x > 1, x, value),
}


@pytest.mark.parametrize("name", FILLING)
def test_what_does_not_fit_is_refused(name: str) -> None:
    fill = FILLING[name]
    for value in (300, -129):
        with pytest.raises(OverflowError, match=f"{value}.*int8"):
            fill(fnp.asarray(SMALL), value)
        with pytest.raises(OverflowError, match=f"{value}.*int8"):
            fg.jit(lambda x, value=value: fill(x, value))(SMALL)


@pytest.mark.parametrize("name", FILLING)
def test_what_fits_is_taken(name: str) -> None:
    found = FILLING[name](fnp.asarray(SMALL), -128)
    assert found.dtype == np.int8
    compiled = fg.jit(lambda x: FILLING[name](x, -128))(SMALL)
    np.testing.assert_array_equal(found, compiled)
    assert name.startswith("initial") or -128 in np.asarray(found)
