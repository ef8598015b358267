"""Printing, watching and stopping inside programs: what is shown, how often, and that nothing else changes."""

from __future__ import annotations

import bdb
import io
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad.errors import ArgumentError

ROWS = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], np.float32)
WAYS = {"eager": lambda f: f, "jit": fg.jit}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return WAYS[request.param]


# -- print -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fmt", "args", "kwargs", "expected"),
    [
        ("plain {{}}", (), {}, "plain {}"),
        ("{}", (ROWS,), {}, "[[0. 1. 2.]\n [3. 4. 5.]]"),
        ("{:.2f} | {x:>6}", (ROWS[0],), {"x": np.int32(7)}, "[0.00 1.00 2.00] |      7"),
        ("{0:.1f} {1} {0.shape} {0[2]}", (ROWS[1], np.bool_(True)), {}, "[3.0 4.0 5.0] True (3,) 5.0"),
        ("{x:.{digits}f}", (), {"x": np.float32(1.25), "digits": 1}, "1.2"),
        ("{name}={value!r}", (), {"name": "w", "value": {"a": np.float32(0.5)}}, "w={'a': Array(0.5, dtype=float32)}"),
        ("{} {:.1f} {}", (True, 1.5, 3), {}, "True 1.5 3"),
    ],
)
def test_arrays_are_formatted_as_numpy_would(
    fmt: str, args: Any, kwargs: Any, expected: str, way: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    dynamic = {k: v for k, v in kwargs.items() if not isinstance(v, str)}
    fixed = {k: v for k, v in kwargs.items() if isinstance(v, str)}
    way(lambda args, kwargs: fg.debug.print(fmt, *args, **kwargs, **fixed))(args, dynamic)
    assert capsys.readouterr().out == expected + "\n"


def test_narrow_floats_take_formats(capsys: pytest.CaptureFixture[str]) -> None:
    fg.debug.print("{:.2f} {:.1f}", fnp.ones(2, dtype="bfloat16"), fnp.ones((), dtype="float8_e4m3fn"))
    assert capsys.readouterr().out == "[1.00 1.00] 1.0\n"


@pytest.mark.parametrize(
    ("fmt", "args"), [("{} {}", (1,)), ("{x}", (1,)), ("", (1,)), ("{0.nothing}", (1,)), ("{:d}", (1.5,)), ("{", (1,))]
)
def test_a_format_that_does_not_fit_is_refused_while_tracing(fmt: str, args: Any, way: Callable[..., Any]) -> None:
    with pytest.raises(ArgumentError, match="does not fit its arguments"):
        way(lambda *values: fg.debug.print(fmt, *values))(*args)


def loss(x: Any) -> Any:
    y = fnp.sin(x)
    fg.debug.print("y = {:.1f}", y)
    return fnp.sum(y * x)


@pytest.mark.parametrize(
    ("transform", "lines"),
    [
        (lambda f: f, ["y = [0.0 0.8 0.9]"]),
        (fg.grad, ["y = [0.0 0.8 0.9]"]),
        (fg.checkpoint, ["y = [0.0 0.8 0.9]"]),
        (lambda f: fg.grad(fg.checkpoint(f)), ["y = [0.0 0.8 0.9]"]),
        (lambda f: fg.grad(fg.jit(f)), ["y = [0.0 0.8 0.9]"]),
        (lambda f: lambda x: fg.jvp(f, (x,), (x,)), ["y = [0.0 0.8 0.9]"]),
        (lambda f: lambda x: fg.linearize(f, x)[1](x), ["y = [0.0 0.8 0.9]"]),
        (lambda f: lambda x: fg.vjp(f, x)[1](fnp.float32(1.0)), ["y = [0.0 0.8 0.9]"]),
        (lambda f: fg.hessian(lambda x: f(x)), ["y = [0.0 0.8 0.9]"]),
        (lambda f: fg.vmap(lambda x: f(x[None])), ["y = [0.0]", "y = [0.8]", "y = [0.9]"]),
        (lambda f: fg.vmap(fg.grad(lambda x: f(x[None]))), ["y = [0.0]", "y = [0.8]", "y = [0.9]"]),
    ],
    ids="plain grad checkpoint grad_checkpoint grad_jit jvp linearize vjp hessian vmap vmap_grad".split(),
)
def test_a_line_is_printed_once_under_every_transformation(
    transform: Any, lines: list[str], way: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    x = fnp.asarray(ROWS[0])
    quiet = fg.tree.leaves(transform(lambda x: fnp.sum(fnp.sin(x) * x))(x))
    shown = fg.tree.leaves(way(transform(loss))(x))
    assert capsys.readouterr().out.splitlines() == lines
    for a, b in zip(quiet, shown, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-6)


def test_lines_of_loops_and_branches(way: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    def step(carry: Any, row: Any) -> tuple[Any, Any]:
        fg.debug.print("row {}", row, ordered=True)
        carry = fg.lax.cond(row > 1, lambda c: (fg.debug.print("large", ordered=True), c + row)[1], lambda c: c, carry)
        return carry, None

    total, _ = way(lambda x: fg.lax.scan(step, 0.0, x))(fnp.asarray(ROWS[0]))
    assert float(total) == 2.0
    assert capsys.readouterr().out.splitlines() == ["row 0.0", "row 1.0", "row 2.0", "large"]


def test_what_is_not_mapped_is_printed_once(way: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    def show(x: Any, y: Any) -> Any:
        fg.debug.print("shared {}", y)
        fg.debug.print("own {}", x)
        return x

    way(fg.vmap(show, (0, None)))(fnp.arange(2), 5)
    assert sorted(capsys.readouterr().out.splitlines()) == ["own 0", "own 1", "shared 5"]


def test_a_program_with_nothing_but_a_print_is_done_when_the_call_returns(capsys: pytest.CaptureFixture[str]) -> None:
    show = fg.jit(lambda x: fg.debug.print("{}", x))
    for i in range(20):
        show(i)
        assert capsys.readouterr().out == f"{i}\n"


# -- callback ----------------------------------------------------------------------------------------------------------


def test_what_a_callback_returns_is_ignored(way: Callable[..., Any]) -> None:
    seen: list[Any] = []

    def look(x: Any, *, name: str) -> str:
        seen.append((name, float(x)))
        return "ignored"

    def function(x: Any) -> Any:
        assert fg.debug.callback(look, x, name="x") is None
        return x * x

    assert float(way(fg.grad(function))(3.0)) == 6.0
    assert seen == [("x", 3.0)]


# -- breakpoint --------------------------------------------------------------------------------------------------------


@pytest.fixture
def debugger(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Calls a function while commands are typed, and gives what the debugger wrote."""
    monkeypatch.delenv("PYTHONBREAKPOINT", raising=False)

    def run(commands: str, function: Callable[..., Any], *args: Any) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO(commands.replace("; ", "\n") + "\n"))
        function(*args)
        return capsys.readouterr().out

    return run


def stops(x: Any) -> Any:
    table = {"double": x * 2, "count": 3}
    text = "words"
    fg.debug.breakpoint()
    return table["double"] + len(text)


def test_the_debugger_shows_the_local_variables_of_compiled_code(debugger: Callable[..., str]) -> None:
    results = []
    written = debugger("p x; p table; p text; w; c", lambda: results.append(fg.jit(stops)(2.0)))
    assert [float(x) for x in results] == [9.0]
    assert "Array(2., dtype=float32)" in written
    assert "{'count': 3, 'double': Array(4., dtype=float32)}" in written
    assert "'words'" in written
    assert f"{__file__}({stops.__code__.co_firstlineno + 3})stops()" in written
    assert "-> fg.debug.breakpoint()" in written
    assert "funcgrad/debug.py" not in written


def test_the_debugger_opens_for_each_element_and_in_loops(debugger: Callable[..., str]) -> None:
    written = debugger("p x; c; p x; c", fg.vmap(stops), fnp.arange(2.0))
    assert written.index("Array(0., dtype=float32)") < written.index("Array(1., dtype=float32)")

    def body(carry: Any, row: Any) -> tuple[Any, Any]:
        fg.debug.breakpoint(ordered=True)
        return carry + row, None

    written = debugger("p carry; c; p carry; c", fg.jit(lambda x: fg.lax.scan(body, 5, x)[0]), fnp.arange(1, 3))
    assert written.index("Array(5, dtype=int32)") < written.index("Array(6, dtype=int32)")


def test_the_debugger_shows_callers(debugger: Callable[..., str]) -> None:
    def outer(x: Any) -> Any:
        above = x + 5

        def inner(v: Any) -> Any:
            fg.debug.breakpoint(num_frames=2)
            return v * 2

        return inner(above)

    written = debugger("p v; up; p above + 1; c", fg.jit(outer), 1.0)
    assert "Array(6., dtype=float32)" in written
    assert "Array(7., dtype=float32)" in written
    assert "outer()" in written


def test_quitting_the_debugger_ends_the_program(debugger: Callable[..., str]) -> None:
    with pytest.raises(bdb.BdbQuit):
        debugger("q", fg.jit(stops), 2.0)


@pytest.mark.parametrize("transform", [lambda f: f, fg.grad], ids=["plain", "grad"])
def test_eagerly_one_steps_on(transform: Any, debugger: Callable[..., str]) -> None:
    previous = sys.gettrace()
    try:
        written = debugger("p text; n; n; p table; c", transform(stops), 2.0)
    finally:
        sys.settrace(previous)
    assert "'words'" in written
    assert '-> return table["double"] + len(text)' in written


def test_another_debugger_may_be_chosen(monkeypatch: pytest.MonkeyPatch, debugger: Callable[..., str]) -> None:
    found: list[Any] = []

    def hook() -> None:
        frame = sys._getframe(1)
        found.append((frame.f_code.co_name, float(frame.f_locals["x"])))

    monkeypatch.setattr(sys, "breakpointhook", hook)
    assert debugger("", fg.jit(stops), 2.0) == ""
    assert found == [("stops", 2.0)]
    monkeypatch.setattr(sys, "breakpointhook", sys.__breakpointhook__)
    monkeypatch.setenv("PYTHONBREAKPOINT", "0")
    debugger("", fg.jit(stops), 3.0)
    debugger("", stops, 3.0)
    assert found == [("stops", 2.0)]
