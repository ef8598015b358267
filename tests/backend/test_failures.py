"""What engines say when they fail: cleaned, and traced back to the program and the line. Messages: `tests/messages`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.backend import failures
from funcgrad.ops.trigonometry import sin


@pytest.fixture
def foreign_sine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sines are lowered to calls that the engine does not know."""

    def lower(self: Any, build: Any, x: Any) -> Any:
        name = {"call_target_name": build.attribute('"not_there"'), "api_version": build.integer(4, 32)}
        return build.ops("custom_call", [x], build.out_types, {**name, "backend_config": build.attribute("{}")})

    monkeypatch.setattr(type(sin), "lower", lower)
    with fg.config(cache=False):
        yield


def test_the_engines_own_places_and_traces_are_left_out() -> None:
    said, places = failures._said(
        RuntimeError(
            "UNKNOWN: model.py:3:1: error: 'stablehlo.sine' op has a bad day\n"
            "    y = sin(x)\n^\n"
            "model.py:3:1: error: 'stablehlo.sine' op has a bad day\n"
            'model.py:3:1: note: see current operation: %1 = "stablehlo.sine"(%0)\n'
            "\n=================\nSource Location Trace:\n=================\nxla/service/thing.cc:77\nxla/other.cc:8\n"
        )
    )
    assert said == "'stablehlo.sine' op has a bad day\n    %1 = \"stablehlo.sine\"(%0)"
    assert set(places) == {("model.py", 3)}


def test_other_texts_stay_and_long_ones_are_cut() -> None:
    assert failures._said(RuntimeError("INTERNAL: no\nluck")) == ("INTERNAL: no\nluck", [])
    said, _ = failures._said(RuntimeError("x" * 100_000))
    assert said == "x" * 2000 + " …"


def test_where_several_lines_may_be_meant_none_is(foreign_sine: None) -> None:
    def twice(x: Any) -> Any:
        y = fnp.sin(x)
        return fnp.sin(y * 18.25)

    with pytest.raises(
        errors.EngineError, match=r"compiling program twice\(f32\[3\]\) failed in the engine:"
    ) as caught:
        fg.jit(twice)(fnp.ones(3))  # the call
    assert caught.value.source is not None
    assert caught.value.source.text.endswith("# the call")


def test_one_line_with_several_operations(foreign_sine: None) -> None:
    def twice(x: Any) -> Any:
        return fnp.sin(fnp.sin(x) * 18.5)  # both

    with pytest.raises(errors.EngineError, match="at its operation sin, which comes from this line") as caught:
        fg.jit(twice)(fnp.ones(3))
    assert caught.value.source is not None
    assert caught.value.source.text.endswith("# both")


def too_large(x: Any) -> Any:
    return fnp.sort(x[:, None, None] * x[:, None] * x, axis=0)[0, 0] * 18.75


@pytest.mark.parametrize(
    "use",
    [np.asarray, np.from_dlpack, fg.Array.block_until_ready, lambda x: x + 1, lambda x: float(x[0]), repr],
)
def test_a_result_that_never_came_is_an_error_however_it_is_used(use: Any) -> None:
    result = fg.jit(too_large)(fnp.ones(1 << 16))
    for _ in range(2):
        with pytest.raises(errors.EngineError, match=r"program too_large\(f32\[65536\]\) failed in the engine, as was"):
            use(result)


def test_so_are_its_checks() -> None:
    def checked(x: Any) -> Any:
        fg.check(too_large(x)[0] > 0, "positive")
        return x

    result = fg.jit(checked)(fnp.ones(1 << 16))
    with pytest.raises(errors.EngineError, match=r"program checked\(f32\[65536\]\) failed in the engine, as was found"):
        np.asarray(result)
    with pytest.raises(errors.EngineError):
        np.asarray(result)


def test_of_a_program_that_is_gone_nothing_is_said() -> None:
    class Nameless:
        def block_until_ready(self) -> None:
            raise RuntimeError("INTERNAL: gone")

    with pytest.raises(errors.EngineError, match=r"reading a value failed:\nINTERNAL: gone"):
        failures.read(Nameless(), lambda: "a value")
