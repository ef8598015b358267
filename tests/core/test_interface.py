"""What is declared for type checkers is there at run time, on arrays and on tracers, and nothing else is."""

from __future__ import annotations

import ast
import inspect

import funcgrad as fg
from funcgrad.core import interface
from funcgrad.core.trace import Tracer
from funcgrad.numpy import array_methods


def declared() -> set[str]:
    tree = ast.parse(inspect.getsource(interface))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_everything_declared_is_there() -> None:
    for cls in (fg.Array, Tracer):
        missing = {name for name in declared() if getattr(cls, name, None) in (None, getattr(object, name, None))}
        assert not missing


def test_everything_installed_is_declared() -> None:
    class Plain:
        pass

    before = set(vars(Plain))
    array_methods.install(Plain)
    unchecked = {"__setitem__", "__delitem__", "__array_ufunc__", "__array_priority__"}
    assert set(vars(Plain)) - before - unchecked <= declared()
