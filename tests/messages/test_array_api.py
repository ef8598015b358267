"""Golden messages of mistakes with what the Array API standard adds: inspection, exchange, copies, limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import funcgrad.numpy as fnp
from funcgrad import errors
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
VECTOR = fnp.arange(3.0)


@mistake(
    errors.ArgumentError,
    "api_version='1999.12': the versions of the Array API standard that are followed here are 2021.12, 2022.12, "
    "2023.12, 2024.12, 2025.12; leave it out",
)
def unknown_version() -> Any:
    return VECTOR.__array_namespace__(api_version="1999.12")


@mistake(
    errors.ArgumentError,
    "to_device(stream=7): there are no streams here; leave it out",
)
def stream() -> Any:
    return VECTOR.to_device("cpu", stream=7)


@mistake(
    errors.DeviceError,
    "there is no device 'abacus'; there are: DEVICES",
)
def dtypes_of_no_device() -> Any:
    return fnp.__array_namespace_info__().dtypes(device="abacus")


@mistake(
    errors.DTypeError,
    "from_dlpack takes an array of a library that exports DLPack, not list; asarray reads more",
)
def list_through_dlpack() -> Any:
    return fnp.from_dlpack([1, 2])


@mistake(
    errors.ArgumentError,
    "copy=False: an array of dtype float32 as int32 cannot become an array without a copy; leave `copy` out",
)
def conversion_without_copy() -> Any:
    return fnp.asarray(VECTOR, "int32", copy=False)


@mistake(
    errors.ArgumentError,
    "copy=False: a Python number cannot become an array without a copy; leave `copy` out",
)
def number_without_copy() -> Any:
    return fnp.asarray(1.0, copy=False)


@mistake(
    errors.DTypeError,
    "finfo takes floating and complex dtypes, not int32; iinfo takes integer ones",
)
def float_limits_of_integers() -> Any:
    return fnp.finfo(np.arange(3, dtype=np.int32))


@mistake(
    errors.DTypeError,
    "iinfo takes integer dtypes, not float32; finfo takes floating and complex ones",
)
def integer_limits_of_floats() -> Any:
    return fnp.iinfo(VECTOR)


@pytest.mark.parametrize("row", mistake.rows, ids=lambda row: row.function.__name__)
def test_messages_of_the_array_api(row: Mistake) -> None:
    row.check()
