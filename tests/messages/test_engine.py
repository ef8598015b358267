"""Golden messages of what engines refuse and fail at: program, call site, shapes, and the line of the operation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import funcgrad as fg
import funcgrad.numpy as fnp
from funcgrad import errors
from funcgrad.backend import executable
from funcgrad.ops.trigonometry import sin
from tests.messages.mistakes import Mistake, Mistakes

mistake = Mistakes()
FAR_TOO_MANY = 1 << 45
lower_rule = type(sin).lower


@pytest.fixture(autouse=True)
def nothing_on_disk() -> Iterator[None]:
    with fg.config(cache=False):
        yield


@contextlib.contextmanager
def broken_sine(lower: Callable[..., Any]) -> Iterator[None]:
    """A block in which the rule that lowers a sine is another one."""
    type(sin).lower = lower
    try:
        yield
    finally:
        type(sin).lower = lower_rule


def foreign(self: Any, build: Any, x: Any) -> Any:
    """A call of code that the engine does not know."""
    attributes = {
        "call_target_name": build.attribute('"not_there"'),
        "api_version": build.integer(4, 32),
        "backend_config": build.attribute("{}"),
    }
    return build.ops("custom_call", [x], build.out_types, attributes)


def transposed(self: Any, build: Any, x: Any) -> Any:
    """An operation whose attribute makes no sense."""
    return (build.op("transpose", (x,), build.out_types[0], {"permutation": build.integers([0, 0])}),)


@mistake(
    errors.EngineError,
    "compiling program shouted(f32[2,3]) failed in the engine, at its operation sin, which comes from this line.\n"
    "The program was called at FILE:N.\n"
    "NOT_FOUND: No FFI handler registered for not_there on a platform Host (canonical host)",
)
def unknown_call() -> Any:
    def shouted(x: Any) -> Any:
        return fnp.sin(x) * 17.0

    with broken_sine(foreign):
        fg.jit(shouted)(fnp.ones((2, 3)))


@mistake(
    errors.EngineError,
    "compiling program shouted(f32[2,3]) failed in the engine, at its operation sin, which comes from this line.\n"
    "The program was called at FILE:N.\n"
    "attribute permutation must be a permutation of [0, 1] but got 0, 0\n"
    "'stablehlo.transpose' op failed to infer returned types\n"
    '    %1 = "stablehlo.transpose"(%arg0) <{permutation = array<i64: 0, 0>}> : (tensor<2x3xf32>) -> tensor<2x3xf32>',
)
def broken_rule() -> Any:
    def shouted(x: Any) -> Any:
        return fnp.sin(x) * 17.125

    with broken_sine(transposed):
        fg.jit(shouted)(fnp.ones((2, 3)))


@mistake(
    errors.EngineError,
    "lowering program shouted(f32[2,3]) failed at its operation sin, which comes from this line.\n"
    "The program was called at FILE:N.\n"
    "ZeroDivisionError: integer division or modulo by zero",
)
def failing_rule() -> Any:
    def shouted(x: Any) -> Any:
        return fnp.sin(x) * 17.375

    with broken_sine(lambda self, build, x: 1 // 0):
        fg.jit(shouted)(fnp.ones((2, 3)))


@mistake(
    errors.EngineError,
    "compiling program function(f32[2,3]) failed in the engine:\nINVALID_ARGUMENT: No such compile option: 'no_option'",
)
def unknown_option() -> Any:
    compile_options = executable._compile_options

    def with_another(*args: Any) -> Any:
        options = compile_options(*args)
        options.env_option_overrides = [("no_option", "1")]
        return options

    executable._compile_options = with_another
    try:
        fg.jit(lambda x: x * 17.25)(fnp.ones((2, 3)))
    finally:
        executable._compile_options = compile_options


@mistake(
    errors.EngineError,
    "running program filled(f32[]*) failed in the engine:\n"
    "RESOURCE_EXHAUSTED: Out of memory allocating 140737488355328 bytes.",
)
def too_large_result() -> Any:
    def filled(value: Any) -> Any:
        return fnp.broadcast_to(value, (FAR_TOO_MANY,)) + 17.5

    fg.jit(filled)(1.0)


def cubed(x: Any) -> Any:
    return fnp.sort(x[:, None, None] * x[:, None] * x, axis=0)[0, 0]


@mistake(
    errors.EngineError,
    "running program cubed(f32[65536]) failed in the engine, as was found when a value of type f32[65536] from cpu:0 "
    "was read:\nRESOURCE_EXHAUSTED: Out of memory allocating 1125899906842624 bytes.",
)
def too_large_on_the_way() -> Any:
    np.asarray(fg.jit(cubed)(fnp.ones(1 << 16)))


@pytest.mark.parametrize("row", mistake.rows, ids=mistake.names)
def test_the_message_is_exact_and_begins_with_the_line(row: Mistake) -> None:
    row.check()
