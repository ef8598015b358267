"""Golden messages of mistakes with the options of `jit`, with donated arrays, and the warnings about daily use."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.compiler import disk
from tests.messages.mistakes import Mistake, Mistakes, normalised

mistake = Mistakes()


def update(state: Any, g: Any) -> Any:
    return {name: leaf - g for name, leaf in state.items()}


@mistake(errors.ArgumentError, "donate_argnums names argument 2, but update (FILE:N) has 2")
def donated_number_beyond() -> Any:
    return fg.jit(update, donate_argnums=2)


@mistake(errors.ArgumentError, "donate_argnames names 'params', but update (FILE:N) has no such argument")
def donated_name_unknown() -> Any:
    return fg.jit(update, donate_argnames=("state", "params"))


@mistake(errors.ArgumentError, "jit of update (FILE:N): tiered='yes': expected True, False or None")
def tiered_yes() -> Any:
    return fg.jit(update, tiered="yes")


@mistake(
    errors.ArgumentError,
    "jit of update (FILE:N): the argument state is both static and donated. A static argument has no buffer that "
    "could be donated; leave it out of one of the two.",
)
def static_and_donated() -> Any:
    return fg.jit(update, static_argnums=0, donate_argnames="state")


@mistake(
    errors.ArgumentError,
    "jit of <lambda> (FILE:N): the argument 1 is both static and donated. A static argument has no buffer that "
    "could be donated; leave it out of one of the two.",
)
def static_and_donated_by_number() -> Any:
    return fg.jit(lambda *args: args[0], static_argnums=1, donate_argnums=(0, 1))


GONE = (
    "this array of type f32[3] was donated: it was the argument state['w'] of update (FILE:N), called at FILE:N in {}\n"
    "    fg.jit(update, donate_argnums=0)(state, 1.0)\n"
    "A donated array's memory belongs to the results of the call, so its value is gone.\n"
    "Use the result of that call instead, or leave the argument out of donate_argnums and donate_argnames."
)


@mistake(errors.DonatedError, GONE.format("reuse_in_arithmetic"))
def reuse_in_arithmetic() -> Any:
    state = {"w": fnp.ones(3), "b": fnp.ones(2)}
    fg.jit(update, donate_argnums=0)(state, 1.0)
    return state["w"] * 2


@mistake(errors.DonatedError, GONE.format("reuse_under_jit"))
def reuse_under_jit() -> Any:
    state = {"w": fnp.ones(3)}
    fg.jit(update, donate_argnums=0)(state, 1.0)
    return fg.jit(update)(state, 1.0)


@mistake(errors.DonatedError, GONE.format("reuse_by_closure"))
def reuse_by_closure() -> Any:
    state = {"w": fnp.ones(3)}
    fg.jit(update, donate_argnums=0)(state, 1.0)
    return fg.jit(lambda x: x * state["w"])(2.0)


@pytest.mark.parametrize("row", mistake.rows, ids=lambda row: row.function.__name__)
def test_the_message_is_exact_and_begins_with_the_users_line(row: Mistake) -> None:
    row.check()


def warning_of(call: Callable[[], Any]) -> tuple[type[Warning], str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    (warning,) = caught
    assert isinstance(warning.message, Warning)
    return warning.category, normalised(str(warning.message), __file__)


def test_the_warning_about_useless_donation() -> None:
    total = fg.jit(lambda p: fnp.sum(p["w"]), donate_argnums=0)
    assert warning_of(lambda: total({"w": fnp.ones((2, 3))})) == (
        errors.DonationWarning,
        "<lambda> (FILE:N) returns nothing of the shape and dtype of these donated arguments, so that their memory "
        "cannot be used for its results:\n"
        "  p['w']: f32[2,3]\n"
        "Leave them out of donate_argnums and donate_argnames.",
    )


def test_the_warning_about_retracing() -> None:
    function = fg.jit(lambda batch, n: batch["x"] * n, static_argnums=1)

    def loop() -> None:
        for i in range(8):
            function({"x": fnp.ones((i, 2))}, i)

    assert warning_of(loop) == (
        errors.RetraceWarning,
        "<lambda> (FILE:N) was traced and compiled 7 times. Since the time before, these changed:\n"
        "  batch['x']: f32[5,2] -> f32[6,2]\n"
        "  the static n: 5 -> 6\n"
        "Every shape needs its own program: pad arrays to a few shapes, and mask what is padding.\n"
        "Every static value needs its own program: let numbers that vary be traced (not in static_argnums, as arrays "
        "or numbers), and pass the same object each time for the rest.",
    )


def test_the_warning_about_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_process", disk._Process())
    (tmp_path / "file").touch()

    def twice() -> None:
        for scale in (1.5, 2.5):
            with fg.config(cache=True, cache_dir=tmp_path / "file"):
                fg.jit(lambda x: x * scale + 0.0625)(fnp.ones(3))  # noqa: B023

    category, message = warning_of(twice)
    assert category is errors.CacheWarning
    assert message.replace(str(tmp_path), "TMP") == (
        "the cache of compiled programs in TMP/file cannot be used: Not a directory.\n"
        "Work goes on without it: each process compiles its own programs. Choose another directory with "
        "fg.config.update(cache_dir=…) or the environment variable FUNCGRAD_CACHE_DIR; or do without the cache, and "
        "without this warning, by fg.config.update(cache=False) or FUNCGRAD_CACHE=0."
    )
