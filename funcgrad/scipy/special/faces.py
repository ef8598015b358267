"""From special operations to public functions: promotion, broadcasting, and SciPy's own loop for eager arrays"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from ...backend.array import Array
from ...compiler.evaluate import evaluation, silence
from ...core.dtypes import is_complex
from ...core.primitive import Primitive, infer
from ...core.trace import state
from ...errors import DTypeError
from ...numpy.fast import FLOATING, quick_binary, quick_unary
from ...numpy.promotion import promote, to_inexact

__all__ = ["face", "real_operands"]


def real_operands(name: str, *args: Any) -> tuple[Any, ...]:
    """The arguments as real operands of one inexact dtype and one shape.

    Raises:
        DTypeError: a complex argument.
        ShapeError: the shapes do not broadcast.
    """
    operands = tuple(to_inexact(x) for x in promote(*args))
    if is_complex(operands[0].dtype):
        raise DTypeError(f"{name} takes real numbers here, not {operands[0].dtype.name}; use x.real or abs(x)")
    return operands


def face(
    op: Primitive | Callable[..., Any], name: str, signature: str, doc: str, ufunc: str | Callable[..., Any] = ""
) -> Any:
    """A public function of real numbers.

    Args:
        op: what it is for operands of one float dtype and one shape: an operation, or a composition of some.
        name: its public name.
        signature: the names of its arguments, with blanks between.
        doc: its docstring.
        ufunc: the function of scipy.special that computes the same, or its name; by default that of its own name.
    """
    names = signature.split()

    def general(*args: Any) -> Any:
        operands = real_operands(name, *args)
        if isinstance(op, Primitive) and type(operands[0]) is Array:
            infer(op, *[x.type for x in operands])
        return op(*operands)

    quick = ufunc if callable(ufunc) else getattr(scipy.special, ufunc or name)
    factory = {1: quick_unary, 2: quick_binary}.get(len(names), _quick_many)
    function = factory(quick, FLOATING, general)
    function.__name__ = function.__qualname__ = name
    function.__module__ = "funcgrad.scipy.special"
    function.__doc__ = doc
    parameters = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in names]
    function.__signature__ = inspect.Signature(parameters)
    return function


def _quick_many(ufunc: np.ufunc, chars: str, general: Callable[..., Any]) -> Callable[..., Any]:
    """`general`, in front of it the shortcut for host arrays of one dtype out of `chars`."""

    def function(*args: Any) -> Any:
        if state.trace is evaluation and evaluation.host_only and all(type(x) is Array for x in args):
            hosts = [x._host for x in args if x._device is None and x._host is not None]
            alike = len(hosts) == len(args) == ufunc.nin and len({x.dtype for x in hosts}) == 1
            if alike and hosts[0].dtype.char in chars:
                try:
                    return Array(np.asarray(silence.run(ufunc, *hosts)))
                except ValueError:  # the shapes do not broadcast
                    pass
        return general(*args)

    return function
