"""Settings: scoped by thread and task, checked, part of what functions are compiled for."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.config import CompilerSettings


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
    assert "cache_size=" in repr(fg.config)


def test_settings_of_the_compiler_belong_to_no_key() -> None:
    before = fg.config.current
    with fg.config(cache=False, cache_size=5, default_int="int64"):
        with fg.config(cache_dir="here", progress=False, default_int="int32"):
            assert fg.config.current is before
            assert (fg.config.cache, fg.config.cache_size, fg.config.progress) == (False, 5, False)
            assert fg.config.cache_dir == os.path.abspath("here")
        assert (fg.config.cache_size, fg.config.progress) == (5, True)
    assert fg.config.cache_size == 2 << 30


def test_settings_of_the_compiler_for_the_whole_process() -> None:
    fg.config.update(cache_size=7)
    try:
        assert fg.config.cache_size == 7
    finally:
        fg.config.update(cache_size=2 << 30)


def test_a_directory_is_a_path_or_none() -> None:
    with fg.config(cache_dir=Path("~/x")):
        assert fg.config.cache_dir == os.path.expanduser("~/x")
    with fg.config(cache_dir=None):
        assert fg.config.cache_dir is None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("cache", "yes", "one of True, False"),
        ("cache_size", 0, "a positive integer"),
        ("cache_size", "2 GiB", "a positive integer"),
        ("cache_size", True, "a positive integer"),
        ("cache_dir", 3, "the path of a directory, or None"),
        ("cache_dir", "", "the path of a directory, or None"),
        ("cache_dir", b"/tmp", "the path of a directory, or None"),
    ],
)
def test_other_values_are_refused(name: str, value: object, expected: str) -> None:
    with pytest.raises(errors.ArgumentError, match=rf"config {name}=.*: expected {expected}"):
        fg.config.update(**{name: value})


def test_the_environment_gives_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUNCGRAD_CACHE", "0")
    monkeypatch.setenv("FUNCGRAD_CACHE_DIR", "/scratch/me")
    assert (CompilerSettings().cache, CompilerSettings().cache_dir) == (False, os.path.abspath("/scratch/me"))
    monkeypatch.setenv("FUNCGRAD_CACHE", "1")
    monkeypatch.setenv("FUNCGRAD_CACHE_DIR", "")
    assert (CompilerSettings().cache, CompilerSettings().cache_dir) == (True, None)
    monkeypatch.setenv("FUNCGRAD_CACHE", "off")
    with pytest.raises(errors.ArgumentError, match="environment variable FUNCGRAD_CACHE=off: expected 0 or 1"):
        CompilerSettings()
