"""Settings: scoped by thread and task, checked, part of what functions are compiled for."""

from __future__ import annotations

import asyncio

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors


def test_scopes_nest_and_end() -> None:
    assert fg.config.default_float == "float32"
    with fg.config(default_float="float64"):
        with fg.config(default_int="int64"):
            assert (fg.config.default_float, fg.config.default_int) == ("float64", "int64")
        assert (fg.config.default_float, fg.config.default_int) == ("float64", "int32")
    assert fg.config.default_float == "float32"


def test_a_scope_ends_with_an_error() -> None:
    with pytest.raises(KeyError), fg.config(default_float="float64"):
        raise KeyError
    assert fg.config.default_float == "float32"


def test_the_whole_process() -> None:
    fg.config.update(default_float="bfloat16")
    try:
        assert fnp.zeros(1).dtype == fnp.bfloat16
    finally:
        fg.config.update(default_float="float32")
    assert fnp.zeros(1).dtype == fnp.float32


def test_equal_settings_are_one_object() -> None:
    before = fg.config.current
    with fg.config(default_float="float64"):
        inside = fg.config.current
    with fg.config(default_float="float64"):
        assert fg.config.current is inside
    assert fg.config.current is before


def test_unknown_settings_are_refused_before_anything_changes() -> None:
    before = fg.config.current
    with pytest.raises(errors.ArgumentError, match="there is no setting 'precision'; there are: default_float, "):
        fg.config.update(default_float="float64", precision="high")
    with pytest.raises(errors.ArgumentError, match="there is no setting"):
        fg.config.precision  # noqa: B018
    assert fg.config.current is before


def test_tasks_do_not_disturb_each_other() -> None:
    async def task(dtype: str) -> str:
        with fg.config(default_float=dtype):
            await asyncio.sleep(0)
            return fnp.zeros(1).dtype.name

    async def both() -> list[str]:
        return list(await asyncio.gather(task("float64"), task("float16")))

    assert asyncio.run(both()) == ["float64", "float16"]


def test_repr_shows_the_settings() -> None:
    assert "default_float='float32'" in repr(fg.config)
