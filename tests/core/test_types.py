"""`ArrayType` and operations are interned: equal ones are one object, in every thread."""

from __future__ import annotations

import copy
import gc
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from funcgrad.core.types import ArrayType, LinearInput, Zero, is_linear
from funcgrad.ops.structure import Reshape, Transpose

F32 = np.dtype(np.float32)


def test_equal_types_are_one_object() -> None:
    assert ArrayType((2, 3), F32) is ArrayType((2, 3), F32)
    assert ArrayType((2, 3), F32) is ArrayType(shape=(2, 3), dtype=F32, weak=False)
    assert ArrayType((2, 3), F32) is not ArrayType((3, 2), F32)
    assert ArrayType((), F32, True) is not ArrayType((), F32)


def test_operations_are_interned_too() -> None:
    assert Reshape((2, 3)) is Reshape((2, 3))
    assert Reshape((2, 3)) != Reshape((3, 2))
    assert Transpose((0, 1)) != Reshape((0, 1))


def test_copies_and_pickles_are_the_same_object() -> None:
    for value in (ArrayType((2,), F32), Reshape((2, 3))):
        assert copy.deepcopy(value) is value
        assert pickle.loads(pickle.dumps(value)) is value


def test_interned_values_are_frozen() -> None:
    with pytest.raises((AttributeError, TypeError)):
        ArrayType((2,), F32).shape = (3,)  # type: ignore[misc]


def test_threads_agree() -> None:
    def make(number: int) -> list[ArrayType]:
        return [ArrayType((n, 917), F32) for n in range(200)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(make, range(8)))
    gc.collect()
    for types in zip(*results, strict=True):
        assert all(t is types[0] for t in types)


def test_properties_and_text() -> None:
    found = ArrayType((2, 3), F32)
    assert (found.ndim, found.size, found.differentiable) == (2, 6, True)
    assert str(found) == "f32[2,3]"
    assert str(ArrayType((), np.dtype(np.int64), True)) == "i64[]*"
    assert str(ArrayType((0,), np.dtype("uint8"))) == "u8[0]"
    assert not ArrayType((), np.dtype(bool)).differentiable
    assert found.update(shape=(6,)) is ArrayType((6,), F32)
    assert ArrayType((), F32, True).strong() is ArrayType((), F32)


def test_placeholders() -> None:
    type = ArrayType((2,), F32)
    assert is_linear(LinearInput(type))
    assert not is_linear(np.ones(2))
    assert (LinearInput(type).shape, LinearInput(type).dtype) == ((2,), F32)
    assert repr(Zero(type)) == "Zero(f32[2])"
    assert repr(LinearInput(type)) == "LinearInput(f32[2])"
