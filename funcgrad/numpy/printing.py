"""How arrays print: NumPy's options, which hold for these arrays too, and numbers as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend.array import printable, representation
from ..core.trace import Tracer
from .conversion import as_operand, known

__all__ = [
    "array2string", "array_repr", "array_str", "base_repr", "binary_repr", "format_float_positional",
    "format_float_scientific", "get_printoptions", "printoptions", "set_printoptions",
]  # fmt: skip

# One set of options for NumPy's arrays and these: whoever asks for three digits means all arrays.
set_printoptions = np.set_printoptions
get_printoptions = np.get_printoptions
printoptions = np.printoptions
base_repr = np.base_repr
binary_repr = np.binary_repr


def array_repr(
    arr: Any, max_line_width: int | None = None, precision: int | None = None, suppress_small: bool | None = None
) -> str:
    """`repr(arr)`, with other options than those set for all arrays."""
    x = as_operand(arr)
    if isinstance(x, Tracer):
        return repr(x)
    options = {"max_line_width": max_line_width, "precision": precision, "suppress_small": suppress_small}
    return representation(x.host(), **options)


def array_str(
    a: Any, max_line_width: int | None = None, precision: int | None = None, suppress_small: bool | None = None
) -> str:
    """`str(a)`, with other options than those set for all arrays."""
    x = as_operand(a)
    return (
        str(x)
        if isinstance(x, Tracer)
        else np.array_str(printable(x.host()), max_line_width, precision, suppress_small)
    )


def _called_as(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A decorator: the function takes the arguments of another one, and hands them on."""

    def with_signature(ours: Any) -> Any:
        ours.__signature__ = inspect.signature(function)
        return ours

    return with_signature


@_called_as(np.array2string)
def array2string(a: Any, *args: Any, **options: Any) -> str:
    """The elements as text; options as those of `numpy.array2string`, such as `precision` and `separator`.

    Example:
        >>> fnp.array2string(fnp.array([0.5, 1.25]), precision=1, separator="; ")
        '[0.5; 1.2]'
    """
    return np.array2string(printable(known(a, "array2string")), *args, **options)


def _scalar(x: Any, wanted: str) -> Any:
    host = printable(known(x, wanted))
    return host.reshape(())[()]


@_called_as(np.format_float_positional)
def format_float_positional(x: Any, *args: Any, **options: Any) -> str:
    """A number with a decimal point and no exponent; options as those of `numpy.format_float_positional`.

    Example:
        >>> fnp.format_float_positional(fnp.asarray(1e-5), precision=7, unique=False)
        '0.0000100'
    """
    return np.format_float_positional(_scalar(x, "format_float_positional"), *args, **options)


@_called_as(np.format_float_scientific)
def format_float_scientific(x: Any, *args: Any, **options: Any) -> str:
    """A number with an exponent; options as those of `numpy.format_float_scientific`.

    Example:
        >>> fnp.format_float_scientific(fnp.asarray(12345.0), precision=2)
        '1.23e+04'
    """
    return np.format_float_scientific(_scalar(x, "format_float_scientific"), *args, **options)
