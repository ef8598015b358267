"""Every function takes NumPy's arguments: the same names in the same order; some take further ones by name.

Left aside are `out` where nothing follows it (arrays are immutable), `order` (memory layout is not visible), `like` and
`subok` (there are no subclasses), and all but the operands of elementwise functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter
from typing import Any

import numpy as np
import pytest

import funcgrad.numpy as fnp

ABSENT = {"order", "like", "subok"}
BY_PLACE = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)

# Names of parameters that a function does not have, or has at another place, and why.
EXCEPTIONS: dict[str, tuple[str, str]] = {
    "array": ("ndmax", "it is about arrays of objects"),
    "clip": (
        "a a_min a_max",
        "the bounds are called min and max, as in the Array API standard; a_min and a_max by name",
    ),
    "einsum_path": ("einsum_call", "an inner matter of NumPy's"),
    "fix": ("x", "here it is elementwise and takes its operand by place"),
    "load": ("fix_imports encoding max_header_size", "they are about pickled objects"),
}


def parameters(function: Callable[..., Any]) -> list[Parameter] | None:
    """The parameters compared here; None if they cannot be seen."""
    if isinstance(function, np.ufunc):
        places = ("x",) if function.nin == 1 else [f"x{i + 1}" for i in range(function.nin)]
        return [Parameter(name, Parameter.POSITIONAL_ONLY) for name in places]
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    by_place = [p.name for p in found if p.kind in BY_PLACE]
    needless = {"out"} if "out" not in by_place[:-1] else set()
    return [p for p in found if p.name not in ABSENT | needless]


def shared() -> list[str]:
    """Names of functions that both have, which are not one and the same object."""
    modules = (("", np, fnp), ("linalg.", np.linalg, fnp.linalg), ("fft.", np.fft, fnp.fft))
    return [
        prefix + name
        for prefix, theirs, ours in modules
        for name in sorted(dir(theirs))
        if not name.startswith("_") and hasattr(ours, name) and getattr(ours, name) is not getattr(theirs, name)
        if inspect.isroutine(f := getattr(theirs, name)) or isinstance(f, np.ufunc) or name == "vectorize"
    ]


def lookup(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part)
    return module


@pytest.mark.parametrize("name", shared())
def test_the_parameters_are_numpys(name: str) -> None:
    theirs, ours = parameters(lookup(np, name)), parameters(lookup(fnp, name))
    if theirs is None or ours is None:
        return
    excepted = EXCEPTIONS.get(name, ("", ""))[0].split()
    kinds = {p.kind for p in ours}
    by_place = [p for p in ours if p.kind in BY_PLACE]
    for place, p in enumerate(p for p in theirs if p.kind in BY_PLACE):
        if p.name in excepted or (Parameter.VAR_POSITIONAL in kinds and place >= len(by_place)):
            continue
        assert place < len(by_place), f"{name} lacks the parameter {p.name}"
        if p.kind is Parameter.POSITIONAL_OR_KEYWORD:
            mine = by_place[place]
            assert (mine.name, mine.kind) == (p.name, p.kind), f"{name}: {p} and {mine}"
    if Parameter.VAR_KEYWORD not in kinds:
        wanted = {p.name for p in theirs if p.kind is Parameter.KEYWORD_ONLY}
        assert not wanted - {p.name for p in ours} - set(excepted), name
    for p in ours[len(theirs) :]:
        assert p.default is not Parameter.empty or p.kind not in BY_PLACE, (
            f"{name} needs {p.name}, which NumPy's does not"
        )


def test_exceptions_are_of_functions_that_exist() -> None:
    assert set(EXCEPTIONS) <= set(shared())
