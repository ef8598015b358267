"""The user's line: found through decorators and lambdas, resolved to file, line and text only when shown."""

from __future__ import annotations

import functools
from typing import Any

import funcgrad.numpy as fnp
from funcgrad.core.program import stage
from funcgrad.core.types import ArrayType
from funcgrad.source import Source, function_source, user_source

SCALAR = ArrayType((), fnp.ones(()).dtype)


def test_the_current_line() -> None:
    found = user_source()
    assert found is not None
    assert found.file == __file__
    assert found.text == "found = user_source()"
    assert found.function.endswith("test_the_current_line")
    assert str(found) == f"{__file__}:{found.line} in {found.function}\n    found = user_source()"


def test_lines_of_one_function_are_told_apart() -> None:
    def function(x: Any) -> Any:
        y = fnp.sin(x)
        return (
            fnp.cos(y)
            + fnp.tan(y)
        )  # fmt: skip

    program = stage(lambda x: [function(x)], [SCALAR], "test")
    texts = [eqn.source.text for eqn in program.equations if eqn.source is not None]
    assert texts == ["y = fnp.sin(x)", "fnp.cos(y)", "+ fnp.tan(y)", "fnp.cos(y)"]


def test_code_without_a_file() -> None:
    code = compile("answer = 1\nanswer += 1\n", "<written here>", "exec")
    source = Source(code, 0)
    assert source.text == ""
    assert str(source) == f"<written here>:{source.line} in <module>"


def test_functions_are_named_through_wrappers() -> None:
    def loss(x: Any) -> Any:
        return x

    line = loss.__code__.co_firstlineno
    assert function_source(loss) == f"loss ({__file__}:{line})"
    assert function_source(functools.partial(loss, 1)) == f"loss ({__file__}:{line})"
    assert function_source(functools.wraps(loss)(lambda x: x)) == f"loss ({__file__}:{line})"
    assert function_source(len) == "len"
    assert function_source(3) == "3"
